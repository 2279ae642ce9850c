//! A block with everything that ran in it, as neardata and a node's indexer write it.
//!
//! Only what is needed is read, and accounts only where they matter: a stranger's new kind of action, key or account must
//! not stop us.

use near_primitives::hash::CryptoHash;
use protocol::AccountId;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::block::{Block, Receipt};
use super::error::Error;
use crate::near::node::BlockHeader;

/// A block with everything that ran in it.
#[derive(Debug, Deserialize)]
pub(super) struct Message {
    block: BlockBody,
    shards: Vec<Shard>,
}

#[derive(Debug, Deserialize)]
struct BlockBody {
    header: BlockHeader,
}

#[derive(Debug, Deserialize)]
struct Shard {
    #[serde(default)]
    receipt_execution_outcomes: Vec<Executed>,
}

#[derive(Debug, Deserialize)]
struct Executed {
    execution_outcome: OutcomeWithId,
    receipt: ReceiptView,
    /// Only neardata's.
    #[serde(default)]
    tx_hash: Option<CryptoHash>,
}

#[derive(Debug, Deserialize)]
struct OutcomeWithId {
    id: CryptoHash,
    outcome: OutcomeView,
}

#[derive(Debug, Deserialize)]
struct OutcomeView {
    executor_id: String,
    #[serde(default)]
    logs: Vec<String>,
    gas_burnt: u64,
    status: StatusView,
}

/// How a receipt ended, without what it returned.
#[derive(Debug, Deserialize)]
pub(super) enum StatusView {
    Unknown,
    Failure(IgnoredAny),
    SuccessValue(IgnoredAny),
    SuccessReceiptId(IgnoredAny),
}

impl StatusView {
    pub(super) const fn is_success(&self) -> bool {
        matches!(self, Self::SuccessValue(_) | Self::SuccessReceiptId(_))
    }
}

#[derive(Debug, Deserialize)]
struct ReceiptView {
    predecessor_id: String,
    receipt: ReceiptBody,
}

#[derive(Debug, Deserialize)]
struct ReceiptBody {
    #[serde(rename = "Action", default)]
    action: Option<ActionReceipt>,
}

#[derive(Debug, Deserialize)]
struct ActionReceipt {
    signer_id: String,
    signer_public_key: String,
}

impl Message {
    pub(super) const fn height(&self) -> u64 {
        self.block.header.height
    }

    /// The block, with the receipts of `contract` alone.
    pub(super) fn into_block(self, contract: &AccountId) -> Result<Block, Error> {
        let header = self.block.header;
        let outcomes = self
            .shards
            .into_iter()
            .flat_map(|shard| shard.receipt_execution_outcomes);
        let receipts = outcomes
            .filter(|executed| executed.concerns(contract))
            .map(|executed| executed.into_receipt(contract))
            .collect::<Result<_, _>>()?;
        Ok(Block {
            height: header.height,
            hash: header.hash,
            prev_hash: header.prev_hash,
            prev_height: header.prev_height,
            timestamp_ns: header.timestamp_ns,
            receipts,
        })
    }
}

impl Executed {
    fn concerns(&self, contract: &AccountId) -> bool {
        let outcome = &self.execution_outcome.outcome;
        outcome.executor_id == contract.as_str()
            && outcome.status.is_success()
            && !outcome.logs.is_empty()
    }

    fn into_receipt(self, contract: &AccountId) -> Result<Receipt, Error> {
        let id = self.execution_outcome.id;
        let malformed = |reason: String| Error::Malformed {
            what: format!("receipt {id}"),
            reason,
        };
        let account = |text: &str| -> Result<AccountId, Error> {
            text.parse()
                .map_err(|error| malformed(format!("{text:?} is no account: {error}")))
        };
        let action = self.receipt.receipt.action;
        let action = action.ok_or_else(|| malformed("it ran and has no actions".to_owned()))?;
        Ok(Receipt {
            receipt_id: id,
            transaction_hash: self.tx_hash,
            executor_id: contract.clone(),
            predecessor_id: account(&self.receipt.predecessor_id)?,
            signer_id: account(&action.signer_id)?,
            signer_public_key: action.signer_public_key,
            gas_burnt: self.execution_outcome.outcome.gas_burnt,
            logs: self.execution_outcome.outcome.logs,
        })
    }
}
