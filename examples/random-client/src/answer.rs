//! What comes back from OutLayer.

use near_sdk::PromiseError;
use near_sdk::serde_json::{Value, from_slice};

use crate::Ending;

/// What comes back from OutLayer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// What the guest answered.
    Value(Value),
    /// There is no answer, and this is all that is known of why.
    Failure(String),
    /// The request was refused, and its deposit came back.
    Refusal(String),
}

impl Answer {
    /// Reads the result of `request_execution`. It is the guest's answer or `null`; a caller that asked for the full result
    /// gets `{"Success": {"return_value": …}}` or another tag that says what went wrong.
    pub(crate) fn read(result: Result<Vec<u8>, PromiseError>, full_result: bool) -> Self {
        let Ok(bytes) = result else {
            return Self::Refusal("the request was refused".to_owned());
        };
        match from_slice(&bytes) {
            Err(_) => Self::Failure("the answer is not JSON".to_owned()),
            Ok(Value::Null) => Self::Failure("the execution failed or ran out of time".to_owned()),
            Ok(tagged) if full_result => match tagged.pointer("/Success/return_value") {
                Some(value) => Self::Value(value.clone()),
                None => Self::Failure(tagged.to_string()),
            },
            Ok(value) => Self::Value(value),
        }
    }

    /// The kind of ending that it is.
    pub(crate) fn ending(&self) -> Ending {
        match self {
            Self::Value(_) => Ending::Answered,
            Self::Failure(_) => Ending::Failed,
            Self::Refusal(_) => Ending::Refused,
        }
    }
}
