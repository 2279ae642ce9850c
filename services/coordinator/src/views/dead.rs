//! Jobs that were given up.

use serde::{Deserialize, Serialize};

use super::Views;
use crate::error::Error;
use crate::queue;
use crate::store::Columns;

/// A job that was given up, as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeadJob {
    job_id: i64,
    request_id: u64,
    attempts: u64,
    worker: Option<String>,
    reason: Option<String>,
    ended_at_ms: Option<u64>,
}

impl Views {
    /// The last hundred.
    pub(crate) async fn last_dead_jobs(&self) -> Result<Vec<DeadJob>, Error> {
        let rows = sqlx::query(
            "SELECT job_id, request_id, attempts, worker, reason, ended_at FROM jobs \
             WHERE stage = 'dead' ORDER BY job_id DESC LIMIT 100",
        )
        .fetch_all(self.store.readers())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(DeadJob {
                    job_id: queue::job_id(row)?.0,
                    request_id: row.int("request_id")?,
                    attempts: row.int("attempts")?,
                    worker: row.maybe_text("worker")?,
                    reason: row.maybe_text("reason")?,
                    ended_at_ms: row.maybe_int("ended_at")?,
                })
            })
            .collect()
    }
}
