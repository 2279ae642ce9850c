//! Whether a transaction is acceptable, in the node's order and with the node's errors; and what accepting it changes.

pub mod limits;

use crate::fees::{self, TransactionCost};
use crate::runtime::{BlockContext, Runtime};
use crate::state::State;
use near_primitives::account::{AccessKey, AccessKeyPermission, Account, FunctionCallPermission};
use near_primitives::action::Action;
use near_primitives::errors::{InvalidAccessKeyError, InvalidTxError};
use near_primitives::receipt::{ActionReceiptV2, Receipt, ReceiptEnum, ReceiptV0};
use near_primitives::transaction::{
    ExecutionMetadata, ExecutionOutcome, ExecutionOutcomeWithId, ExecutionStatus, NonceMode,
    SignedTransaction, Transaction, ValidatedTransaction,
};
use near_primitives::types::{AccountId, Nonce};
use near_primitives::utils::create_receipt_id_from_transaction;
use near_primitives::version::PROTOCOL_VERSION;

impl Runtime {
    /// Checks what needs no state: actions, size, signature.
    pub fn validate(&self, tx: &SignedTransaction) -> Result<(), InvalidTxError> {
        let t = &tx.transaction;
        limits::check_actions(
            &self.config.wasm_config.limit_config,
            t.actions(),
            t.receiver_id(),
        )
        .map_err(InvalidTxError::ActionsValidation)?;
        ValidatedTransaction::check_valid_for_config(&self.config, tx, PROTOCOL_VERSION)?;
        if !tx.signature.verify(tx.get_hash().as_ref(), t.public_key()) {
            return Err(InvalidTxError::InvalidSignature);
        }
        Ok(())
    }

    /// Charges a valid transaction to its signer and turns it into a receipt; on an error nothing changes.
    pub fn accept(
        &self,
        state: &mut State,
        tx: &SignedTransaction,
        block: &BlockContext,
    ) -> Result<(ExecutionOutcomeWithId, Receipt), InvalidTxError> {
        let t = &tx.transaction;
        let cost = fees::transaction_cost(
            &self.config,
            t.actions(),
            t.signer_id(),
            t.receiver_id(),
            block.gas_price,
        )
        .ok_or(InvalidTxError::CostOverflow)?;
        let (account, key) = self.charge(state, t, &cost, block)?;
        state.set_account(t.signer_id(), &account);
        state.set_access_key(t.signer_id(), t.public_key(), &key);
        Ok(first_receipt(tx, &cost, block))
    }

    /// The signer and its key as they are once the transaction is paid for.
    fn charge(
        &self,
        state: &State,
        t: &Transaction,
        cost: &TransactionCost,
        block: &BlockContext,
    ) -> Result<(Account, AccessKey), InvalidTxError> {
        let signer_id = t.signer_id().clone();
        let Some(mut account) = state.account(&signer_id) else {
            return Err(InvalidTxError::SignerDoesNotExist { signer_id });
        };
        let public_key = Box::new(t.public_key().clone());
        let Some(mut key) = state.access_key(&signer_id, &public_key) else {
            let error = InvalidAccessKeyError::AccessKeyNotFound {
                account_id: signer_id,
                public_key,
            };
            return Err(InvalidTxError::InvalidAccessKeyError(error));
        };
        check_nonce(t, key.nonce, block.height)?;
        let balance = account.amount();
        let Some(left) = balance.checked_sub(cost.total) else {
            return Err(InvalidTxError::NotEnoughBalance {
                signer_id,
                balance,
                cost: cost.total,
            });
        };
        if let AccessKeyPermission::FunctionCall(p) = &mut key.permission {
            spend_allowance(p, t, cost).map_err(InvalidTxError::InvalidAccessKeyError)?;
        }
        if let Some(amount) = fees::storage_lack(&self.config, &account, left) {
            return Err(InvalidTxError::LackBalanceForState { signer_id, amount });
        }
        if let AccessKeyPermission::FunctionCall(p) = &key.permission {
            check_permission(p, t.receiver_id(), t.actions())
                .map_err(InvalidTxError::InvalidAccessKeyError)?;
        }
        key.nonce = t.nonce().nonce();
        account.set_amount(left);
        Ok((account, key))
    }
}

