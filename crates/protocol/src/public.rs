//! What the coordinator shows to anyone.

use near_account_id::AccountId;
use near_token::NearToken;
use serde::{Deserialize, Serialize};

use crate::artifact::Recipe;
use crate::clock::UnixMs;
use crate::failure::FailureCode;
use crate::id::{ArtifactHash, JobId, RequestId};
use crate::job::Stage;
use crate::source::CodeSource;

/// A job as `/public/jobs` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobView {
    /// The row.
    pub job_id: JobId,
    /// The contract's number for it.
    pub request_id: RequestId,
    /// Where it stands.
    pub stage: Stage,
    /// The calling contract.
    pub predecessor_id: AccountId,
    /// Who signed the transaction.
    pub user_account_id: AccountId,
    /// The code.
    pub code_source: CodeSource,
    /// The transaction that asked, base58.
    pub transaction_hash: Option<String>,
    /// The transaction that resolved, base58.
    pub resolve_transaction: Option<String>,
    /// What ran.
    pub artifact: Option<ArtifactHash>,
    /// Whether the guest returned.
    pub success: Option<bool>,
    /// Why not.
    pub error_type: Option<FailureCode>,
    /// Metered instructions.
    pub instructions: Option<u64>,
    /// Wall-clock time of the execution, in milliseconds.
    pub time_ms: Option<u64>,
    /// Wall-clock time of the build, in milliseconds.
    pub compile_time_ms: Option<u64>,
    /// What was escrowed.
    pub payment: NearToken,
    /// What was kept.
    pub payment_charged: Option<NearToken>,
    /// What went back.
    pub payment_refunded: Option<NearToken>,
    /// How often it was tried.
    pub attempts: u32,
    /// The worker that has or had it.
    pub worker: Option<String>,
    /// When it came in.
    pub created_at_ms: UnixMs,
    /// When it ended.
    pub ended_at_ms: Option<UnixMs>,
}

/// A worker as `/public/workers` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerView {
    /// Its name.
    pub worker_name: String,
    /// When it last asked or reported.
    pub last_seen_ms: Option<UnixMs>,
    /// Whether that is recent.
    pub online: bool,
    /// Jobs it has now.
    pub leased: u64,
    /// Jobs it has finished.
    pub finished: u64,
}

/// `/public/stats`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatsView {
    /// All jobs.
    pub jobs: u64,
    /// Waiting.
    pub queued: u64,
    /// With a worker.
    pub leased: u64,
    /// Answered.
    pub resolved: u64,
    /// Not answered in time.
    pub expired: u64,
    /// Given up.
    pub dead: u64,
    /// Answered, and the guest returned.
    pub succeeded: u64,
    /// Metered instructions of all.
    pub instructions: u64,
    /// What was kept of all, in yoctoNEAR.
    pub charged_yocto: NearToken,
    /// Accounts that signed.
    pub unique_users: u64,
    /// Artifacts in the cache.
    pub artifacts: u64,
    /// Their size.
    pub artifact_bytes: u64,
    /// The last block that was read.
    pub block_height: u64,
}

/// A repository as `/public/repos/popular` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepoView {
    /// Its address.
    pub repo: String,
    /// Jobs that named it.
    pub jobs: u64,
    /// When the last of them came in.
    pub last_used_ms: UnixMs,
}

/// `/github/resolve-branch`: of which branch a commit is, or was within the last days. A hint: who relies on it asks the repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchView {
    /// The branch; none if no branch is at the commit.
    pub branch: Option<String>,
    /// The repository without scheme and `.git`.
    pub repo_normalized: String,
    /// Whether the answer was there before.
    pub cached: bool,
}

/// `/public/wasm/info`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WasmView {
    /// Whether the cache holds the artifact.
    pub exists: bool,
    /// Its name, if it was ever built; a worker said so and the coordinator does not vouch for it.
    pub sha256: Option<ArtifactHash>,
    /// Its size.
    pub size_bytes: Option<u64>,
    /// How often it ran.
    pub executions: Option<u64>,
    /// When it was built.
    pub built_at_ms: Option<UnixMs>,
    /// When it was last used.
    pub last_used_ms: Option<UnixMs>,
    /// How it was made; a worker said so.
    #[serde(default)]
    pub recipe: Option<Recipe>,
    /// Where a worker has published it.
    #[serde(default)]
    pub published_url: Option<String>,
}

/// `/health/detailed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthView {
    /// `ok`, or `degraded` when something below is not as it should be.
    pub status: String,
    /// The build's version.
    pub version: String,
    /// Whether the database answers.
    pub database: bool,
    /// How the chain is read.
    pub ingest: IngestHealth,
    /// How the queue stands.
    pub queue: QueueHealth,
    /// Workers that have a token.
    pub workers: u64,
    /// Those of them that were seen lately.
    pub workers_online: u64,
}

/// How the chain is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngestHealth {
    /// `starting`, `reading`, `failing` or `stopped`.
    pub state: String,
    /// What is wrong.
    pub error: Option<String>,
    /// The last block that was read.
    pub block_height: u64,
    /// Final blocks that are not read yet, if the head is known.
    pub lag_blocks: Option<u64>,
    /// Events of the contract that could not be understood and were set aside.
    pub rejected_events: u64,
}

/// How the queue stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueHealth {
    /// Waiting.
    pub queued: u64,
    /// With a worker.
    pub leased: u64,
    /// Given up.
    pub dead: u64,
    /// When the oldest that waits came in.
    pub oldest_queued_ms: Option<UnixMs>,
}
