//! What anyone may see: jobs, workers, sums. Each view is one or two statements; the sums are kept for a second, so that a
//! busy page does not make the database count all day.

mod dead;
mod jobs;
mod rejected;

use std::collections::HashMap;

use protocol::clock::{Clock, UnixMs};
use protocol::job::Stage;
use protocol::public::{QueueHealth, RepoView, StatsView, WorkerView};
use tokio::sync::Mutex;

use crate::error::Error;
use crate::store::{Columns, Store};
use crate::tokens::Tokens;

pub(crate) use dead::DeadJob;
pub(crate) use jobs::Filter;
pub(crate) use rejected::RejectedEvent;

/// How long a sum is good, in milliseconds.
const GOOD_MS: u64 = 1_000;

/// A worker that was seen this lately is online, in milliseconds: two of the longest long polls.
const ONLINE_MS: u64 = 60_000;

/// The views.
#[derive(Debug)]
pub(crate) struct Views {
    store: Store,
    clock: Clock,
    tokens: Tokens,
    stats: Mutex<Option<(UnixMs, StatsView)>>,
    finished: Mutex<Option<(UnixMs, HashMap<String, Tally>)>>,
    repos: Mutex<Option<(UnixMs, Vec<RepoView>)>>,
}

/// A worker's jobs.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    leased: u64,
    finished: u64,
}

/// Repositories that are counted; a caller may ask for fewer.
pub(crate) const POPULAR: usize = 100;

impl Views {
    pub(crate) fn new(store: Store, clock: Clock, tokens: Tokens) -> Self {
        Self {
            store,
            clock,
            tokens,
            stats: Mutex::default(),
            finished: Mutex::default(),
            repos: Mutex::default(),
        }
    }

    /// Sums over all jobs.
    pub(crate) async fn stats(&self, block_height: u64) -> Result<StatsView, Error> {
        let mut kept = self.stats.lock().await;
        if let Some(stats) = self.fresh(kept.as_ref()) {
            return Ok(StatsView {
                block_height,
                ..stats
            });
        }
        let stats = self.count(block_height).await?;
        *kept = Some((self.clock.now_ms(), stats.clone()));
        Ok(stats)
    }

    async fn count(&self, block_height: u64) -> Result<StatsView, Error> {
        let mut stats = StatsView {
            block_height,
            ..StatsView::default()
        };
        let rows = sqlx::query(
            "SELECT stage, COUNT(*) AS jobs, CAST(COALESCE(SUM(success), 0) AS BIGINT) AS succeeded, \
                 CAST(COALESCE(SUM(instructions), 0) AS BIGINT) AS instructions FROM jobs GROUP BY stage",
        )
        .fetch_all(self.store.readers())
        .await?;
        for row in rows {
            let jobs = row.int("jobs")?;
            stats.jobs = stats.jobs.saturating_add(jobs);
            match row.named("stage")? {
                Stage::Queued => stats.queued = jobs,
                Stage::Leased => stats.leased = jobs,
                Stage::Resolved => {
                    stats.resolved = jobs;
                    stats.succeeded = row.int("succeeded")?;
                }
                Stage::Expired => stats.expired = jobs,
                Stage::Dead => stats.dead = jobs,
            }
            stats.instructions = stats.instructions.saturating_add(row.int("instructions")?);
        }
        let row = sqlx::query(
            "SELECT (SELECT COUNT(DISTINCT sender_id) FROM jobs) AS users, (SELECT COUNT(*) FROM artifacts) AS artifacts, \
                 (SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) FROM artifacts) AS artifact_bytes, \
                 (SELECT amount FROM totals WHERE name = 'charged') AS charged",
        )
        .fetch_one(self.store.readers())
        .await?;
        stats.unique_users = row.int("users")?;
        stats.artifacts = row.int("artifacts")?;
        stats.artifact_bytes = row.int("artifact_bytes")?;
        stats.charged_yocto = row.money("charged")?;
        Ok(stats)
    }

