//! Step 5: the source becomes an artifact on this worker's disk: from its own store, from another worker that signs for it,
//! or by building it.

use std::path::PathBuf;
use std::time::Duration;

use compiler::ResolvedSource;
use protocol::artifact::Build;
use protocol::job::{HiddenLog, Lease, LogType};
use protocol::request::ExecutionRequest;
use protocol::response::{Compiling, ExecutionResponse, ResourceMetrics};
use protocol::{ArtifactHash, FailureCode, JobId};

use super::execute::whole_ms;
use crate::building::Caused;
use crate::parts::Parts;
use crate::setback::Setback;

/// Between two blocks. Unit: milliseconds. Source: mainnet's pace.
const BLOCK_MS: u128 = 600;

/// The least number of blocks after which a request for a build that goes on is worth repeating.
///
/// Source: the two-phase example of the specification, `block_height + 20`.
const LEAST_RETRY_BLOCKS: u64 = 20;

/// An artifact that can be run.
#[derive(Debug)]
pub(crate) struct Compiled {
    /// Its name.
    pub(crate) hash: ArtifactHash,
    /// Where it is.
    pub(crate) path: PathBuf,
    /// How long the build took, if this request caused one.
    pub(crate) build_time: Option<Duration>,
}

/// Finds or makes the artifact of the request's source.
pub(super) async fn compile(
    parts: &Parts,
    lease: &Lease,
    request: &ExecutionRequest,
) -> Result<Compiled, Setback> {
    let job = lease.job.id;
    let source = match parts.compiler.resolve(&request.resolved_source).await {
        Ok(source) => source,
        Err(err) => return Err(blame(parts, job, &err, Duration::ZERO).await),
    };
    if !request.params.force_rebuild {
        if let Some((hash, path)) = find(parts, &source).await? {
            return Ok(Compiled {
                hash,
                path,
                build_time: None,
            });
        }
        if let Some((code, message)) = parts.history.failure(&source) {
            return Err(Setback::Answer(Box::new(failed_before(code, message))));
        }
    }
    let patience = parts.config.build_patience;
    let estimate = parts.history.estimate(&source);
    let caused = parts.building.begin(&name_of(&source));
    let fee = |time| {
        if caused.is_some() {
            time
        } else {
            Duration::ZERO
        }
    };
    let (long_fee, waited_fee) = (fee(estimate), fee(patience));
    // The build goes on by itself when the request cannot wait for it.
    let build = tokio::spawn(build(parts.clone(), job, source.clone(), caused));
    if estimate > patience {
        return Err(in_progress(&source, estimate, long_fee));
    }
    match tokio::time::timeout(patience, build).await {
        Ok(built) => built.map_err(Setback::ours)?,
        // Longer than ever before: nobody knows how long, so as long again.
        Err(_) => Err(in_progress(&source, patience, waited_fee)),
    }
}

/// Looks for the artifact where nothing has to be built for it.
async fn find(
    parts: &Parts,
    source: &ResolvedSource,
) -> Result<Option<(ArtifactHash, PathBuf)>, Setback> {
    let known = match source {
        ResolvedSource::Module(module) => Some(module.hash),
        ResolvedSource::Commit {
            repository,
            commit,
            target,
        } => {
            let repo = repository.to_string();
            let own = parts
                .artifacts
                .built(&repo, commit.as_str(), target.triple());
            match own {
                Some(hash) => Some(hash),
                None => parts.vouched(&repo, commit, *target).await,
            }
        }
    };
    let Some(hash) = known else { return Ok(None) };
    if let Some(path) = parts.artifacts.path(hash) {
        return Ok(Some((hash, path)));
    }
    // The name is the hash of the bytes, so it does not matter who hands them over.
    let Some(wasm) = parts.download(hash).await else {
        return Ok(None);
    };
    let path = parts.artifacts.keep(hash, &wasm).map_err(Setback::ours)?;
    Ok(Some((hash, path)))
}

/// What a build is known by: requests for the same one share it.
fn name_of(source: &ResolvedSource) -> String {
    match source {
        ResolvedSource::Commit { target, .. } => format!("{source} for {target}"),
        ResolvedSource::Module(module) => module.hash.to_string(),
    }
}

