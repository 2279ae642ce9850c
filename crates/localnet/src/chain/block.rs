//! A block, and how the chain finds one.

use super::Chain;
use crate::runtime::BlockContext;
use crate::state::State;
use near_primitives::errors::InvalidTxError;
use near_primitives::hash::CryptoHash;
use near_primitives::receipt::Receipt;
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
    /// The state after it.
    pub state: State,
    /// The transactions it took in, and what became of each.
    pub txs: Vec<(SignedTransaction, ExecutionOutcomeWithId)>,
    /// The transactions that had become invalid since they were handed in.
    pub refused: Vec<(SignedTransaction, InvalidTxError)>,
    /// The receipts that ran in it, in that order.
    pub ran: Vec<(Receipt, ExecutionOutcomeWithId)>,
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
    /// How many blocks there were, with this one.
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
        let height = self.height().saturating_sub(self.finality_lag);
        self.block_at(height).unwrap_or_else(|| self.genesis())
    }

    /// A block by its height, if it is there and still kept.
    pub fn block_at(&self, height: u64) -> Option<&Arc<Block>> {
        let oldest = self.blocks.front()?.height();
        self.blocks
            .get(usize::try_from(height.checked_sub(oldest)?).ok()?)
    }

    /// A block by its hash, if it is still kept.
    pub fn block_by_hash(&self, hash: &CryptoHash) -> Option<&Arc<Block>> {
        self.block_at(self.index.height(hash)?)
    }
}
