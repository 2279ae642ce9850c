//! What the log says of a block.

use crate::chain::Block;
use crate::runtime::BlockContext;
use crate::state::{State, Value};
use borsh::{BorshDeserialize, BorshSerialize};
use near_primitives::errors::InvalidTxError;
use near_primitives::hash::CryptoHash;
use near_primitives::receipt::Receipt;
use near_primitives::transaction::{ExecutionOutcomeWithId, SignedTransaction};
use near_primitives::types::{Balance, Gas};

/// One frame of the log.
#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub enum Record {
    /// A block was made.
    Block(Box<BlockRecord>),
}

/// A block, with what it changed instead of the whole state.
#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub struct BlockRecord {
    height: u64,
    timestamp: u64,
    gas_price: Balance,
    random_seed: CryptoHash,
    hash: CryptoHash,
    prev_hash: CryptoHash,
    txs: Vec<(SignedTransaction, ExecutionOutcomeWithId)>,
    refused: Vec<(SignedTransaction, InvalidTxError)>,
    ran: Vec<(Receipt, ExecutionOutcomeWithId)>,
    origins: Vec<(CryptoHash, CryptoHash)>,
    gas_used: Gas,
    burnt: Balance,
    minted: Balance,
    total_supply: Balance,
    outgoing: Vec<Receipt>,
    forward_ns: u64,
    changes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl BlockRecord {
    /// What is to be kept of a block, the state before it being known.
    pub fn new(block: &Block, before: &State, outgoing: &[Receipt], forward_ns: u64) -> Self {
        let changes = block.state.trie().changes_since(before.trie());
        Self {
            height: block.ctx.height,
            timestamp: block.ctx.timestamp,
            gas_price: block.ctx.gas_price,
            random_seed: block.ctx.random_seed,
            hash: block.hash,
            prev_hash: block.prev_hash,
            txs: block.txs.clone(),
            refused: block.refused.clone(),
            ran: block.ran.clone(),
            origins: block.origins.clone(),
            gas_used: block.gas_used,
            burnt: block.burnt,
            minted: block.minted,
            total_supply: block.total_supply,
            outgoing: outgoing.to_vec(),
            forward_ns,
            changes: changes
                .into_iter()
                .map(|(key, value)| (key, value.map(|v| v.to_vec())))
                .collect(),
        }
    }

    /// The block, what it sent, and how far the clock had been put forward.
    pub fn restore(self, mut before: State, incoming: Vec<Receipt>) -> (Block, Vec<Receipt>, u64) {
        let changes: Vec<_> = self
            .changes
            .into_iter()
            .map(|(k, v)| (k, v.map(Value::from)))
            .collect();
        before.trie_mut().apply(&changes);
        let ctx = BlockContext {
            height: self.height,
            timestamp: self.timestamp,
            gas_price: self.gas_price,
            random_seed: self.random_seed,
        };
        let mut txs = self.txs;
        for (tx, _) in &mut txs {
            tx.init();
        }
        let mut refused = self.refused;
        for (tx, _) in &mut refused {
            tx.init();
        }
        let block = Block {
            ctx,
            hash: self.hash,
            prev_hash: self.prev_hash,
            state: before,
            txs,
            refused,
            ran: self.ran,
            incoming,
            origins: self.origins,
            gas_used: self.gas_used,
            burnt: self.burnt,
            minted: self.minted,
            total_supply: self.total_supply,
        };
        (block, self.outgoing, self.forward_ns)
    }
}
