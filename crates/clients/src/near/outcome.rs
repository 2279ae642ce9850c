//! What became of a transaction.

use std::fmt;

use near_primitives::hash::CryptoHash;
use near_primitives::types::Gas;
use protocol::AccountId;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::Error;

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The transaction's hash.
    pub transaction_hash: CryptoHash,
    /// How it ended.
    pub status: Status,
    /// What each receipt did, the conversion of the transaction first.
    pub receipts: Vec<ReceiptOutcome>,
}

/// How a transaction ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Some of it has yet to run.
    Pending,
    /// It returned these bytes.
    Succeeded(Vec<u8>),
    /// It failed.
    Failed(Failure),
}

/// What one receipt did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptOutcome {
    /// The receipt, or the transaction.
    pub id: CryptoHash,
    /// Where it ran.
    pub executor_id: AccountId,
    /// The block in which it ran.
    pub block_hash: CryptoHash,
    /// What it logged.
    pub logs: Vec<String>,
    /// What it burnt.
    pub gas_burnt: Gas,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
}

/// Why something on the chain failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A contract panicked with this message.
    Panicked(String),
    /// A contract's call failed otherwise: a trap, no such method, not enough gas.
    Call(String),
    /// An action other than a call failed: its kind and details, as the node writes them.
    Action(String),
    /// The transaction was refused after it was taken in.
    Refused(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(message) => write!(f, "the contract panicked: {message}"),
            Self::Call(reason) => write!(f, "the call failed: {reason}"),
            Self::Action(reason) => write!(f, "an action failed: {reason}"),
            Self::Refused(reason) => write!(f, "the transaction was refused: {reason}"),
        }
    }
}

/// What the node writes before a contract's own panic message.
const PANIC: &str = "Smart contract panicked: ";

impl Failure {
    /// Reads the node's `TxExecutionError`.
    fn read(error: &Value) -> Self {
        if let Some(refused) = error.get("InvalidTxError") {
            return Self::Refused(refused.to_string());
        }
        let Some(kind) = error.pointer("/ActionError/kind") else {
            return Self::Action(error.to_string());
        };
        let Some(call) = kind.get("FunctionCallError") else {
            return Self::Action(kind.to_string());
        };
        match call.get("ExecutionError").and_then(Value::as_str) {
            Some(text) => match text.strip_prefix(PANIC) {
                Some(message) => Self::Panicked(message.to_owned()),
                None => Self::Call(text.to_owned()),
            },
            None => Self::Call(call.to_string()),
        }
    }
}

impl Outcome {
    /// All logs, in the order in which the node lists the receipts.
    pub fn logs(&self) -> impl Iterator<Item = &str> {
        let logs = self.receipts.iter().flat_map(|receipt| &receipt.logs);
        logs.map(String::as_str)
    }

    /// Gas burnt by all of it.
    pub fn gas_burnt(&self) -> Gas {
        let gas = self.receipts.iter().map(|receipt| receipt.gas_burnt);
        gas.fold(Gas::from_gas(0), Gas::saturating_add)
    }

    /// What the transaction returned, read as JSON; nothing returned reads as `null`.
    pub fn value<T: DeserializeOwned>(&self) -> Result<T, ValueError> {
        match &self.status {
            Status::Pending => Err(ValueError::Pending),
            Status::Failed(failure) => Err(ValueError::Failed(failure.clone())),
            Status::Succeeded(bytes) if bytes.is_empty() => {
                serde_json::from_str("null").map_err(ValueError::NotJson)
            }
            Status::Succeeded(bytes) => serde_json::from_slice(bytes).map_err(ValueError::NotJson),
        }
    }
}

/// Why a transaction gave no value.
#[derive(Debug, thiserror::Error)]
pub enum ValueError {
    /// Some of it has yet to run.
    #[error("the transaction has not ended yet")]
    Pending,
    /// It failed.
    #[error("{0}")]
    Failed(Failure),
    /// It returned something else.
    #[error("the transaction did not return the JSON it promises")]
    NotJson(#[source] serde_json::Error),
}

/// The answer of `send_tx` and `tx`: as much as is needed of it, so that a node's new fields and kinds do no harm.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    pub(super) final_execution_status: Option<String>,
    #[serde(default)]
    status: Option<Value>,
    #[serde(default)]
    transaction_outcome: Option<OutcomeView>,
    #[serde(default)]
    receipts_outcome: Vec<OutcomeView>,
}

#[derive(Debug, Deserialize)]
struct OutcomeView {
    id: CryptoHash,
    block_hash: CryptoHash,
    outcome: OutcomeBody,
}

#[derive(Debug, Deserialize)]
struct OutcomeBody {
    executor_id: AccountId,
    logs: Vec<String>,
    gas_burnt: Gas,
    status: Value,
}

impl Answer {
    /// Whether the transaction is in a block.
    pub(super) fn is_included(&self) -> bool {
        self.transaction_outcome.is_some()
            || match &self.final_execution_status {
                Some(status) => !status.eq_ignore_ascii_case("NONE"),
                None => false,
            }
    }

    /// The outcome, if there is one yet.
    pub(super) fn into_outcome(self, transaction_hash: CryptoHash) -> Result<Outcome, Error> {
        let status = read_status(self.status.as_ref())?;
        let outcomes = self.transaction_outcome.into_iter();
        let receipts = outcomes
            .chain(self.receipts_outcome)
            .map(ReceiptOutcome::from)
            .collect();
        Ok(Outcome {
            transaction_hash,
            status,
            receipts,
        })
    }
}

fn read_status(status: Option<&Value>) -> Result<Status, Error> {
    let Some(status) = status else {
        return Ok(Status::Pending);
    };
    if let Some(failure) = status.get("Failure") {
        return Ok(Status::Failed(Failure::read(failure)));
    }
    match status.get("SuccessValue") {
        Some(value) => base64_text(value).map(Status::Succeeded),
        None => Ok(Status::Pending),
    }
}

fn base64_text(value: &Value) -> Result<Vec<u8>, Error> {
    use base64::Engine as _;
    use serde::de::Error as _;
    let malformed = |source| Error::Malformed {
        what: "SuccessValue".to_owned(),
        source,
    };
    let text = value
        .as_str()
        .ok_or_else(|| malformed(serde_json::Error::custom("it is not a string")))?;
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .map_err(|error| malformed(serde_json::Error::custom(error)))
}

impl From<OutcomeView> for ReceiptOutcome {
    fn from(view: OutcomeView) -> Self {
        Self {
            id: view.id,
            executor_id: view.outcome.executor_id,
            block_hash: view.block_hash,
            logs: view.outcome.logs,
            gas_burnt: view.outcome.gas_burnt,
            failure: view.outcome.status.get("Failure").map(Failure::read),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_panic_is_told_in_the_contracts_own_words() {
        let failure = Failure::read(
            &json!({"ActionError": {"index": 0, "kind": {"FunctionCallError":
            {"ExecutionError": "Smart contract panicked: no such request"}}}}),
        );

        assert_eq!(failure, Failure::Panicked("no such request".into()));
    }

    #[test]
    fn an_answer_without_an_outcome_is_not_in_a_block() {
        let unknown: Answer =
            serde_json::from_value(json!({"final_execution_status": "NONE"})).unwrap();
        let included: Answer =
            serde_json::from_value(json!({"final_execution_status": "INCLUDED"})).unwrap();

        assert!(!unknown.is_included());
        assert!(included.is_included());
    }
}
