//! A chain of one account with one key, reduced to what decides whether a transaction lands: nonces, expiry, finality, and a
//! pool that takes its time.

use std::collections::HashMap;

use near_primitives::hash::CryptoHash;
use near_primitives::transaction::SignedTransaction;
use serde_json::{Value, json};

/// How far the final block is behind.
const FINALITY_LAG: u64 = 2;

/// Why the chain refuses a transaction.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Nonce { tx: u64, key: u64 },
    Expired,
    Balance,
}

#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) height: u64,
    /// How many blocks a transaction may wait.
    pub(crate) validity: u64,
    /// Whether the account can pay at present.
    pub(crate) can_pay: bool,
    /// The key's nonce as of each height.
    nonces: Vec<u64>,
    /// What landed, with the height.
    landed: Vec<(SignedTransaction, u64)>,
    /// What waits, with the height from which on it can land.
    pool: Vec<(SignedTransaction, u64)>,
    hashes: HashMap<CryptoHash, u64>,
}

impl Chain {
    pub(crate) fn new() -> Self {
        let mut chain = Self {
            height: 0,
            validity: 10_000,
            can_pay: true,
            nonces: vec![1_000],
            landed: Vec::new(),
            pool: Vec::new(),
            hashes: HashMap::from([(hash_of(0), 0)]),
        };
        chain.make_blocks(10);
        chain
    }

    pub(crate) fn nonce(&self) -> u64 {
        *self.nonces.last().unwrap()
    }

    /// How often a transaction with these arguments has landed.
    pub(crate) fn landings(&self, args: &[u8]) -> usize {
        let same = |tx: &SignedTransaction| args_of(tx) == args;
        self.landed.iter().filter(|(tx, _)| same(tx)).count()
    }

    pub(crate) fn landed_count(&self) -> usize {
        self.landed.len()
    }

    /// Somebody else uses the same key.
    pub(crate) fn use_nonces(&mut self, count: u64) {
        *self.nonces.last_mut().unwrap() += count;
    }

    /// Takes a transaction in; it can land after `delay` blocks.
    pub(crate) fn submit(&mut self, tx: SignedTransaction, delay: u64) -> Result<(), Refusal> {
        let hash = tx.get_hash();
        let is_known = |(known, _): &(SignedTransaction, u64)| known.get_hash() == hash;
        if self.pool.iter().any(is_known) {
            return Ok(());
        }
        self.check(&tx)?;
        self.pool.push((tx, self.height + delay));
        Ok(())
    }

    fn check(&self, tx: &SignedTransaction) -> Result<(), Refusal> {
        let (nonce, key) = (tx.transaction.nonce().nonce(), self.nonce());
        if nonce <= key {
            return Err(Refusal::Nonce { tx: nonce, key });
        }
        let named = self.hashes.get(tx.transaction.block_hash());
        if named.is_none_or(|named| named + self.validity < self.height) {
            return Err(Refusal::Expired);
        }
        if !self.can_pay {
            return Err(Refusal::Balance);
        }
        Ok(())
    }

    /// Makes blocks; what the pool holds lands if it still may, and is dropped without a word if not.
    pub(crate) fn make_blocks(&mut self, count: u64) {
        for _ in 0..count {
            self.height += 1;
            self.hashes.insert(hash_of(self.height), self.height);
            self.nonces.push(self.nonce());
            let (mut due, rest) = std::mem::take(&mut self.pool)
                .into_iter()
                .partition::<Vec<_>, _>(|(_, from)| *from <= self.height);
            self.pool = rest;
            due.sort_by_key(|(tx, _)| tx.transaction.nonce().nonce());
            for (tx, _) in due {
                if self.check(&tx).is_ok() {
                    *self.nonces.last_mut().unwrap() = tx.transaction.nonce().nonce();
                    self.landed.push((tx, self.height));
                }
            }
        }
    }

    /// What a node answers about a transaction that landed.
    pub(crate) fn outcome(&self, hash: &CryptoHash) -> Option<Value> {
        let (tx, height) = self.landed.iter().find(|(tx, _)| tx.get_hash() == *hash)?;
        let level = if height + FINALITY_LAG <= self.height {
            "FINAL"
        } else {
            "EXECUTED_OPTIMISTIC"
        };
        let block_hash = hash_of(*height);
        Some(json!({
            "final_execution_status": level,
            "status": {"SuccessValue": "MQ=="},
            "transaction_outcome": {"id": hash, "block_hash": block_hash, "outcome": {
                "executor_id": tx.transaction.signer_id(), "logs": [], "gas_burnt": 7, "status": {"SuccessReceiptId": hash}}},
            "receipts_outcome": [{"id": hash, "block_hash": block_hash, "outcome": {
                "executor_id": tx.transaction.receiver_id(), "logs": ["hello"], "gas_burnt": 5,
                "status": {"SuccessValue": "MQ=="}}}],
        }))
    }

    pub(crate) fn final_height(&self) -> u64 {
        self.height - FINALITY_LAG
    }

    pub(crate) fn final_nonce(&self) -> u64 {
        self.nonces[usize::try_from(self.final_height()).unwrap()]
    }
}

pub(crate) fn hash_of(height: u64) -> CryptoHash {
    CryptoHash::hash_bytes(&height.to_le_bytes())
}

fn args_of(tx: &SignedTransaction) -> &[u8] {
    match tx.transaction.actions() {
        [near_primitives::action::Action::FunctionCall(call)] => &call.args,
        _ => &[],
    }
}
