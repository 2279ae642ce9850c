//! What a block changed in the state, as clients and indexers see it.

use super::Block;
use crate::state::Change;
use near_primitives::account::{AccessKey, Account};
use near_primitives::trie_key::{col, trie_key_parsers};
use near_primitives::types::{AccountId, StateChangeCause};
use near_primitives::views::{StateChangeKindView, StateChangeValueView, StateChangeWithCauseView};

impl Block {
    /// What was written to accounts, keys, code and storage: key by key in the trie's order, each as often as something wrote it
    /// and in that order. What is under way in the state (receipts, results, yields) is not shown, and neither is genesis.
    pub fn state_changes(&self) -> Vec<StateChangeWithCauseView> {
        let shown = |change: &Change| {
            Some(StateChangeWithCauseView {
                value: decode(change)?,
                cause: change.cause.clone().into(),
            })
        };
        self.since_genesis().filter_map(shown).collect()
    }

    /// What kinds of things were written to, once for each key, in the trie's order.
    pub fn touched(&self) -> Vec<StateChangeKindView> {
        let mut keys: Vec<_> = self.since_genesis().collect();
        keys.dedup_by(|a, b| a.key == b.key);
        keys.into_iter()
            .filter_map(decode)
            .filter_map(kind)
            .collect()
    }

    fn since_genesis(&self) -> impl Iterator<Item = &Change> {
        let changes = self.changes.iter();
        changes.filter(|change| change.cause != StateChangeCause::InitialState)
    }
}

fn kind(value: StateChangeValueView) -> Option<StateChangeKindView> {
    use StateChangeValueView as V;
    Some(match value {
        V::AccountUpdate { account_id, .. } | V::AccountDeletion { account_id } => {
            StateChangeKindView::AccountTouched { account_id }
        }
        V::AccessKeyUpdate { account_id, .. } | V::AccessKeyDeletion { account_id, .. } => {
            StateChangeKindView::AccessKeyTouched { account_id }
        }
        V::DataUpdate { account_id, .. } | V::DataDeletion { account_id, .. } => {
            StateChangeKindView::DataTouched { account_id }
        }
        V::ContractCodeUpdate { account_id, .. } | V::ContractCodeDeletion { account_id } => {
            StateChangeKindView::ContractCodeTouched { account_id }
        }
        V::GasKeyNonceUpdate { .. } => return None,
    })
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
