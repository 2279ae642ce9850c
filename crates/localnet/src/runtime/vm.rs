//! Running a contract's method, to change the state or to look at it.

use super::{BlockContext, Runtime};
use crate::external::{Call, Host};
use crate::state::State;
use near_crypto::{KeyType, PublicKey};
use near_primitives::config::ViewConfig;
use near_primitives::hash::CryptoHash;
use near_primitives::types::{AccountId, Balance};
use near_vm_runner::logic::errors::{CompilationError, FunctionCallError};
use near_vm_runner::logic::{GasCounter, VMContext, VMOutcome};
use near_vm_runner::{Contract, ContractCode};
use std::rc::Rc;
use std::sync::Arc;

/// Code as the VM asks for it.
struct Code(Arc<ContractCode>);

impl Contract for Code {
    fn hash(&self) -> CryptoHash {
        *self.0.hash()
    }

    fn get_code(&self) -> Option<Arc<ContractCode>> {
        Some(Arc::clone(&self.0))
    }
}

/// The epoch that contracts are told: there is only one.
pub(crate) const EPOCH_HEIGHT: u64 = 1;

impl Runtime {
    /// Runs a method. The host keeps what the call changed; an error of the VM itself comes out as a failed call, so that
    /// one contract cannot stop the chain.
    pub(crate) fn call(&self, host: &mut Host, context: &VMContext, method: &str) -> VMOutcome {
        let account_id = &context.current_account_id;
        let Some(code) = host.state.contract(account_id, &context.account_contract) else {
            let account_id = account_id.as_str().into();
            let missing = CompilationError::CodeDoesNotExist { account_id };
            return VMOutcome::nop_outcome(FunctionCallError::CompilationError(missing));
        };
        let wasm = &self.config.wasm_config;
        let burnable = context
            .view_config
            .as_ref()
            .map_or(wasm.limit_config.max_gas_burnt, |view| view.max_gas_burnt);
        let gas = GasCounter::new(
            wasm.ext_costs.clone(),
            burnable,
            wasm.regular_op_cost,
            context.prepaid_gas,
            context.is_view(),
        );
        let prepared = near_vm_runner::prepare(
            &Code(code),
            Arc::clone(wasm),
            Some(&*self.compiled.cache),
            gas,
            method,
        );
        near_vm_runner::run(prepared, host, context, Arc::clone(&self.config.fees)).unwrap_or_else(
            |error| {
                VMOutcome::nop_outcome(FunctionCallError::LoadingError {
                    msg: error.to_string(),
                })
            },
        )
    }

    /// Compiles code before it is first called; what is wrong with it is told by the call.
    pub(crate) fn compile_ahead(&self, code: &ContractCode) {
        let wasm = Arc::clone(&self.config.wasm_config);
        drop(near_vm_runner::precompile_contract(
            code,
            wasm,
            Some(&*self.compiled.cache),
        ));
    }

    /// A read-only call; `None` if there is no such account.
    pub fn view(
        &self,
        state: &State,
        block: &BlockContext,
        account_id: &AccountId,
        method: &str,
        args: &[u8],
    ) -> Option<VMOutcome> {
        let account = state.account(account_id)?;
        let max_gas_burnt = self.config.wasm_config.limit_config.max_gas_burnt;
        let nobody = PublicKey::empty(KeyType::ED25519);
        let context = VMContext {
            current_account_id: account_id.clone(),
            signer_account_id: account_id.clone(),
            signer_account_pk: borsh::to_vec(&nobody).unwrap_or_default(),
            predecessor_account_id: account_id.clone(),
            refund_to_account_id: account_id.clone(),
            input: Rc::from(args),
            promise_results: Arc::from([]),
            block_height: block.height,
            block_timestamp: block.timestamp,
            epoch_height: EPOCH_HEIGHT,
            account_balance: account.amount(),
            account_locked_balance: account.locked(),
            storage_usage: account.storage_usage(),
            account_contract: account.contract().into_owned(),
            attached_deposit: Balance::ZERO,
            prepaid_gas: max_gas_burnt,
            random_seed: block.random_seed.as_bytes().to_vec(),
            view_config: Some(ViewConfig { max_gas_burnt }),
            output_data_receivers: Vec::new(),
        };
        let mut host = self.host(
            state.clone(),
            state.clone(),
            account_id,
            CryptoHash::default(),
            block,
        );
        Some(self.call(&mut host, &context, method))
    }

    pub(crate) fn host(
        &self,
        state: State,
        base: State,
        account_id: &AccountId,
        action_hash: CryptoHash,
        block: &BlockContext,
    ) -> Host {
        let call = Call {
            account_id: account_id.clone(),
            action_hash,
            block_height: block.height,
            chain_id: self.chain_id.clone(),
            total_stake: self.total_stake,
        };
        Host::new(state, base, call)
    }
}
