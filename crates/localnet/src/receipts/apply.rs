//! Running an action receipt: its actions one by one, all or nothing; then its refunds, its result and its own receipts.

use super::{Applied, Scene, refunds};
use crate::actions::{Acting, Place};
use crate::fees;
use crate::runtime::Runtime;
use crate::state::State;
use crate::verifier::limits::check_receipt;
use near_primitives::account::AccountContract;
use near_primitives::errors::{ActionError, ActionErrorKind, TxExecutionError};
use near_primitives::hash::CryptoHash;
use near_primitives::receipt::{
    DataReceipt, Receipt, ReceiptEnum, ReceiptV0, ReceivedData, VersionedActionReceipt,
    VersionedReceiptEnum,
};
use near_primitives::transaction::{
    ExecutionMetadata, ExecutionMetadataV4, ExecutionOutcome, ExecutionOutcomeWithId,
    ExecutionStatus,
};
use near_primitives::trie_key::TrieKey;
use near_primitives::types::StateChangeCause;
use near_primitives::utils::create_receipt_id_from_receipt_id;
use near_vm_runner::logic::ReturnData;
use near_vm_runner::logic::types::PromiseResult;
use std::rc::Rc;
use std::sync::Arc;

impl Runtime {
    /// Runs an action receipt whose data is all there.
    pub(super) fn apply(&self, state: &mut State, receipt: Receipt, scene: &Scene<'_>) -> Applied {
        let (VersionedReceiptEnum::Action(action) | VersionedReceiptEnum::PromiseYield(action)) =
            receipt.versioned_receipt()
        else {
            return Applied::default(); // only receipts of actions are ever made ready
        };
        let receipt_hash = *receipt.receipt_id();
        let results = take_results(state, &receipt, &action);
        let mut changes =
            state.commit(&StateChangeCause::ActionReceiptProcessingStarted { receipt_hash });
        let mut acting = Acting::new(self, state.clone(), &receipt, &action, results, scene);
        let existed = acting.account.is_some();
        let contracts = self.act(&mut acting);
        let mut effects = acting.effects;
        effects.created_account = !existed && acting.account.is_some();
        if effects.result.is_ok() {
            *state = acting.state;
            changes.extend(state.commit(&StateChangeCause::ReceiptProcessing { receipt_hash }));
        } else {
            effects.receipts.clear();
            effects.minted = near_primitives::types::Balance::ZERO;
            effects.tokens_burnt = near_primitives::types::Balance::ZERO;
        }
        let mut applied = Applied {
            minted: effects.minted,
            changes,
            ..Applied::default()
        };
        let tokens_burnt =
            refunds::settle(self, &receipt, &action, &mut effects, scene, &mut applied);
        route_result(&receipt, &action, &effects.result, &mut effects.receipts);
        let receipt_ids = send(&receipt, effects.receipts, scene, &mut applied);
        let status = status(&receipt, effects.result, scene);
        let outcome = ExecutionOutcome {
            logs: effects.logs,
            receipt_ids,
            gas_burnt: effects.gas_burnt,
            compute_usage: None,
            tokens_burnt,
            executor_id: receipt.receiver_id().clone(),
            status,
            metadata: ExecutionMetadata::V4(Box::new(ExecutionMetadataV4 {
                profile: effects.profile,
                contracts,
            })),
        };
        drop(action);
        let id = receipt_hash;
        applied.ran = Some((receipt, ExecutionOutcomeWithId { id, outcome }));
        applied
    }

    /// Runs the actions until one fails, and gives the contract the account had before each.
    fn act(&self, acting: &mut Acting<'_>) -> Vec<AccountContract> {
        let actions = acting.action_receipt.actions();
        let last = actions.len().saturating_sub(1);
        let mut contracts = Vec::with_capacity(actions.len());
        for (index, action) in actions.iter().enumerate() {
            let contract = acting
                .account
                .as_ref()
                .map(|account| account.contract().into_owned());
            contracts.push(contract.unwrap_or(AccountContract::None));
            let gas = fees::action_fee(
                &self.config,
                action,
                acting.receipt.receiver_id(),
                fees::Part::Exec,
            );
            acting.effects.charge(gas);
            acting.effects.result = Ok(ReturnData::None);
            let made_before = acting.effects.receipts.len();
            let place = Place {
                index,
                is_last: index == last,
                is_only: last == 0,
            };
            let done = self.apply_action(acting, action, place).and_then(|()| {
                let mut made = acting.effects.receipts.iter().skip(made_before);
                let limits = &self.config.wasm_config.limit_config;
                made.try_for_each(|new| check_receipt(limits, new))
                    .map_err(ActionErrorKind::NewReceiptValidationError)
            });
            if let Err(kind) = done {
                acting.effects.result = Err(ActionError {
                    index: u64::try_from(index).ok(),
                    kind,
                });
                return contracts;
            }
        }
        self.check_storage(acting);
        contracts
    }

