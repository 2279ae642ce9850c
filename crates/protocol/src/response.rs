//! What a worker answers, and what the caller gets to see of it.

use base64::Engine as _;
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::failure::FailureCode;
use crate::request::ResponseFormat;

/// A guest's output in the format that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExecutionOutput {
    /// Any bytes, as JSON numbers.
    Bytes(Vec<u8>),
    /// UTF-8.
    Text(String),
    /// A JSON value.
    Json(Value),
}

/// Why an output is not in the format that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutputError {
    /// Text must be UTF-8.
    #[error("the output is not UTF-8 from byte {valid_up_to} on")]
    NotUtf8 {
        /// How far it is.
        valid_up_to: usize,
    },
    /// JSON must be one JSON value.
    #[error("the output is not JSON: {reason}")]
    NotJson {
        /// The parser's words.
        reason: String,
    },
}

impl ExecutionOutput {
    /// Reads `stdout` in the format that was asked for.
    pub fn from_stdout(stdout: Vec<u8>, format: ResponseFormat) -> Result<Self, OutputError> {
        match format {
            ResponseFormat::Bytes => Ok(Self::Bytes(stdout)),
            ResponseFormat::Text => {
                String::from_utf8(stdout)
                    .map(Self::Text)
                    .map_err(|err| OutputError::NotUtf8 {
                        valid_up_to: err.utf8_error().valid_up_to(),
                    })
            }
            ResponseFormat::Json => {
                serde_json::from_slice(&stdout)
                    .map(Self::Json)
                    .map_err(|err| OutputError::NotJson {
                        reason: err.to_string(),
                    })
            }
        }
    }

    /// What the calling contract gets: base64, a string, or the value itself.
    pub fn to_plain(&self) -> Value {
        match self {
            Self::Bytes(bytes) => {
                Value::String(base64::engine::general_purpose::STANDARD.encode(bytes))
            }
            Self::Text(text) => Value::String(text.clone()),
            Self::Json(value) => value.clone(),
        }
    }
}

// JSON values have no borsh form of their own, so an output is kept as its JSON text.
impl BorshSerialize for ExecutionOutput {
    fn serialize<W: std::io::Write>(&self, writer: &mut W) -> std::io::Result<()> {
        BorshSerialize::serialize(&serde_json::to_vec(self)?, writer)
    }
}

impl BorshDeserialize for ExecutionOutput {
    fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Self> {
        let json = Vec::<u8>::deserialize_reader(reader)?;
        Ok(serde_json::from_slice(&json)?)
    }
}

/// What an execution used.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    BorshSerialize,
    BorshDeserialize,
)]
pub struct ResourceMetrics {
    /// Metered WebAssembly instructions.
    pub instructions: u64,
    /// Wall-clock time of the execution, in milliseconds.
    pub time_ms: u64,
    /// Wall-clock time of the build, if there was one, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compile_time_ms: Option<u64>,
}

/// What a worker sends to `resolve_execution`.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize,
)]
pub struct ExecutionResponse {
    /// Whether the guest returned.
    pub success: bool,
    /// Its output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<ExecutionOutput>,
    /// What went wrong, in a sentence that gives nothing away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What went wrong, as a code; [`FailureCode::Trapped`] is assumed of a worker that does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_type: Option<FailureCode>,
    /// What was used.
    pub resources_used: ResourceMetrics,
    /// A remark about the build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compilation_note: Option<String>,
    /// Stablecoin that the guest gives back, in 1e-6 USD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_usd: Option<u64>,
    /// When to ask again, if the build goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compiling: Option<Compiling>,
    /// The end of the guest's messages, for callers that ask for the full result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs: Option<String>,
}

/// A build that goes on after its request is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct Compiling {
    /// How long it may still take, in seconds.
    pub estimated_seconds: u64,
    /// When to ask again, in blocks.
    pub retry_after_blocks: u64,
    /// What is being built.
    pub cache_key: String,
}

impl ExecutionResponse {
    /// A failure with nothing used.
    pub fn failure(code: FailureCode, message: impl Into<String>) -> Self {
        Self {
            error: Some(message.into()),
            error_type: Some(code),
            ..Self::default()
        }
    }

