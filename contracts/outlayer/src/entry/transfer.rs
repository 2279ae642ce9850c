//! Money goes out, and is not lost when it comes back.

use near_sdk::{NearToken, Promise, PromiseError, env, near};
use protocol::{AccountId, FailureCode};
use serde::{Deserialize, Serialize};

use super::{Outlayer, OutlayerExt};
use crate::announce::{Change, Paid};
use crate::gas;
use crate::refusal::Refusal;

/// Whose money a transfer moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The receiver's.
    Refund,
    /// The owner's.
    Fees,
}

#[near]
impl Outlayer {
    /// Sends `account_id` the refunds that could not be paid to it; anyone may ask for that.
    #[handle_result]
    pub fn claim(&mut self, account_id: Option<AccountId>) -> Result<NearToken, Refusal> {
        let account_id = account_id.unwrap_or_else(env::predecessor_account_id);
        let Some(amount) = self.unclaimed.remove(&account_id) else {
            let sentence = format!("nothing waits for {account_id}");
            return Err(Refusal::new(FailureCode::NoSuchRequest, sentence));
        };
        self.ledger.pay_unclaimed(amount);
        Self::pay(&account_id, amount, Purpose::Refund);
        let account_id = &account_id;
        self.log_change(&Change::RefundClaimed([Paid { account_id, amount }]));
        Ok(amount)
    }

    /// Sends the owner, or `receiver_id`, `amount` of the earned fees, or all of them.
    #[handle_result]
    pub fn withdraw_fees(
        &mut self,
        amount: Option<NearToken>,
        receiver_id: Option<AccountId>,
    ) -> Result<NearToken, Refusal> {
        let owner = env::predecessor_account_id();
        self.settings.require_owner(&owner)?;
        let amount = self
            .ledger
            .withdraw(amount, &Self::holdings(NearToken::default()))?;
        let account_id = &receiver_id.unwrap_or(owner);
        Self::pay(account_id, amount, Purpose::Fees);
        self.log_change(&Change::FeesWithdrawn([Paid { account_id, amount }]));
        Ok(amount)
    }

    /// Puts back money whose receiver is gone: the protocol has returned it to the account.
    #[handle_result]
    pub fn on_transfer_settled(
        &mut self,
        account_id: AccountId,
        amount: NearToken,
        purpose: Purpose,
    ) -> Result<(), Refusal> {
        super::require_self()?;
        if env::promise_result_checked(0, 0) != Err(PromiseError::Failed) {
            return Ok(());
        }
        let paid = [Paid {
            account_id: &account_id,
            amount,
        }];
        match purpose {
            Purpose::Refund => {
                self.log_change(&Change::RefundUnclaimed(paid));
                self.ledger.keep_unclaimed(amount);
                let before = self.unclaimed.get(&account_id).copied();
                let after = before.unwrap_or_default().saturating_add(amount);
                self.unclaimed.set(account_id, Some(after));
            }
            Purpose::Fees => {
                self.ledger.keep_fees(amount);
                self.log_change(&Change::FeesReturned(paid));
            }
        }
        Ok(())
    }
}

impl Outlayer {
    /// Sends money and sees it through.
    pub(super) fn pay(receiver: &AccountId, amount: NearToken, purpose: Purpose) {
        if amount.is_zero() {
            return;
        }
        let settled = Self::ext(env::current_account_id())
            .with_static_gas(gas::TRANSFER_SETTLED)
            .with_unused_gas_weight(0)
            .on_transfer_settled(receiver.clone(), amount, purpose);
        Promise::new(receiver.clone())
            .transfer(amount)
            .then(settled)
            .detach();
    }
}