    /// An account must back its storage once all actions are done.
    fn check_storage(&self, acting: &mut Acting<'_>) {
        let Some(account) = &acting.account else {
            return;
        };
        let id = acting.receipt.receiver_id();
        match fees::storage_lack(&self.config, account, account.amount()) {
            None => acting.state.set_account(id, account),
            Some(amount) => {
                let kind = ActionErrorKind::LackBalanceForState {
                    account_id: id.clone(),
                    amount,
                };
                acting.effects.result = Err(ActionError { index: None, kind });
            }
        }
    }
}

fn take_results(
    state: &mut State,
    receipt: &Receipt,
    action: &VersionedActionReceipt<'_>,
) -> Arc<[PromiseResult]> {
    let receiver_id = receipt.receiver_id();
    let take = |data_id: &CryptoHash| {
        let key = TrieKey::ReceivedData {
            receiver_id: receiver_id.clone(),
            data_id: *data_id,
        };
        match state
            .take::<ReceivedData>(&key)
            .and_then(|received| received.data)
        {
            Some(bytes) => PromiseResult::Successful(Rc::from(bytes)),
            None => PromiseResult::Failed,
        }
    };
    action.input_data_ids().iter().map(take).collect()
}

/// Hands the result to those that wait for it, or the duty to do so to the receipt that makes it.
fn route_result(
    receipt: &Receipt,
    action: &VersionedActionReceipt<'_>,
    result: &Result<ReturnData, ActionError>,
    receipts: &mut Vec<Receipt>,
) {
    let waiting = action.output_data_receivers();
    if let Ok(ReturnData::ReceiptIndex(index)) = result {
        let next = usize::try_from(*index)
            .ok()
            .and_then(|at| receipts.get_mut(at));
        if let Some(ReceiptEnum::ActionV2(r) | ReceiptEnum::PromiseYieldV2(r)) =
            next.map(Receipt::receipt_mut)
        {
            r.output_data_receivers.extend_from_slice(waiting);
        }
        return;
    }
    let data = match result {
        Ok(ReturnData::Value(value)) => Some(value.clone()),
        Ok(_) => Some(Vec::new()),
        Err(_) => None,
    };
    receipts.extend(waiting.iter().map(|to| {
        Receipt::V0(ReceiptV0 {
            predecessor_id: receipt.receiver_id().clone(),
            receiver_id: to.receiver_id.clone(),
            receipt_id: CryptoHash::default(),
            receipt: ReceiptEnum::Data(DataReceipt {
                data_id: to.data_id,
                data: data.clone(),
            }),
        })
    }));
}

fn child_id(receipt: &Receipt, index: usize, scene: &Scene<'_>) -> CryptoHash {
    create_receipt_id_from_receipt_id(receipt.receipt_id(), scene.block.height, index)
}

/// Names the new receipts and sorts them by when they run; gives the ids that an outcome lists.
fn send(
    receipt: &Receipt,
    made: Vec<Receipt>,
    scene: &Scene<'_>,
    applied: &mut Applied,
) -> Vec<CryptoHash> {
    let mut listed = Vec::new();
    for (index, mut new) in made.into_iter().enumerate() {
        new.set_receipt_id(child_id(receipt, index, scene));
        if matches!(
            new.versioned_receipt(),
            VersionedReceiptEnum::Action(_) | VersionedReceiptEnum::PromiseYield(_)
        ) {
            listed.push(*new.receipt_id());
        }
        if new.is_instant_receipt() {
            applied.instant.push(new);
        } else {
            applied.outgoing.push(new);
        }
    }
    listed
}

fn status(
    receipt: &Receipt,
    result: Result<ReturnData, ActionError>,
    scene: &Scene<'_>,
) -> ExecutionStatus {
    match result {
        Ok(ReturnData::ReceiptIndex(index)) => {
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            ExecutionStatus::SuccessReceiptId(child_id(receipt, index, scene))
        }
        Ok(ReturnData::Value(value)) => ExecutionStatus::SuccessValue(value),
        Ok(ReturnData::None) => ExecutionStatus::SuccessValue(Vec::new()),
        Err(error) => ExecutionStatus::Failure(TxExecutionError::ActionError(error)),
    }
}
