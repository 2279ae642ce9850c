//! Ingest: the chain's final blocks, in order, become jobs.
//!
//! A block's jobs and the cursor are one commit, so that a crash between them cannot be: after it, either both are there or
//! the block is read again. A block that does not follow the last one keeps the cursor where it is and is reported; an event
//! of ours that cannot be understood is set aside in `rejected_events`. Nothing is skipped in silence.

mod cursor;
mod event;
mod health;
mod write;

use std::sync::Arc;
use std::time::Duration;

use clients::events::{self, Block, Follow, FollowSettings, Position};
use clients::parts::TokioSleep;
use protocol::AccountId;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::parts::Parts;
use crate::queue::Queue;
use crate::store::Store;
use event::OwnEvent;

pub use health::{Health, State};

/// Blocks that are written in one commit while there is much to catch up with.
const BLOCKS_A_COMMIT: usize = 32;

/// How long blocks without news may be held back for a larger commit. Unit: milliseconds.
const HELD_MS: u64 = 200;

/// How often a block that does not follow the last one is read before it counts as a gap.
const GAP_READS: u32 = 4;

/// Where a coordinator that has never read the chain begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Behind the last final block.
    Latest,
    /// With the block at this height.
    Height(u64),
}

/// How the chain is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The contract whose events count.
    pub contract_id: AccountId,
    /// The `standard` its events bear.
    pub event_standard: String,
    /// Where to begin the first time.
    pub start: Start,
    /// How long to wait at the chain's head, in milliseconds.
    pub poll_ms: u64,
    /// How long to wait after an error the first time, in milliseconds; twice as long each time after, up to 64 times.
    pub retry_ms: u64,
}

impl Settings {
    /// How long to wait after `failures` in a row.
    fn rest_ms(&self, failures: u32) -> u64 {
        let factor = 2u64.saturating_pow(failures.saturating_sub(1).min(6));
        self.retry_ms.saturating_mul(factor)
    }
}

