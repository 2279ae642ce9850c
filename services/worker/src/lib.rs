//! A worker: leases jobs, confirms them on the chain, compiles, unlocks, executes and resolves.
//!
//! [`pipeline`] says what happens to one job, in order; [`leases`] holds several at once and tells the coordinator how each
//! ended. A worker keeps nothing that matters: killed at any step, its lease runs out, another worker takes the job, and the
//! contract takes one answer only.

mod pipeline;

mod artifacts;
mod branches;
mod building;
mod config;
mod environment;
mod folder;
mod history;
mod leases;
mod notary;
mod parts;
mod published;
mod runs;
mod setback;
mod steps;
mod vault;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use config::Config;
pub use notary::Notary;
pub use parts::{Given, Parts};
pub use steps::{LogSteps, Step, WatchSteps};
pub use vault::{Asker, Refusal, Vault};

/// A worker at work.
#[derive(Debug)]
pub struct Worker {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Worker {
    /// Starts to take leases.
    pub fn start(parts: Parts) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(leases::serve_until(parts, stop.clone()));
        Self { stop, task }
    }

    /// Takes no more leases, finishes what is under way or hands it back, and returns then.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(err) = self.task.await {
            tracing::error!("the worker's task failed: {err}");
        }
    }

    /// Ends at once, as a kill would: nothing is finished and nothing handed back.
    pub fn abort(self) {
        self.task.abort();
    }
}
