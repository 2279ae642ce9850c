//! World state: what NEAR's trie holds, by the same keys, in a persistent map.
//!
//! A copy costs one pointer, so every block keeps the state after it, a receipt that fails is undone by dropping its copy,
//! and a view at an old block needs no replay. What is written is noted until [`State::commit`] says why it was.

mod trie;

use borsh::{BorshDeserialize, BorshSerialize};
use near_crypto::PublicKey;
use near_primitives::account::{AccessKey, Account, AccountContract};
use near_primitives::hash::CryptoHash;
use near_primitives::trie_key::{GlobalContractCodeIdentifier, TrieKey, trie_key_parsers};
use near_primitives::types::{AccountId, Balance, StateChangeCause};
use near_vm_runner::ContractCode;
use std::sync::Arc;

pub use trie::{Trie, Value};

/// Everything the chain knows at one moment.
#[derive(Clone, Debug, Default)]
pub struct State {
    trie: Trie,
    /// What was written since the last commit, in that order, with repetitions.
    written: Vec<Vec<u8>>,
}

/// A key that was written, with what it held then, and why.
#[derive(Clone, Debug)]
pub struct Change {
    /// The key as bytes.
    pub key: Vec<u8>,
    /// What wrote it.
    pub cause: StateChangeCause,
    /// What it was written to; `None` means removed.
    pub value: Option<Value>,
}

impl State {
    /// The map below, for whoever needs keys as bytes.
    pub const fn trie(&self) -> &Trie {
        &self.trie
    }

    /// The hash of it all, which a node calls the state root.
    pub fn root(&self) -> CryptoHash {
        self.trie.root_hash()
    }

    /// Ends a step of the work: what was written since the last one was written for this cause.
    pub fn commit(&mut self, cause: &StateChangeCause) -> Vec<Change> {
        let mut keys = std::mem::take(&mut self.written);
        keys.sort_unstable();
        keys.dedup();
        let now = |key: Vec<u8>| Change {
            value: self.trie.get(&key).cloned(),
            key,
            cause: cause.clone(),
        };
        keys.into_iter().map(now).collect()
    }

    /// Makes a change that was committed before.
    pub fn repeat(&mut self, change: &Change) {
        match &change.value {
            Some(value) => drop(self.trie.insert(&change.key, value.clone())),
            None => drop(self.trie.remove(&change.key)),
        }
    }

    /// Puts a value under a key that is bytes already.
    pub fn write(&mut self, key: Vec<u8>, value: Value) -> Option<Value> {
        let old = self.trie.insert(&key, value);
        self.written.push(key);
        old
    }

    /// Takes away what is under a key that is bytes already.
    pub fn erase(&mut self, key: Vec<u8>) -> Option<Value> {
        let old = self.trie.remove(&key)?;
        self.written.push(key);
        Some(old)
    }

    /// The bytes under a key.
    pub fn raw(&self, key: &TrieKey) -> Option<&Value> {
        self.trie.get(&key.to_vec())
    }

    /// Puts bytes under a key and gives back what was there.
    pub fn set_raw(&mut self, key: &TrieKey, value: Vec<u8>) -> Option<Value> {
        self.write(key.to_vec(), value.into())
    }

    /// What is under a key, decoded; `None` also when it does not decode, which only a state patch can bring about.
    pub fn get<T: BorshDeserialize>(&self, key: &TrieKey) -> Option<T> {
        self.raw(key)
            .and_then(|bytes| T::try_from_slice(bytes).ok())
    }

    /// Puts a value under a key.
    pub fn set<T: BorshSerialize>(&mut self, key: &TrieKey, value: &T) {
        // Encoding into memory fails only for values that refuse to be encoded, and none of ours does.
        self.set_raw(key, borsh::to_vec(value).unwrap_or_default());
    }

    /// Takes away what is under a key.
    pub fn remove(&mut self, key: &TrieKey) -> Option<Value> {
        self.erase(key.to_vec())
    }

    /// Takes away and decodes what is under a key.
    pub fn take<T: BorshDeserialize>(&mut self, key: &TrieKey) -> Option<T> {
        self.remove(key)
            .and_then(|bytes| T::try_from_slice(&bytes).ok())
    }

    /// Whether there is anything under a key.
    pub fn has(&self, key: &TrieKey) -> bool {
        self.raw(key).is_some()
    }

    /// An account, if it exists.
    pub fn account(&self, id: &AccountId) -> Option<Account> {
        self.get(&TrieKey::Account {
            account_id: id.clone(),
        })
    }

