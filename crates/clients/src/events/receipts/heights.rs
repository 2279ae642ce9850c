//! Which block comes after a height, as a node tells.

use std::sync::atomic::{AtomicU64, Ordering};

use near_primitives::hash::CryptoHash;
use serde::Deserialize;
use serde_json::json;

use crate::events::Error;
use crate::near::node::BlockHeader;
use crate::near::{self, At, Node};

/// The newest final height that was seen: below it an unknown height has no block, above it it has none yet.
#[derive(Debug, Default)]
pub(in crate::events) struct Heights(AtomicU64);

/// A block, without what is in its chunks.
#[derive(Debug, Deserialize)]
pub(in crate::events) struct Found {
    pub(in crate::events) header: BlockHeader,
    pub(super) chunks: Vec<ChunkHeader>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ChunkHeader {
    pub(super) chunk_hash: CryptoHash,
    height_included: u64,
}

impl ChunkHeader {
    /// Whether the chunk came with the block at `height`; a shard that missed its turn shows its old chunk again.
    pub(super) const fn is_new(&self, height: u64) -> bool {
        self.height_included == height
    }
}

impl Heights {
    pub(in crate::events) async fn final_height(&self, node: &Node) -> Result<u64, Error> {
        self.last_final(node).await.map(|found| found.header.height)
    }

    /// The first final block above `height`.
    pub(in crate::events) async fn next_after(
        &self,
        node: &Node,
        height: u64,
    ) -> Result<Option<Found>, Error> {
        let next = height.saturating_add(1);
        if next > self.0.load(Ordering::Acquire) {
            let last = self.last_final(node).await?;
            if last.header.height == next {
                return Ok(Some(last));
            }
        }
        for height in next..=self.0.load(Ordering::Acquire) {
            match at(node, At::Height(height)).await {
                Ok(found) => return Ok(Some(found)),
                Err(near::Error::UnknownBlock { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    async fn last_final(&self, node: &Node) -> Result<Found, Error> {
        let found = at(node, At::Final).await?;
        self.0.fetch_max(found.header.height, Ordering::AcqRel);
        Ok(found)
    }
}

async fn at(node: &Node, at: At) -> Result<Found, near::Error> {
    let (name, value) = at.to_param();
    node.call("block", &json!({name: value})).await
}
