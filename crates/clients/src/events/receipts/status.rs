//! What became of a transaction's receipts, each with its place in the block where it ran.

use std::collections::HashMap;

use near_primitives::hash::CryptoHash;
use protocol::AccountId;
use serde::Deserialize;
use serde_json::json;

use super::account;
use crate::events::message::StatusView;
use crate::events::{Error, Receipt};
use crate::near::Node;

/// What became of a transaction's receipts so far.
#[derive(Debug)]
pub(super) struct TransactionStatus {
    pub(super) hash: CryptoHash,
    /// Whether all its receipts have run in final blocks, so that nothing of it will change.
    pub(super) is_final: bool,
    answer: Answer,
}

/// A receipt and where in its block it ran.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) place: Place,
    pub(super) receipt: Receipt,
}

/// Where in its block something ran: the turns from the root of the tree of outcomes down to it, `false` for left. Two
/// outcomes of one shard part at some node, and the one that turns left ran first.
pub(super) type Place = Vec<bool>;

#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default)]
    final_execution_status: String,
    #[serde(default)]
    transaction: Option<Signed>,
    #[serde(default)]
    transaction_outcome: Option<Outcome>,
    #[serde(default)]
    receipts_outcome: Vec<Outcome>,
    #[serde(default)]
    receipts: Vec<Sent>,
}

#[derive(Debug, Deserialize)]
struct Signed {
    signer_id: String,
    public_key: String,
}

#[derive(Debug, Deserialize)]
struct Sent {
    receipt_id: CryptoHash,
    predecessor_id: String,
}

#[derive(Debug, Deserialize)]
struct Outcome {
    id: CryptoHash,
    block_hash: CryptoHash,
    #[serde(default)]
    proof: Vec<Step>,
    #[serde(rename = "outcome")]
    body: OutcomeBody,
}

#[derive(Debug, Deserialize)]
struct Step {
    direction: Side,
}

/// On which side the rest of the tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Side {
    Left,
    Right,
}

#[derive(Debug, Deserialize)]
struct OutcomeBody {
    executor_id: String,
    logs: Vec<String>,
    receipt_ids: Vec<CryptoHash>,
    gas_burnt: u64,
    status: StatusView,
}

impl TransactionStatus {
    /// Asks what has become of a transaction, without waiting for more.
    pub(super) async fn ask(
        node: &Node,
        hash: CryptoHash,
        signer: AccountId,
    ) -> Result<Self, Error> {
        let params = json!({"tx_hash": hash, "sender_account_id": signer, "wait_until": "NONE"});
        let answer: Answer = node.call("EXPERIMENTAL_tx_status", &params).await?;
        Ok(Self {
            hash,
            is_final: answer.final_execution_status == "FINAL",
            answer,
        })
    }

    /// Whether a receipt comes from the transaction.
    pub(super) fn has_receipt(&self, id: CryptoHash) -> bool {
        let made = |outcome: &Outcome| outcome.body.receipt_ids.contains(&id);
        self.outcomes().any(made)
    }

    fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        let first = self.answer.transaction_outcome.iter();
        first.chain(&self.answer.receipts_outcome)
    }

    /// What ran on `contract`, succeeded and logged something, each with the hash of its block.
    pub(super) fn placed(self, contract: &AccountId) -> Result<Vec<(CryptoHash, Placed)>, Error> {
        let Some(signed) = &self.answer.transaction else {
            return Ok(Vec::new());
        };
        let signer_id = account(&signed.signer_id, self.hash)?;
        let senders = self.senders();
        let concerned = self.answer.receipts_outcome.iter().filter(|outcome| {
            let body = &outcome.body;
            body.executor_id == contract.as_str()
                && body.status.is_success()
                && !body.logs.is_empty()
        });
        concerned
            .map(|outcome| {
                let sender = senders.get(&outcome.id).copied();
                let sender = sender.ok_or(Error::UnknownOrigin {
                    receipt_id: outcome.id,
                })?;
                let receipt = Receipt {
                    receipt_id: outcome.id,
                    transaction_hash: Some(self.hash),
                    executor_id: contract.clone(),
                    predecessor_id: account(sender, outcome.id)?,
                    signer_id: signer_id.clone(),
                    signer_public_key: signed.public_key.clone(),
                    gas_burnt: outcome.body.gas_burnt,
                    logs: outcome.body.logs.clone(),
                };
                let place = outcome.place();
                Ok((outcome.block_hash, Placed { place, receipt }))
            })
            .collect()
    }

    /// Who sent each receipt: what the node lists, and for those that it does not list, where the receipt was made that
    /// names it.
    fn senders(&self) -> HashMap<CryptoHash, &str> {
        let mut senders = HashMap::new();
        for outcome in self.outcomes() {
            for made in &outcome.body.receipt_ids {
                senders.insert(*made, outcome.body.executor_id.as_str());
            }
        }
        for sent in &self.answer.receipts {
            senders.insert(sent.receipt_id, sent.predecessor_id.as_str());
        }
        senders
    }
}

impl Outcome {
    fn place(&self) -> Place {
        // The path goes up from the leaf, and names the side of the other half.
        let up = self.proof.iter().map(|step| step.direction == Side::Left);
        up.rev().collect()
    }
}
