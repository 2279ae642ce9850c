//! What a worker and the coordinator say to each other about jobs.
//!
//! All of it travels as JSON under `/worker/…`, with `Authorization: Bearer <worker token>`:
//!
//! | call | body | answer |
//! |---|---|---|
//! | `POST /worker/lease` | [`LeaseAsk`] | 200 [`Lease`], or 204 when nothing came in time |
//! | `POST /worker/jobs/{id}/heartbeat` | [`Fence`] | 200 [`Extension`] |
//! | `POST /worker/jobs/{id}/finish` | [`Finish`] | 204 |
//! | `POST /worker/jobs/{id}/fail` | [`Fail`] | 200 [`Retry`] |
//! | `POST /worker/jobs/{id}/release` | [`Fence`] | 204; the attempt does not count |
//! | `POST /worker/jobs/{id}/logs` | [`HiddenLog`] | 204 |
//! | `GET /worker/builds?repo&commit&build_target` | | 200 [`crate::artifact::SignedBuild`], or 404 |
//! | `PUT /worker/builds` | [`crate::artifact::SignedBuild`] | 204 |
//! | `POST /worker/builds/claim` | [`crate::progress::ClaimAsk`] | 200 [`crate::progress::Claim`] |
//! | `POST /worker/builds/progress` | [`crate::progress::ProgressReport`] | 200 [`Extension`], or 409 `build_lost` |
//! | `POST /worker/builds/release` | [`crate::progress::BuildName`] | 204 |
//! | `GET /worker/branch?repo&commit` | | 200 [`crate::public::BranchView`] |
//! | `GET /worker/artifacts/{sha256}` | | 200 the bytes, or 404 |
//! | `PUT /worker/artifacts/{sha256}` | the bytes | 204 |
//! | `POST /worker/artifacts/{sha256}/published` | [`crate::artifact::Published`] | 204 |
//!
//! A worker whose lease is not its own any more gets 409 `lease_lost`.

use near_account_id::AccountId;
use serde::{Deserialize, Serialize};

use crate::event::RequestNotice;
use crate::failure::FailureCode;
use crate::id::{ArtifactHash, JobId};
use crate::response::ResourceMetrics;

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Waits for a worker.
    Queued,
    /// A worker has it.
    Leased,
    /// The chain has the answer.
    Resolved,
    /// Nobody answered before the yield ran out.
    Expired,
    /// Given up, with a reason.
    Dead,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 5] = [
        Self::Queued,
        Self::Leased,
        Self::Resolved,
        Self::Expired,
        Self::Dead,
    ];

    /// The name as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Leased => "leased",
            Self::Resolved => "resolved",
            Self::Expired => "expired",
            Self::Dead => "dead",
        }
    }

    /// Every legal step. The chain may end a job at any stage, also one that was given up.
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Queued => matches!(
                next,
                Self::Leased | Self::Resolved | Self::Expired | Self::Dead
            ),
            Self::Leased => !matches!(next, Self::Leased),
            Self::Dead => matches!(next, Self::Resolved | Self::Expired),
            Self::Resolved | Self::Expired => false,
        }
    }
}

/// A job as a worker gets it. All but the ids is a hint: the worker confirms it on the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The row.
    pub id: JobId,
    /// The contract that holds the request.
    pub contract_id: AccountId,
    /// What the event said.
    pub notice: RequestNotice,
    /// What resumes the yield.
    pub data_id: [u8; 32],
    /// Where and when the request was made.
    pub origin: Origin,
}

/// Where and when a request was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The block of the receipt that emitted the event.
    pub block_height: u64,
    /// Its time, in nanoseconds since the Unix epoch.
    pub block_timestamp: u64,
    /// The receipt, base58.
    pub receipt_id: String,
    /// The transaction it came from, base58, where the source knows it.
    pub transaction_hash: Option<String>,
    /// Who signed it.
    pub signer_public_key: Option<String>,
    /// Gas burnt by the receipt.
    pub gas_burnt: u64,
}

/// A worker's wish for a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseAsk {
    /// How long to wait for one, in milliseconds; the coordinator may wait less.
    pub wait_ms: u64,
}

/// A worker's claim on a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The job.
    pub job: Job,
    /// Grows with every lease of the job, so that a late worker is told from the present one.
    pub fence: u64,
    /// Which try this is, from 1.
    pub attempt: u32,
    /// How many tries there are.
    pub max_attempts: u32,
    /// How long the lease lasts without a heartbeat, in milliseconds.
    pub expires_in_ms: u64,
    /// Artifacts that the operator does not have run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub banned: Vec<ArtifactHash>,
}

/// Proof that the caller is the present holder of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// From [`Lease::fence`].
    pub fence: u64,
}

/// A lease goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// How long it lasts now, in milliseconds.
    pub expires_in_ms: u64,
}

/// A job is done: the chain has its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finish {
    /// From [`Lease::fence`].
    pub fence: u64,
    /// What was sent to the chain; absent when another worker had answered before.
    pub report: Option<Report>,
}

/// What a worker sent to the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Whether the guest returned.
    pub success: bool,
    /// Why not.
    pub error_type: Option<FailureCode>,
    /// What was used.
    pub resources_used: ResourceMetrics,
    /// What ran.
    pub artifact: Option<ArtifactHash>,
    /// The transaction that resolved the request, base58.
    pub resolve_transaction: Option<String>,
}

/// A job could not be done, and it was our fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fail {
    /// From [`Lease::fence`].
    pub fence: u64,
    /// Why, as a code.
    pub code: FailureCode,
    /// Why, for operators.
    pub reason: String,
}

/// What becomes of a failed job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// After how long it can be leased again, in milliseconds; absent when it is given up.
    pub retry_in_ms: Option<u64>,
}

/// What a build or a guest wrote, for operators only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HiddenLog {
    /// What wrote it.
    pub log_type: LogType,
    /// Standard error.
    pub stderr: String,
    /// Standard output.
    pub stdout: String,
    /// The exit code, if there was one.
    pub exit_code: Option<i32>,
    /// What we made of it.
    pub execution_error: Option<String>,
}

/// What wrote a hidden log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogType {
    /// Git or cargo.
    Compilation,
    /// The guest.
    Execution,
}

/// The body of every error that an HTTP service answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// A stable code.
    pub error: String,
    /// A sentence.
    pub message: String,
}
