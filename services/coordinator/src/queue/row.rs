//! A row of the queue as the worker gets it.

use protocol::JobId;
use protocol::job::{Job, Lease, Origin};
use sqlx::any::AnyRow;

use super::Settings;
use crate::error::Error;
use crate::store::{Columns, corrupt};

/// What a row says of a lease that was just made.
pub(super) fn lease(row: &AnyRow, settings: &Settings) -> Result<Lease, Error> {
    let attempts = row.int("attempts")?;
    Ok(Lease {
        job: job(row)?,
        fence: row.int("fence")?,
        attempt: u32::try_from(attempts).map_err(|err| corrupt("attempts", err))?,
        max_attempts: settings.max_attempts,
        expires_in_ms: settings.lease_ms,
        banned: Vec::new(),
    })
}

fn job(row: &AnyRow) -> Result<Job, Error> {
    let mut data_id = [0; 32];
    hex::decode_to_slice(row.text("data_id")?, &mut data_id)
        .map_err(|err| corrupt("data_id", err))?;
    Ok(Job {
        id: job_id(row)?,
        contract_id: row.parsed("contract_id")?,
        notice: row.json("notice")?,
        data_id,
        origin: Origin {
            block_height: row.int("block_height")?,
            block_timestamp: row.int("block_timestamp")?,
            receipt_id: row.text("receipt_id")?,
            transaction_hash: row.maybe_text("transaction_hash")?,
            signer_public_key: row.maybe_text("signer_public_key")?,
            gas_burnt: row.int("gas_burnt")?,
        },
    })
}

pub(crate) fn job_id(row: &AnyRow) -> Result<JobId, Error> {
    let id = row.int("job_id")?;
    i64::try_from(id)
        .map(JobId)
        .map_err(|err| corrupt("job_id", err))
}
