//! What must happen now and then, whether or not anyone calls.

use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::artifacts::Artifacts;
use crate::branches::Branches;
use crate::error::Error;
use crate::logs::Logs;
use crate::queue::Queue;
use crate::tokens::Tokens;

/// How often leases are looked at and tallies written.
const TICK: Duration = Duration::from_secs(1);

/// Ticks between two looks for what is too old. The first look is at the start.
const TICKS_A_CLEANING: u64 = 600;

/// The parts that need it.
#[derive(Debug)]
pub(crate) struct Upkeep {
    pub(crate) queue: Queue,
    pub(crate) tokens: Tokens,
    pub(crate) artifacts: Artifacts,
    pub(crate) logs: Logs,
    pub(crate) branches: Branches,
}

impl Upkeep {
    /// Works until `stop` is cancelled, and writes what is left to write.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut count = 0u64;
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => break,
            }
            noted("look after the queue", self.tick().await);
            if count.is_multiple_of(TICKS_A_CLEANING) {
                noted("throw away what is old", self.clean().await);
            }
            count = count.wrapping_add(1);
        }
        noted("write the last tallies", self.flush().await);
    }

    async fn tick(&self) -> Result<(), Error> {
        self.queue.reclaim().await?;
        self.tokens.refresh().await?;
        self.flush().await
    }

    async fn flush(&self) -> Result<(), Error> {
        self.tokens.flush().await?;
        self.artifacts.flush().await
    }

    /// Throws away what is too old.
    pub(crate) async fn clean(&self) -> Result<(), Error> {
        let artifacts = self.artifacts.clean().await?;
        let logs = self.logs.clean().await?;
        let branches = self.branches.clean().await?;
        if artifacts > 0 || logs > 0 || branches > 0 {
            tracing::info!(artifacts, logs, branches, "threw away what was old");
        }
        Ok(())
    }
}

fn noted(what: &str, result: Result<(), Error>) {
    if let Err(err) = result {
        tracing::error!(error = %crate::chain_of(&err), "could not {what}");
    }
}
