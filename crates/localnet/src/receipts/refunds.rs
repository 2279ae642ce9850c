//! What a receipt gives back: gas it did not burn, and its deposit if it failed.

use super::{Applied, Scene};
use crate::actions::Effects;
use crate::fees;
use crate::runtime::Runtime;
use near_parameters::ActionCosts;
use near_primitives::receipt::{Receipt, VersionedActionReceipt};
use near_primitives::types::{Balance, Gas};

/// Adds the refunds of a receipt to its new receipts, counts what is burnt, and gives the tokens its outcome shows as burnt.
pub(super) fn settle(
    runtime: &Runtime,
    receipt: &Receipt,
    action: &VersionedActionReceipt<'_>,
    effects: &mut Effects,
    scene: &Scene<'_>,
    applied: &mut Applied,
) -> Balance {
    let deposit = fees::deposit(action.actions()).unwrap_or(Balance::ZERO);
    let failed = effects.result.is_err();
    if receipt.predecessor_id().is_system() {
        // A refund costs nothing; one that nobody can take is lost.
        applied.burnt = if failed { deposit } else { Balance::ZERO };
        return Balance::ZERO;
    }
    let (refund, gas_burnt) = gas_refund(runtime, receipt, action, effects, scene.block.gas_price);
    if failed && !deposit.is_zero() {
        effects.receipts.push(Receipt::new_balance_refund(
            receipt.balance_refund_receiver(),
            deposit,
        ));
    }
    if !refund.is_zero() {
        let to = (action.signer_id(), action.signer_public_key().clone());
        effects
            .receipts
            .push(Receipt::new_gas_refund(to.0, refund, to.1));
    }
    applied.burnt = effects.tokens_burnt.saturating_add(gas_burnt);
    applied.burnt
}

/// What comes back of the price paid for gas, and what is burnt of it.
///
/// Gas was bought at the receipt's price and is burnt at the block's; the difference comes back, and so does unspent gas but
/// for a penalty (NEP-536). Creating an account burns a flat charge, the gas of it included.
fn gas_refund(
    runtime: &Runtime,
    receipt: &Receipt,
    action: &VersionedActionReceipt<'_>,
    effects: &Effects,
    gas_price: Balance,
) -> (Balance, Balance) {
    let config = &runtime.config;
    let held = fees::receipt_gas(config, action.actions(), receipt.receiver_id());
    let spent = if effects.result.is_ok() {
        effects.gas_used
    } else {
        effects.gas_burnt
    };
    let unspent = held.saturating_sub(spent);
    let penalty = fees::price(gas_price, config.fees.gas_penalty_for_gas_refund(unspent));
    let paid_unspent = fees::price(action.gas_price(), unspent);
    let paid_burnt = fees::price(action.gas_price(), effects.gas_burnt);
    let mut burnt = fees::price(gas_price, effects.gas_burnt).saturating_add(penalty);
    if effects.result.is_ok() && effects.created_account {
        let gas: Gas = config.fees.fee(ActionCosts::create_account).exec_fee().gas;
        burnt = burnt.saturating_add(
            config
                .account_creation_charge
                .saturating_sub(fees::price(gas_price, gas)),
        );
    }
    let paid = paid_unspent.saturating_add(paid_burnt);
    let burnt = burnt.min(paid); // bought below the block's price: no more can be burnt than was paid
    (paid.saturating_sub(burnt), burnt)
}
