//! The block that new transactions name, kept for a while.

use std::time::Duration;

use near_primitives::hash::CryptoHash;
use tokio::sync::{Mutex, OnceCell};

use crate::near::error::Error;
use crate::near::limits::ChainLimits;
use crate::near::node::At;
use crate::near::transport::Node;
use crate::parts::Parts;

/// The longest that a block is named; far below a day, after which a transaction would expire on mainnet.
const LONGEST: Duration = Duration::from_secs(10);

/// A chain that makes blocks on demand makes about one a millisecond at most.
const FASTEST_BLOCK: Duration = Duration::from_millis(1);

/// A block that new transactions may name.
#[derive(Clone, Copy, Debug)]
pub(super) struct NamedBlock {
    pub(super) hash: CryptoHash,
    pub(super) height: u64,
}

/// The block that new transactions name, kept for a while.
#[derive(Debug)]
pub(super) struct RecentBlock {
    node: Node,
    parts: Parts,
    limits: OnceCell<ChainLimits>,
    kept: Mutex<Option<(NamedBlock, u64)>>,
}

impl RecentBlock {
    pub(super) fn new(node: Node, parts: Parts) -> Self {
        Self {
            node,
            parts,
            limits: OnceCell::new(),
            kept: Mutex::new(None),
        }
    }

    /// A block that is new enough to be named.
    pub(super) async fn get(&self) -> Result<NamedBlock, Error> {
        let mut kept = self.kept.lock().await;
        let now = self.parts.now_ms();
        if let Some((block, until)) = *kept
            && now < until
        {
            return Ok(block);
        }
        let header = self.node.block_header(At::Final).await?;
        let block = NamedBlock {
            hash: header.hash,
            height: header.height,
        };
        let age = u64::try_from(self.age().await.as_millis()).unwrap_or(u64::MAX);
        *kept = Some((block, now.saturating_add(age)));
        drop(kept);
        Ok(block)
    }

    /// Forgets the block: the chain found it too old.
    pub(super) async fn forget(&self) {
        *self.kept.lock().await = None;
    }

    /// How many blocks a transaction can wait before it expires.
    pub(super) async fn validity_blocks(&self) -> u64 {
        let limits = self
            .limits
            .get_or_try_init(|| self.node.chain_limits())
            .await;
        let validity = |limits: &ChainLimits| limits.transaction_validity_blocks;
        // A node that does not tell: the longest known is the safe side, as it only makes a proof of expiry come later.
        limits.map_or(ChainLimits::DEFAULT.transaction_validity_blocks, validity)
    }

    /// Half of the time that a fast chain takes to outgrow a block.
    async fn age(&self) -> Duration {
        let blocks = u32::try_from(self.validity_blocks().await).unwrap_or(u32::MAX);
        let outgrown = FASTEST_BLOCK.saturating_mul(blocks);
        outgrown.checked_div(2).unwrap_or_default().min(LONGEST)
    }
}
