//! Ends: what a worker says it sent to the chain, and what the chain says happened.
//!
//! Either may come first. The chain's word about success, use and money stands over the worker's; only the worker knows the
//! artifact and its transaction.

use std::sync::LazyLock;

use protocol::event::ExecutionCompleted;
use protocol::job::{Finish, Report, Stage};
use protocol::{AccountId, FailureCode, JobId, RequestId};
use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, Transaction};

use super::{Queue, stages_before};
use crate::error::Error;
use crate::store::{int, money};

/// The last holder may still say what the chain has, even after the lease has run out, while nobody else has leased it.
static RESOLVE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "UPDATE jobs SET stage = 'resolved', ended_at = $4, lease_expires_at = NULL, reason = NULL, success = $5, \
             error_type = $6, instructions = $7, time_ms = $8, compile_time_ms = $9, artifact = $10, resolve_transaction = $11 \
         WHERE job_id = $1 AND fence = $2 AND worker = $3 AND stage IN ({before})",
        before = stages_before(Stage::Resolved)
    )
});

/// The chain was quicker, or the call is a repetition.
const COMPLETE_REPORT: &str = "UPDATE jobs SET ended_at = COALESCE(ended_at, $4), success = COALESCE(success, $5), \
         error_type = CASE WHEN success IS NULL THEN $6 ELSE error_type END, \
         instructions = COALESCE(instructions, $7), time_ms = COALESCE(time_ms, $8), \
         compile_time_ms = COALESCE(compile_time_ms, $9), artifact = COALESCE(artifact, $10), \
         resolve_transaction = COALESCE(resolve_transaction, $11) \
     WHERE job_id = $1 AND fence = $2 AND worker = $3 AND stage IN ('resolved', 'expired')";

/// Another worker has answered; how, the chain will say.
const AWAIT_CHAIN: &str = "UPDATE jobs SET lease_expires_at = $4 \
     WHERE job_id = $1 AND fence = $2 AND worker = $3 AND stage = 'leased'";

static COMPLETE: LazyLock<[String; 2]> =
    LazyLock::new(|| [Stage::Resolved, Stage::Expired].map(completion));

fn completion(next: Stage) -> String {
    format!(
        "UPDATE jobs SET stage = '{next}', ended_at = $3, lease_expires_at = NULL, reason = NULL, success = $4, \
             error_type = $5, instructions = $6, time_ms = $7, compile_time_ms = $8, charged = $9, refunded = $10 \
         WHERE contract_id = $1 AND request_id = $2 AND stage IN ({before})",
        next = next.as_str(),
        before = stages_before(next)
    )
}

/// The worker was quicker.
const COMPLETE_ENDED: &str = "UPDATE jobs SET ended_at = COALESCE(ended_at, $3), success = $4, error_type = $5, \
         instructions = $6, time_ms = $7, compile_time_ms = COALESCE($8, compile_time_ms), charged = $9, refunded = $10 \
     WHERE contract_id = $1 AND request_id = $2 AND stage IN ('resolved', 'expired') AND charged IS NULL";

type Statement = Query<'static, Any, AnyArguments>;

impl Queue {
    /// Notes that the chain has the answer. Doing it twice is the same as doing it once.
    pub async fn finish(&self, id: JobId, worker: &str, finish: &Finish) -> Result<(), Error> {
        let Some(report) = &finish.report else {
            return self.await_chain(id, worker, finish.fence).await;
        };
        let now = self.0.clock.now_ms();
        for sql in [RESOLVE.as_str(), COMPLETE_REPORT] {
            let statement = sqlx::query(sql)
                .bind(id.0)
                .bind(int(finish.fence))
                .bind(worker.to_owned())
                .bind(int(now));
            let done = bind_report(statement, report)
                .execute(self.0.store.writer())
                .await?;
            if done.rows_affected() > 0 {
                return Ok(());
            }
        }
        Err(self.not_held(id).await)
    }

    async fn await_chain(&self, id: JobId, worker: &str, fence: u64) -> Result<(), Error> {
        let until = self
            .0
            .clock
            .now_ms()
            .saturating_add(self.0.settings.settle_ms);
        let done = sqlx::query(AWAIT_CHAIN)
            .bind(id.0)
            .bind(int(fence))
            .bind(worker.to_owned())
            .bind(int(until))
            .execute(self.0.store.writer())
            .await?;
        self.expires_at(until);
        if done.rows_affected() > 0 {
            return Ok(());
        }
        let ended = "SELECT job_id FROM jobs WHERE job_id = $1 AND fence = $2 AND worker = $3 \
             AND stage IN ('resolved', 'expired')";
        let ended = sqlx::query(ended)
            .bind(id.0)
            .bind(int(fence))
            .bind(worker.to_owned())
            .fetch_optional(self.0.store.readers())
            .await?;
        match ended {
            Some(_) => Ok(()),
            None => Err(self.not_held(id).await),
        }
    }
}

fn bind_report(statement: Statement, report: &Report) -> Statement {
    let used = &report.resources_used;
    statement
        .bind(i64::from(report.success))
        .bind(report.error_type.map(FailureCode::as_str))
        .bind(int(used.instructions))
        .bind(int(used.time_ms))
        .bind(used.compile_time_ms.map(int))
        .bind(report.artifact.map(|artifact| artifact.to_string()))
        .bind(report.resolve_transaction.clone())
}

/// Writes what the chain says of a request's end; whether that was news.
pub(crate) async fn complete(
    tx: &mut Transaction<'static, Any>,
    contract_id: &AccountId,
    request_id: RequestId,
    completed: &ExecutionCompleted,
    now_ms: u64,
) -> Result<bool, Error> {
    let [resolved, expired] = &*COMPLETE;
    let sql = match completed.error_type {
        Some(FailureCode::TimedOut | FailureCode::Cancelled) => expired,
        _ => resolved,
    };
    let used = &completed.resources_used;
    for sql in [sql.as_str(), COMPLETE_ENDED] {
        let done = sqlx::query(sql)
            .bind(contract_id.to_string())
            .bind(int(request_id.0))
            .bind(int(now_ms))
            .bind(i64::from(completed.success))
            .bind(completed.error_type.map(FailureCode::as_str))
            .bind(int(used.instructions))
            .bind(int(used.time_ms))
            .bind(used.compile_time_ms.map(int))
            .bind(money(completed.payment_charged))
            .bind(money(completed.payment_refunded))
            .execute(&mut **tx)
            .await?;
        if done.rows_affected() > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}
