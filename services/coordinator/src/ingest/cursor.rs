//! How far the chain has been read.

use clients::events::Position;
use protocol::AccountId;
use sqlx::{Any, Transaction};

use crate::error::Error;
use crate::store::{Columns, Store, int};

/// The last block whose events are in the database, if the chain was ever read for this contract.
pub(super) async fn read(
    store: &Store,
    contract_id: &AccountId,
) -> Result<Option<Position>, Error> {
    let row = sqlx::query("SELECT block_height, block_hash FROM cursors WHERE contract_id = $1")
        .bind(contract_id.to_string())
        .fetch_optional(store.readers())
        .await?;
    row.map(|row| {
        Ok(Position {
            height: row.int("block_height")?,
            hash: row.maybe_parsed("block_hash")?,
        })
    })
    .transpose()
}

/// Writes the first cursor, so that a restart before the first block begins at the same place.
pub(super) async fn create(
    store: &Store,
    contract_id: &AccountId,
    at: &Position,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO cursors (contract_id, block_height, block_hash) VALUES ($1, $2, $3) \
         ON CONFLICT (contract_id) DO NOTHING",
    )
    .bind(contract_id.to_string())
    .bind(int(at.height))
    .bind(at.hash.map(|hash| hash.to_string()))
    .execute(store.writer())
    .await?;
    Ok(())
}

/// Moves the cursor, if nobody else has.
pub(super) async fn advance(
    tx: &mut Transaction<'static, Any>,
    contract_id: &AccountId,
    from: &Position,
    to: &Position,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE cursors SET block_height = $2, block_hash = $3 \
         WHERE contract_id = $1 AND block_height = $4 AND COALESCE(block_hash, '') = $5",
    )
    .bind(contract_id.to_string())
    .bind(int(to.height))
    .bind(to.hash.map(|hash| hash.to_string()))
    .bind(int(from.height))
    .bind(from.hash.map(|hash| hash.to_string()).unwrap_or_default())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
