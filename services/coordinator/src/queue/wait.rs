//! The long poll: a call for a job sleeps until there is news, a job has rested enough, or its time is up.

use std::time::Duration;

use protocol::job::Lease;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Queue;
use crate::error::Error;
use crate::store::{Columns, int};

/// A waiting call looks at least this often, for the clock may jump and another coordinator may have put a job in.
const LONGEST_NAP: Duration = Duration::from_secs(5);

/// It does not look again sooner than this for a time that has come: a due job that cannot be leased would spin it.
const SHORTEST_NAP: Duration = Duration::from_millis(10);

impl Queue {
    /// [`Queue::lease`], waiting up to `wait_ms` for a job. Returns early, with nothing, when `stop` is cancelled.
    pub async fn lease_within(
        &self,
        worker: &str,
        wait_ms: u64,
        stop: &CancellationToken,
    ) -> Result<Option<Lease>, Error> {
        let wait = Duration::from_millis(wait_ms.min(self.0.settings.max_wait_ms));
        let asked_at = Instant::now();
        loop {
            let news = self.0.news.notified();
            tokio::pin!(news);
            news.as_mut().enable(); // from here on no news is missed
            if stop.is_cancelled() {
                return Ok(None);
            }
            if let Some(lease) = self.lease(worker).await? {
                return Ok(Some(lease));
            }
            let left = wait.saturating_sub(asked_at.elapsed());
            if left.is_zero() {
                return Ok(None);
            }
            let nap = self.nap().await?.min(left);
            tokio::select! {
                () = news => {}
                () = tokio::time::sleep(nap) => {}
                () = stop.cancelled() => return Ok(None),
            }
        }
    }

    /// How long nothing can come up by itself.
    async fn nap(&self) -> Result<Duration, Error> {
        let now = self.0.clock.now_ms();
        let next = sqlx::query(
            "SELECT MIN(at) AS at FROM (\
                 SELECT MIN(due_at) AS at FROM jobs WHERE stage = 'queued' AND due_at > $1 \
                 UNION ALL SELECT MIN(lease_expires_at) AS at FROM jobs WHERE stage = 'leased') AS times",
        )
        .bind(int(now))
        .fetch_one(self.0.store.readers())
        .await?
        .maybe_int("at")?;
        let nap = next.map_or(LONGEST_NAP, |at| {
            Duration::from_millis(at.saturating_sub(now))
        });
        Ok(nap.clamp(SHORTEST_NAP, LONGEST_NAP))
    }
}
