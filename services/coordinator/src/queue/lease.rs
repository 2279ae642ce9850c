//! Leases: made, kept up, handed back and lost.

use std::sync::LazyLock;
use std::sync::atomic::Ordering;

use protocol::JobId;
use protocol::clock::UnixMs;
use protocol::job::{Extension, Fail, Fence, Lease, Retry, Stage};
use sqlx::AssertSqlSafe;

use super::{Queue, row, stages_before};
use crate::error::Error;
use crate::store::{Columns, int};

/// The most of a reason that is kept, in characters.
const REASON_CHARS: usize = 4_000;

/// The best job that is due: the highest payment, then the oldest. Jobs whose yield has surely run out are passed over;
/// the chain will say so itself. `due_at + 0` keeps SQLite from looking the due ones up and sorting them all: by rank it is
/// done at the first.
static LEASE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "UPDATE jobs SET stage = 'leased', fence = fence + 1, attempts = attempts + 1, worker = $1, lease_expires_at = $2 \
         WHERE stage IN ({before}) AND job_id = (\
             SELECT job_id FROM jobs WHERE stage = 'queued' AND due_at + 0 <= $3 AND block_height > $4 \
             ORDER BY payment DESC, job_id LIMIT 1) \
         RETURNING job_id, contract_id, notice, data_id, block_height, block_timestamp, receipt_id, transaction_hash, \
             signer_public_key, gas_burnt, fence, attempts",
        before = stages_before(Stage::Leased)
    )
});

/// The condition that makes the caller the holder of a live lease.
const HELD: &str = "job_id = $1 AND fence = $2 AND worker = $3 AND stage = 'leased'";

const HEARTBEAT: &str = "UPDATE jobs SET lease_expires_at = $4 \
     WHERE job_id = $1 AND fence = $2 AND worker = $3 AND stage = 'leased'";

static RELEASE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "UPDATE jobs SET stage = 'queued', attempts = attempts - 1, due_at = $4, lease_expires_at = NULL \
         WHERE {HELD} AND stage IN ({before})",
        before = stages_before(Stage::Queued)
    )
});

static RETRY_LATER: LazyLock<String> = LazyLock::new(|| {
    format!(
        "UPDATE jobs SET stage = 'queued', due_at = $4, reason = $5, lease_expires_at = NULL \
         WHERE {HELD} AND stage IN ({before})",
        before = stages_before(Stage::Queued)
    )
});

static GIVE_UP: LazyLock<String> = LazyLock::new(|| {
    format!(
        "UPDATE jobs SET stage = 'dead', ended_at = $4, reason = $5, error_type = $6, lease_expires_at = NULL \
         WHERE {HELD} AND stage IN ({before})",
        before = stages_before(Stage::Dead)
    )
});

static BURY_LOST: LazyLock<String> = LazyLock::new(|| {
    format!(
        "UPDATE jobs SET stage = 'dead', ended_at = $1, lease_expires_at = NULL, \
             reason = 'the worker was lost in the last attempt' \
         WHERE stage = 'leased' AND lease_expires_at <= $1 AND attempts >= $2 AND stage IN ({before})",
        before = stages_before(Stage::Dead)
    )
});

static REQUEUE_LOST: LazyLock<String> = LazyLock::new(|| {
    format!(
        "UPDATE jobs SET stage = 'queued', due_at = $1, lease_expires_at = NULL \
         WHERE stage = 'leased' AND lease_expires_at <= $1 AND stage IN ({before})",
        before = stages_before(Stage::Queued)
    )
});

impl Queue {
    /// Gives the best job that is due to `worker`, if there is one.
    pub async fn lease(&self, worker: &str) -> Result<Option<Lease>, Error> {
        let inner = &self.0;
        let now = inner.clock.now_ms();
        if inner.first_expiry_ms.load(Ordering::Acquire) <= now {
            self.reclaim().await?;
        }
        let expires_at = now.saturating_add(inner.settings.lease_ms);
        let alive_above = inner
            .chain_height
            .load(Ordering::Relaxed)
            .checked_sub(inner.settings.yield_timeout_blocks)
            .map_or(-1, int);
        let rows = sqlx::query(LEASE.as_str())
            .bind(worker.to_owned())
            .bind(int(expires_at))
            .bind(int(now))
            .bind(alive_above)
            .fetch_all(inner.store.writer())
            .await?;
        self.expires_at(expires_at);
        rows.first()
            .map(|row| row::lease(row, &inner.settings))
            .transpose()
    }

    /// Keeps a lease up.
    pub async fn heartbeat(
        &self,
        id: JobId,
        worker: &str,
        fence: Fence,
    ) -> Result<Extension, Error> {
        let inner = &self.0;
        let expires_in_ms = inner.settings.lease_ms;
        let expires_at = inner.clock.now_ms().saturating_add(expires_in_ms);
        let done = sqlx::query(HEARTBEAT)
            .bind(id.0)
            .bind(int(fence.fence))
            .bind(worker.to_owned())
            .bind(int(expires_at))
            .execute(inner.store.writer())
            .await?;
        self.expires_at(expires_at);
        self.must_have_held(id, done.rows_affected()).await?;
        Ok(Extension { expires_in_ms })
    }

