//! Why a node did not answer, or what it said instead.

use near_primitives::errors::InvalidTxError;
use protocol::AccountId;
use serde::Deserialize;
use serde_json::Value;

/// Why a node did not answer, or what it said instead. No text in here holds an address with its path or query.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No node could be asked.
    #[error("no RPC address is given")]
    NoEndpoint,
    /// The node could not be reached, stalled, or answered with something that is no answer.
    #[error("{endpoint} is unavailable: {reason}")]
    Unavailable {
        /// The node, without what its address may hide.
        endpoint: String,
        /// Why.
        reason: String,
        /// Whether the request may have reached the node all the same.
        reached: Reached,
    },
    /// The node waited as long as it waits; the transaction may still land.
    #[error("the node's wait for the transaction timed out ({cause})")]
    TimedOut {
        /// The node's word for it: `NOT_OBSERVED`, `PENDING` or another.
        cause: String,
    },
    /// There is no such block, or the node does not have it.
    #[error("the node has no such block: {message}")]
    UnknownBlock {
        /// The node's words.
        message: String,
    },
    /// There is no such account.
    #[error("the account does not exist: {message}")]
    UnknownAccount {
        /// The node's words.
        message: String,
    },
    /// The account has no such key.
    #[error("the account has no such key: {message}")]
    UnknownKey {
        /// The node's words.
        message: String,
    },
    /// The node has seen no such transaction.
    #[error("the node knows no such transaction")]
    UnknownTransaction,
    /// A view failed in the contract.
    #[error("the view {method} of {contract} failed: {message}")]
    View {
        /// The contract.
        contract: AccountId,
        /// The view.
        method: String,
        /// What it said.
        message: String,
    },
    /// The transaction is refused.
    #[error("the transaction is refused: {0}")]
    InvalidTransaction(Box<InvalidTxError>),
    /// The node does not offer the method.
    #[error("the node does not offer {method}")]
    NoSuchMethod {
        /// The method.
        method: &'static str,
    },
    /// The node refused for another reason.
    #[error("the node refused {method}: {cause}: {message}")]
    Refused {
        /// The method.
        method: &'static str,
        /// The node's name for the reason.
        cause: String,
        /// The node's words.
        message: String,
    },
    /// An answer is not of the documented shape.
    #[error("the answer of {what} is not of the documented shape")]
    Malformed {
        /// Whose answer.
        what: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The arguments could not be written.
    #[error("the arguments cannot be written")]
    Arguments(#[source] serde_json::Error),
}

/// Whether a request may have reached the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// It did not: no connection was made.
    No,
    /// It may have.
    Maybe,
}

impl Error {
    /// Whether the same question may be answered later or by another node.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::TimedOut { .. })
    }
}

/// The `error` of a JSON-RPC answer.
#[derive(Debug, Deserialize)]
pub(super) struct Fault {
    #[serde(default)]
    cause: Option<Cause>,
    #[serde(default)]
    message: String,
    #[serde(default)]
    data: Value,
}

#[derive(Debug, Deserialize)]
struct Cause {
    name: String,
    #[serde(default)]
    info: Value,
}

impl Fault {
    /// The error that the node means.
    pub(super) fn into_error(self, method: &'static str, endpoint: &str) -> Error {
        let message = self.words();
        let (name, info) = match self.cause {
            Some(cause) => (cause.name, cause.info),
            None => (String::new(), Value::Null),
        };
        match name.as_str() {
            "INVALID_TRANSACTION" => match invalid_transaction(&self.data) {
                Some(invalid) => Error::InvalidTransaction(Box::new(invalid)),
                None => Error::Refused {
                    method,
                    cause: name,
                    message,
                },
            },
            "TIMEOUT_ERROR" => Error::TimedOut {
                cause: text(&info, "cause").unwrap_or("UNKNOWN").to_owned(),
            },
            "UNKNOWN_TRANSACTION" => Error::UnknownTransaction,
            "UNKNOWN_BLOCK" | "GARBAGE_COLLECTED_BLOCK" => Error::UnknownBlock { message },
            "UNKNOWN_ACCOUNT" => Error::UnknownAccount { message },
            "UNKNOWN_ACCESS_KEY" => Error::UnknownKey { message },
            "METHOD_NOT_FOUND" => Error::NoSuchMethod { method },
            // The node is there but not able: what another node, or the same one later, may be.
            "INTERNAL_ERROR"
            | "NO_SYNCED_BLOCKS"
            | "NOT_SYNCED_YET"
            | "UNAVAILABLE_SHARD"
            | "DOES_NOT_TRACK_SHARD"
            | "REQUEST_ROUTED"
            | "BUSY"
            | "DATA_UNAVAILABLE"
            | "INCOMPLETE_DATA" => Error::Unavailable {
                endpoint: endpoint.to_owned(),
                reason: format!("{name}: {message}"),
                reached: Reached::Maybe,
            },
            _ => Error::Refused {
                method,
                cause: name,
                message,
            },
        }
    }

    /// What the node says to people, wherever it put it.
    fn words(&self) -> String {
        let info = self.cause.as_ref().map(|cause| &cause.info);
        let told = info.and_then(|info| {
            ["error_message", "vm_error", "debug_info"]
                .into_iter()
                .find_map(|field| text(info, field))
        });
        told.or_else(|| self.data.as_str())
            .unwrap_or(&self.message)
            .to_owned()
    }
}

/// The node leaves the typed reason out of `cause` and gives it in the deprecated `data`.
fn invalid_transaction(data: &Value) -> Option<InvalidTxError> {
    let reason = data.get("TxExecutionError")?.get("InvalidTxError")?;
    serde_json::from_value(reason.clone()).ok()
}

fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Error {
        let fault: Fault = serde_json::from_str(json).unwrap();
        fault.into_error("send_tx", "http://node")
    }

    #[test]
    fn a_refused_transaction_keeps_its_typed_reason() {
        let error = read(
            r#"{"name":"HANDLER_ERROR","cause":{"name":"INVALID_TRANSACTION","info":{}},"code":-32000,"message":"Server error",
            "data":{"TxExecutionError":{"InvalidTxError":{"InvalidNonce":{"tx_nonce":5,"ak_nonce":7}}}}}"#,
        );

        assert!(matches!(
            error,
            Error::InvalidTransaction(reason)
                if *reason == InvalidTxError::InvalidNonce { tx_nonce: 5, ak_nonce: 7 }
        ));
    }

    #[test]
    fn a_time_out_says_whether_the_node_has_seen_the_transaction() {
        let new = read(
            r#"{"name":"HANDLER_ERROR","cause":{"name":"TIMEOUT_ERROR","info":{"cause":"NOT_OBSERVED"}},"code":-32000,
            "message":"Server error","data":"Timeout"}"#,
        );
        let old =
            read(r#"{"cause":{"name":"TIMEOUT_ERROR"},"code":-32000,"message":"Server error"}"#);

        assert!(matches!(new, Error::TimedOut { cause } if cause == "NOT_OBSERVED"));
        assert!(matches!(old, Error::TimedOut { cause } if cause == "UNKNOWN"));
    }

    #[test]
    fn a_node_that_is_behind_counts_as_unavailable() {
        let error = read(
            r#"{"cause":{"name":"NO_SYNCED_BLOCKS","info":{}},"message":"Server error","code":-1}"#,
        );

        assert!(error.is_transient());
    }
}
