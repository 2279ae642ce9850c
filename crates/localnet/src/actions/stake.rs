//! Staking, as far as a chain without epochs goes: what is staked is locked, and nothing unlocks it.

use super::{Acting, Done};
use crate::runtime::Runtime;
use near_primitives::action::StakeAction;
use near_primitives::errors::ActionErrorKind as E;
use near_primitives::types::Balance;

/// The least stake that is a proposal to validate.
///
/// Unit: yoctoNEAR. Source: a tenth of a thousandth of what the validator of a sandbox has at stake; a real node takes it
/// from the price of a seat in the last epoch.
const MINIMUM_STAKE: Balance = Balance::from_near(5_000);

impl Runtime {
    pub(super) fn stake(acting: &mut Acting<'_>, action: &StakeAction) -> Done {
        let account_id = acting.id();
        let account = acting.own()?;
        let (stake, locked, balance) = (action.stake, account.locked(), account.amount());
        let Some(left) = balance.checked_sub(stake.saturating_sub(locked)) else {
            return Err(E::TriesToStake {
                account_id,
                stake,
                locked,
                balance,
            });
        };
        if locked.is_zero() && stake.is_zero() {
            return Err(E::TriesToUnstake { account_id });
        }
        if !stake.is_zero() && stake < MINIMUM_STAKE {
            return Err(E::InsufficientStake {
                account_id,
                stake,
                minimum_stake: MINIMUM_STAKE,
            });
        }
        if stake > locked && account.set_locked(stake).is_ok() {
            account.set_amount(left);
        }
        Ok(())
    }
}