    /// Writes an account.
    pub fn set_account(&mut self, id: &AccountId, account: &Account) {
        self.set(
            &TrieKey::Account {
                account_id: id.clone(),
            },
            account,
        );
    }

    /// An access key of an account.
    pub fn access_key(&self, id: &AccountId, public_key: &PublicKey) -> Option<AccessKey> {
        self.get(&TrieKey::access_key(id.clone(), public_key.clone()))
    }

    /// Writes an access key.
    pub fn set_access_key(&mut self, id: &AccountId, public_key: &PublicKey, key: &AccessKey) {
        self.set(&TrieKey::access_key(id.clone(), public_key.clone()), key);
    }

    /// The code an account runs: its own, or a global contract's.
    pub fn contract(
        &self,
        id: &AccountId,
        contract: &AccountContract,
    ) -> Option<Arc<ContractCode>> {
        let (key, hash) = contract_key(id, contract)?;
        self.raw(&key)
            .map(|code| Arc::new(ContractCode::new(code.to_vec(), hash)))
    }

    /// The size of the code an account keeps in its own storage.
    pub fn local_code_bytes(&self, id: &AccountId) -> u64 {
        let key = TrieKey::ContractCode {
            account_id: id.clone(),
        };
        self.raw(&key)
            .map_or(0, |code| u64::try_from(code.len()).unwrap_or(u64::MAX))
    }

    /// A contract's storage under a prefix of its own keys, without the trie's prefix.
    pub fn contract_data(
        &self,
        id: &AccountId,
        prefix: &[u8],
    ) -> impl Iterator<Item = (Vec<u8>, Value)> + use<> {
        let skip = trie_key_parsers::get_raw_prefix_for_contract_data(id, b"").len();
        self.trie
            .with_prefix(&trie_key_parsers::get_raw_prefix_for_contract_data(
                id, prefix,
            ))
            .into_iter()
            .map(move |(key, value)| (key.get(skip..).unwrap_or_default().to_vec(), value))
    }

    /// The nodes of the trie that show that these are all entries of a contract's storage under a prefix.
    pub fn prove_contract_data(&self, id: &AccountId, prefix: &[u8]) -> Vec<Arc<[u8]>> {
        let prefix = trie_key_parsers::get_raw_prefix_for_contract_data(id, prefix);
        self.trie.prove_prefix(&prefix)
    }

    /// All access keys of an account, with the raw trie key that names each.
    pub fn access_keys(&self, id: &AccountId) -> Vec<(Vec<u8>, Value)> {
        self.trie
            .with_prefix(&trie_key_parsers::get_raw_prefix_for_access_keys(id))
    }

    /// Removes an account with its keys, code and data.
    pub fn remove_account(&mut self, id: &AccountId) {
        self.remove(&TrieKey::Account {
            account_id: id.clone(),
        });
        self.remove(&TrieKey::ContractCode {
            account_id: id.clone(),
        });
        let data = self
            .trie
            .with_prefix(&trie_key_parsers::get_raw_prefix_for_contract_data(id, b""));
        for (key, _) in self.access_keys(id).into_iter().chain(data) {
            self.erase(key);
        }
    }

    /// What all accounts hold, free and locked: the supply that is not in receipts under way.
    pub fn account_balances(&self) -> Balance {
        let prefix = [near_primitives::trie_key::col::ACCOUNT];
        self.trie
            .with_prefix(&prefix)
            .iter()
            .filter_map(|(_, bytes)| Account::try_from_slice(bytes).ok())
            .fold(Balance::ZERO, |sum, a| {
                sum.saturating_add(a.amount()).saturating_add(a.locked())
            })
    }
}

/// Where a contract's code is, and its hash when that is known without reading it.
fn contract_key(
    id: &AccountId,
    contract: &AccountContract,
) -> Option<(TrieKey, Option<CryptoHash>)> {
    Some(match contract {
        AccountContract::None => return None,
        AccountContract::Local(hash) => (
            TrieKey::ContractCode {
                account_id: id.clone(),
            },
            Some(*hash),
        ),
        AccountContract::Global(hash) => {
            let identifier = GlobalContractCodeIdentifier::CodeHash(*hash);
            (TrieKey::GlobalContractCode { identifier }, Some(*hash))
        }
        AccountContract::GlobalByAccount(account) => {
            let identifier = GlobalContractCodeIdentifier::AccountId(account.clone());
            (TrieKey::GlobalContractCode { identifier }, None)
        }
    })
}
