//! Calling a contract, and turning what the call made into receipts.

use super::{Acting, Done, Place};
use crate::external::{Host, NewReceipt};
use crate::runtime::{EPOCH_HEIGHT, Runtime, convert_error};
use crate::yields;
use near_primitives::account::Account;
use near_primitives::action::FunctionCallAction;
use near_primitives::errors::ActionErrorKind;
use near_primitives::hash::CryptoHash;
use near_primitives::profile_data_v3::ProfileDataV3;
use near_primitives::receipt::{
    ActionReceiptV2, DataReceipt, PromiseYieldTimeout, Receipt, ReceiptEnum, ReceiptV0,
};
use near_primitives::types::AccountId;
use near_primitives::utils::{create_action_hash_from_receipt_id, create_random_seed};
use near_vm_runner::logic::{ReturnData, VMContext, VMOutcome};
use std::rc::Rc;
use std::sync::Arc;

impl Runtime {
    pub(super) fn function_call(
        &self,
        acting: &mut Acting<'_>,
        call: &FunctionCallAction,
        place: Place,
    ) -> Done {
        let account = acting.existing()?.clone();
        let block = acting.scene.block;
        let id = acting.id();
        let action_hash = create_action_hash_from_receipt_id(
            acting.receipt.receipt_id(),
            block.height,
            place.index,
        );
        let mut host = self.host(
            acting.state.clone(),
            acting.scene.base.clone(),
            &id,
            action_hash,
            block,
        );
        let context = call_context(acting, &account, call, action_hash, place);
        let mut outcome = self.call(&mut host, &context, &call.method_name);
        let unused = call.gas.saturating_sub(outcome.used_gas);
        outcome.used_gas = outcome.used_gas.saturating_add(host.distribute_gas(unused));
        let effects = &mut acting.effects;
        effects.gas_burnt = effects.gas_burnt.saturating_add(outcome.burnt_gas);
        effects.gas_used = effects.gas_used.saturating_add(outcome.used_gas);
        effects.profile.merge(&ProfileDataV3 {
            actions_profile: outcome.profile.actions_profile,
            wasm_ext_profile: outcome.profile.wasm_ext_profile,
            wasm_gas: outcome.profile.wasm_gas,
        });
        effects.logs.append(&mut outcome.logs);
        if let Some(error) = &outcome.aborted {
            return Err(ActionErrorKind::FunctionCallError(convert_error(error)));
        }
        effects.minted = effects.minted.saturating_add(outcome.subsidized_amount);
        self.keep(acting, account, host, outcome);
        Ok(())
    }

    /// Takes over what a successful call changed, sent and resumed.
    fn keep(&self, acting: &mut Acting<'_>, mut account: Account, host: Host, outcome: VMOutcome) {
        acting.state = host.state;
        account.set_amount(outcome.balance);
        account.set_storage_usage(outcome.storage_usage);
        acting.account = Some(account);
        let id = acting.id();
        let made_before = u64::try_from(acting.effects.receipts.len()).unwrap_or(u64::MAX);
        for new in host.receipts {
            if let (true, Some(data_id)) = (new.is_yield, new.input_data_ids.first().copied()) {
                let blocks = self
                    .config
                    .wasm_config
                    .limit_config
                    .yield_timeout_length_in_blocks;
                let expires_at = acting.scene.block.height.saturating_add(blocks);
                let timeout = PromiseYieldTimeout {
                    account_id: id.clone(),
                    data_id,
                    expires_at,
                };
                yields::expect(&mut acting.state, &timeout);
            }
            let receipt = action_receipt(acting, new);
            acting.effects.receipts.push(receipt);
        }
        let resumed = host
            .resumes
            .into_iter()
            .map(|(data_id, data)| resume_receipt(&id, data_id, data));
        acting.effects.receipts.extend(resumed);
        acting.effects.result = Ok(match outcome.return_data {
            ReturnData::ReceiptIndex(index) => {
                ReturnData::ReceiptIndex(index.saturating_add(made_before))
            }
            value => value,
        });
    }
}

fn call_context(
    acting: &Acting<'_>,
    account: &Account,
    call: &FunctionCallAction,
    action_hash: CryptoHash,
    place: Place,
) -> VMContext {
    let (receipt, action, block) = (acting.receipt, acting.action_receipt, acting.scene.block);
    let waiting = action
        .output_data_receivers()
        .iter()
        .filter(|_| place.is_last);
    VMContext {
        current_account_id: receipt.receiver_id().clone(),
        signer_account_id: action.signer_id().clone(),
        signer_account_pk: borsh::to_vec(action.signer_public_key()).unwrap_or_default(),
        predecessor_account_id: receipt.predecessor_id().clone(),
        refund_to_account_id: receipt.balance_refund_receiver().clone(),
        input: Rc::from(call.args.as_slice()),
        promise_results: Arc::clone(&acting.results),
        block_height: block.height,
        block_timestamp: block.timestamp,
        epoch_height: EPOCH_HEIGHT,
        account_balance: account.amount(),
        account_locked_balance: account.locked(),
        storage_usage: account.storage_usage(),
        account_contract: account.contract().into_owned(),
        attached_deposit: call.deposit,
        prepaid_gas: call.gas,
        random_seed: create_random_seed(action_hash, block.random_seed),
        view_config: None,
        output_data_receivers: waiting.map(|to| to.receiver_id.clone()).collect(),
    }
}

fn action_receipt(acting: &Acting<'_>, new: NewReceipt) -> Receipt {
    let parent = acting.action_receipt;
    let action = ActionReceiptV2 {
        signer_id: parent.signer_id().clone(),
        refund_to: new.refund_to,
        signer_public_key: parent.signer_public_key().clone(),
        gas_price: parent.gas_price(),
        output_data_receivers: new.output_data_receivers,
        input_data_ids: new.input_data_ids,
        actions: new.actions,
    };
    Receipt::V0(ReceiptV0 {
        predecessor_id: acting.id(),
        receiver_id: new.receiver_id,
        receipt_id: CryptoHash::default(),
        receipt: if new.is_yield {
            ReceiptEnum::PromiseYieldV2(action)
        } else {
            ReceiptEnum::ActionV2(action)
        },
    })
}

fn resume_receipt(id: &AccountId, data_id: CryptoHash, data: Vec<u8>) -> Receipt {
    Receipt::V0(ReceiptV0 {
        predecessor_id: id.clone(),
        receiver_id: id.clone(),
        receipt_id: CryptoHash::default(),
        receipt: ReceiptEnum::PromiseResume(DataReceipt {
            data_id,
            data: Some(data),
        }),
    })
}
