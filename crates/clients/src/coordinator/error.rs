//! Why the coordinator did not do what it was asked.

use protocol::job::ErrorBody;
use reqwest::StatusCode;

/// The stable code of a lease that belongs to another worker by now.
const LEASE_LOST: &str = "lease_lost";

/// Why the coordinator did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be used.
    #[error("the coordinator's address cannot be used: {reason}")]
    Address {
        /// Why.
        reason: String,
    },
    /// The coordinator could not be reached, or stalled.
    #[error("the coordinator at {address} is unavailable: {reason}")]
    Unavailable {
        /// Where it should be.
        address: String,
        /// Why.
        reason: String,
    },
    /// The lease is not the caller's any more: whatever it holds is to be dropped.
    #[error("the lease is lost: {message}")]
    LeaseLost {
        /// The coordinator's sentence.
        message: String,
    },
    /// The coordinator refused.
    #[error("the coordinator refused with {status} {code}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The stable code.
        code: String,
        /// A sentence.
        message: String,
    },
    /// The answer is not of the documented shape.
    #[error("the coordinator's answer is not of the documented shape: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
}

impl Error {
    /// Whether the same call may succeed later.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Refused { status, .. } => *status >= 500 || *status == 429 || *status == 408,
            _ => false,
        }
    }

    /// The stable code, if the coordinator gave one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::LeaseLost { .. } => Some(LEASE_LOST),
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Reads the answer to a call that was refused.
    pub(super) fn refused(status: StatusCode, body: &[u8]) -> Self {
        let body: Result<ErrorBody, _> = serde_json::from_slice(body);
        match body {
            Ok(ErrorBody { error, message }) if error == LEASE_LOST => Self::LeaseLost { message },
            Ok(ErrorBody { error, message }) => Self::Refused {
                status: status.as_u16(),
                code: error,
                message,
            },
            Err(_) => Self::Refused {
                status: status.as_u16(),
                code: "no_code".to_owned(),
                message: status.canonical_reason().unwrap_or_default().to_owned(),
            },
        }
    }
}