/// Builds or fetches the artifact, keeps it, and lets other workers have it. Who has caused it is charged for it.
async fn build(
    parts: Parts,
    job: JobId,
    source: ResolvedSource,
    caused: Option<Caused>,
) -> Result<Compiled, Setback> {
    let start = parts.clock.now_ms();
    let artifact = match parts.compiler.compile(&source).await {
        Ok(artifact) => artifact,
        Err(err) => {
            let spent = parts.clock.now_ms().saturating_sub(start);
            let spent = Duration::from_millis(spent);
            let message = err.to_string();
            let failure = Some((err.code(), message.as_str()));
            parts.history.remember(&source, spent, failure);
            let fee = if caused.is_some() {
                spent
            } else {
                Duration::ZERO
            };
            return Err(blame(&parts, job, &err, fee).await);
        }
    };
    let path = parts
        .artifacts
        .keep(artifact.hash, &artifact.wasm)
        .map_err(Setback::ours)?;
    let spent = parts.clock.now_ms().saturating_sub(start);
    let spent = Duration::from_millis(spent);
    parts.history.remember(&source, spent, None);
    let claim = match &source {
        ResolvedSource::Commit {
            repository,
            commit,
            target,
        } => Some(Build {
            repo: repository.to_string(),
            commit: commit.clone(),
            build_target: *target,
            artifact: artifact.hash,
        }),
        ResolvedSource::Module(_) => None,
    };
    if let Some(claim) = &claim {
        parts.artifacts.remember(claim).map_err(Setback::ours)?;
    }
    parts.share(&artifact, claim).await;
    keep_log(&parts, job, artifact.build.hidden_logs.clone(), None).await;
    let is_charged = caused.is_some() && source_is_code(&source);
    let built = is_charged.then_some(artifact.build.build_time);
    Ok(Compiled {
        hash: artifact.hash,
        path,
        build_time: built,
    })
}

const fn source_is_code(source: &ResolvedSource) -> bool {
    matches!(source, ResolvedSource::Commit { .. })
}

/// The compiler's failure as a setback: an answer when the source is at fault, charged with the time it took.
async fn blame(parts: &Parts, job: JobId, err: &compiler::Error, spent: Duration) -> Setback {
    let message = err.to_string();
    keep_log(
        parts,
        job,
        err.hidden_logs().to_owned(),
        Some(format!("{}: {message}", err.code())),
    )
    .await;
    match Setback::of(err.code(), message) {
        Setback::Answer(mut response) => {
            response.resources_used.compile_time_ms = Some(whole_ms(spent));
            Setback::Answer(response)
        }
        ours => ours,
    }
}

/// What git and cargo printed, for operators.
async fn keep_log(parts: &Parts, job: JobId, stderr: String, execution_error: Option<String>) {
    if !parts.config.keep_hidden_logs || stderr.is_empty() {
        return;
    }
    let log = HiddenLog {
        log_type: LogType::Compilation,
        stderr,
        stdout: String::new(),
        exit_code: None,
        execution_error,
    };
    parts.keep_log(job, &log).await;
}

/// The answer to a request that cannot wait for its build, which is charged for what it has caused.
fn in_progress(source: &ResolvedSource, left: Duration, charged: Duration) -> Setback {
    let mut response = ExecutionResponse::failure(
        FailureCode::CompilationInProgress,
        "the build takes longer than a request can wait; ask again",
    );
    let seconds = left.as_millis().div_ceil(1_000);
    response.compiling = Some(Compiling {
        estimated_seconds: u64::try_from(seconds).unwrap_or(u64::MAX),
        retry_after_blocks: blocks(left).max(LEAST_RETRY_BLOCKS),
        cache_key: source.to_string(),
    });
    response.resources_used = ResourceMetrics {
        compile_time_ms: Some(whole_ms(charged)),
        ..Default::default()
    };
    Setback::Answer(Box::new(response))
}

/// Blocks that come in this time.
fn blocks(time: Duration) -> u64 {
    u64::try_from(time.as_millis().div_ceil(BLOCK_MS)).unwrap_or(u64::MAX)
}

/// The answer to a request whose build failed lately: nothing is built, so nothing of it is charged.
fn failed_before(code: FailureCode, message: String) -> ExecutionResponse {
    let mut response = ExecutionResponse::failure(code, message);
    response.compilation_note = Some(
        "this is how the last build of this source ended; force_rebuild builds it again".into(),
    );
    response
}
