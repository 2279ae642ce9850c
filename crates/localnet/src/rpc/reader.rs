//! The chain as a client names its parts: by hash, by height, by finality.

use std::sync::Arc;

use near_primitives::hash::CryptoHash;
use near_primitives::types::{BlockId, BlockReference, Finality};

use crate::chain::{Block, Chain};

/// A look at the chain between two blocks.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) chain: &'a Chain,
    /// The largest state without code, in bytes, that one unpaged `view_state` shows.
    pub(super) state_view_limit: u64,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(chain: &'a Chain, state_view_limit: u64) -> Self {
        Self {
            chain,
            state_view_limit,
        }
    }

    /// The newest final block.
    pub(crate) fn final_block(&self) -> &'a Block {
        self.chain.final_block()
    }

    /// Height of the newest final block.
    pub(super) fn final_height(&self) -> u64 {
        self.final_block().height()
    }

    pub(super) fn block(&self, reference: &BlockReference) -> Option<&'a Block> {
        match reference {
            BlockReference::BlockId(id) => self.block_by_id(id),
            BlockReference::Finality(Finality::None) => Some(self.chain.head()),
            BlockReference::Finality(Finality::DoomSlug) => Some(self.nearly_final_block()),
            BlockReference::Finality(Finality::Final) => Some(self.final_block()),
            BlockReference::SyncCheckpoint(_) => Some(self.chain.genesis()),
        }
    }

    pub(super) fn block_by_id(&self, id: &BlockId) -> Option<&'a Block> {
        match id {
            BlockId::Height(height) => self.block_at(*height),
            BlockId::Hash(hash) => self.block_by_hash(hash),
        }
    }

    pub(crate) fn block_at(&self, height: u64) -> Option<&'a Block> {
        self.chain.block_at(height).map(Arc::as_ref)
    }

    pub(super) fn block_by_hash(&self, name: &CryptoHash) -> Option<&'a Block> {
        self.chain.block_by_hash(name).map(Arc::as_ref)
    }

    /// The block whose chunk has this hash: a search from the head, since who asks has mostly just seen the block.
    pub(super) fn block_by_chunk(&self, chunk: &CryptoHash) -> Option<&'a Block> {
        let heights = self.chain.genesis().height()..=self.chain.height();
        heights
            .rev()
            .filter_map(|height| self.block_at(height))
            .find(|block| block.chunk.chunk_hash().0 == *chunk)
    }

    /// The block before another, if it is still kept.
    pub(super) fn before(&self, block: &Block) -> Option<&'a Block> {
        self.block_by_hash(&block.prev_hash)
    }

    /// The block that follows another.
    pub(super) fn after(&self, block: &Block) -> Option<&'a Block> {
        self.chain.block_after(block.height()).map(Arc::as_ref)
    }

    /// What a node's middle finality names: the block before the head, unless that one is final already.
    fn nearly_final_block(&self) -> &'a Block {
        let head = self.chain.head();
        if self.chain.finality_lag() == 0 {
            head
        } else {
            self.before(head).unwrap_or(head)
        }
    }
}

/// A block that is not there, in the words of the node's `block`, `chunk` and `gas_price`.
pub(super) fn missing(id: &BlockId) -> String {
    match id {
        BlockId::Height(height) => format!("BLOCK HEIGHT: {height}"),
        BlockId::Hash(hash) => format!("BLOCK: {hash}"),
    }
}

/// The same for a reference; only one by id can miss.
pub(super) fn missing_reference(reference: &BlockReference) -> String {
    match reference {
        BlockReference::BlockId(id) => missing(id),
        other => format!("{other:?}"),
    }
}
