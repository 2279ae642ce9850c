//! Hidden logs: what builds and guests wrote, for operators only.
//!
//! They may hold anything that untrusted code could read, so they are shown on the loopback listener and nowhere else; a
//! setting keeps them from being stored at all.

use protocol::JobId;
use protocol::clock::Clock;
use protocol::job::{HiddenLog, LogType};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::error::Error;
use crate::store::{Columns, Store, count_on, int};

/// How hidden logs are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether they are.
    pub keeping: Keeping,
    /// The most that is kept of one text, in bytes; its end is what is kept.
    pub max_text_bytes: usize,
    /// The most logs of one job.
    pub max_logs_a_job: u64,
    /// How long they are kept, in milliseconds.
    pub keep_ms: u64,
}

/// Whether hidden logs are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// They are.
    On,
    /// They are thrown away as they come.
    Off,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            keeping: Keeping::On,
            max_text_bytes: 64 * 1024,
            max_logs_a_job: 64,
            keep_ms: 30 * 24 * 60 * 60 * 1_000, // Source: specification, "Retention".
        }
    }
}

/// A stored log, as `/admin/system-logs/{request_id}` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredLog {
    /// The row.
    pub id: u64,
    /// The contract's number for the request.
    pub request_id: u64,
    /// The job.
    pub job_id: i64,
    /// What wrote it.
    pub log_type: LogType,
    /// Standard error.
    pub stderr: String,
    /// Standard output.
    pub stdout: String,
    /// The exit code, if there was one.
    pub exit_code: Option<i32>,
    /// What the worker made of it.
    pub execution_error: Option<String>,
    /// When it came in, as ISO 8601.
    pub created_at: String,
}

/// The hidden logs.
#[derive(Clone, Debug)]
pub(crate) struct Logs {
    store: Store,
    clock: Clock,
    settings: Settings,
}

impl Logs {
    pub(crate) const fn new(store: Store, clock: Clock, settings: Settings) -> Self {
        Self {
            store,
            clock,
            settings,
        }
    }

    /// Keeps `log`, if logs are kept.
    pub(crate) async fn add(&self, id: JobId, log: HiddenLog) -> Result<(), Error> {
        let job = "SELECT job_id FROM jobs WHERE job_id = $1";
        let count = "SELECT COUNT(*) AS kept FROM system_hidden_logs WHERE job_id = $1";
        let found = sqlx::query(job)
            .bind(id.0)
            .fetch_optional(self.store.readers())
            .await?;
        if found.is_none() {
            return Err(Error::NoSuchJob(id));
        }
        if self.settings.keeping == Keeping::Off {
            return Ok(());
        }
        let kept = sqlx::query(count)
            .bind(id.0)
            .fetch_one(self.store.readers())
            .await?
            .int("kept")?;
        if kept >= self.settings.max_logs_a_job {
            return Err(Error::TooManyLogs(id));
        }
        self.insert(id, log).await
    }

    async fn insert(&self, id: JobId, log: HiddenLog) -> Result<(), Error> {
        let cap = self.settings.max_text_bytes;
        let log_type = match log.log_type {
            LogType::Compilation => "compilation",
            LogType::Execution => "execution",
        };
        let mut tx = self.store.begin().await?;
        let row = count_on(&mut tx, "hidden_log", 1).await?;
        sqlx::query(
            "INSERT INTO system_hidden_logs \
                 (id, request_id, job_id, log_type, stderr, stdout, exit_code, execution_error, created_at) \
             SELECT $1, request_id, job_id, $2, $3, $4, $5, $6, $7 FROM jobs WHERE job_id = $8",
        )
        .bind(int(row))
        .bind(log_type)
        .bind(end_of(log.stderr, cap))
        .bind(end_of(log.stdout, cap))
        .bind(log.exit_code.map(i64::from))
        .bind(log.execution_error.map(|error| end_of(error, cap)))
        .bind(int(self.clock.now_ms()))
        .bind(id.0)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// The logs of a request, of every contract that has one of that number.
    pub(crate) async fn of_request(&self, request_id: u64) -> Result<Vec<StoredLog>, Error> {
        self.find(
            "SELECT * FROM system_hidden_logs WHERE request_id = $1 ORDER BY id",
            int(request_id),
        )
        .await
    }

    /// The build logs of a job.
    pub(crate) async fn of_build(&self, id: JobId) -> Result<Vec<StoredLog>, Error> {
        self.find(
            "SELECT * FROM system_hidden_logs WHERE job_id = $1 AND log_type = 'compilation' ORDER BY id",
            id.0,
        )
        .await
    }

    async fn find(&self, sql: &'static str, id: i64) -> Result<Vec<StoredLog>, Error> {
        let rows = sqlx::query(sql)
            .bind(id)
            .fetch_all(self.store.readers())
            .await?;
        rows.iter().map(stored).collect()
    }

    /// Throws away what is too old; how many.
    pub(crate) async fn clean(&self) -> Result<u64, Error> {
        let before = self.clock.now_ms().saturating_sub(self.settings.keep_ms);
        let done = sqlx::query("DELETE FROM system_hidden_logs WHERE created_at < $1")
            .bind(int(before))
            .execute(self.store.writer())
            .await?;
        Ok(done.rows_affected())
    }
}

fn stored(row: &AnyRow) -> Result<StoredLog, Error> {
    let exit_code = row.try_get::<Option<i64>, _>("exit_code")?;
    Ok(StoredLog {
        id: row.int("id")?,
        request_id: row.int("request_id")?,
        job_id: crate::queue::job_id(row)?.0,
        log_type: row.named("log_type")?,
        stderr: row.text("stderr")?,
        stdout: row.text("stdout")?,
        exit_code: exit_code.and_then(|code| i32::try_from(code).ok()),
        execution_error: row.maybe_text("execution_error")?,
        created_at: iso(row.int("created_at")?),
    })
}

/// The end of a text, for that is where a build says why it failed; what is left out is said.
fn end_of(text: String, cap: usize) -> String {
    // PostgreSQL takes no NUL in a text.
    let text = if text.contains('\0') {
        text.replace('\0', "\u{fffd}")
    } else {
        text
    };
    let Some(surplus) = text.len().checked_sub(cap).filter(|surplus| *surplus > 0) else {
        return text;
    };
    let start = text.ceil_char_boundary(surplus);
    let end = text.get(start..).unwrap_or_default();
    format!("[{start} bytes left out]\n{end}")
}

fn iso(ms: u64) -> String {
    i64::try_from(ms)
        .ok()
        .and_then(chrono::DateTime::from_timestamp_millis)
        .unwrap_or_default()
        .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_long_text_is_kept_and_the_rest_is_counted() {
        let kept = end_of("aé".repeat(3), 4); // 9 bytes; a cut at 5 is inside a letter

        assert_eq!(kept, "[6 bytes left out]\naé");
        assert_eq!(end_of("short".into(), 5), "short");
    }

    #[test]
    fn times_are_shown_as_the_specification_shows_them() {
        assert_eq!(iso(1_761_566_400_000), "2025-10-27T12:00:00Z");
    }
}
