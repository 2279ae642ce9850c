//! Reads what an operator sends, in every spelling that is accepted, and says what became of it.

use protocol::response::{Compiling, ExecutionOutput, ExecutionResponse, ResourceMetrics};
use protocol::{FailureCode, RequestId};
use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// Arguments of `resolve_execution` and `submit_execution_output_and_resolve`: the response as one object, or its fields
/// beside the request's number.
#[derive(Debug, Deserialize)]
pub(crate) struct Resolve {
    pub(crate) request_id: RequestId,
    response: Option<ExecutionResponse>,
    success: Option<bool>,
    output: Option<ExecutionOutput>,
    error: Option<String>,
    error_type: Option<FailureCode>,
    resources_used: Option<ResourceMetrics>,
    compilation_note: Option<String>,
    refund_usd: Option<u64>,
    compiling: Option<Compiling>,
    logs: Option<String>,
}

/// Arguments of `submit_execution_output`.
#[derive(Debug, Deserialize)]
pub(crate) struct Submit {
    pub(crate) request_id: RequestId,
    pub(crate) output: ExecutionOutput,
}

/// What became of a resolve. It is a value, not a panic, because a worker that comes late has done nothing wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether the request is answered by this call.
    pub(crate) resolved: bool,
    /// Why not, or the failure that took the answer's place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<FailureCode>,
}

/// What became of a submitted output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Whether the output is stored.
    pub(crate) stored: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<FailureCode>,
}

impl Verdict {
    /// The request is answered, with a failure in the answer's place if there is one.
    pub(crate) const fn resolved(replaced_by: Option<FailureCode>) -> Self {
        Self {
            resolved: true,
            code: replaced_by,
        }
    }

    /// The request is not answered by this call.
    pub(crate) const fn missed(code: FailureCode) -> Self {
        Self {
            resolved: false,
            code: Some(code),
        }
    }
}

impl Receipt {
    /// The output is stored.
    pub(crate) const STORED: Self = Self {
        stored: true,
        code: None,
    };

    /// The output is not stored.
    pub(crate) const fn missed(code: FailureCode) -> Self {
        Self {
            stored: false,
            code: Some(code),
        }
    }
}

/// Reads an operator's arguments.
pub(crate) fn read<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(json)
        .map_err(|err| Refusal::new(FailureCode::InvalidArguments, err.to_string()))
}

impl Resolve {
    /// The response, whichever way it is spelt.
    pub(crate) fn into_response(self) -> Result<ExecutionResponse, Refusal> {
        let bad = |sentence: &str| Refusal::new(FailureCode::InvalidArguments, sentence);
        match (self.response, self.success, self.resources_used) {
            (Some(response), None, None) => Ok(response),
            (Some(_), _, _) => Err(bad("the response is given both whole and field by field")),
            (None, Some(success), Some(resources_used)) => Ok(ExecutionResponse {
                success,
                output: self.output,
                error: self.error,
                error_type: self.error_type,
                resources_used,
                compilation_note: self.compilation_note,
                refund_usd: self.refund_usd,
                compiling: self.compiling,
                logs: self.logs,
            }),
            (None, _, _) => Err(bad(
                "the arguments hold neither response nor success and resources_used",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(json: &str) -> Result<ExecutionResponse, Refusal> {
        read::<Resolve>(json.as_bytes())?.into_response()
    }

    #[test]
    fn the_whole_and_the_flat_spelling_say_the_same() {
        let fields = r#""success":true,"output":{"Text":"4"},"resources_used":{"instructions":1,"time_ms":2}"#;

        let whole = response(&format!(r#"{{"request_id":1,"response":{{{fields}}}}}"#));
        let flat = response(&format!(r#"{{"request_id":1,{fields},"error":null}}"#));

        assert_eq!(whole, flat);
        assert_eq!(
            whole.unwrap().output,
            Some(ExecutionOutput::Text("4".into()))
        );
    }

    #[test]
    fn half_a_response_or_two_are_refused() {
        for bad in [
            "{}",
            r#"{"request_id":1}"#,
            r#"{"request_id":1,"success":true}"#,
            r#"{"request_id":-1,"success":true,"resources_used":{"instructions":1,"time_ms":2}}"#,
            r#"{"request_id":1,"success":true,"response":{"success":true,"resources_used":{"instructions":1,"time_ms":2}}}"#,
        ] {
            assert_eq!(
                response(bad).unwrap_err().code,
                FailureCode::InvalidArguments
            );
        }
    }
}
