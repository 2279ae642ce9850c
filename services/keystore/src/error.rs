//! Everything that can go wrong here, and what a client is told of it. No sentence holds what was secret.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use protocol::RequestId;
use protocol::job::ErrorBody;

use crate::master;
use crate::parts::SourceError;

/// Why the keystore did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A body is not of the documented shape.
    #[error("{message}")]
    BadRequest {
        /// The stable code.
        code: &'static str,
        /// A sentence.
        message: String,
    },
    /// What a caller gave is no key, no set of secrets or does not open.
    #[error(transparent)]
    Given(sealing::Error),
    /// What stands on the chain does not open, or is no set of secrets.
    #[error("the stored secrets cannot be used: {0}")]
    Stored(sealing::Error),
    /// The body is too large.
    #[error("the body is larger than {cap_bytes} bytes")]
    BodyTooLarge {
        /// The most.
        cap_bytes: usize,
    },
    /// A signature is not over this, or not by this key.
    #[error("the signature is not by that key over this")]
    BadSignature,
    /// The key is no worker's.
    #[error("the key is not an access key of the operator's that may answer requests")]
    NotAWorker,
    /// The question is too old, or from the future.
    #[error("the question was signed too long ago, or with a clock that is ahead of ours")]
    Stale,
    /// The session's key was used before.
    #[error("the session's key was used before")]
    SessionUsed,
    /// There is no such pending request.
    #[error("there is no pending request {0}")]
    NoSuchRequest(RequestId),
    /// The request names other secrets, or none.
    #[error("request {0} does not name these secrets")]
    OtherSecrets(RequestId),
    /// The secrets are for other code than the request's.
    #[error("the secrets are for other code than that of request {0}")]
    OtherCode(RequestId),
    /// The secrets are for another module.
    #[error("the secrets open only for the module that they are bound to")]
    OtherArtifact,
    /// Secrets of the platform's own are for no guest.
    #[error("secrets of the platform itself are for no guest")]
    NotForGuests,
    /// There is no such profile.
    #[error("the owner has no such profile for this code")]
    NoSuchProfile,
    /// The condition does not hold for the caller.
    #[error("the owner's condition does not hold for the caller")]
    Denied,
    /// The condition itself is none.
    #[error("the owner's condition cannot be decided: {0}")]
    BadCondition(String),
    /// What the condition asks about cannot be read.
    #[error("what the owner's condition asks about cannot be read at present")]
    ConditionUnanswered(#[source] SourceError),
    /// The chain cannot be read.
    #[error("the chain cannot be read at present")]
    ChainUnavailable(#[source] SourceError),
    /// The key is no full-access key of the owner.
    #[error("the key is not a full-access key of the owner")]
    NotTheOwner,
    /// The owner's signature holds no longer, or longer than one may.
    #[error("the signature has expired, or was to hold longer than it may")]
    UpdateExpired,
    /// The nonce was used before.
    #[error("the nonce was used before")]
    NonceUsed,
    /// Too many calls.
    #[error("too many calls; try again later")]
    RateLimited,
    /// No such path.
    #[error("Unknown endpoint")]
    UnknownEndpoint,
    /// The path is there, the method is not.
    #[error("this endpoint does not take that method")]
    MethodNotAllowed,
    /// There is no master key to be had.
    #[error("there is no master key")]
    Master(#[from] master::Error),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The used nonces cannot be read or kept.
    #[error("cannot keep used nonces in {path}")]
    Nonces {
        /// Where.
        path: std::path::PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Something that cannot happen.
    #[error("the keystore broke: {0}")]
    Broken(&'static str),
}

impl Error {
    /// What a client sees: a status and a stable code; clients match it, never the text.
    pub const fn wire(&self) -> (StatusCode, &'static str) {
        match self {
            Self::BadRequest { code, .. } => (StatusCode::BAD_REQUEST, code),
            Self::Given(error) => (StatusCode::BAD_REQUEST, error.code()),
            Self::Stored(error) => (StatusCode::UNPROCESSABLE_ENTITY, error.code()),
            Self::BodyTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
            Self::BadSignature => (StatusCode::UNAUTHORIZED, "bad_signature"),
            Self::NotAWorker => (StatusCode::UNAUTHORIZED, "not_a_worker"),
            Self::Stale => (StatusCode::UNAUTHORIZED, "stale_question"),
            Self::SessionUsed => (StatusCode::CONFLICT, "session_used"),
            Self::NoSuchRequest(_) => (StatusCode::NOT_FOUND, "no_such_request"),
            Self::OtherSecrets(_) => (StatusCode::FORBIDDEN, "other_secrets"),
            Self::OtherCode(_) => (StatusCode::FORBIDDEN, "other_code"),
            Self::OtherArtifact => (StatusCode::FORBIDDEN, "other_artifact"),
            Self::NotForGuests => (StatusCode::FORBIDDEN, "not_for_guests"),
            Self::NoSuchProfile => (StatusCode::NOT_FOUND, "secrets_not_found"),
            Self::Denied => (StatusCode::FORBIDDEN, "secrets_denied"),
            Self::BadCondition(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_condition"),
            Self::ConditionUnanswered(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "condition_unanswered")
            }
            Self::ChainUnavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "chain_unavailable"),
            Self::NotTheOwner => (StatusCode::FORBIDDEN, "not_the_owner"),
            Self::UpdateExpired => (StatusCode::UNAUTHORIZED, "update_expired"),
            Self::NonceUsed => (StatusCode::CONFLICT, "nonce_used"),
            Self::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
            Self::UnknownEndpoint => (StatusCode::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::Master(_) | Self::Listen { .. } | Self::Nonces { .. } | Self::Broken(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internal")
            }
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, code) = self.wire();
        if status.is_server_error() {
            tracing::error!(error = %crate::chain_of(&self), code, "a call failed");
        }
        let message = if status == StatusCode::INTERNAL_SERVER_ERROR {
            "something of ours broke; it is in our log".to_owned()
        } else {
            self.to_string()
        };
        let body = ErrorBody {
            error: code.to_owned(),
            message,
        };
        (status, axum::Json(body)).into_response()
    }
}
