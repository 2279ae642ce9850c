//! Why a call is refused: a stable code and a sentence.

use std::fmt;

use protocol::FailureCode;

/// Why a call is refused. Its text is what a failed transaction shows: `<code>: <sentence>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What clients match.
    pub(crate) code: FailureCode,
    /// What people read.
    pub(crate) sentence: String,
}

impl Refusal {
    pub(crate) fn new(code: FailureCode, sentence: impl Into<String>) -> Self {
        Self {
            code,
            sentence: sentence.into(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.sentence)
    }
}
