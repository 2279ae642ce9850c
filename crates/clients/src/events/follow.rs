//! Reads block after block, waits for the next, and lets none be missing.

use std::sync::Arc;
use std::time::Duration;

use near_primitives::hash::CryptoHash;

use super::ReadBlocks;
use super::block::Block;
use super::error::Error;
use crate::parts::{Backoff, Parts};

/// How a chain is followed.
#[derive(Clone, Copy, Debug)]
pub struct FollowSettings {
    /// How long to wait at the chain's head before asking again.
    pub poll: Duration,
    /// How long to wait after a failure.
    pub backoff: Backoff,
    /// How often a block that does not follow is read again before it counts as a gap: one of several nodes behind one
    /// address may be behind the others.
    pub rereads: u32,
}

impl Default for FollowSettings {
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(200),
            backoff: Backoff::default(),
            rereads: 3,
        }
    }
}

/// The last block that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Its height.
    pub height: u64,
    /// Its hash; none where reading begins, and then the first block may follow any.
    pub hash: Option<CryptoHash>,
}

/// Reads block after block.
#[derive(Debug)]
pub struct Follow {
    source: Arc<dyn ReadBlocks>,
    last: Position,
    parts: Parts,
    settings: FollowSettings,
}

impl Follow {
    /// Reads on after `last`.
    pub fn after(
        source: Arc<dyn ReadBlocks>,
        last: Position,
        parts: Parts,
        settings: FollowSettings,
    ) -> Self {
        Self {
            source,
            last,
            parts,
            settings,
        }
    }

    /// The last block that was given.
    pub const fn position(&self) -> Position {
        self.last
    }

    /// The next block. Waits for it as long as it takes, and through failures that may pass.
    ///
    /// After an error the position is as before, so that the same block is read again.
    pub async fn next(&mut self) -> Result<Block, Error> {
        let mut failures: u32 = 0;
        loop {
            let error = match self.try_next().await {
                Ok(Some(block)) => return Ok(block),
                Ok(None) => {
                    failures = 0;
                    self.parts.sleep(self.settings.poll).await;
                    continue;
                }
                Err(error) => error,
            };
            failures = failures.saturating_add(1);
            let give_up = match &error {
                Error::Gap { .. } => failures > self.settings.rereads,
                error => !error.is_transient(),
            };
            if give_up {
                return Err(error);
            }
            tracing::warn!(%error, failures, height = self.last.height, "a block will be read again");
            self.parts.back_off(&self.settings.backoff, failures).await;
        }
    }

    /// The next block, if it is there.
    pub async fn try_next(&mut self) -> Result<Option<Block>, Error> {
        let Some(block) = self.source.next_after(self.last.height).await? else {
            return Ok(None);
        };
        let follows = match self.last.hash {
            Some(hash) => block.prev_hash == hash,
            None => true,
        };
        if !follows || block.height <= self.last.height {
            return Err(Error::Gap {
                height: block.height,
                expected: self.last.hash.unwrap_or_default(),
                found: block.prev_hash,
            });
        }
        self.last = Position {
            height: block.height,
            hash: Some(block.hash),
        };
        Ok(Some(block))
    }
}
