//! Random histories of an account's money: nothing appears, nothing vanishes, and the stake of its bytes is always there.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a sum that overflows fails its test"
)]

use proptest::prelude::*;

use super::*;

/// Source: `storage_amount_per_byte`, 1e19 yoctoNEAR.
const BYTE_PRICE: NearToken = NearToken::from_yoctonear(10u128.pow(19));

/// The contract's code and state.
const CODE_BYTES: u64 = 300_000;

#[derive(Clone, Debug)]
enum Step {
    Ask {
        payment: u128,
        bytes: u64,
    },
    End {
        which: usize,
        cost: u128,
        is_receiver_gone: bool,
    },
    Answer {
        which: usize,
        bytes: u64,
    },
    Claim {
        is_receiver_gone: bool,
    },
    Withdraw {
        amount: Option<u128>,
        is_receiver_gone: bool,
    },
    TopUp {
        amount: u128,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let yocto = 0..10u128.pow(24);
    prop_oneof![
        4 => (yocto.clone(), 500..60_000_u64)
            .prop_map(|(payment, bytes)| Step::Ask { payment, bytes }),
        4 => (any::<usize>(), yocto.clone(), any::<bool>())
            .prop_map(|(which, cost, is_receiver_gone)| Step::End { which, cost, is_receiver_gone }),
        1 => (any::<usize>(), 0..200_000_u64).prop_map(|(which, bytes)| Step::Answer { which, bytes }),
        1 => any::<bool>().prop_map(|is_receiver_gone| Step::Claim { is_receiver_gone }),
        1 => (proptest::option::of(yocto.clone()), any::<bool>())
            .prop_map(|(amount, is_receiver_gone)| Step::Withdraw { amount, is_receiver_gone }),
        1 => yocto.prop_map(|amount| Step::TopUp { amount }),
    ]
}

struct Pending {
    payment: NearToken,
    staked: NearToken,
    bytes: u64,
}

/// An account on a chain, as far as money goes.
struct Account {
    ledger: Ledger,
    balance: NearToken,
    bytes: u64,
    pending: Vec<Pending>,
    /// What is neither owed nor moved by a request.
    own: NearToken,
}

impl Account {
    fn new(reserve: NearToken) -> Self {
        let own = BYTE_PRICE
            .saturating_mul(CODE_BYTES.into())
            .saturating_add(reserve);
        Self {
            ledger: Ledger::default(),
            balance: own,
            bytes: CODE_BYTES,
            pending: Vec::new(),
            own,
        }
    }

    fn holdings(&self) -> Holdings {
        Holdings {
            balance: self.balance,
            storage_bytes: self.bytes,
            byte_price: BYTE_PRICE,
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Ask { payment, bytes } => self.ask(NearToken::from_yoctonear(payment), bytes),
            Step::End {
                which,
                cost,
                is_receiver_gone,
            } if !self.pending.is_empty() => {
                let ended = self.pending.remove(which % self.pending.len());
                self.bytes -= ended.bytes;
                let cost = NearToken::from_yoctonear(cost);
                let split = self.ledger.close(ended.payment, ended.staked, cost);
                assert_eq!(
                    split.charged.checked_add(split.refunded),
                    Some(ended.payment)
                );
                if is_receiver_gone {
                    self.ledger.keep_unclaimed(split.refunded);
                } else {
                    self.balance = self.balance.checked_sub(split.refunded).unwrap();
                }
            }
            Step::Answer { which, bytes } if !self.pending.is_empty() => {
                let price = BYTE_PRICE.saturating_mul(bytes.into());
                if self.ledger.reserve(&self.holdings()) >= Some(price) {
                    let at = which % self.pending.len();
                    self.pending[at].bytes += bytes;
                    self.bytes += bytes;
                }
            }
            Step::Claim { is_receiver_gone } => {
                let amount = self.ledger.unclaimed;
                self.ledger.pay_unclaimed(amount);
                if is_receiver_gone {
                    self.ledger.keep_unclaimed(amount);
                } else {
                    self.balance = self.balance.checked_sub(amount).unwrap();
                }
            }
            Step::Withdraw {
                amount,
                is_receiver_gone,
            } => {
                let amount = amount.map(NearToken::from_yoctonear);
                let holdings = self.holdings();
                if let Ok(amount) = self.ledger.withdraw(amount, &holdings) {
                    if is_receiver_gone {
                        self.ledger.keep_fees(amount);
                    } else {
                        self.balance = self.balance.checked_sub(amount).unwrap();
                    }
                }
            }
            Step::TopUp { amount } => {
                let amount = NearToken::from_yoctonear(amount);
                self.balance = self.balance.checked_add(amount).unwrap();
                self.own = self.own.checked_add(amount).unwrap();
            }
            Step::End { .. } | Step::Answer { .. } => {}
        }
    }

