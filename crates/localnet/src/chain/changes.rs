//! What a block changed in the state, as clients and indexers see it.

use super::Block;
use crate::state::Change;
use near_primitives::account::{AccessKey, Account};
use near_primitives::trie_key::{col, trie_key_parsers};
use near_primitives::types::{AccountId, StateChangeCause};
use near_primitives::views::{StateChangeValueView, StateChangeWithCauseView};

impl Block {
    /// What was written to accounts, keys, code and storage: key by key in the trie's order, each as often as something wrote it
    /// and in that order. What is under way in the state (receipts, results, yields) is not shown, and neither is genesis.
    pub fn state_changes(&self) -> Vec<StateChangeWithCauseView> {
        let changes = self.changes.iter();
        let changes = changes.filter(|change| change.cause != StateChangeCause::InitialState);
        changes
            .filter_map(|change| {
                Some(StateChangeWithCauseView {
                    value: decode(change)?,
                    cause: change.cause.clone().into(),
                })
            })
            .collect()
    }
}

fn decode(change: &Change) -> Option<StateChangeValueView> {
    let (key, value) = (change.key.as_slice(), change.value.as_deref());
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
        (col::CONTRACT_DATA, value) => contract_data(key, account_id, value)?,
        _ => return None,
    })
}

fn contract_data(
    raw: &[u8],
    account_id: AccountId,
    value: Option<&[u8]>,
) -> Option<StateChangeValueView> {
    let key = trie_key_parsers::parse_data_key_from_contract_data_key(raw, &account_id).ok()?;
    let key = key.to_vec().into();
    Some(match value {
        Some(value) => StateChangeValueView::DataUpdate {
            account_id,
            key,
            value: value.to_vec().into(),
        },
        None => StateChangeValueView::DataDeletion { account_id, key },
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
