//! The list of jobs.

use protocol::event::RequestNotice;
use protocol::public::JobView;
use protocol::{AccountId, RequestId};
use sqlx::any::AnyRow;

use super::Views;
use crate::error::Error;
use crate::queue;
use crate::store::{Columns, corrupt, int};

/// Which jobs are asked for, the newest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// At most this many.
    pub(crate) limit: u64,
    /// After this many.
    pub(crate) offset: u64,
    /// Only those that this account signed.
    pub(crate) user_account_id: Option<AccountId>,
    /// Only those that ran this: a repository, `repository@commit` or a module's URL.
    pub(crate) source: Option<String>,
    /// Only that of this request.
    pub(crate) request_id: Option<RequestId>,
}

impl Views {
    /// The jobs that `filter` lets through.
    pub(crate) async fn jobs(&self, filter: &Filter) -> Result<Vec<JobView>, Error> {
        let mut sql = "SELECT * FROM jobs WHERE 1 = 1".to_owned();
        if filter.user_account_id.is_some() {
            sql.push_str(" AND sender_id = $3");
        }
        if filter.source.is_some() {
            sql.push_str(" AND (repo = $4 OR source = $4)");
        }
        if filter.request_id.is_some() {
            sql.push_str(" AND request_id = $5");
        }
        sql.push_str(" ORDER BY job_id DESC LIMIT $1 OFFSET $2");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(int(filter.limit))
            .bind(int(filter.offset))
            .bind(filter.user_account_id.as_ref().map(ToString::to_string))
            .bind(filter.source.clone())
            .bind(filter.request_id.map(|id| int(id.0)));
        let rows = query.fetch_all(self.store.readers()).await?;
        rows.iter().map(view).collect()
    }
}

fn view(row: &AnyRow) -> Result<JobView, Error> {
    let notice: RequestNotice = row.json("notice")?;
    let attempts = row.int("attempts")?;
    Ok(JobView {
        job_id: queue::job_id(row)?,
        request_id: notice.request_id,
        stage: row.named("stage")?,
        predecessor_id: notice.predecessor_id,
        user_account_id: notice.sender_id,
        code_source: notice.code_source,
        transaction_hash: row.maybe_text("transaction_hash")?,
        resolve_transaction: row.maybe_text("resolve_transaction")?,
        artifact: row.maybe_parsed("artifact")?,
        success: row.maybe_int("success")?.map(|flag| flag == 1),
        error_type: row.maybe_named("error_type")?,
        instructions: row.maybe_int("instructions")?,
        time_ms: row.maybe_int("time_ms")?,
        compile_time_ms: row.maybe_int("compile_time_ms")?,
        payment: row.money("payment")?,
        payment_charged: row.maybe_money("charged")?,
        payment_refunded: row.maybe_money("refunded")?,
        attempts: u32::try_from(attempts).map_err(|err| corrupt("attempts", err))?,
        worker: row.maybe_text("worker")?,
        created_at_ms: row.int("created_at")?,
        ended_at_ms: row.maybe_int("ended_at")?,
    })
}