    fn ask(&mut self, payment: NearToken, bytes: u64) {
        let Ok(staked) = self.ledger.stake(payment, bytes, &self.holdings()) else {
            return;
        };
        self.ledger.open(payment, staked);
        self.balance = self.balance.checked_add(payment).unwrap();
        self.bytes += bytes;
        self.pending.push(Pending {
            payment,
            staked,
            bytes,
        });
    }
}

proptest! {
    #[test]
    fn what_the_account_has_is_what_it_owes_and_its_own(
        reserve in 0..3 * 10u128.pow(24),
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut account = Account::new(NearToken::from_yoctonear(reserve));

        for step in &steps {
            account.take(step);

            let owed = account.ledger.liabilities();
            prop_assert_eq!(owed.checked_add(account.own), Some(account.balance));
            prop_assert!(account.ledger.reserve(&account.holdings()).is_some());
            let stake = BYTE_PRICE.saturating_mul(account.bytes.into());
            prop_assert!(account.balance >= stake);
        }
        let escrow: u128 = account.pending.iter().map(|p| p.payment.as_yoctonear()).sum();
        prop_assert_eq!(account.ledger.escrow.as_yoctonear(), escrow);
    }
}

#[test]
fn a_small_request_borrows_its_storage_and_a_large_one_pays_it() {
    let account = Account::new(NearToken::from_near(1));
    let stake = |payment, bytes| {
        let payment = NearToken::from_millinear(payment);
        account.ledger.stake(payment, bytes, &account.holdings())
    };

    assert_eq!(stake(8, 700), Ok(NearToken::from_millinear(7)));
    assert_eq!(stake(1, 700), Ok(NearToken::from_millinear(1)));
    assert_eq!(
        stake(1, 8_000).unwrap_err().code,
        FailureCode::DepositTooSmall
    );
    assert_eq!(stake(80, 8_000), Ok(NearToken::from_millinear(80)));
}

#[test]
fn no_request_is_taken_when_the_reserve_is_used_up() {
    let account = Account::new(NearToken::from_millinear(99));

    let refused = account
        .ledger
        .stake(NearToken::from_near(9), 700, &account.holdings());

    assert_eq!(refused.unwrap_err().code, FailureCode::Paused);
}

#[test]
fn an_owner_cannot_withdraw_what_is_not_earned() {
    let mut account = Account::new(NearToken::from_near(1));
    account.ask(NearToken::from_near(2), 700);

    let holdings = account.holdings();
    let refused = account
        .ledger
        .withdraw(Some(NearToken::from_yoctonear(1)), &holdings);

    assert_eq!(refused.unwrap_err().code, FailureCode::NotAllowed);
    assert_eq!(
        account.ledger.withdraw(None, &holdings),
        Ok(NearToken::default())
    );
}

#[test]
fn a_storage_deposit_is_what_its_bytes_cost_and_no_more() {
    let mut account = Account::new(NearToken::from_near(1));
    let holdings = account.holdings();
    let near = NearToken::from_millinear;
    let mut restake = |held, bytes, attached| {
        let bill = account.ledger.restake(held, bytes, attached, &holdings);
        bill.map(|bill| (bill.held, bill.back, account.ledger.storage_deposits))
    };

    let stored = restake(near(0), 300, near(5));
    let short = restake(near(3), 400, NearToken::from_yoctonear(1));
    let grown = restake(near(3), 400, near(1));
    let shrunk = restake(near(4), 100, near(0));

    assert_eq!(stored, Ok((near(3), near(2), near(3))));
    assert_eq!(short.unwrap_err().code, FailureCode::DepositTooSmall);
    assert_eq!(grown, Ok((near(4), near(0), near(4))));
    assert_eq!(shrunk, Ok((near(1), near(3), near(1))));
    account.ledger.release(near(1));
    assert_eq!(account.ledger, Ledger::default());
}

#[test]
fn storage_deposits_are_no_reserve_and_no_fees() {
    let mut account = Account::new(NearToken::from_near(1));
    let before = account.ledger.reserve(&account.holdings());
    let plain = account.holdings();
    let price = plain.price(50_000);
    let stored = Holdings {
        balance: plain.balance.saturating_add(price),
        storage_bytes: plain.storage_bytes.saturating_add(50_000),
        ..plain
    };

    let bill = account
        .ledger
        .restake(NearToken::default(), 50_000, price, &plain);

    assert!(bill.is_ok());
    assert_eq!(account.ledger.reserve(&stored), before);
    assert_eq!(
        account.ledger.withdraw(None, &stored),
        Ok(NearToken::default())
    );
}
