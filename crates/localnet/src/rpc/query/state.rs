//! A contract's storage, whole or in pages.

use std::num::NonZeroU32;

use near_jsonrpc_primitives::types::query::{QueryResponseKind, RpcQueryError};
use near_primitives::types::{AccountId, StoreKey};
use near_primitives::views::{StateItem, ViewStateResult};

use super::At;

/// Which part of the storage is asked for.
pub(super) struct Page {
    pub(super) prefix: StoreKey,
    pub(super) after_key: Option<StoreKey>,
    pub(super) limit: Option<NonZeroU32>,
}

impl Page {
    const fn is_whole(&self) -> bool {
        self.after_key.is_none() && self.limit.is_none()
    }
}

/// Shows storage. Only a page may come from a large contract.
///
/// There are no Merkle proofs here, because the state has no Merkle root: `proof` stays empty.
pub(super) fn view(
    at: &At<'_>,
    id: &AccountId,
    page: &Page,
) -> Result<QueryResponseKind, RpcQueryError> {
    let account = at.account(id)?;
    let state = &at.block.state;
    let without_code = account
        .storage_usage()
        .saturating_sub(state.local_code_bytes(id));
    if page.is_whole() && without_code > at.reader.state_view_limit {
        let (block_height, block_hash) = at.height_and_hash();
        return Err(RpcQueryError::TooLargeContractState {
            contract_account_id: id.clone(),
            block_height,
            block_hash,
        });
    }
    let after = page.after_key.as_ref().map(|key| key.to_vec());
    let is_before = |key: &Vec<u8>| after.as_ref().is_some_and(|after| key <= after);
    let mut entries = state
        .contract_data(id, &page.prefix)
        .skip_while(|(key, _)| is_before(key));
    let limit = page
        .limit
        .and_then(|limit| usize::try_from(limit.get()).ok())
        .unwrap_or(usize::MAX);
    let values: Vec<StateItem> = entries
        .by_ref()
        .take(limit)
        .map(|(key, value)| StateItem {
            key: key.into(),
            value: value.to_vec().into(),
        })
        .collect();
    let more = entries.next().is_some();
    let last_key = if more {
        values.last().map(|item| item.key.clone())
    } else {
        None
    };
    Ok(QueryResponseKind::ViewState(ViewStateResult {
        values,
        proof: vec![],
        last_key,
    }))
}
