//! The limits of the protocol on actions, whether they come from a transaction or from a contract.

use crate::fees::{delegated, prepaid_gas};
use near_crypto::key_conversion::is_valid_staking_key;
use near_parameters::vm::LimitConfig;
use near_primitives::account::AccessKeyPermission;
use near_primitives::action::{
    Action, AddKeyAction, DeterministicStateInitAction, FunctionCallAction,
    GlobalContractIdentifier,
};
use near_primitives::errors::{ActionsValidationError as E, ReceiptValidationError};
use near_primitives::receipt::{Receipt, VersionedActionReceipt, VersionedReceiptEnum};
use near_primitives::types::AccountId;
use near_primitives::utils::derive_near_deterministic_account_id;
use near_primitives::version::PROTOCOL_VERSION;

/// Whether a receiver may be sent these actions in one receipt.
pub fn check_actions(
    limits: &LimitConfig,
    actions: &[Action],
    receiver: &AccountId,
) -> Result<(), E> {
    let (total_number_of_actions, limit) = (count(actions.len()), limits.max_actions_per_receipt);
    if total_number_of_actions > limit {
        return Err(E::TotalNumberOfActionsExceeded {
            total_number_of_actions,
            limit,
        });
    }
    check_totals(limits, actions)?;
    let last = actions.len().saturating_sub(1);
    let mut delegates = 0_usize;
    for (i, action) in actions.iter().enumerate() {
        if matches!(action, Action::DeleteAccount(_)) && i != last {
            return Err(E::DeleteActionMustBeFinal);
        }
        delegates = delegates.saturating_add(usize::from(action.is_delegate()));
        if delegates > 1 {
            return Err(E::DelegateActionMustBeOnlyOne);
        }
        check_action(limits, action, receiver)?;
    }
    let total_prepaid_gas = prepaid_gas(actions).ok_or(E::IntegerOverflow)?;
    let limit = limits.max_total_prepaid_gas;
    if total_prepaid_gas > limit {
        return Err(E::TotalPrepaidGasExceeded {
            total_prepaid_gas,
            limit,
        });
    }
    Ok(())
}

fn check_totals(limits: &LimitConfig, actions: &[Action]) -> Result<(), E> {
    let deploys = actions.iter().filter(|a| {
        matches!(
            a,
            Action::DeployContract(_) | Action::DeployGlobalContract(_)
        )
    });
    let (number_of_deploy_actions, limit) = (
        count(deploys.count()),
        limits.max_deploy_actions_per_receipt,
    );
    if number_of_deploy_actions > limit {
        return Err(E::TotalNumberOfDeployActionsExceeded {
            number_of_deploy_actions,
            limit,
        });
    }
    let entries = actions.iter().map(|a| a.state_init_counts().entries);
    let (number_of_entries, limit) = (
        entries.fold(0, u64::saturating_add),
        limits.max_state_init_entries,
    );
    if number_of_entries > limit {
        return Err(E::TotalNumberOfStateInitEntriesExceeded {
            number_of_entries,
            limit,
        });
    }
    Ok(())
}

fn check_action(limits: &LimitConfig, action: &Action, receiver: &AccountId) -> Result<(), E> {
    match action {
        Action::DeployContract(a) => check_code(limits, &a.code),
        Action::DeployGlobalContract(a) => check_code(limits, &a.code),
        Action::UseGlobalContract(a) => check_identifier(&a.contract_identifier),
        Action::FunctionCall(a) => check_call(limits, a),
        Action::Stake(a) if !is_valid_staking_key(&a.public_key) => Err(E::UnsuitableStakingKey {
            public_key: Box::new(a.public_key.clone()),
        }),
        Action::AddKey(a) => check_key(limits, a),
        Action::DeleteAccount(a) => check_account_id(a.beneficiary_id.as_str()),
        Action::DeterministicStateInit(a) => check_state_init(limits, a, receiver),
        Action::Delegate(_) | Action::DelegateV2(_) => match delegated(action) {
            Some(inner) => check_actions(limits, &inner.get_actions(), inner.receiver_id()),
            None => Ok(()),
        },
        Action::TransferToGasKey(_) | Action::WithdrawFromGasKey(_) => Err(unsupported("GasKeys")),
        Action::UniversalStateInit(_) => Err(unsupported("UniversalAccounts")),
        Action::CreateAccount(_)
        | Action::Transfer(_)
        | Action::Stake(_)
        | Action::DeleteKey(_) => Ok(()),
    }
}

/// What this chain leaves out; the node's error for a feature that its protocol does not have.
fn unsupported(feature: &str) -> E {
    E::UnsupportedProtocolFeature {
        protocol_feature: feature.to_owned(),
        version: PROTOCOL_VERSION,
    }
}

fn check_code(limits: &LimitConfig, code: &[u8]) -> Result<(), E> {
    let (size, limit) = (count(code.len()), limits.max_contract_size);
    if size > limit {
        Err(E::ContractSizeExceeded { size, limit })
    } else {
        Ok(())
    }
}

