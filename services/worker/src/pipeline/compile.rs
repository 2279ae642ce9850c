//! Step 5: the source becomes an artifact on this worker's disk: from its own store, from another worker that signs for it,
//! or by building it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use compiler::ResolvedSource;
use protocol::artifact::Build;
use protocol::job::{HiddenLog, Lease, LogType};
use protocol::progress::BuildName;
use protocol::request::ExecutionRequest;
use protocol::response::{Compiling, ExecutionResponse, ResourceMetrics};
use protocol::{ArtifactHash, FailureCode, JobId};

use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::confirm::Confirmed;
use super::execute::whole_ms;
use crate::building::{Showing, Start, Turn, claim};
use crate::config::Config;
use crate::parts::Parts;
use crate::setback::Setback;

/// The least number of blocks after which a request for a build that goes on is worth repeating.
///
/// Source: the two-phase example of the specification, `block_height + 20`.
const LEAST_RETRY_BLOCKS: u64 = 20;

/// What is kept of the yield's window for the answer to come to the chain.
///
/// Source: a transaction is final after about four blocks; the rest is for one that has to be sent again.
const TO_RESOLVE: Duration = Duration::from_secs(10);

/// How often a worker looks whether another has built what it waits for.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

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

/// Finds the commit of the request's source.
pub(super) async fn resolve(
    parts: &Parts,
    lease: &Lease,
    request: &ExecutionRequest,
) -> Result<ResolvedSource, Setback> {
    match parts.compiler.resolve(&request.resolved_source).await {
        Ok(source) => Ok(source),
        Err(err) => Err(blame(parts, lease.job.id, &err, Duration::ZERO).await),
    }
}

/// Finds or makes the artifact of a source.
pub(super) async fn compile(
    parts: &Parts,
    lease: &Lease,
    confirmed: &Confirmed,
    source: &ResolvedSource,
) -> Result<Compiled, Setback> {
    let (job, request) = (lease.job.id, &confirmed.request);
    if !request.params.force_rebuild {
        if let Some(found) = find(parts, source).await? {
            return Ok(found);
        }
        if let Some((code, message)) = parts.history.failure(source) {
            return Err(Setback::Answer(Box::new(failed_before(code, message))));
        }
    }
    let run = Duration::from_secs(request.resource_limits.max_execution_seconds);
    let patience = patience(&parts.config, confirmed.blocks_left, run);
    let (estimate, began) = (parts.history.estimate(source), Instant::now());
    let left = || patience.saturating_sub(began.elapsed());
    loop {
        let (build, caused) = match begin(parts, job, source, request.params.force_rebuild).await? {
            Begun::Here { build, caused } => (build, caused),
            Begun::Before(found) => return Ok(found),
            Begun::Elsewhere => {
                // Another request has caused it.
                if estimate > left() {
                    return Err(in_progress(source, estimate, Duration::ZERO));
                }
                tokio::time::sleep(BETWEEN_LOOKS).await;
                match find(parts, source).await? {
                    Some(found) if !request.params.force_rebuild => return Ok(found),
                    _ => continue,
                }
            }
        };
        let fee = |time| if caused { time } else { Duration::ZERO };
        if estimate > left() {
            return Err(in_progress(source, estimate, fee(estimate)));
        }
        return match tokio::time::timeout(left(), build).await {
            Ok(built) => built.map_err(Setback::ours)?,
            // Longer than ever before: nobody knows how long, so as long again.
            Err(_) => Err(in_progress(source, patience, fee(patience))),
        };
    }
}

/// How long a request can wait for its build: it has to run afterwards, for as long as `run`, and to be answered, before the blocks that
/// are left have come.
fn patience(config: &Config, blocks_left: u64, run: Duration) -> Duration {
    let Some(block) = config.block_time else {
        return config.build_patience;
    };
    let blocks = u32::try_from(blocks_left).unwrap_or(u32::MAX);
    let left = block.saturating_mul(blocks).saturating_sub(run);
    config.build_patience.min(left.saturating_sub(TO_RESOLVE))
}

/// Where a build is, once a request has asked for it.
enum Begun {
    /// Here. It goes on by itself when the request cannot wait for it.
    Here {
        build: JoinHandle<Result<Compiled, Setback>>,
        /// Whether this request has caused it.
        caused: bool,
    },
    /// Another worker builds.
    Elsewhere,
    /// It was over before this request had its turn.
    Before(Compiled),
}

