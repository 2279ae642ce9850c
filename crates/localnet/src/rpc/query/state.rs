//! A contract's storage, whole or in pages.

use std::num::NonZeroU32;

use near_jsonrpc_primitives::types::query::{QueryResponseKind, RpcQueryError};
use near_primitives::types::{AccountId, StoreKey};
use near_primitives::views::{StateItem, ViewStateResult};

use super::At;

/// The most entries on one page. Source: nearcore's `MAX_VIEW_STATE_PAGE_ITEMS`.
const PAGE_ENTRIES: usize = 10_000;

/// After so many bytes of keys and values a page takes no further entry. Source: nearcore's `MAX_VIEW_STATE_PAGE_BYTES`.
const PAGE_BYTES: usize = 50_000;

/// Which part of the storage is asked for.
pub(super) struct Page {
    pub(super) prefix: StoreKey,
    pub(super) after_key: Option<StoreKey>,
    pub(super) limit: Option<NonZeroU32>,
    pub(super) include_proof: bool,
}

impl Page {
    const fn is_whole(&self) -> bool {
        self.after_key.is_none() && self.limit.is_none()
    }

    /// Whether so many entries, with so many bytes, are all it takes.
    fn is_full(&self, entries: usize, bytes: usize) -> bool {
        let limit = self
            .limit
            .and_then(|limit| usize::try_from(limit.get()).ok())
            .map_or(PAGE_ENTRIES, |limit| limit.min(PAGE_ENTRIES));
        !self.is_whole() && (entries >= limit || bytes >= PAGE_BYTES)
    }

    /// What a node does not do for anybody.
    fn refusal(&self) -> Option<RpcQueryError> {
        let outside = |after: &StoreKey| !after.starts_with(&self.prefix);
        let reason = if self.include_proof && !self.is_whole() {
            "a proof cannot be given with pagination"
        } else if self.after_key.as_ref().is_some_and(outside) {
            "the key to go on after does not start with the prefix"
        } else {
            return None;
        };
        Some(RpcQueryError::InternalError {
            error_message: reason.to_owned(),
        })
    }
}

/// Shows storage. Only a page may come from a large contract, and only the whole with a proof.
///
/// A proof is of the state after the block, whose root the header of the next block's chunk has.
pub(super) fn view(
    at: &At<'_>,
    id: &AccountId,
    page: &Page,
) -> Result<QueryResponseKind, RpcQueryError> {
    if let Some(refusal) = page.refusal() {
        return Err(refusal);
    }
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
    let entries = state
        .contract_data(id, &page.prefix)
        .skip_while(|(key, _)| is_before(key));
    let (mut values, mut bytes, mut last_key) = (Vec::<StateItem>::new(), 0_usize, None);
    for (key, value) in entries {
        if page.is_full(values.len(), bytes) {
            last_key = values.last().map(|item| item.key.clone());
            break;
        }
        // A node counts the key as the trie has it: after a column, the account and a comma.
        let added = [key.len(), value.len(), id.len(), 2];
        bytes = added.into_iter().fold(bytes, usize::saturating_add);
        values.push(StateItem {
            key: key.into(),
            value: value.to_vec().into(),
        });
    }
    let proof = if page.include_proof {
        state.prove_contract_data(id, &page.prefix)
    } else {
        Vec::new()
    };
    Ok(QueryResponseKind::ViewState(ViewStateResult {
        values,
        proof,
        last_key,
    }))
}