/// Why the ingest cannot go on.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    /// The source did not answer, or a block is missing.
    #[error("no block can be read")]
    Source(#[from] events::Error),
    /// Ours.
    #[error(transparent)]
    Own(#[from] Error),
    /// Another coordinator writes to the same database.
    #[error("another coordinator has moved the cursor")]
    Overtaken,
}

/// Reads the chain until it is told to stop.
#[derive(Debug)]
pub(crate) struct Ingest {
    store: Store,
    parts: Parts,
    queue: Queue,
    settings: Settings,
    health: Health,
}

impl Ingest {
    pub(crate) fn new(store: Store, parts: Parts, queue: Queue, settings: Settings) -> Self {
        Self {
            store,
            parts,
            queue,
            settings,
            health: Health::default(),
        }
    }

    /// What it does at present, for the health page.
    pub(crate) fn health(&self) -> Health {
        self.health.clone()
    }

    /// Tells the queue how far the chain was read before, so that nothing is leased that has run out.
    pub(crate) async fn resume(&self) -> Result<(), Error> {
        if let Some(cursor) = cursor::read(&self.store, &self.settings.contract_id).await? {
            self.queue.announce(cursor.height, 0);
            self.health.read_up_to(cursor.height);
        }
        Ok(())
    }

    /// Reads on until `stop` is cancelled.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut failures = 0u32;
        let mut follow = None;
        while !stop.is_cancelled() {
            let step = tokio::select! {
                step = self.step(&mut follow) => step,
                () = stop.cancelled() => return,
            };
            let wait_ms = match step {
                Ok(Pace::More) => {
                    failures = 0;
                    continue;
                }
                Ok(Pace::AtHead) => {
                    failures = 0;
                    self.settings.poll_ms
                }
                Err(trouble) => {
                    follow = None;
                    failures = failures.saturating_add(1);
                    self.report(&trouble, failures);
                    self.settings.rest_ms(failures)
                }
            };
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(wait_ms)) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Reads and writes all there is.
    #[cfg(test)]
    pub(crate) async fn catch_up(&self) {
        let mut follow = None;
        while self.step(&mut follow).await.unwrap() == Pace::More {}
    }

    /// Says what is wrong. One of several nodes behind an address may be behind the others, so a gap that does not last is
    /// only a failure; one that lasts is for an operator, and the cursor stays where it is.
    fn report(&self, trouble: &Trouble, failures: u32) {
        let text = crate::chain_of(trouble);
        let gap = matches!(trouble, Trouble::Source(events::Error::Gap { .. }));
        if gap && failures >= GAP_READS {
            tracing::error!(error = %text, "the ingest does not go on");
            self.health.stopped(&text);
        } else {
            tracing::warn!(error = %text, failures, "the ingest will try again");
            self.health.failing(&text);
        }
    }

    /// Reads what there is, up to a commit's worth, and writes it.
    async fn step(&self, kept: &mut Option<Follow>) -> Result<Pace, Trouble> {
        let mut follow = match kept.take() {
            Some(follow) => follow,
            None => self.follow_on().await?,
        };
        let from = follow.position();
        let mut blocks: Vec<Block> = Vec::new();
        let mut pace = Pace::More;
        let began_ms = self.parts.clock.now_ms();
        while blocks.len() < BLOCKS_A_COMMIT {
            match follow.try_next().await {
                Ok(Some(block)) => {
                    // At the head the source may hold each question until there is a block, so the next one could be long
                    // in coming: what is news is written at once.
                    let news = !block.receipts.is_empty();
                    blocks.push(block);
                    let held_ms = self.parts.clock.now_ms().saturating_sub(began_ms);
                    if news || held_ms > HELD_MS {
                        break;
                    }
                }
                Ok(None) => {
                    pace = Pace::AtHead;
                    break;
                }
                Err(error) if blocks.is_empty() => return Err(error.into()),
                Err(_) => break, // what was read is written first; the next step meets the error again
            }
        }
        let reached = follow.position();
        if !blocks.is_empty() {
            let jobs = self.write(&from, &blocks, &reached).await?;
            self.queue.announce(reached.height, jobs);
        }
        self.health.read_up_to(reached.height);
        if pace == Pace::AtHead {
            self.health.at_head(reached.height);
        }
        *kept = Some(follow);
        Ok(pace)
    }

    /// Goes on where the database says, or begins.
    async fn follow_on(&self) -> Result<Follow, Trouble> {
        let contract_id = &self.settings.contract_id;
        let at = if let Some(at) = cursor::read(&self.store, contract_id).await? {
            at
        } else {
            let height = match self.settings.start {
                Start::Height(height) => height.saturating_sub(1),
                Start::Latest => self.parts.blocks.final_height().await?,
            };
            let at = Position { height, hash: None };
            cursor::create(&self.store, contract_id, &at).await?;
            at
        };
        let parts = clients::parts::Parts::new(self.parts.clock.clone(), Arc::new(TokioSleep), 0);
        let settings = FollowSettings::default();
        Ok(Follow::after(
            self.parts.blocks.clone(),
            at,
            parts,
            settings,
        ))
    }

    /// Writes the blocks' events and the cursor in one commit; how many jobs are new.
    async fn write(
        &self,
        from: &Position,
        blocks: &[Block],
        reached: &Position,
    ) -> Result<usize, Trouble> {
        let now_ms = self.parts.clock.now_ms();
        let mut events = Vec::new();
        for block in blocks {
            events.extend(OwnEvent::all_of(block, &self.settings));
        }
        let mut tx = self.store.begin().await?;
        if !cursor::advance(&mut tx, &self.settings.contract_id, from, reached).await? {
            return Err(Trouble::Overtaken);
        }
        let new = write::events(&mut tx, &self.settings.contract_id, &events, now_ms).await?;
        tx.commit().await.map_err(Error::from)?;
        Ok(new)
    }
}

/// Whether there is more to read at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    More,
    AtHead,
}
