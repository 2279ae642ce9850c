//! What keeps a step from handing on to the next.

use protocol::response::ExecutionResponse;
use protocol::{FailureCode, Fault};

/// Why a pipeline ends before its last step.
#[derive(Debug)]
pub(crate) enum Setback {
    /// The request is not there any more: answered, cancelled or expired. Nothing is left to do.
    Gone,
    /// The guest or the request is at fault: that is an answer, and is sent to the chain like any other.
    Answer(Box<ExecutionResponse>),
    /// We are at fault: the job is tried again.
    Ours {
        /// Why, as a code.
        code: FailureCode,
        /// Why, for operators.
        cause: anyhow::Error,
    },
}

impl Setback {
    /// A failure of ours.
    pub(crate) fn ours(cause: impl Into<anyhow::Error>) -> Self {
        Self::Ours {
            code: FailureCode::PlatformFailure,
            cause: cause.into(),
        }
    }

    /// A failure as an answer, or as ours if nobody else is at fault.
    pub(crate) fn of(code: FailureCode, message: String) -> Self {
        if code.fault() == Fault::Platform {
            return Self::Ours {
                code,
                cause: anyhow::anyhow!(message),
            };
        }
        Self::Answer(Box::new(ExecutionResponse::failure(code, message)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_of_ours_is_tried_again_and_any_other_is_an_answer() {
        let network = Setback::of(FailureCode::NetworkError, "away".into());
        let missing = Setback::of(FailureCode::RepositoryNotFound, "gone".into());

        assert!(matches!(network, Setback::Ours { .. }));
        let Setback::Answer(response) = missing else {
            panic!("the requester is told");
        };
        assert_eq!(
            response.failure_code(),
            Some(FailureCode::RepositoryNotFound)
        );
    }
}
