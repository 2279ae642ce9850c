//! A block, and how the chain finds one.

use super::{Chain, MerkleTree};
use crate::runtime::BlockContext;
use crate::state::{Change, State};
use near_primitives::block_header::BlockHeader;
use near_primitives::errors::InvalidTxError;
use near_primitives::hash::CryptoHash;
use near_primitives::receipt::Receipt;
use near_primitives::sharding::ShardChunkHeader;
use near_primitives::transaction::{ExecutionOutcomeWithId, SignedTransaction};
use near_primitives::types::{Balance, Gas};
use std::sync::Arc;

/// A block with all that ran in it.
#[derive(Clone, Debug)]
pub struct Block {
    /// Height, time, gas price and random seed.
    pub ctx: BlockContext,
    /// Its name.
    pub hash: CryptoHash,
    /// The name of the block before.
    pub prev_hash: CryptoHash,
    /// Its header, of which its name is the hash.
    pub header: Box<BlockHeader>,
    /// The header of its one chunk.
    pub chunk: Box<ShardChunkHeader>,
    /// The state after it.
    pub state: State,
    /// What was written to get there from the state before: by key, and for each key in the order of the writes.
    pub changes: Vec<Change>,
    /// The transactions it took in, and what became of each.
    pub txs: Vec<(SignedTransaction, ExecutionOutcomeWithId)>,
    /// The transactions that had become invalid since they were handed in.
    pub refused: Vec<(SignedTransaction, InvalidTxError)>,
    /// The receipts that ran in it, in that order.
    pub ran: Vec<(Receipt, ExecutionOutcomeWithId)>,
    /// The outcomes of transactions, then of receipts, whose root stands in the next header.
    pub outcome_tree: MerkleTree,
    /// The receipts sent by the block before.
    pub incoming: Vec<Receipt>,
    /// Each receipt made in it, with the transaction it comes from.
    pub origins: Vec<(CryptoHash, CryptoHash)>,
    /// Gas burnt by transactions and receipts.
    pub gas_used: Gas,
    /// Tokens burnt in it.
    pub burnt: Balance,
    /// Tokens the protocol added in it.
    pub minted: Balance,
    /// All tokens after it.
    pub total_supply: Balance,
}

impl Block {
    /// How many blocks there were, with this one and with those that were skipped.
    pub const fn height(&self) -> u64 {
        self.ctx.height
    }
}

impl Chain {
    /// Height of the newest block.
    pub fn height(&self) -> u64 {
        self.blocks.back().map_or(0, |block| block.height())
    }

    /// The newest block.
    #[expect(
        clippy::expect_used,
        reason = "a chain is never handed out without its first block"
    )]
    pub fn head(&self) -> &Arc<Block> {
        self.blocks.back().expect("every chain has a block")
    }

    /// The oldest block that is still kept: the first one, until there are many.
    pub fn genesis(&self) -> &Arc<Block> {
        self.blocks.front().unwrap_or_else(|| self.head())
    }

    /// The newest final block.
    pub fn final_block(&self) -> &Arc<Block> {
        let lag = usize::try_from(self.finality_lag).unwrap_or(usize::MAX);
        let back = self.blocks.iter().rev().nth(lag);
        back.unwrap_or_else(|| self.genesis())
    }

    /// A block by its height, if there is one and it is still kept.
    pub fn block_at(&self, height: u64) -> Option<&Arc<Block>> {
        let at = self
            .blocks
            .binary_search_by_key(&height, |block| block.height());
        self.blocks.get(at.ok()?)
    }

    /// The block that follows a height, which is mostly the one at the next.
    pub fn block_after(&self, height: u64) -> Option<&Arc<Block>> {
        let at = self
            .blocks
            .partition_point(|block| block.height() <= height);
        self.blocks.get(at)
    }

    /// A block by its hash, if it is still kept.
    pub fn block_by_hash(&self, hash: &CryptoHash) -> Option<&Arc<Block>> {
        self.block_at(self.index.height(hash)?)
    }
}
