//! Whose money the account holds.
//!
//! ```text
//! balance = escrow + fees + unclaimed + storage deposits + own
//! own     = stake of the account's bytes − what escrow and storage deposits stake of them + reserve
//! ```
//! *Escrow* is the deposits of pending requests, *fees* what was earned and not withdrawn, *unclaimed* refunds that could not
//! be paid because the receiver's account was gone. *Storage deposits* are what owners of secrets and projects left for just the
//! bytes that these take; they stake them and come back with them. The rest is the account's own.
//!
//! NEAR makes the account stake its balance for every byte it keeps. A pending request's bytes are staked by its own escrow as
//! far as that goes: both leave together when it ends, so neither can eat the other. What the escrow does not cover the
//! *reserve* lends: a little to a request ([`MAX_LOAN_BYTES`], and never more than half of the reserve), as much as there is to an
//! answer. No request is taken while the reserve is below [`MIN_RESERVE_BYTES`], so refunds never lack the balance to be paid.
//!
//! Nothing here reads `env`; sums that cannot overflow saturate, because a callback that panics would lock what it holds.

use borsh::{BorshDeserialize, BorshSerialize};
use protocol::{FailureCode, NearToken};

use crate::refusal::Refusal;

/// The most that a request may borrow of the reserve for its bytes; a record without input takes about 700.
///
/// Unit: bytes.
pub(crate) const MAX_LOAN_BYTES: u64 = 4_096;

/// What the reserve must hold before a request is taken: room for the records of about 70 refunds that could not be paid.
///
/// Unit: bytes.
pub(crate) const MIN_RESERVE_BYTES: u64 = 10_000;

/// Whose money the account holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Ledger {
    /// Deposits of pending requests.
    pub(crate) escrow: NearToken,
    /// Earned and not withdrawn.
    pub(crate) fees: NearToken,
    /// Refunds that could not be paid.
    pub(crate) unclaimed: NearToken,
    /// The part of `escrow` that stakes the bytes of its own requests.
    pub(crate) staked_escrow: NearToken,
    /// What was left for the bytes of secrets and projects; it stakes just these.
    pub(crate) storage_deposits: NearToken,
}

/// What became of the deposit for some bytes when their number changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bill {
    /// What is held for them now.
    pub(crate) held: NearToken,
    /// What goes back of what was held and attached.
    pub(crate) back: NearToken,
}

/// How a request's escrow is divided when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Split {
    /// What is kept.
    pub(crate) charged: NearToken,
    /// What goes back.
    pub(crate) refunded: NearToken,
}

/// What the account has and what its bytes cost, read from the chain before a call changes either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Holdings {
    /// Without what is attached to the present call.
    pub(crate) balance: NearToken,
    /// What the account keeps.
    pub(crate) storage_bytes: u64,
    /// What it stakes for each.
    pub(crate) byte_price: NearToken,
}

impl Holdings {
    /// What `bytes` cost.
    pub(crate) const fn price(&self, bytes: u64) -> NearToken {
        #[expect(clippy::as_conversions, reason = "u128::from is not const")]
        self.byte_price.saturating_mul(bytes as u128)
    }
}

impl Ledger {
    /// What the account owes.
    pub(crate) const fn liabilities(&self) -> NearToken {
        self.escrow
            .saturating_add(self.fees)
            .saturating_add(self.unclaimed)
            .saturating_add(self.storage_deposits)
    }

    /// What stakes bytes of the account and is not its own.
    const fn staked(&self) -> NearToken {
        self.staked_escrow.saturating_add(self.storage_deposits)
    }

    /// What the account has beyond what it owes and what its bytes stake; `None` when it falls short.
    pub(crate) const fn reserve(&self, holdings: &Holdings) -> Option<NearToken> {
        let has = holdings.balance.saturating_add(self.staked());
        let needs = self
            .liabilities()
            .saturating_add(holdings.price(holdings.storage_bytes));
        has.checked_sub(needs)
    }

