//! `query`: what an account, its keys, its code and its contract look like at a block.

mod keys;
mod path;
mod state;

use near_jsonrpc_primitives::types::query::{
    QueryResponseKind, RpcQueryError, RpcQueryRequest, RpcQueryResponse,
};
use near_primitives::account::{Account, AccountContract};
use near_primitives::action::GlobalContractIdentifier;
use near_primitives::hash::CryptoHash;
use near_primitives::types::{AccountId, BlockId, BlockReference};
use near_primitives::views::{CallResult, ContractCodeView, QueryRequest};
use near_vm_runner::logic::ReturnData;
use serde_json::{Value, json};

use super::{Reader, RpcError, params};
use crate::chain::{Block, Chain};

/// The method as it is called: by name, or with a path such as `account/alice.near`.
pub(super) fn answer(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let request = match params::two(params) {
        Ok((path, data)) => path::parse(
            &params::parse::<String>(path)?,
            &params::parse::<String>(data)?,
        )?,
        Err(params) => params::parse::<RpcQueryRequest>(params)?,
    };
    match look_up(reader, request) {
        Ok(response) => params::answer(response),
        Err(error) => as_the_node_says(error),
    }
}

/// Two failures come as results, for clients of old; unknown blocks have words of their own.
fn as_the_node_says(error: RpcQueryError) -> Result<Value, RpcError> {
    let (text, block_height, block_hash) = match error {
        RpcQueryError::ContractExecutionError {
            vm_error,
            block_height,
            block_hash,
            ..
        } => (vm_error, block_height, block_hash),
        RpcQueryError::UnknownAccessKey {
            public_key,
            block_height,
            block_hash,
        } => (
            format!("access key {public_key} does not exist while viewing"),
            block_height,
            block_hash,
        ),
        RpcQueryError::UnknownBlock {
            block_reference: BlockReference::BlockId(ref id),
        } => {
            let text = match id {
                BlockId::Height(height) => {
                    format!("DB Not Found Error: BLOCK HEIGHT: {height} \n Cause: Unknown")
                }
                BlockId::Hash(hash) => format!("DB Not Found Error: BLOCK HEADER: {hash}"),
            };
            let cause = params::answer(error)?;
            return Err(RpcError::new_internal_or_handler_error(
                Some(Value::String(text)),
                cause,
            ));
        }
        other => return Err(other.into()),
    };
    Ok(json!({ "error": text, "logs": [], "block_height": block_height, "block_hash": block_hash }))
}

/// Looks a thing up at a block.
pub(super) fn look_up(
    reader: Reader<'_>,
    query: RpcQueryRequest,
) -> Result<RpcQueryResponse, RpcQueryError> {
    let RpcQueryRequest {
        block_reference,
        request,
    } = query;
    let block = reader
        .block(&block_reference)
        .ok_or(RpcQueryError::UnknownBlock { block_reference })?;
    let at = At { reader, block };
    let kind = match request {
        QueryRequest::ViewAccount { account_id } => {
            QueryResponseKind::ViewAccount(at.account(&account_id)?.into())
        }
        QueryRequest::ViewCode { account_id } => at.code(&account_id)?,
        QueryRequest::ViewState {
            account_id,
            prefix,
            after_key,
            limit,
            include_proof,
        } => state::view(
            &at,
            &account_id,
            &state::Page {
                prefix,
                after_key,
                limit,
                include_proof,
            },
        )?,
        QueryRequest::ViewAccessKey {
            account_id,
            public_key,
        } => keys::one(&at, &account_id, public_key)?,
        QueryRequest::ViewAccessKeyList {
            account_id,
            after_key,
            limit,
        } => keys::list(&at, &account_id, after_key.as_ref(), limit)?,
        QueryRequest::ViewGasKeyNonces { public_key, .. } => return Err(at.no_gas_key(public_key)),
        QueryRequest::CallFunction {
            account_id,
            method_name,
            args,
        } => at.call(&account_id, &method_name, &args)?,
        QueryRequest::ViewGlobalContractCode { code_hash } => at.global_code(
            &AccountContract::Global(code_hash),
            GlobalContractIdentifier::CodeHash(code_hash),
        )?,
        QueryRequest::ViewGlobalContractCodeByAccountId { account_id } => at.global_code(
            &AccountContract::GlobalByAccount(account_id.clone()),
            GlobalContractIdentifier::AccountId(account_id),
        )?,
    };
    Ok(RpcQueryResponse {
        kind,
        block_height: block.height(),
        block_hash: block.hash,
    })
}

/// The state after a block, with the block's name for the errors.
struct At<'a> {
    reader: Reader<'a>,
    block: &'a Block,
}

impl At<'_> {
    fn height_and_hash(&self) -> (u64, CryptoHash) {
        (self.block.height(), self.block.hash)
    }

    fn account(&self, id: &AccountId) -> Result<Account, RpcQueryError> {
        self.block
            .state
            .account(id)
            .ok_or_else(|| self.no_account(id))
    }

    fn no_account(&self, id: &AccountId) -> RpcQueryError {
        let (block_height, block_hash) = self.height_and_hash();
        RpcQueryError::UnknownAccount {
            requested_account_id: id.clone(),
            block_height,
            block_hash,
        }
    }

    fn no_gas_key(&self, public_key: near_crypto::PublicKey) -> RpcQueryError {
        let (block_height, block_hash) = self.height_and_hash();
        RpcQueryError::UnknownGasKey {
            public_key,
            block_height,
            block_hash,
        }
    }

    fn code(&self, id: &AccountId) -> Result<QueryResponseKind, RpcQueryError> {
        let account = self.account(id)?;
        self.code_of(id, &account.contract()).ok_or_else(|| {
            let (block_height, block_hash) = self.height_and_hash();
            RpcQueryError::NoContractCode {
                contract_account_id: id.clone(),
                block_height,
                block_hash,
            }
        })
    }

    fn global_code(
        &self,
        contract: &AccountContract,
        identifier: GlobalContractIdentifier,
    ) -> Result<QueryResponseKind, RpcQueryError> {
        // Whose account it is matters only for code of its own.
        self.code_of(&Chain::author(), contract).ok_or_else(|| {
            let (block_height, block_hash) = self.height_and_hash();
            RpcQueryError::NoGlobalContractCode {
                identifier,
                block_height,
                block_hash,
            }
        })
    }

    fn code_of(&self, id: &AccountId, contract: &AccountContract) -> Option<QueryResponseKind> {
        let code = self.block.state.contract(id, contract)?;
        Some(QueryResponseKind::ViewCode(ContractCodeView {
            code: code.code().to_vec(),
            hash: *code.hash(),
        }))
    }

    fn call(
        &self,
        id: &AccountId,
        method: &str,
        args: &[u8],
    ) -> Result<QueryResponseKind, RpcQueryError> {
        let outcome = self
            .reader
            .chain
            .view_at(self.block, id, method, args)
            .ok_or_else(|| self.no_account(id))?;
        if let Some(error) = outcome.aborted {
            let (block_height, block_hash) = self.height_and_hash();
            return Err(RpcQueryError::ContractExecutionError {
                vm_error: format!("wasm execution failed with error: {error:?}"),
                error: crate::runtime::convert_error(&error),
                block_height,
                block_hash,
            });
        }
        let result = match outcome.return_data {
            ReturnData::Value(value) => value,
            ReturnData::ReceiptIndex(_) | ReturnData::None => vec![],
        };
        Ok(QueryResponseKind::CallResult(CallResult {
            result,
            logs: outcome.logs,
        }))
    }
}
