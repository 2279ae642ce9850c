//! The chain block by block: what one contract logged, in order, with no block left out.
//!
//! A source is anything that does [`ReadBlocks`]. There are three, for what an operator can get: [`Neardata`] (a feed of
//! whole blocks), [`Indexer`] (a node that offers its indexer's blocks) and [`Receipts`] (any node, by more questions).
//! They give the same blocks. [`Follow`] reads on and on from one of them and checks that each block names the last one as
//! the block before it; heights without a block are no matter, a block that is left out is an [`Error::Gap`].

mod block;
mod error;
mod follow;
mod indexer;
mod message;
mod neardata;
mod receipts;

use std::fmt::Debug;

use async_trait::async_trait;

pub use block::{Block, Receipt};
pub use error::Error;
pub use follow::{Follow, FollowSettings, Position};
pub use indexer::Indexer;
pub use neardata::Neardata;
pub use receipts::Receipts;

/// Reads final blocks.
#[async_trait]
pub trait ReadBlocks: Send + Sync + Debug {
    /// The height of the newest final block.
    async fn final_height(&self) -> Result<u64, Error>;

    /// The first final block above `height`; none while there is none.
    async fn next_after(&self, height: u64) -> Result<Option<Block>, Error>;
}
