//! What a block changed in the state.
//!
//! Found by comparing the state after the block with the state before it, so that each key shows up once, with its last
//! value; a node lists a key as often as it was written. The cause is the last thing in the block that writes there.

use std::collections::BTreeSet;

use near_crypto::PublicKeyHandle;
use near_jsonrpc_primitives::types::changes::{
    RpcStateChangesError, RpcStateChangesInBlockByTypeRequest,
    RpcStateChangesInBlockByTypeResponse, RpcStateChangesInBlockRequest,
    RpcStateChangesInBlockResponse,
};
use near_primitives::account::{AccessKey, Account};
use near_primitives::trie_key::{col, trie_key_parsers};
use near_primitives::types::{AccountId, BlockReference};
use near_primitives::views::{
    StateChangeCauseView, StateChangeKindView, StateChangeValueView, StateChangeWithCauseView,
    StateChangesRequestView,
};
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
    let changes = changes_of(reader, block)
        .into_iter()
        .filter(|value| is_asked_for(value, &state_changes_request))
        .map(|value| StateChangeWithCauseView {
            cause: cause(block, &value),
            value,
        })
        .collect();
    params::answer(RpcStateChangesInBlockResponse {
        block_hash: block.hash,
        changes,
    })
}

/// `EXPERIMENTAL_changes_in_block`: which accounts were touched, and what of them.
pub(super) fn in_block(reader: Reader<'_>, params: Value) -> Result<Value, RpcError> {
    let RpcStateChangesInBlockRequest { block_reference } = params::parse(params)?;
    let block = find(reader, &block_reference)?;
    let touched: BTreeSet<(AccountId, Touched)> = changes_of(reader, block)
        .iter()
        .filter_map(touched)
        .collect();
    let changes = touched
        .into_iter()
        .map(|(account_id, what)| what.of(account_id))
        .collect();
    params::answer(RpcStateChangesInBlockByTypeResponse {
        block_hash: block.hash,
        changes,
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

/// Every key of an account that the block changed, in the trie's order.
fn changes_of(reader: Reader<'_>, block: &Block) -> Vec<StateChangeValueView> {
    let before = reader.before(block);
    let Some(before) = before else {
        return vec![];
    };
    let mut changes = block.state.trie().changes_since(before.state.trie());
    changes.sort_by(|a, b| a.0.cmp(&b.0));
    changes
        .iter()
        .filter_map(|(key, value)| decode(key, value.as_deref()))
        .collect()
}

/// A change as clients see it; receipts under way and other inner matters are not shown.
fn decode(key: &[u8], value: Option<&[u8]>) -> Option<StateChangeValueView> {
    let account_id = trie_key_parsers::parse_account_id_from_raw_key(key).ok()??;
    Some(match (*key.first()?, value) {
        (col::ACCOUNT, Some(bytes)) => {
            let account: Account = borsh::from_slice(bytes).ok()?;
            StateChangeValueView::AccountUpdate {
                account_id,
                account: account.into(),
            }
        }
        (col::ACCOUNT, None) => StateChangeValueView::AccountDeletion { account_id },
        (col::ACCESS_KEY, value) => access_key(key, account_id, value)?,
        (col::CONTRACT_CODE, Some(code)) => StateChangeValueView::ContractCodeUpdate {
            account_id,
            code: code.to_vec(),
        },
        (col::CONTRACT_CODE, None) => StateChangeValueView::ContractCodeDeletion { account_id },
        (col::CONTRACT_DATA, value) => {
            let key = trie_key_parsers::parse_data_key_from_contract_data_key(key, &account_id)
                .ok()?
                .to_vec()
                .into();
            match value {
                Some(value) => StateChangeValueView::DataUpdate {
                    account_id,
                    key,
                    value: value.to_vec().into(),
                },
                None => StateChangeValueView::DataDeletion { account_id, key },
            }
        }
        _ => return None,
    })
}

fn access_key(
    raw: &[u8],
    account_id: AccountId,
    value: Option<&[u8]>,
) -> Option<StateChangeValueView> {
    let public_key =
        trie_key_parsers::parse_key_handle_from_access_key_key(raw, &account_id).ok()?;
    Some(match value {
        Some(bytes) => {
            let key: AccessKey = borsh::from_slice(bytes).ok()?;
            StateChangeValueView::AccessKeyUpdate {
                account_id,
                public_key,
                access_key: key.into(),
            }
        }
        None => StateChangeValueView::AccessKeyDeletion {
            account_id,
            public_key,
        },
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

/// A transaction writes its signer's account and key; a receipt writes its receiver's; a patch has no cause of its own.
fn cause(block: &Block, value: &StateChangeValueView) -> StateChangeCauseView {
    let account = value.account_id();
    let by_tx = block
        .txs
        .iter()
        .rev()
        .find(|(tx, _)| tx.transaction.signer_id() == account);
    let by_tx = by_tx.map(|(tx, _)| StateChangeCauseView::TransactionProcessing {
        tx_hash: tx.get_hash(),
    });
    let by_receipt = block
        .ran
        .iter()
        .rev()
        .find(|(receipt, _)| receipt.receiver_id() == account);
    let by_receipt = by_receipt.map(|(receipt, _)| StateChangeCauseView::ReceiptProcessing {
        receipt_hash: *receipt.receipt_id(),
    });
    let is_key = matches!(value, StateChangeValueView::AccessKeyUpdate { .. });
    let cause = if is_key {
        by_tx.or(by_receipt)
    } else {
        by_receipt.or(by_tx)
    };
    cause.unwrap_or(StateChangeCauseView::Migration)
}

/// What of an account was touched, in the node's order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Touched {
    Account,
    AccessKey,
    Data,
    Code,
}

impl Touched {
    const fn of(self, account_id: AccountId) -> StateChangeKindView {
        match self {
            Self::Account => StateChangeKindView::AccountTouched { account_id },
            Self::AccessKey => StateChangeKindView::AccessKeyTouched { account_id },
            Self::Data => StateChangeKindView::DataTouched { account_id },
            Self::Code => StateChangeKindView::ContractCodeTouched { account_id },
        }
    }
}

fn touched(value: &StateChangeValueView) -> Option<(AccountId, Touched)> {
    use StateChangeValueView as V;
    let what = match value {
        V::AccountUpdate { .. } | V::AccountDeletion { .. } => Touched::Account,
        V::AccessKeyUpdate { .. } | V::AccessKeyDeletion { .. } => Touched::AccessKey,
        V::DataUpdate { .. } | V::DataDeletion { .. } => Touched::Data,
        V::ContractCodeUpdate { .. } | V::ContractCodeDeletion { .. } => Touched::Code,
        V::GasKeyNonceUpdate { .. } => return None,
    };
    Some((value.account_id().clone(), what))
}