    /// The queue, for the health page.
    pub(crate) async fn queue(&self) -> Result<QueueHealth, Error> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM jobs WHERE stage = 'queued') AS queued, \
                 (SELECT COUNT(*) FROM jobs WHERE stage = 'leased') AS leased, \
                 (SELECT COUNT(*) FROM jobs WHERE stage = 'dead') AS dead, \
                 (SELECT MIN(created_at) FROM jobs WHERE stage = 'queued') AS oldest",
        )
        .fetch_one(self.store.readers())
        .await?;
        Ok(QueueHealth {
            queued: row.int("queued")?,
            leased: row.int("leased")?,
            dead: row.int("dead")?,
            oldest_queued_ms: row.maybe_int("oldest")?,
        })
    }

    /// Every worker that has a token.
    pub(crate) async fn workers(&self) -> Result<Vec<WorkerView>, Error> {
        let tallies = self.tallies().await?;
        let seen = self.tokens.seen();
        let now = self.clock.now_ms();
        let rows = sqlx::query(
            "SELECT worker_name, last_seen_at FROM workers WHERE token_sha256 IS NOT NULL ORDER BY worker_name",
        )
        .fetch_all(self.store.readers())
        .await?;
        rows.into_iter()
            .map(|row| {
                let worker_name = row.text("worker_name")?;
                let written = row.maybe_int("last_seen_at")?;
                let last_seen_ms = seen.get(&worker_name).copied().max(written);
                let tally = tallies.get(&worker_name).copied().unwrap_or_default();
                Ok(WorkerView {
                    last_seen_ms,
                    online: last_seen_ms.is_some_and(|at| now.saturating_sub(at) < ONLINE_MS),
                    leased: tally.leased,
                    finished: tally.finished,
                    worker_name,
                })
            })
            .collect()
    }

    async fn tallies(&self) -> Result<HashMap<String, Tally>, Error> {
        let mut kept = self.finished.lock().await;
        if let Some(tallies) = self.fresh(kept.as_ref()) {
            return Ok(tallies);
        }
        let mut tallies = HashMap::<String, Tally>::new();
        let rows = sqlx::query(
            "SELECT worker, stage, COUNT(*) AS jobs FROM jobs \
             WHERE stage IN ('leased', 'resolved') AND worker IS NOT NULL GROUP BY worker, stage",
        )
        .fetch_all(self.store.readers())
        .await?;
        for row in rows {
            let tally = tallies.entry(row.text("worker")?).or_default();
            match row.named("stage")? {
                Stage::Leased => tally.leased = row.int("jobs")?,
                _ => tally.finished = row.int("jobs")?,
            }
        }
        *kept = Some((self.clock.now_ms(), tallies.clone()));
        Ok(tallies)
    }

    /// The repositories that most jobs named.
    pub(crate) async fn popular_repos(&self) -> Result<Vec<RepoView>, Error> {
        let mut kept = self.repos.lock().await;
        if let Some(repos) = self.fresh(kept.as_ref()) {
            return Ok(repos);
        }
        let rows = sqlx::query(
            "SELECT repo, COUNT(*) AS jobs, MAX(created_at) AS last_used FROM jobs WHERE repo IS NOT NULL \
             GROUP BY repo ORDER BY jobs DESC, repo LIMIT $1",
        )
        .bind(i64::try_from(POPULAR).unwrap_or(i64::MAX))
        .fetch_all(self.store.readers())
        .await?;
        let repos = rows
            .into_iter()
            .map(|row| {
                Ok(RepoView {
                    repo: row.text("repo")?,
                    jobs: row.int("jobs")?,
                    last_used_ms: row.int("last_used")?,
                })
            })
            .collect::<Result<Vec<_>, Error>>()?;
        *kept = Some((self.clock.now_ms(), repos.clone()));
        Ok(repos)
    }

    fn fresh<T: Clone>(&self, kept: Option<&(UnixMs, T)>) -> Option<T> {
        let (at, value) = kept?;
        (self.clock.now_ms().saturating_sub(*at) < GOOD_MS).then(|| value.clone())
    }
}
