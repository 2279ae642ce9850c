//! Which transaction a receipt comes from: the node is asked, and where it does not offer that, the signer's recent
//! transactions are searched.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};

use near_primitives::hash::CryptoHash;
use protocol::AccountId;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use super::account;
use super::status::TransactionStatus;
use crate::events::Error;
use crate::near::{self, Node};

/// For how long a transaction is remembered: far longer than one takes to reach a contract through others. Unit: blocks.
const MEMORY_BLOCKS: u64 = 300;

/// The transaction of a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::events) struct Origin {
    pub(in crate::events) transaction_hash: CryptoHash,
    pub(in crate::events) signer_id: AccountId,
}

/// Finds transactions by their receipts.
#[derive(Debug, Default)]
pub(in crate::events) struct Origins {
    /// Set when the node has said that it does not offer the question.
    not_offered: AtomicBool,
    recent: Mutex<Recent>,
}

#[derive(Debug, Default)]
struct Recent {
    by_signer: HashMap<String, VecDeque<(u64, CryptoHash)>>,
    swept_at: u64,
}

#[derive(Deserialize)]
struct ReceiptToTx {
    transaction_hash: CryptoHash,
    sender_account_id: AccountId,
}

impl Origins {
    /// The transaction of a receipt, if the node offers to tell and knows.
    pub(in crate::events) async fn of_receipt(
        &self,
        node: &Node,
        receipt_id: CryptoHash,
        height: u64,
    ) -> Result<Option<Origin>, Error> {
        if self.not_offered.load(Ordering::Relaxed) {
            return Ok(None);
        }
        // Where the node keeps no index, the height tells it where to search.
        let params = json!({"receipt_id": receipt_id, "block_height": height});
        let answer: Result<ReceiptToTx, _> = node.call("EXPERIMENTAL_receipt_to_tx", &params).await;
        match answer {
            Ok(found) => Ok(Some(Origin {
                transaction_hash: found.transaction_hash,
                signer_id: found.sender_account_id,
            })),
            Err(error) if error.is_transient() => Err(error.into()),
            Err(error) => {
                let never = match &error {
                    near::Error::NoSuchMethod { .. } => true,
                    near::Error::Refused { cause, .. } => {
                        matches!(cause.as_str(), "UNSUPPORTED" | "OUTCOMES_NOT_STORED")
                    }
                    _ => false,
                };
                self.not_offered.fetch_or(never, Ordering::Relaxed);
                tracing::debug!(%receipt_id, %error, "the node does not tell the transaction of a receipt");
                Ok(None)
            }
        }
    }

    /// Keeps a transaction in mind that a chunk shows.
    pub(super) async fn remember(&self, transaction: CryptoHash, signer: &str, height: u64) {
        let mut recent = self.recent.lock().await;
        let oldest = height.saturating_sub(MEMORY_BLOCKS);
        if recent.swept_at < oldest {
            recent.by_signer.retain(|_, sent| {
                sent.retain(|(at, _)| *at >= oldest);
                !sent.is_empty()
            });
            recent.swept_at = height;
        }
        let sent = recent.by_signer.entry(signer.to_owned()).or_default();
        if !sent.contains(&(height, transaction)) {
            sent.push_back((height, transaction));
        }
    }

    /// The transaction of a receipt that a chunk shows, with who signed it.
    pub(super) async fn of_sent(
        &self,
        node: &Node,
        receipt_id: CryptoHash,
        signer: &str,
        height: u64,
    ) -> Result<Origin, Error> {
        if let Some(origin) = self.of_receipt(node, receipt_id, height).await? {
            return Ok(origin);
        }
        let recent = self.recent.lock().await;
        let sent = recent.by_signer.get(signer).cloned().unwrap_or_default();
        drop(recent);
        let signer_id = account(signer, receipt_id)?;
        for (_, transaction_hash) in sent.into_iter().rev() {
            let status = TransactionStatus::ask(node, transaction_hash, signer_id.clone()).await?;
            if status.has_receipt(receipt_id) {
                return Ok(Origin {
                    transaction_hash,
                    signer_id,
                });
            }
        }
        Err(Error::UnknownOrigin { receipt_id })
    }
}
