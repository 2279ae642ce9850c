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
use crate::parts::Parts;
use crate::setback::Setback;

/// Blocks after which a request for a build that goes on is worth repeating.
///
/// Unit: blocks of about 0.6 s. Source: the two-phase example of the specification, `block_height + 20`.
const RETRY_AFTER_BLOCKS: u64 = 20;

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
    if !request.params.force_rebuild
        && let Some((hash, path)) = find(parts, &source).await?
    {
        return Ok(Compiled {
            hash,
            path,
            build_time: None,
        });
    }
    // The build goes on by itself when the request cannot wait for it.
    let build = tokio::spawn(build(parts.clone(), job, source.clone()));
    match tokio::time::timeout(parts.config.build_patience, build).await {
        Ok(built) => built.map_err(Setback::ours)?,
        Err(_) => Err(Setback::Answer(Box::new(in_progress(parts, &source)))),
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

/// Builds or fetches the artifact, keeps it, and lets other workers have it.
async fn build(parts: Parts, job: JobId, source: ResolvedSource) -> Result<Compiled, Setback> {
    let start = parts.clock.now_ms();
    let artifact = match parts.compiler.compile(&source).await {
        Ok(artifact) => artifact,
        Err(err) => {
            let spent = parts.clock.now_ms().saturating_sub(start);
            return Err(blame(&parts, job, &err, Duration::from_millis(spent)).await);
        }
    };
    let path = parts
        .artifacts
        .keep(artifact.hash, &artifact.wasm)
        .map_err(Setback::ours)?;
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
    let built = source_is_code(&source).then_some(artifact.build.build_time);
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

/// The answer to a request that cannot wait for its build.
fn in_progress(parts: &Parts, source: &ResolvedSource) -> ExecutionResponse {
    let waited = whole_ms(parts.config.build_patience);
    let mut response = ExecutionResponse::failure(
        FailureCode::CompilationInProgress,
        "the build takes longer than a request can wait; ask again",
    );
    response.compiling = Some(Compiling {
        estimated_seconds: parts.config.build_patience.as_secs(),
        retry_after_blocks: RETRY_AFTER_BLOCKS,
        cache_key: source.to_string(),
    });
    response.resources_used = ResourceMetrics {
        compile_time_ms: Some(waited),
        ..Default::default()
    };
    response
}
