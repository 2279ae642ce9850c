//! A commit's worth of events, as rows.

use protocol::event::RequestNotice;
use protocol::job::Origin;
use protocol::source::CodeSource;
use protocol::{AccountId, NearToken};
use sqlx::{Any, Transaction};

use super::event::OwnEvent;
use crate::error::Error;
use crate::queue;
use crate::store::{Columns, count_on, int, money};

const INSERT_JOB: &str = "INSERT INTO jobs (job_id, contract_id, request_id, stage, notice, data_id, sender_id, source, repo, \
         payment, block_height, block_timestamp, receipt_id, transaction_hash, signer_public_key, gas_burnt, \
         attempts, fence, due_at, created_at) \
     VALUES ($1, $2, $3, 'queued', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 0, 0, $16, $16) \
     ON CONFLICT (contract_id, request_id) DO NOTHING";

/// Writes `events` in order; how many jobs are new.
pub(super) async fn events(
    tx: &mut Transaction<'static, Any>,
    contract_id: &AccountId,
    events: &[OwnEvent],
    now_ms: u64,
) -> Result<usize, Error> {
    let requests = count(events, |event| matches!(event, OwnEvent::Requested { .. }));
    let mut job_id = match requests {
        0 => 0,
        _ => count_on(tx, "job", requests)
            .await?
            .saturating_sub(requests),
    };
    let mut new = 0usize;
    let mut charged = NearToken::from_yoctonear(0);
    for event in events {
        match event {
            OwnEvent::Requested {
                notice,
                notice_json,
                data_id,
                origin,
            } => {
                job_id = job_id.saturating_add(1);
                let row = NewJob {
                    job_id,
                    contract_id,
                    notice,
                    notice_json,
                    data_id,
                    origin,
                };
                new = new.saturating_add(row.insert(tx, now_ms).await?);
            }
            OwnEvent::Completed {
                request_id,
                completed,
            } => {
                if queue::complete(tx, contract_id, *request_id, completed, now_ms).await? {
                    charged = charged.saturating_add(completed.payment_charged);
                } else {
                    tracing::debug!(%request_id, "a request that we never had, or had completed, is completed");
                }
            }
            OwnEvent::Rejected { .. } => reject(tx, contract_id, event, now_ms).await?,
        }
    }
    if !charged.is_zero() {
        add_charged(tx, charged).await?;
    }
    Ok(new)
}

fn count(events: &[OwnEvent], which: impl Fn(&OwnEvent) -> bool) -> u64 {
    let found = events.iter().filter(|event| which(event)).count();
    u64::try_from(found).unwrap_or(u64::MAX)
}

struct NewJob<'a> {
    job_id: u64,
    contract_id: &'a AccountId,
    notice: &'a RequestNotice,
    notice_json: &'a str,
    data_id: &'a [u8; 32],
    origin: &'a Origin,
}

impl NewJob<'_> {
    /// How many rows that made: none if the request was there.
    async fn insert(
        &self,
        tx: &mut Transaction<'static, Any>,
        now_ms: u64,
    ) -> Result<usize, Error> {
        let Self { notice, origin, .. } = self;
        let done = sqlx::query(INSERT_JOB)
            .bind(int(self.job_id))
            .bind(self.contract_id.to_string())
            .bind(int(notice.request_id.0))
            .bind(self.notice_json.to_owned())
            .bind(hex::encode(self.data_id))
            .bind(notice.sender_id.to_string())
            .bind(notice.code_source.label())
            .bind(repo(&notice.code_source))
            .bind(money(notice.payment))
            .bind(int(origin.block_height))
            .bind(int(origin.block_timestamp))
            .bind(origin.receipt_id.clone())
            .bind(origin.transaction_hash.clone())
            .bind(origin.signer_public_key.clone())
            .bind(int(origin.gas_burnt))
            .bind(int(now_ms))
            .execute(&mut **tx)
            .await?;
        Ok(usize::from(done.rows_affected() == 1))
    }
}

fn repo(source: &CodeSource) -> Option<String> {
    match source {
        CodeSource::GitHub(git_hub) => Some(git_hub.repo.clone()),
        CodeSource::WasmUrl(_) => None,
    }
}

async fn reject(
    tx: &mut Transaction<'static, Any>,
    contract_id: &AccountId,
    event: &OwnEvent,
    now_ms: u64,
) -> Result<(), Error> {
    let OwnEvent::Rejected {
        block_height,
        receipt_id,
        line,
        reason,
    } = event
    else {
        return Ok(());
    };
    tracing::error!(
        block_height,
        receipt_id,
        reason,
        "an event of ours makes no sense and is set aside"
    );
    let id = count_on(tx, "rejected_event", 1).await?;
    sqlx::query(
        "INSERT INTO rejected_events (id, contract_id, block_height, receipt_id, line, reason, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(int(id))
    .bind(contract_id.to_string())
    .bind(int(*block_height))
    .bind(receipt_id.clone())
    .bind(line.clone())
    .bind(reason.clone())
    .bind(int(now_ms))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn add_charged(tx: &mut Transaction<'static, Any>, charged: NearToken) -> Result<(), Error> {
    let before = sqlx::query("SELECT amount FROM totals WHERE name = 'charged'")
        .fetch_one(&mut **tx)
        .await?
        .money("amount")?;
    sqlx::query("UPDATE totals SET amount = $1 WHERE name = 'charged'")
        .bind(money(before.saturating_add(charged)))
        .execute(&mut **tx)
        .await?;
    Ok(())
}
