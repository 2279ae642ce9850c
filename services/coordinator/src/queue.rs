//! The queue: who works on what, and until when.
//!
//! Every change of a [`Stage`] is one SQL statement that names the stages it may come from, taken from
//! [`Stage::may_become`]; so two workers, two coordinators or a late answer cannot make an illegal step. A lease bears a
//! fence that grows with every lease of the job, and only the holder of the highest fence may speak about it.

mod end;
mod lease;
mod row;
mod wait;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use protocol::clock::Clock;
use protocol::job::Stage;
use tokio::sync::Notify;

use crate::store::Store;

pub(crate) use end::complete;
pub(crate) use row::job_id;

/// How the queue behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a lease lasts without a heartbeat, in milliseconds.
    pub lease_ms: u64,
    /// How often a job is tried before it is given up.
    pub max_attempts: u32,
    /// How long a job rests after its first failure, in milliseconds; twice that after the second, and so on.
    pub backoff_ms: u64,
    /// The longest rest, in milliseconds.
    pub max_backoff_ms: u64,
    /// How long a job that a worker found answered waits for the chain's own word before it is offered again, in
    /// milliseconds.
    pub settle_ms: u64,
    /// The longest that a call for a job is kept waiting, in milliseconds.
    pub max_wait_ms: u64,
    /// Blocks after which a request's yield has surely run out. Source: the chain's `yield_timeout_length_in_blocks`.
    pub yield_timeout_blocks: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lease_ms: 20_000,
            max_attempts: 5,
            backoff_ms: 1_000,
            max_backoff_ms: 30_000,
            settle_ms: 60_000,
            max_wait_ms: 30_000,
            yield_timeout_blocks: 200,
        }
    }
}

impl Settings {
    /// How long a job rests that has failed `attempts` times.
    pub(crate) fn rest_ms(&self, attempts: u32) -> u64 {
        let doublings = attempts.saturating_sub(1).min(63);
        self.backoff_ms
            .saturating_mul(1u64.checked_shl(doublings).unwrap_or(u64::MAX))
            .min(self.max_backoff_ms)
    }
}

/// The queue.
#[derive(Clone, Debug)]
pub struct Queue(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    clock: Clock,
    settings: Settings,
    /// Told when there may be something to lease.
    news: Notify,
    /// No lease runs out before this time, in milliseconds.
    first_expiry_ms: AtomicU64,
    /// How far the chain has been read.
    chain_height: AtomicU64,
}

impl Queue {
    pub(crate) fn new(store: Store, clock: Clock, settings: Settings) -> Self {
        Self(Arc::new(Inner {
            store,
            clock,
            settings,
            news: Notify::new(),
            first_expiry_ms: AtomicU64::new(0), // leases from before the start are looked at first
            chain_height: AtomicU64::new(0),
        }))
    }

    /// Says how far the chain has been read and that there may be new jobs.
    pub(crate) fn announce(&self, chain_height: u64, new_jobs: usize) {
        self.0.chain_height.store(chain_height, Ordering::Relaxed);
        if new_jobs > 0 {
            self.wake();
        }
    }

    /// Lets every waiting call look again.
    pub(crate) fn wake(&self) {
        self.0.news.notify_waiters();
    }
}

/// The stages that may become `next`, as an SQL list.
pub(crate) fn stages_before(next: Stage) -> String {
    Stage::ALL
        .into_iter()
        .filter(|stage| stage.may_become(next))
        .map(|stage| format!("'{}'", stage.as_str()))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_double_up_to_the_longest() {
        let settings = Settings::default();

        let rests = [1, 2, 3, 6, 200].map(|attempts| settings.rest_ms(attempts));

        assert_eq!(rests, [1_000, 2_000, 4_000, 30_000, 30_000]);
    }

    #[test]
    fn what_has_ended_never_changes_its_stage_again() {
        for next in Stage::ALL {
            let before = stages_before(next);

            assert!(!before.contains("resolved"), "{before}");
            assert!(!before.contains("expired"), "{before}");
        }
    }
}
