//! What actions cost, in gas and in tokens, and what storage an account must back with its balance.
//!
//! Sums saturate instead of failing: everything that reaches them is bounded by validation (gas) or by the total supply
//! (tokens), except a transaction's own cost, which [`transaction_cost`] checks.

use near_parameters::{
    ActionCosts, RuntimeConfig, RuntimeFeesConfig, transfer_exec_fee, transfer_send_fee,
};
use near_primitives::account::{AccessKey, Account};
use near_primitives::action::Action;
use near_primitives::action::delegate::VersionedDelegateActionRef;
use near_primitives::types::{AccountId, Balance, Gas};

/// Storage that is free, so that an account needs no balance. Unit: bytes. Source: NEP-448.
const FREE_STORAGE_BYTES: u64 = 770;

/// The half of a fee that is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    /// Paid where the receipt is made; cheaper when it goes to its maker.
    Send { to_self: bool },
    /// Paid where it runs.
    Exec,
}

/// Everything that a transaction takes from its signer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TransactionCost {
    /// Burnt by turning the transaction into a receipt.
    pub gas_burnt: Gas,
    /// What that is in tokens.
    pub burnt_amount: Balance,
    /// The price at which the receipt's gas is bought, and given back.
    pub receipt_gas_price: Balance,
    /// All gas, in tokens.
    pub gas_cost: Balance,
    /// Gas and deposits, in tokens.
    pub total: Balance,
}

/// What a transaction costs; `None` if the sum is more than a balance can be.
pub(crate) fn transaction_cost(
    config: &RuntimeConfig,
    actions: &[Action],
    signer: &AccountId,
    receiver: &AccountId,
    gas_price: Balance,
) -> Option<TransactionCost> {
    let part = Part::Send {
        to_self: signer == receiver,
    };
    let gas_burnt = actions_fee(config, actions, receiver, part);
    let receipt_gas_price = gas_price.max(config.min_gas_purchase_price);
    let burnt_amount = price(gas_price, gas_burnt);
    let gas_cost = burnt_amount.checked_add(price(
        receipt_gas_price,
        receipt_gas(config, actions, receiver),
    ))?;
    let total = gas_cost.checked_add(deposit(actions)?)?;
    Some(TransactionCost {
        gas_burnt,
        burnt_amount,
        receipt_gas_price,
        gas_cost,
        total,
    })
}

/// All the gas a receipt with these actions is given: to run them, and what their calls are free to use.
pub(crate) fn receipt_gas(config: &RuntimeConfig, actions: &[Action], receiver: &AccountId) -> Gas {
    let inner = actions
        .iter()
        .filter_map(delegated)
        .fold(Gas::ZERO, |sum, inner| {
            let to = inner.receiver_id();
            let part = Part::Send {
                to_self: inner.sender_id() == to,
            };
            let actions = inner.get_actions();
            let sending = actions_fee_without_receipt(config, &actions, to, part);
            sum.saturating_add(sending)
                .saturating_add(receipt_gas(config, &actions, to))
        });
    actions
        .iter()
        .fold(
            actions_fee(config, actions, receiver, Part::Exec),
            |sum, a| sum.saturating_add(a.get_prepaid_gas()),
        )
        .saturating_add(inner)
}

/// What it costs to send the actions inside a delegate action once more, from the account that signed them.
pub(crate) fn delegated_send_fee(
    config: &RuntimeConfig,
    inner: VersionedDelegateActionRef<'_>,
) -> Gas {
    let part = Part::Send {
        to_self: inner.sender_id() == inner.receiver_id(),
    };
    actions_fee_without_receipt(config, &inner.get_actions(), inner.receiver_id(), part)
}

/// The fee of a receipt and of its actions.
pub(crate) fn actions_fee(
    config: &RuntimeConfig,
    actions: &[Action],
    receiver: &AccountId,
    part: Part,
) -> Gas {
    let receipt = one_fee(&config.fees, ActionCosts::new_action_receipt, part);
    receipt.saturating_add(actions_fee_without_receipt(config, actions, receiver, part))
}

fn actions_fee_without_receipt(
    config: &RuntimeConfig,
    actions: &[Action],
    to: &AccountId,
    part: Part,
) -> Gas {
    actions.iter().fold(Gas::ZERO, |sum, action| {
        sum.saturating_add(action_fee(config, action, to, part))
    })
}

/// The fee of one action.
pub(crate) fn action_fee(
    config: &RuntimeConfig,
    action: &Action,
    receiver: &AccountId,
    part: Part,
) -> Gas {
    let fees = &config.fees;
    if let Action::Transfer(_) = action {
        return transfer_fee(config, receiver, part);
    }
    let own = action_costs(action)
        .into_iter()
        .fold(Gas::ZERO, |sum, (cost, n)| {
            sum.saturating_add(one_fee(fees, cost, part).saturating_mul(n))
        });
    match (delegated(action), part) {
        // The sender of a delegate action also pays for sending what is in it.
        (Some(inner), Part::Send { .. }) => own.saturating_add(actions_fee_without_receipt(
            config,
            &inner.get_actions(),
            inner.receiver_id(),
            part,
        )),
        _ => own,
    }
}

fn transfer_fee(config: &RuntimeConfig, receiver: &AccountId, part: Part) -> Gas {
    let (eth, universal) = (
        config.wasm_config.eth_implicit_accounts,
        config.wasm_config.universal_accounts,
    );
    let kind = receiver.get_account_type();
    match part {
        Part::Send { to_self } => {
            transfer_send_fee(&config.fees, to_self, eth, universal, kind).gas
        }
        Part::Exec => transfer_exec_fee(&config.fees, eth, universal, kind).gas,
    }
}