fn check_call(limits: &LimitConfig, call: &FunctionCallAction) -> Result<(), E> {
    if call.gas.as_gas() == 0 {
        return Err(E::FunctionCallZeroAttachedGas);
    }
    if call.method_name.is_empty() {
        return Err(E::FunctionCallEmptyMethodName);
    }
    let (length, limit) = (count(call.method_name.len()), limits.max_length_method_name);
    if length > limit {
        return Err(E::FunctionCallMethodNameLengthExceeded { length, limit });
    }
    let (length, limit) = (count(call.args.len()), limits.max_arguments_length);
    if length > limit {
        Err(E::FunctionCallArgumentsLengthExceeded { length, limit })
    } else {
        Ok(())
    }
}

fn check_key(limits: &LimitConfig, action: &AddKeyAction) -> Result<(), E> {
    let permission = match &action.access_key.permission {
        AccessKeyPermission::FullAccess => return Ok(()),
        AccessKeyPermission::FunctionCall(permission) => permission,
        AccessKeyPermission::GasKeyFunctionCall(..) | AccessKeyPermission::GasKeyFullAccess(_) => {
            return Err(unsupported("GasKeys"));
        }
    };
    check_account_id(&permission.receiver_id)?;
    let mut total_number_of_bytes = 0_u64;
    for name in &permission.method_names {
        let (length, limit) = (count(name.len()), limits.max_length_method_name);
        if length > limit {
            return Err(E::AddKeyMethodNameLengthExceeded { length, limit });
        }
        total_number_of_bytes = total_number_of_bytes
            .saturating_add(length)
            .saturating_add(1);
    }
    let limit = limits.max_number_bytes_method_names;
    if total_number_of_bytes > limit {
        return Err(E::AddKeyMethodNamesNumberOfBytesExceeded {
            total_number_of_bytes,
            limit,
        });
    }
    Ok(())
}

fn check_state_init(
    limits: &LimitConfig,
    action: &DeterministicStateInitAction,
    to: &AccountId,
) -> Result<(), E> {
    check_identifier(action.state_init.code())?;
    let derived_id = derive_near_deterministic_account_id(&action.state_init);
    if derived_id != *to {
        return Err(E::InvalidDeterministicStateInitReceiver {
            receiver_id: to.clone(),
            derived_id,
        });
    }
    for (key, value) in action.state_init.data() {
        let (length, limit) = (count(key.len()), limits.max_length_storage_key);
        if length > limit {
            return Err(E::DeterministicStateInitKeyLengthExceeded { length, limit });
        }
        let (length, limit) = (count(value.len()), limits.max_length_storage_value);
        if length > limit {
            return Err(E::DeterministicStateInitValueLengthExceeded { length, limit });
        }
    }
    Ok(())
}

fn check_identifier(identifier: &GlobalContractIdentifier) -> Result<(), E> {
    match identifier {
        GlobalContractIdentifier::AccountId(id) => check_account_id(id.as_str()),
        GlobalContractIdentifier::CodeHash(_) => Ok(()),
    }
}

/// Ids that arrive inside borsh were never parsed; the error repeats at most two ids' worth of what was sent.
fn check_account_id(id: &str) -> Result<(), E> {
    if AccountId::validate(id).is_ok() {
        return Ok(());
    }
    let longest = AccountId::MAX_LEN.saturating_mul(2);
    let cut = (0..=longest)
        .rev()
        .find_map(|at| id.get(..at))
        .unwrap_or_default();
    Err(E::InvalidAccountId {
        account_id: cut.to_owned(),
    })
}

/// Whether a contract may send a receipt.
pub fn check_receipt(
    limits: &LimitConfig,
    receipt: &Receipt,
) -> Result<(), ReceiptValidationError> {
    let size = borsh::object_length(receipt).map_or(u64::MAX, count);
    let limit = limits.max_receipt_size;
    if size > limit {
        return Err(ReceiptValidationError::ReceiptSizeExceeded { size, limit });
    }
    match receipt.versioned_receipt() {
        VersionedReceiptEnum::Action(a) | VersionedReceiptEnum::PromiseYield(a) => {
            check_action_receipt(limits, &a, receipt.receiver_id())
        }
        VersionedReceiptEnum::Data(d) | VersionedReceiptEnum::PromiseResume(d) => {
            let (length, limit) = (
                count(d.data.as_ref().map_or(0, Vec::len)),
                limits.max_length_returned_data,
            );
            if length > limit {
                return Err(ReceiptValidationError::ReturnedValueLengthExceeded { length, limit });
            }
            Ok(())
        }
        VersionedReceiptEnum::GlobalContractDistribution(_) => Ok(()),
    }
}

fn check_action_receipt(
    limits: &LimitConfig,
    receipt: &VersionedActionReceipt<'_>,
    receiver: &AccountId,
) -> Result<(), ReceiptValidationError> {
    let number_of_input_data_dependencies = count(receipt.input_data_ids().len());
    let limit = limits.max_number_input_data_dependencies;
    if number_of_input_data_dependencies > limit {
        return Err(
            ReceiptValidationError::NumberInputDataDependenciesExceeded {
                number_of_input_data_dependencies,
                limit,
            },
        );
    }
    check_actions(limits, receipt.actions(), receiver)
        .map_err(ReceiptValidationError::ActionsValidation)
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
