//! What the contract VM asks of its host: the storage of one account, and the receipts that a call makes.

mod new_receipt;
mod promises;

use crate::state::{State, Value};
use near_primitives::hash::{CryptoHash, YieldId};
use near_primitives::trie_key::TrieKey;
use near_primitives::types::{AccountId, Balance, Gas, GasWeight, PromiseYieldStatus};
use near_primitives::utils::create_receipt_id_from_action_hash;
use near_vm_runner::logic::types::ReceiptIndex;
use near_vm_runner::logic::{StorageAccessTracker, VMLogicError, ValuePtr};

pub(crate) use new_receipt::NewReceipt;

type Result<T> = std::result::Result<T, VMLogicError>;

/// The host of one call. What the call changes is in here until the call succeeds.
#[derive(Debug)]
pub(crate) struct Host {
    /// The state as the call leaves it.
    pub state: State,
    /// The receipts the call sends.
    pub receipts: Vec<NewReceipt>,
    /// The yields the call resumes.
    pub resumes: Vec<(CryptoHash, Vec<u8>)>,
    /// The state at the start of the block: a node charges for walking the trie only for keys nobody has changed since.
    base: State,
    account_id: AccountId,
    action_hash: CryptoHash,
    block_height: u64,
    chain_id: String,
    total_stake: Balance,
    data_ids: u64,
    weights: Vec<Share>,
}

/// A call that asked for a share of the gas that is left over.
#[derive(Debug)]
struct Share {
    receipt: usize,
    action: usize,
    weight: GasWeight,
}

/// What a [`Host`] is made from.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The account whose contract runs.
    pub account_id: AccountId,
    /// Names the action, for the ids made in it.
    pub action_hash: CryptoHash,
    /// The block it runs in.
    pub block_height: u64,
    /// What the contract is told the chain is called.
    pub chain_id: String,
    /// What it is told all validators have at stake.
    pub total_stake: Balance,
}

impl Host {
    /// A host for one call.
    pub(crate) fn new(state: State, base: State, call: Call) -> Self {
        Self {
            state,
            receipts: Vec::new(),
            resumes: Vec::new(),
            base,
            account_id: call.account_id,
            action_hash: call.action_hash,
            block_height: call.block_height,
            chain_id: call.chain_id,
            total_stake: call.total_stake,
            data_ids: 0,
            weights: Vec::new(),
        }
    }

    fn key(&self, key: &[u8]) -> Vec<u8> {
        TrieKey::ContractData {
            account_id: self.account_id.clone(),
            key: key.to_vec(),
        }
        .to_vec()
    }

    /// What a key holds, and how many trie nodes a node would touch to overwrite or remove it.
    ///
    /// Reading is free of that charge, as it goes by the flat copy of the state; so is a key that was changed in this block
    /// already, as that is in memory. The old value counts as one node more.
    fn evict(&self, key: &[u8]) -> (Option<Value>, u64) {
        let now = self.state.trie().get(key);
        let (before, touched) = self.base.trie().look_up(key);
        let unchanged = match (before, now) {
            (Some(before), Some(now)) => std::sync::Arc::ptr_eq(before, now),
            (None, None) => true,
            _ => false,
        };
        let nodes = touched.saturating_add(u64::from(now.is_some()));
        (now.cloned(), if unchanged { nodes } else { 0 })
    }

    fn next_data_id(&mut self) -> CryptoHash {
        let id =
            create_receipt_id_from_action_hash(&self.action_hash, self.block_height, self.data_ids);
        self.data_ids = self.data_ids.saturating_add(1);
        id
    }

    fn status_key(&self, data_id: CryptoHash) -> TrieKey {
        TrieKey::PromiseYieldStatus {
            receiver_id: self.account_id.clone(),
            data_id,
        }
    }

    fn resume(&mut self, data_id: CryptoHash, data: Vec<u8>) -> bool {
        let status = self.status_key(data_id);
        if self.state.get(&status) != Some(PromiseYieldStatus::Yielded) {
            return false; // unknown, over, or resumed already
        }
        self.state
            .set(&status, &PromiseYieldStatus::ResumeInitiated);
        self.resumes.push((data_id, data));
        true
    }

    fn new_yield(&mut self, receiver_id: AccountId) -> (ReceiptIndex, CryptoHash) {
        let data_id = self.next_data_id();
        self.state
            .set(&self.status_key(data_id), &PromiseYieldStatus::Yielded);
        let receipt = NewReceipt {
            input_data_ids: vec![data_id],
            is_yield: true,
            ..NewReceipt::to(receiver_id)
        };
        (self.new_receipt(receipt), data_id)
    }

    fn new_named_yield(
        &mut self,
        receiver_id: AccountId,
        yield_id: YieldId,
    ) -> Option<(ReceiptIndex, CryptoHash)> {
        let name = TrieKey::YieldIdToDataId {
            receiver_id: receiver_id.clone(),
            yield_id,
        };
        if self.state.has(&name) {
            return None;
        }
        let (index, data_id) = self.new_yield(receiver_id.clone());
        self.state.set(&name, &data_id);
        self.state.set(
            &TrieKey::DataIdToYieldId {
                receiver_id,
                data_id,
            },
            &yield_id,
        );
        Some((index, data_id))
    }

    /// Gives the gas a call did not use to the calls that asked for a share; the last takes what does not divide.
    pub(crate) fn distribute_gas(&mut self, unused: Gas) -> Gas {
        let weights = std::mem::take(&mut self.weights);
        let sum = weights
            .iter()
            .fold(0_u128, |sum, w| sum.saturating_add(u128::from(w.weight.0)));
        if sum == 0 || unused.as_gas() == 0 {
            return Gas::ZERO;
        }
        let mut left = unused.as_gas();
        let last = weights.len().saturating_sub(1);
        for (i, w) in weights.iter().enumerate() {
            let product = u128::from(unused.as_gas()).saturating_mul(u128::from(w.weight.0));
            let share = product
                .checked_div(sum)
                .and_then(|share| u64::try_from(share).ok())
                .unwrap_or(0);
            let share = if i == last { left } else { share.min(left) };
            if let Some(gas) = self
                .receipts
                .get_mut(w.receipt)
                .and_then(|r| r.gas_of(w.action))
            {
                left = left.saturating_sub(share);
                *gas = gas.saturating_add(Gas::from_gas(share));
            }
        }
        unused.saturating_sub(Gas::from_gas(left))
    }
}

/// A value that was read; its bytes are charged by the VM.
struct Read(Value);

impl ValuePtr for Read {
    fn len(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    fn deref(&self, _: &mut dyn StorageAccessTracker) -> Result<Vec<u8>> {
        Ok(self.0.to_vec())
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