/// The fees an action is made of, each with how many times it is charged.
fn action_costs(action: &Action) -> Vec<(ActionCosts, u64)> {
    use ActionCosts as C;
    match action {
        Action::CreateAccount(_) => vec![(C::create_account, 1)],
        Action::DeployContract(a) => vec![
            (C::deploy_contract_base, 1),
            (C::deploy_contract_byte, size(&a.code)),
        ],
        Action::FunctionCall(a) => {
            let bytes = size(a.method_name.as_bytes()).saturating_add(size(&a.args));
            vec![(C::function_call_base, 1), (C::function_call_byte, bytes)]
        }
        Action::Transfer(_) => vec![(C::transfer, 1)],
        Action::Stake(_) => vec![(C::stake, 1)],
        Action::AddKey(a) => key_costs(&a.access_key),
        Action::DeleteKey(_) => vec![(C::delete_key, 1)],
        Action::DeleteAccount(_) => vec![(C::delete_account, 1)],
        Action::Delegate(_) | Action::DelegateV2(_) => vec![(C::delegate, 1)],
        Action::DeployGlobalContract(a) => {
            vec![
                (C::deploy_global_contract_base, 1),
                (C::deploy_global_contract_byte, size(&a.code)),
            ]
        }
        Action::UseGlobalContract(a) => {
            let bytes = u64::try_from(a.contract_identifier.len()).unwrap_or(u64::MAX);
            vec![
                (C::use_global_contract_base, 1),
                (C::use_global_contract_byte, bytes),
            ]
        }
        Action::DeterministicStateInit(a) => {
            let bytes = u64::try_from(a.state_init.len_bytes()).unwrap_or(u64::MAX);
            let entries = u64::try_from(a.state_init.data().len()).unwrap_or(u64::MAX);
            vec![
                (C::deterministic_state_init_base, 1),
                (C::deterministic_state_init_byte, bytes),
                (C::deterministic_state_init_entry, entries),
            ]
        }
        // Refused when they are submitted: see `verifier::limits`.
        Action::TransferToGasKey(_)
        | Action::WithdrawFromGasKey(_)
        | Action::UniversalStateInit(_) => vec![],
    }
}

fn key_costs(key: &AccessKey) -> Vec<(ActionCosts, u64)> {
    match key.permission.function_call_permission() {
        Some(p) => {
            let bytes = p
                .method_names
                .iter()
                .map(|name| size(name.as_bytes()).saturating_add(1));
            let bytes = bytes.fold(0, u64::saturating_add);
            vec![
                (ActionCosts::add_function_call_key_base, 1),
                (ActionCosts::add_function_call_key_byte, bytes),
            ]
        }
        None => vec![(ActionCosts::add_full_access_key, 1)],
    }
}

/// The half of one named fee.
pub(crate) fn one_fee(fees: &RuntimeFeesConfig, cost: ActionCosts, part: Part) -> Gas {
    match part {
        Part::Send { to_self } => fees.fee(cost).send_fee(to_self).gas,
        Part::Exec => fees.fee(cost).exec_fee().gas,
    }
}

/// What is inside a delegate action.
pub(crate) fn delegated(action: &Action) -> Option<VersionedDelegateActionRef<'_>> {
    match action {
        Action::Delegate(a) => Some((&a.delegate_action).into()),
        Action::DelegateV2(a) => Some((&a.delegate_action).into()),
        _ => None,
    }
}

/// The gas that calls are free to use, inner ones too; `None` if the sum is more than gas can be.
pub(crate) fn prepaid_gas(actions: &[Action]) -> Option<Gas> {
    actions.iter().try_fold(Gas::ZERO, |sum, action| {
        let inner =
            delegated(action).map_or(Some(Gas::ZERO), |inner| prepaid_gas(&inner.get_actions()))?;
        sum.checked_add(action.get_prepaid_gas())?
            .checked_add(inner)
    })
}

/// All tokens that actions hand over, inner ones too; `None` if the sum is more than a balance can be.
pub(crate) fn deposit(actions: &[Action]) -> Option<Balance> {
    actions.iter().try_fold(Balance::ZERO, |sum, action| {
        let inner =
            delegated(action).map_or(Some(Balance::ZERO), |inner| deposit(&inner.get_actions()))?;
        sum.checked_add(action.get_deposit_balance())?
            .checked_add(inner)
    })
}

/// Gas in tokens.
pub(crate) fn price(gas_price: Balance, gas: Gas) -> Balance {
    gas_price.saturating_mul(u128::from(gas.as_gas()))
}

/// What an account would still need to hold, if its balance were so, to back its storage.
pub(crate) fn storage_lack(
    config: &RuntimeConfig,
    account: &Account,
    balance: Balance,
) -> Option<Balance> {
    if account.storage_usage() <= FREE_STORAGE_BYTES {
        return None;
    }
    let needed = config
        .storage_amount_per_byte()
        .saturating_mul(u128::from(account.storage_usage()));
    needed
        .checked_sub(balance.saturating_add(account.locked()))
        .filter(|lack| *lack > Balance::ZERO)
}

/// The storage an access key takes, in bytes.
pub(crate) fn key_storage(
    config: &RuntimeConfig,
    public_key: &near_crypto::PublicKey,
    key: &AccessKey,
) -> u64 {
    let lengths = [borsh::object_length(public_key), borsh::object_length(key)];
    lengths
        .into_iter()
        .filter_map(|length| length.ok().and_then(|n| u64::try_from(n).ok()))
        .fold(
            config.fees.storage_usage_config.num_extra_bytes_record,
            u64::saturating_add,
        )
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
