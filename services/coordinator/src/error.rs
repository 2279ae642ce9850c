//! Everything that can go wrong here, and what a client is told of it.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use protocol::job::ErrorBody;
use protocol::{ArtifactHash, JobId};

/// Why the coordinator did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such job.
    #[error("there is no job {0}")]
    NoSuchJob(JobId),
    /// Another worker has the job by now, or nobody has.
    #[error("the lease of job {0} is not yours any more")]
    LeaseLost(JobId),
    /// The cache does not hold the artifact.
    #[error("there is no artifact {0}")]
    NoSuchArtifact(ArtifactHash),
    /// The operator does not have the artifact run.
    #[error("the artifact {0} is banned")]
    Banned(ArtifactHash),
    /// There are as many bans as there may be.
    #[error("{0} artifacts are banned, and there may be no more")]
    TooManyBans(usize),
    /// Nobody has said that it built this.
    #[error("there is no build of {0}")]
    NoSuchBuild(String),
    /// Another worker has the claim to a build by now, or nobody has.
    #[error("the build of {0} is not yours any more")]
    BuildLost(String),
    /// There is no worker of that name.
    #[error("there is no worker named {0}")]
    NoSuchWorker(String),
    /// A worker of that name has a token already.
    #[error("a worker named {0} has a token already; revoke it first")]
    WorkerExists(String),
    /// A worker is named by 1 to 64 letters, digits, `-`, `_` and `.`.
    #[error("a worker's name has 1 to 64 letters, digits, '-', '_' or '.'")]
    BadWorkerName,
    /// The request bears no token that we gave out.
    #[error("a worker's token is needed: Authorization: Bearer <token>")]
    NotAWorker,
    /// The bytes are not those that the name promises.
    #[error("the bytes hash to {found}, not to {named}")]
    HashMismatch {
        /// What the caller called them.
        named: ArtifactHash,
        /// What they are.
        found: ArtifactHash,
    },
    /// A body is larger than it may be.
    #[error("the body is larger than {cap_bytes} bytes")]
    BodyTooLarge {
        /// The most that is taken.
        cap_bytes: u64,
    },
    /// A body broke off.
    #[error("the body broke off")]
    BodyBroken,
    /// A job has as many hidden logs as it may have.
    #[error("job {0} has as many logs as are kept")]
    TooManyLogs(JobId),
    /// A request is not of the documented shape.
    #[error("{message}")]
    BadRequest {
        /// The status.
        status: StatusCode,
        /// The stable code.
        code: &'static str,
        /// A sentence.
        message: String,
    },
    /// No such path.
    #[error("Unknown endpoint")]
    UnknownEndpoint,
    /// The path is there, the method is not.
    #[error("this endpoint does not take that method")]
    MethodNotAllowed,
    /// The chain did not tell its prices.
    #[error("the contract's prices cannot be read at present")]
    PricingUnavailable(#[source] crate::parts::SourceError),
    /// There is no keystore here.
    #[error("this coordinator has no keystore")]
    NoKeystore,
    /// The keystore cannot be reached, or its answer is none.
    #[error("the keystore does not answer at present")]
    KeystoreUnavailable(#[source] crate::parts::SourceError),
    /// The keystore's address is none.
    #[error("the keystore cannot be called at its address")]
    KeystoreAddress(#[source] crate::parts::SourceError),
    /// Nobody is asked about repositories of that host.
    #[error("repositories of the host of {0} are not read here")]
    UnknownHost(String),
    /// The repository is not there, or not for everyone.
    #[error("{0} is not there, or not for everyone to read")]
    NoSuchRepository(String),
    /// The repository's host did not answer.
    #[error("{repo} cannot be read at present")]
    RepositoryUnavailable {
        /// Which.
        repo: String,
        /// Why not.
        source: crate::parts::SourceError,
    },
    /// Too many ask.
    #[error("too many questions; ask again in a minute")]
    RateLimited,
    /// An address that anyone can reach was given for the admin listener.
    #[error("the admin listener must be on a loopback address, not on {0}")]
    AdminNotLoopback(std::net::SocketAddr),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The database refused.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// The tables cannot be brought up to date.
    #[error("the database cannot be brought up to date")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A row holds what we never wrote.
    #[error("column {column} of the database holds what it should not: {reason}")]
    Corrupt {
        /// Where.
        column: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The machine gave no random bytes.
    #[error("no random bytes: {0}")]
    Chance(String),
    /// A file cannot be read or written.
    #[error("cannot use {path}")]
    File {
        /// Which.
        path: std::path::PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl Error {
    /// What a client sees: a status and a stable code; clients match it, never the text.
    pub const fn wire(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NoSuchJob(_) => (StatusCode::NOT_FOUND, "no_such_job"),
            Self::LeaseLost(_) => (StatusCode::CONFLICT, "lease_lost"),
            Self::NoSuchArtifact(_) => (StatusCode::NOT_FOUND, "no_such_artifact"),
            Self::Banned(_) => (StatusCode::FORBIDDEN, "artifact_banned"),
            Self::TooManyBans(_) => (StatusCode::CONFLICT, "too_many_bans"),
            Self::NoSuchBuild(_) => (StatusCode::NOT_FOUND, "no_such_build"),
            Self::BuildLost(_) => (StatusCode::CONFLICT, "build_lost"),
            Self::NoSuchWorker(_) => (StatusCode::NOT_FOUND, "no_such_worker"),
            Self::WorkerExists(_) => (StatusCode::CONFLICT, "worker_exists"),
            Self::BadWorkerName => (StatusCode::BAD_REQUEST, "bad_worker_name"),
            Self::NotAWorker => (StatusCode::UNAUTHORIZED, "not_a_worker"),
            Self::HashMismatch { .. } => (StatusCode::BAD_REQUEST, "hash_mismatch"),
            Self::BodyTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
            Self::BodyBroken => (StatusCode::BAD_REQUEST, "body_broken"),
            Self::TooManyLogs(_) => (StatusCode::CONFLICT, "too_many_logs"),
            Self::BadRequest { status, code, .. } => (*status, code),
            Self::UnknownEndpoint => (StatusCode::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::PricingUnavailable(_) => (StatusCode::BAD_GATEWAY, "pricing_unavailable"),
            Self::NoKeystore => (StatusCode::SERVICE_UNAVAILABLE, "no_keystore"),
            Self::KeystoreUnavailable(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "keystore_unavailable")
            }
            Self::UnknownHost(_) => (StatusCode::BAD_REQUEST, "unknown_host"),
            Self::NoSuchRepository(_) => (StatusCode::NOT_FOUND, "no_such_repository"),
            Self::RepositoryUnavailable { .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, "repository_unavailable")
            }
            Self::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
            Self::KeystoreAddress(_)
            | Self::AdminNotLoopback(_)
            | Self::Listen { .. }
            | Self::Database(_)
            | Self::Migration(_)
            | Self::Corrupt { .. }
            | Self::Chance(_)
            | Self::File { .. } => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, code) = self.wire();
        let message = if status == StatusCode::SERVICE_UNAVAILABLE {
            tracing::warn!(error = %crate::chain_of(&self), code, "a call cannot be answered at present");
            self.to_string()
        } else if status.is_server_error() {
            tracing::error!(error = %crate::chain_of(&self), code, "a call failed");
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