    /// How much of `payment` stakes the `bytes` of its request; the rest is the reserve's loan.
    pub(crate) fn stake(
        &self,
        payment: NearToken,
        bytes: u64,
        holdings: &Holdings,
    ) -> Result<NearToken, Refusal> {
        let least = holdings.price(MIN_RESERVE_BYTES);
        let reserve = self.reserve(holdings).filter(|has| *has >= least);
        let Some(reserve) = reserve else {
            return Err(Refusal::new(
                FailureCode::Paused,
                "the contract's reserve is used up; its owner must top up the account",
            ));
        };
        let price = holdings.price(bytes);
        let staked = price.min(payment);
        let loan = price.saturating_sub(staked);
        let most = holdings
            .price(MAX_LOAN_BYTES)
            .min(reserve.saturating_div(2));
        if loan <= most {
            return Ok(staked);
        }
        let enough = price.saturating_sub(most);
        Err(Refusal::new(
            FailureCode::DepositTooSmall,
            format!(
                "the deposit is {payment} yoctoNEAR; while it is pending, this request takes {bytes} bytes of storage, \
                 which need {enough} yoctoNEAR; the unused part comes back",
                payment = payment.as_yoctonear(),
                enough = enough.as_yoctonear(),
            ),
        ))
    }

    /// A request is taken.
    pub(crate) const fn open(&mut self, payment: NearToken, staked: NearToken) {
        self.escrow = self.escrow.saturating_add(payment);
        self.staked_escrow = self.staked_escrow.saturating_add(staked);
    }

    /// A request has ended and used `cost`.
    pub(crate) fn close(
        &mut self,
        payment: NearToken,
        staked: NearToken,
        cost: NearToken,
    ) -> Split {
        let charged = cost.min(payment);
        self.escrow = self.escrow.saturating_sub(payment);
        self.staked_escrow = self.staked_escrow.saturating_sub(staked);
        self.fees = self.fees.saturating_add(charged);
        Split {
            charged,
            refunded: payment.saturating_sub(charged),
        }
    }

    /// Bytes for which `held` was left are `bytes` now; `attached` pays for more of them.
    pub(crate) fn restake(
        &mut self,
        held: NearToken,
        bytes: u64,
        attached: NearToken,
        holdings: &Holdings,
    ) -> Result<Bill, Refusal> {
        let price = holdings.price(bytes);
        let Some(back) = held.saturating_add(attached).checked_sub(price) else {
            return Err(Refusal::new(
                FailureCode::DepositTooSmall,
                format!(
                    "the deposit is {attached} yoctoNEAR; {bytes} bytes of storage need {missing}, which come back with them",
                    attached = attached.as_yoctonear(),
                    missing = price.saturating_sub(held).as_yoctonear(),
                ),
            ));
        };
        let others = self.storage_deposits.saturating_sub(held);
        self.storage_deposits = others.saturating_add(price);
        Ok(Bill { held: price, back })
    }

    /// The bytes for which `held` was left are gone; it goes back.
    pub(crate) const fn release(&mut self, held: NearToken) {
        self.storage_deposits = self.storage_deposits.saturating_sub(held);
    }

    /// A refund came back because its receiver is gone.
    pub(crate) const fn keep_unclaimed(&mut self, amount: NearToken) {
        self.unclaimed = self.unclaimed.saturating_add(amount);
    }

    /// An unclaimed refund goes out again.
    pub(crate) const fn pay_unclaimed(&mut self, amount: NearToken) {
        self.unclaimed = self.unclaimed.saturating_sub(amount);
    }

    /// The owner takes `amount` of the fees, or all that may go.
    pub(crate) fn withdraw(
        &mut self,
        amount: Option<NearToken>,
        holdings: &Holdings,
    ) -> Result<NearToken, Refusal> {
        let others = Self {
            fees: NearToken::from_yoctonear(0),
            ..*self
        };
        let most = others.reserve(holdings).unwrap_or_default().min(self.fees);
        let amount = amount.unwrap_or(most);
        if amount > most {
            return Err(Refusal::new(
                FailureCode::NotAllowed,
                format!("at most {} yoctoNEAR can be withdrawn", most.as_yoctonear()),
            ));
        }
        self.fees = self.fees.saturating_sub(amount);
        Ok(amount)
    }

    /// A withdrawal came back because its receiver is gone.
    pub(crate) const fn keep_fees(&mut self, amount: NearToken) {
        self.fees = self.fees.saturating_add(amount);
    }
}

#[cfg(test)]
mod tests;