    /// Hands a job back; the attempt does not count.
    pub async fn release(&self, id: JobId, worker: &str, fence: Fence) -> Result<(), Error> {
        let inner = &self.0;
        let done = sqlx::query(RELEASE.as_str())
            .bind(id.0)
            .bind(int(fence.fence))
            .bind(worker.to_owned())
            .bind(int(inner.clock.now_ms()))
            .execute(inner.store.writer())
            .await?;
        self.must_have_held(id, done.rows_affected()).await?;
        self.wake();
        Ok(())
    }

    /// Notes that a job could not be done: it rests and is tried again, or is given up.
    pub async fn fail(&self, id: JobId, worker: &str, fail: &Fail) -> Result<Retry, Error> {
        let inner = &self.0;
        let now = inner.clock.now_ms();
        let reason: String = format!("{}: {}", fail.code, fail.reason)
            .chars()
            .take(REASON_CHARS)
            .collect();
        let mut tx = inner.store.begin().await?;
        let held = AssertSqlSafe(format!("SELECT attempts FROM jobs WHERE {HELD}"));
        let row = sqlx::query(held)
            .bind(id.0)
            .bind(int(fail.fence))
            .bind(worker.to_owned())
            .fetch_optional(&mut *tx)
            .await?;
        let Some(row) = row else {
            drop(tx);
            return Err(self.not_held(id).await);
        };
        let attempts = u32::try_from(row.int("attempts")?).unwrap_or(u32::MAX);
        let retry_in_ms =
            (attempts < inner.settings.max_attempts).then(|| inner.settings.rest_ms(attempts));
        let statement = retry_in_ms.map_or(GIVE_UP.as_str(), |_| RETRY_LATER.as_str());
        let when = now.saturating_add(retry_in_ms.unwrap_or(0));
        let mut query = sqlx::query(statement)
            .bind(id.0)
            .bind(int(fail.fence))
            .bind(worker.to_owned())
            .bind(int(when))
            .bind(reason);
        if retry_in_ms.is_none() {
            query = query.bind(fail.code.as_str());
        }
        query.execute(&mut *tx).await?;
        tx.commit().await?;
        self.wake(); // whoever waits has a new time to wait for
        Ok(Retry { retry_in_ms })
    }

    /// Takes back every lease that has run out; how many there were.
    pub async fn reclaim(&self) -> Result<u64, Error> {
        let inner = &self.0;
        let now = inner.clock.now_ms();
        // A lease made while this runs lowers the mark again: it is raised first, and lowered by what is left. A lease
        // whose caller went away in between may slip through; the upkeep calls this in any case.
        inner.first_expiry_ms.store(u64::MAX, Ordering::Release);
        let reclaimed = self.reclaim_at(now).await;
        if reclaimed.is_err() {
            inner.first_expiry_ms.store(0, Ordering::Release);
        }
        reclaimed
    }

    async fn reclaim_at(&self, now: UnixMs) -> Result<u64, Error> {
        let inner = &self.0;
        let mut tx = inner.store.begin().await?;
        let buried = sqlx::query(BURY_LOST.as_str())
            .bind(int(now))
            .bind(i64::from(inner.settings.max_attempts))
            .execute(&mut *tx)
            .await?
            .rows_affected();
        let requeued = sqlx::query(REQUEUE_LOST.as_str())
            .bind(int(now))
            .execute(&mut *tx)
            .await?
            .rows_affected();
        let left =
            sqlx::query("SELECT MIN(lease_expires_at) AS first FROM jobs WHERE stage = 'leased'")
                .fetch_one(&mut *tx)
                .await?
                .maybe_int("first")?;
        tx.commit().await?;
        if let Some(first) = left {
            self.expires_at(first);
        }
        if requeued > 0 {
            self.wake();
        }
        let lost = buried.saturating_add(requeued);
        if lost > 0 {
            tracing::warn!(requeued, buried, "leases ran out");
        }
        Ok(lost)
    }

    /// Notes that a lease runs out at `at_ms`.
    pub(super) fn expires_at(&self, at_ms: UnixMs) {
        self.0.first_expiry_ms.fetch_min(at_ms, Ordering::AcqRel);
    }

    async fn must_have_held(&self, id: JobId, rows: u64) -> Result<(), Error> {
        if rows == 0 {
            return Err(self.not_held(id).await);
        }
        Ok(())
    }

    /// Why a statement that asks for the lease found no row.
    pub(super) async fn not_held(&self, id: JobId) -> Error {
        let found = sqlx::query("SELECT job_id FROM jobs WHERE job_id = $1")
            .bind(id.0)
            .fetch_optional(self.0.store.readers())
            .await;
        match found {
            Ok(Some(_)) => Error::LeaseLost(id),
            Ok(None) => Error::NoSuchJob(id),
            Err(err) => err.into(),
        }
    }
}
