//! What a block changed in the state: parts of the record that indexers get whole.

use near_crypto::PublicKeyHandle;
use near_jsonrpc_primitives::types::changes::{
    RpcStateChangesError, RpcStateChangesInBlockByTypeRequest,
    RpcStateChangesInBlockByTypeResponse, RpcStateChangesInBlockRequest,
    RpcStateChangesInBlockResponse,
};
use near_primitives::types::BlockReference;
use near_primitives::views::{StateChangeValueView, StateChangesRequestView};
use serde_json::Value;

use super::reader::missing_reference;
use super::{Reader, RpcError, params};
use crate::chain::Block;

/// `EXPERIMENTAL_changes`: the values that were written to what the caller names.
pub(super) fn by_request(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let RpcStateChangesInBlockByTypeRequest {
        block_reference,
        state_changes_request,
    } = params::parse(params)?;
    let block = find(reader, &block_reference)?;
    let mut changes = block.state_changes();
    changes.retain(|change| is_asked_for(&change.value, &state_changes_request));
    params::answer(RpcStateChangesInBlockResponse {
        block_hash: block.hash,
        changes,
    })
}

/// `EXPERIMENTAL_changes_in_block`: which accounts were touched, and what of them.
pub(super) fn in_block(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let RpcStateChangesInBlockRequest { block_reference } = params::parse(params)?;
    let block = find(reader, &block_reference)?;
    params::answer(RpcStateChangesInBlockByTypeResponse {
        block_hash: block.hash,
        changes: block.touched(),
    })
}

fn find<'a>(
    reader: Reader<'a>,
    reference: &BlockReference,
) -> Result<&'a Block, RpcStateChangesError> {
    reader
        .block(reference)
        .ok_or_else(|| RpcStateChangesError::UnknownBlock {
            error_message: missing_reference(reference),
        })
}

fn is_asked_for(value: &StateChangeValueView, request: &StateChangesRequestView) -> bool {
    use StateChangeValueView as V;
    use StateChangesRequestView as R;
    let account = value.account_id();
    match (request, value) {
        (
            R::AccountChanges { account_ids },
            V::AccountUpdate { .. } | V::AccountDeletion { .. },
        )
        | (
            R::AllAccessKeyChanges { account_ids },
            V::AccessKeyUpdate { .. } | V::AccessKeyDeletion { .. },
        )
        | (
            R::ContractCodeChanges { account_ids },
            V::ContractCodeUpdate { .. } | V::ContractCodeDeletion { .. },
        ) => account_ids.contains(account),
        (
            R::SingleAccessKeyChanges { keys },
            V::AccessKeyUpdate { public_key, .. } | V::AccessKeyDeletion { public_key, .. },
        ) => keys.iter().any(|key| {
            key.account_id == *account
                && PublicKeyHandle::from(key.public_key.clone()) == *public_key
        }),
        (
            R::DataChanges {
                account_ids,
                key_prefix,
            },
            V::DataUpdate { key, .. } | V::DataDeletion { key, .. },
        ) => account_ids.contains(account) && key.starts_with(key_prefix),
        _ => false,
    }
}
