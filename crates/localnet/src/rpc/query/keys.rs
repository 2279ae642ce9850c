//! Access keys, one by one and in pages.

use std::num::NonZeroU32;

use near_crypto::{PublicKey, PublicKeyHandle};
use near_jsonrpc_primitives::types::query::{QueryResponseKind, RpcQueryError};
use near_primitives::account::AccessKey;
use near_primitives::trie_key::trie_key_parsers;
use near_primitives::types::AccountId;
use near_primitives::views::{AccessKeyInfoView, AccessKeyList};

use super::At;

/// The most access keys in one answer; a node's `view_access_keys_limit`.
const KEYS_AT_ONCE: u32 = 100;

pub(super) fn one(
    at: &At<'_>,
    id: &AccountId,
    public_key: PublicKey,
) -> Result<QueryResponseKind, RpcQueryError> {
    let Some(key) = at.block.state.access_key(id, &public_key) else {
        let (block_height, block_hash) = at.height_and_hash();
        return Err(RpcQueryError::UnknownAccessKey {
            public_key,
            block_height,
            block_hash,
        });
    };
    Ok(QueryResponseKind::AccessKey(key.into()))
}

/// All keys of an account, or a page of them; an account that does not exist has none.
///
/// Without paging, an account with more keys than a node shows at once is refused; a page is never longer than that.
pub(super) fn list(
    at: &At<'_>,
    id: &AccountId,
    after: Option<&PublicKeyHandle>,
    limit: Option<NonZeroU32>,
) -> Result<QueryResponseKind, RpcQueryError> {
    let at_once = usize::try_from(KEYS_AT_ONCE).unwrap_or(usize::MAX);
    let mut keys: Vec<_> = at
        .block
        .state
        .access_keys(id)
        .iter()
        .filter_map(|(raw, key)| info(id, raw, key))
        .collect();
    if after.is_none() && limit.is_none() && keys.len() > at_once {
        let (block_height, block_hash) = at.height_and_hash();
        return Err(RpcQueryError::TooManyAccessKeys {
            requested_account_id: id.clone(),
            limit: KEYS_AT_ONCE,
            block_height,
            block_hash,
        });
    }
    if let Some(after) = after {
        // Keys come in the trie's order, which is the order of the handles.
        keys.retain(|key| key.public_key > *after);
    }
    let page = limit
        .and_then(|limit| usize::try_from(limit.get()).ok())
        .map_or(at_once, |limit| limit.min(at_once));
    let more = keys.len() > page;
    keys.truncate(page);
    let last_key = if more {
        keys.last().map(|key| key.public_key.clone())
    } else {
        None
    };
    Ok(QueryResponseKind::AccessKeyList(AccessKeyList {
        keys,
        last_key,
    }))
}

/// A key from its place in the trie; the nonces of gas keys lie under the same prefix and are no keys.
fn info(id: &AccountId, raw: &[u8], key: &[u8]) -> Option<AccessKeyInfoView> {
    let public_key = trie_key_parsers::parse_key_handle_from_access_key_key(raw, id).ok()?;
    let access_key: AccessKey = borsh::from_slice(key).ok()?;
    Some(AccessKeyInfoView {
        public_key,
        access_key: access_key.into(),
    })
}
