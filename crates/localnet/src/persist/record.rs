//! What the log says of a block.

use crate::chain::{Block, outcome_tree};
use crate::runtime::BlockContext;
use crate::state::{Change, State, Value};
use borsh::{BorshDeserialize, BorshSerialize};
use near_primitives::block_header::BlockHeader;
use near_primitives::errors::InvalidTxError;
use near_primitives::hash::CryptoHash;
use near_primitives::receipt::Receipt;
use near_primitives::sharding::ShardChunkHeader;
use near_primitives::transaction::{ExecutionOutcomeWithId, SignedTransaction};
use near_primitives::types::{Balance, Gas, StateChangeCause};

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
    header: BlockHeader,
    chunk: ShardChunkHeader,
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
    changes: Vec<(Vec<u8>, StateChangeCause, Option<Vec<u8>>)>,
}

impl BlockRecord {
    /// What is to be kept of a block.
    pub fn new(block: &Block, outgoing: &[Receipt], forward_ns: u64) -> Self {
        let changes = block.changes.iter().cloned();
        Self {
            height: block.ctx.height,
            timestamp: block.ctx.timestamp,
            gas_price: block.ctx.gas_price,
            random_seed: block.ctx.random_seed,
            header: BlockHeader::clone(&block.header),
            chunk: ShardChunkHeader::clone(&block.chunk),
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
                .map(|change| {
                    let value = change.value.map(|value| value.to_vec());
                    (change.key, change.cause, value)
                })
                .collect(),
        }
    }

    /// The block, what it sent, and how far the clock had been put forward.
    pub fn restore(self, before: State, incoming: Vec<Receipt>) -> (Block, Vec<Receipt>, u64) {
        let mut state = before;
        let changes = self.changes.into_iter();
        let changes = changes.map(|(key, cause, value)| Change {
            key,
            cause,
            value: value.map(Value::from),
        });
        let changes: Vec<_> = changes.inspect(|change| state.repeat(change)).collect();
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
            hash: *self.header.hash(),
            prev_hash: *self.header.prev_hash(),
            header: Box::new(self.header),
            chunk: Box::new(self.chunk),
            state,
            changes,
            outcome_tree: outcome_tree(&txs, &self.ran),
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