fn check_nonce(t: &Transaction, ak_nonce: Nonce, height: u64) -> Result<(), InvalidTxError> {
    if let Some(index) = t.nonce().nonce_index() {
        return Err(InvalidTxError::InvalidNonceIndex {
            tx_nonce_index: Some(index),
            num_nonces: 0,
        });
    }
    let tx_nonce = t.nonce().nonce();
    let strict = t.nonce_mode() == NonceMode::Strict;
    if tx_nonce <= ak_nonce || (strict && tx_nonce != ak_nonce.saturating_add(1)) {
        return Err(InvalidTxError::InvalidNonce { tx_nonce, ak_nonce });
    }
    let upper_bound = nonce_bound(height);
    if tx_nonce >= upper_bound {
        return Err(InvalidTxError::NonceTooLarge {
            tx_nonce,
            upper_bound,
        });
    }
    Ok(())
}

/// Nonces at a height are below this; those of keys made at the next height start here, so that no hash comes twice.
pub const fn nonce_bound(height: u64) -> Nonce {
    height.saturating_mul(AccessKey::ACCESS_KEY_NONCE_RANGE_MULTIPLIER)
}

fn spend_allowance(
    permission: &mut FunctionCallPermission,
    t: &Transaction,
    cost: &TransactionCost,
) -> Result<(), InvalidAccessKeyError> {
    let Some(allowance) = &mut permission.allowance else {
        return Ok(());
    };
    *allowance = allowance.checked_sub(cost.gas_cost).ok_or_else(|| {
        InvalidAccessKeyError::NotEnoughAllowance {
            account_id: t.signer_id().clone(),
            public_key: Box::new(t.public_key().clone()),
            allowance: *allowance,
            cost: cost.gas_cost,
        }
    })?;
    Ok(())
}

/// A function-call key may sign one call without deposit, to its receiver, of one of its methods.
pub fn check_permission(
    permission: &FunctionCallPermission,
    receiver: &AccountId,
    actions: &[Action],
) -> Result<(), InvalidAccessKeyError> {
    let [Action::FunctionCall(call)] = actions else {
        return Err(InvalidAccessKeyError::RequiresFullAccess);
    };
    if !call.deposit.is_zero() {
        return Err(InvalidAccessKeyError::DepositWithFunctionCall);
    }
    if receiver.as_str() != permission.receiver_id {
        let (tx_receiver, ak_receiver) = (receiver.clone(), permission.receiver_id.clone());
        return Err(InvalidAccessKeyError::ReceiverMismatch {
            tx_receiver,
            ak_receiver,
        });
    }
    if !permission.method_names.is_empty() && !permission.method_names.contains(&call.method_name) {
        return Err(InvalidAccessKeyError::MethodNameMismatch {
            method_name: call.method_name.clone(),
        });
    }
    Ok(())
}

/// What a transaction becomes.
fn first_receipt(
    tx: &SignedTransaction,
    cost: &TransactionCost,
    block: &BlockContext,
) -> (ExecutionOutcomeWithId, Receipt) {
    let t = &tx.transaction;
    let receipt_id = create_receipt_id_from_transaction(&tx.get_hash(), block.height);
    let receipt = Receipt::V0(ReceiptV0 {
        predecessor_id: t.signer_id().clone(),
        receiver_id: t.receiver_id().clone(),
        receipt_id,
        receipt: ReceiptEnum::ActionV2(ActionReceiptV2 {
            signer_id: t.signer_id().clone(),
            refund_to: None,
            signer_public_key: t.public_key().clone(),
            gas_price: cost.receipt_gas_price,
            output_data_receivers: Vec::new(),
            input_data_ids: Vec::new(),
            actions: t.actions().to_vec(),
        }),
    });
    let outcome = ExecutionOutcomeWithId {
        id: tx.get_hash(),
        outcome: ExecutionOutcome {
            status: ExecutionStatus::SuccessReceiptId(receipt_id),
            logs: Vec::new(),
            receipt_ids: vec![receipt_id],
            gas_burnt: cost.gas_burnt,
            compute_usage: None,
            tokens_burnt: cost.burnt_amount,
            executor_id: t.signer_id().clone(),
            metadata: ExecutionMetadata::V1,
        },
    };
    (outcome, receipt)
}
