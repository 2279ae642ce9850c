//! What the contract logs: `EVENT_JSON:{"standard","version","event","data":[one object]}`.

use near_account_id::AccountId;
use near_token::NearToken;
use serde::{Deserialize, Serialize};

use crate::failure::FailureCode;
use crate::id::RequestId;
use crate::limits::Limits;
use crate::request::{ResponseFormat, SecretsReference};
use crate::response::ResourceMetrics;
use crate::source::CodeSource;

/// What a log line begins with that holds an event. Source: NEP-297.
pub const PREFIX: &str = "EVENT_JSON:";

/// The standard's name, unless an owner sets another.
pub const STANDARD: &str = "near-outlayer";

/// The standard's version, unless an owner sets another.
pub const VERSION: &str = "1.0.0";

/// An event's frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The standard's name.
    pub standard: String,
    /// The standard's version.
    pub version: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened; `data` is a list of one, as NEP-297 asks for a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// A request waits for a worker.
    ExecutionRequested([ExecutionRequested; 1]),
    /// A request has ended, answered or not.
    ExecutionCompleted([ExecutionCompleted; 1]),
}

/// A request waits for a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionRequested {
    /// A [`RequestNotice`] as JSON text.
    pub request_data: String,
    /// What resumes the yield.
    pub data_id: [u8; 32],
    /// Nanoseconds since the Unix epoch.
    pub timestamp: u64,
}

/// The JSON text inside [`ExecutionRequested::request_data`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the shape is given: interface page, 2"
)]
pub struct RequestNotice {
    /// The request's number.
    pub request_id: RequestId,
    /// Who signed the transaction.
    pub sender_id: AccountId,
    /// The calling contract.
    pub predecessor_id: AccountId,
    /// The code to run.
    pub code_source: CodeSource,
    /// What the execution may use.
    pub resource_limits: Limits,
    /// What the guest reads on stdin; empty when it stays in state.
    pub input_data: String,
    /// Whether the input must be read by `get_request`.
    pub input_data_in_state: bool,
    /// The profile of secrets that the guest gets.
    pub secrets_ref: Option<SecretsReference>,
    /// How stdout becomes the answer.
    pub response_format: ResponseFormat,
    /// The escrowed deposit.
    pub payment: NearToken,
    /// Stablecoin for the project's author, in 1e-6 USD, as a decimal string.
    pub attached_usd: String,
    /// Nanoseconds since the Unix epoch.
    pub timestamp: u64,
    /// Build and do not run.
    pub compile_only: bool,
    /// Build even if the artifact is there.
    pub force_rebuild: bool,
    /// Keep the artifact on `FastFS` too.
    pub store_on_fastfs: bool,
    /// Run under the identity that the project binds.
    pub use_bound_identity: bool,
    /// The project's unchanging name.
    pub project_uuid: Option<String>,
    /// `owner/name`.
    pub project_id: Option<String>,
}

/// A request has ended, answered or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionCompleted {
    /// The request's number.
    #[serde(default)]
    pub request_id: Option<RequestId>,
    /// The calling contract.
    pub sender_id: AccountId,
    /// The code that was to run.
    pub code_source: CodeSource,
    /// What was used.
    pub resources_used: ResourceMetrics,
    /// Whether the guest returned.
    pub success: bool,
    /// What went wrong, in a sentence.
    pub error_message: Option<String>,
    /// What went wrong, as a code.
    #[serde(default)]
    pub error_type: Option<FailureCode>,
    /// What was kept.
    pub payment_charged: NearToken,
    /// What went back.
    pub payment_refunded: NearToken,
    /// A remark about the build.
    pub compilation_note: Option<String>,
    /// Nanoseconds since the Unix epoch.
    pub timestamp: u64,
}

impl Envelope {
    /// The log line.
    pub fn to_log(&self) -> Result<String, serde_json::Error> {
        Ok(format!("{PREFIX}{}", serde_json::to_string(self)?))
    }

    /// Reads a log line; `None` if it is not one of our events.
    pub fn from_log(line: &str) -> Option<Self> {
        serde_json::from_str(line.strip_prefix(PREFIX)?.trim_start()).ok()
    }
}

impl ExecutionRequested {
    /// The request that the event announces.
    pub fn notice(&self) -> Result<RequestNotice, serde_json::Error> {
        serde_json::from_str(&self.request_data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_not_ours_is_no_event() {
        assert_eq!(Envelope::from_log("hello"), None);
        assert_eq!(
            Envelope::from_log(
                r#"EVENT_JSON:{"standard":"nep141","version":"1.0.0","event":"ft_mint","data":[]}"#
            ),
            None
        );
    }

    #[test]
    fn an_event_is_framed_as_nep_297_asks() {
        let envelope = Envelope {
            standard: STANDARD.into(),
            version: VERSION.into(),
            event: Event::ExecutionRequested([ExecutionRequested {
                request_data: "{}".into(),
                data_id: [7; 32],
                timestamp: 5,
            }]),
        };

        let line = envelope.to_log().unwrap();

        assert!(line.starts_with(
            r#"EVENT_JSON:{"standard":"near-outlayer","version":"1.0.0","event":"execution_requested","data":[{"request_data":"{}","data_id":[7,"#
        ));
        assert_eq!(Envelope::from_log(&line), Some(envelope));
    }
}