/// Begins the build, unless it goes on already.
async fn begin(
    parts: &Parts,
    job: JobId,
    source: &ResolvedSource,
    anew: bool,
) -> Result<Begun, Setback> {
    let caused = match parts.building.begin(&name_of(source)) {
        Start::Caused(caused) => Some(caused),
        Start::GoesOn => None,
        Start::Unsettled => return Ok(Begun::Elsewhere),
    };
    let is_caused = caused.is_some();
    let (showing, progress) = Showing::new(job, parts.watch.clone());
    let mut claimed = None;
    if let Some(caused) = &caused {
        if let Some(name) = build_name(source) {
            match claim(&parts.coordinator, name, job, progress).await {
                Turn::Ours(ours) => claimed = ours,
                Turn::Others => return Ok(Begun::Elsewhere),
            }
            // Who had the claim before may have built it since this request looked: nobody builds or pays twice.
            if !anew && let Some(found) = find(parts, source).await? {
                if let Some(claimed) = claimed {
                    claimed.release().await;
                }
                return Ok(Begun::Before(found));
            }
        }
        caused.settle();
    }
    let (parts, source) = (parts.clone(), source.clone());
    let build = tokio::spawn(async move {
        let built = build(&parts, job, &source, caused.is_some(), showing).await;
        if let Some(claimed) = claimed {
            claimed.release().await;
        }
        drop(caused);
        built
    });
    Ok(Begun::Here {
        build,
        caused: is_caused,
    })
}

/// Looks for the artifact where nothing has to be built for it.
async fn find(parts: &Parts, source: &ResolvedSource) -> Result<Option<Compiled>, Setback> {
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
    let found = |path| Compiled {
        hash,
        path,
        build_time: None,
    };
    if let Some(path) = parts.artifacts.path(hash) {
        return Ok(Some(found(path)));
    }
    // The name is the hash of the bytes, so it does not matter who hands them over.
    let Some(wasm) = parts.download(hash).await else {
        return Ok(None);
    };
    let path = parts.artifacts.keep(hash, &wasm).map_err(Setback::ours)?;
    Ok(Some(found(path)))
}

/// What a build is known by: requests for the same one share it.
fn name_of(source: &ResolvedSource) -> String {
    match source {
        ResolvedSource::Commit { target, .. } => format!("{source} for {target}"),
        ResolvedSource::Module(module) => module.hash.to_string(),
    }
}

/// What is built, where there is something to build.
fn build_name(source: &ResolvedSource) -> Option<BuildName> {
    match source {
        ResolvedSource::Commit {
            repository,
            commit,
            target,
        } => Some(BuildName {
            repo: repository.to_string(),
            commit: commit.clone(),
            build_target: *target,
        }),
        ResolvedSource::Module(_) => None,
    }
}

/// Builds or fetches the artifact, keeps it, and lets other workers have it. Who has caused it is charged for it.
async fn build(
    parts: &Parts,
    job: JobId,
    source: &ResolvedSource,
    is_charged: bool,
    showing: Arc<Showing>,
) -> Result<Compiled, Setback> {
    let start = parts.clock.now_ms();
    let artifact = match parts.compiler.compile_watched(source, showing).await {
        Ok(artifact) => artifact,
        Err(err) => {
            let spent = parts.clock.now_ms().saturating_sub(start);
            let spent = Duration::from_millis(spent);
            let message = err.to_string();
            let failure = Some((err.code(), message.as_str()));
            parts.history.remember(source, spent, failure);
            let fee = if is_charged { spent } else { Duration::ZERO };
            return Err(blame(parts, job, &err, fee).await);
        }
    };
    let path = parts
        .artifacts
        .keep(artifact.hash, &artifact.wasm)
        .map_err(Setback::ours)?;
    let spent = parts.clock.now_ms().saturating_sub(start);
    let spent = Duration::from_millis(spent);
    parts.history.remember(source, spent, None);
    let claim = build_name(source).map(|name| Build {
        repo: name.repo,
        commit: name.commit,
        build_target: name.build_target,
        artifact: artifact.hash,
        recipe: artifact.build.recipe(),
    });
    if let Some(claim) = &claim {
        parts.artifacts.remember(claim).map_err(Setback::ours)?;
    }
    parts.share(&artifact, claim).await;
    keep_log(parts, job, artifact.build.hidden_logs.clone(), None).await;
    let is_code = matches!(source, ResolvedSource::Commit { .. });
    let built = (is_charged && is_code).then_some(artifact.build.build_time);
    Ok(Compiled {
        hash: artifact.hash,
        path,
        build_time: built,
    })
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

/// Mainnet's blocks that come in this time.
fn blocks(time: Duration) -> u64 {
    const BLOCK_MS: u128 = 600;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_waits_no_longer_than_leaves_it_time_to_run_and_to_be_answered() {
        let account = |name: &str| name.parse().unwrap();
        let mut config = Config::new(account("outlayer.near"), account("op.near"), "x".into());
        let run = Duration::from_secs(60);

        let waits = [u64::MAX, 200, 150, 0].map(|blocks| patience(&config, blocks, run));
        config.block_time = None;
        let without_pace = patience(&config, 0, run);

        assert_eq!(waits, [100, 50, 20, 0].map(Duration::from_secs));
        assert_eq!(without_pace, Duration::from_secs(100));
    }
}