    /// Why it failed, if it did.
    pub fn failure_code(&self) -> Option<FailureCode> {
        (!self.success).then(|| self.error_type.unwrap_or(FailureCode::Trapped))
    }
}

/// What a caller gets that asked for `full_result`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ExecutionResult {
    /// The guest returned.
    Success {
        /// As the caller would get it without `full_result`.
        return_value: Value,
        /// What was used.
        resources_used: ResourceMetrics,
        /// The end of the guest's messages.
        logs: String,
        /// Proof of what ran, when the worker attests.
        attestation: Option<Value>,
    },
    /// The build goes on; ask again.
    CompilationInProgress {
        /// How long it may still take, in seconds.
        estimated_seconds: u64,
        /// When to ask again, in blocks.
        retry_after_blocks: u64,
        /// What is being built.
        cache_key: String,
    },
    /// The source did not become an artifact.
    CompilationFailed {
        /// The code and a sentence.
        error_message: String,
        /// What may be shown of the build's messages.
        build_logs: String,
    },
    /// Anything else that went wrong.
    Error {
        /// The stable code.
        error_type: FailureCode,
        /// A sentence.
        error_message: String,
        /// The end of the guest's messages.
        partial_logs: String,
    },
    /// The guest ran out of time, or nobody answered.
    Timeout {
        /// The end of the guest's messages.
        partial_logs: String,
        /// What was used.
        resources_used: ResourceMetrics,
    },
}

impl From<ExecutionResponse> for ExecutionResult {
    fn from(response: ExecutionResponse) -> Self {
        use FailureCode as Code;
        let logs = response.logs.clone().unwrap_or_default();
        let Some(code) = response.failure_code() else {
            let output = response.output.as_ref();
            return Self::Success {
                return_value: output.map_or(Value::Null, ExecutionOutput::to_plain),
                resources_used: response.resources_used,
                logs,
                attestation: None,
            };
        };
        let error_message = response.error.unwrap_or_default();
        match (code, response.compiling) {
            (Code::CompilationInProgress, Some(compiling)) => Self::CompilationInProgress {
                estimated_seconds: compiling.estimated_seconds,
                retry_after_blocks: compiling.retry_after_blocks,
                cache_key: compiling.cache_key,
            },
            (Code::OutOfTime | Code::TimedOut, _) => Self::Timeout {
                partial_logs: logs,
                resources_used: response.resources_used,
            },
            (
                Code::RustCompilationError
                | Code::DependencyNotFound
                | Code::BuildScriptError
                | Code::CompilationError
                | Code::CompilationTimedOut
                | Code::NoArtifact,
                _,
            ) => Self::CompilationFailed {
                error_message: format!("{code}: {error_message}"),
                build_logs: logs,
            },
            _ => Self::Error {
                error_type: code,
                error_message,
                partial_logs: logs,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_must_be_what_its_format_says() {
        let text = ExecutionOutput::from_stdout(vec![b'a', 0xff], ResponseFormat::Text);
        let json = ExecutionOutput::from_stdout(b"{".to_vec(), ResponseFormat::Json);
        let bytes = ExecutionOutput::from_stdout(vec![0xff], ResponseFormat::Bytes);

        assert_eq!(text, Err(OutputError::NotUtf8 { valid_up_to: 1 }));
        assert!(matches!(json, Err(OutputError::NotJson { .. })));
        assert_eq!(bytes.unwrap().to_plain(), Value::String("/w==".into()));
    }

    #[test]
    fn a_response_survives_borsh() {
        let response = ExecutionResponse {
            success: true,
            output: Some(ExecutionOutput::Json(serde_json::json!({"a": [1, null]}))),
            ..Default::default()
        };

        let bytes = borsh::to_vec(&response).unwrap();

        assert_eq!(
            borsh::from_slice::<ExecutionResponse>(&bytes).unwrap(),
            response
        );
    }

    #[test]
    fn a_live_operator_need_not_know_our_fields() {
        let json =
            r#"{"success":false,"error":"x","resources_used":{"instructions":1,"time_ms":2}}"#;

        let response: ExecutionResponse = serde_json::from_str(json).unwrap();

        assert_eq!(response.failure_code(), Some(FailureCode::Trapped));
    }
}
