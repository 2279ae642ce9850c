//! Events of the contract that could not be understood.

use serde::{Deserialize, Serialize};

use super::Views;
use crate::error::Error;
use crate::store::Columns;

/// An event that was set aside, as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RejectedEvent {
    id: u64,
    contract_id: String,
    block_height: u64,
    receipt_id: String,
    line: String,
    reason: String,
    created_at_ms: u64,
}

impl Views {
    /// How many there are.
    pub(crate) async fn rejected_events(&self) -> Result<u64, Error> {
        sqlx::query("SELECT COUNT(*) AS rejected FROM rejected_events")
            .fetch_one(self.store.readers())
            .await?
            .int("rejected")
    }

    /// The last hundred.
    pub(crate) async fn last_rejected_events(&self) -> Result<Vec<RejectedEvent>, Error> {
        let rows = sqlx::query("SELECT * FROM rejected_events ORDER BY id DESC LIMIT 100")
            .fetch_all(self.store.readers())
            .await?;
        rows.iter()
            .map(|row| {
                Ok(RejectedEvent {
                    id: row.int("id")?,
                    contract_id: row.text("contract_id")?,
                    block_height: row.int("block_height")?,
                    receipt_id: row.text("receipt_id")?,
                    line: row.text("line")?,
                    reason: row.text("reason")?,
                    created_at_ms: row.int("created_at")?,
                })
            })
            .collect()
    }
}
