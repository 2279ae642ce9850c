//! Step 7: the artifact runs in a process of its own, and what it did becomes an answer.

use std::time::Duration;

use executor::{Artifact, Clock, Execution, Limits, Outcome, Run, Seed, Tenant};
use protocol::FailureCode;
use protocol::job::{HiddenLog, Lease, LogType};
use protocol::request::ExecutionRequest;
use protocol::response::{ExecutionOutput, ExecutionResponse, ResourceMetrics};
use sealing::Secrets;
use sha2::{Digest as _, Sha256};

use super::compile::Compiled;
use crate::environment;
use crate::parts::Parts;
use crate::setback::Setback;

/// How much of a guest's messages travels to the chain with its answer.
///
/// Unit: bytes. Small, since every byte of an answer is paid for in gas and a yield's payload holds 1,024.
const LOG_TAIL_BYTES: usize = 256;

/// How much of a guest's messages is kept for operators.
const STDERR_BYTES: usize = 64 * 1024;

/// An answer and what it is the answer of.
#[derive(Debug)]
pub(crate) struct Answer {
    /// What goes to the chain.
    pub(crate) response: ExecutionResponse,
    /// What ran.
    pub(crate) artifact: Option<protocol::ArtifactHash>,
}

/// Runs the artifact under the request's limits.
pub(super) async fn execute(
    parts: &Parts,
    lease: &Lease,
    request: &ExecutionRequest,
    compiled: &Compiled,
    secrets: Secrets,
) -> Result<Answer, Setback> {
    let compile_time_ms = compiled.build_time.map(whole_ms);
    if lease.banned.contains(&compiled.hash) {
        let message = format!("the operator does not have {} run", compiled.hash);
        return Err(Setback::of(FailureCode::ArtifactBanned, message));
    }
    if request.params.compile_only {
        return Ok(Answer {
            response: built(compiled, compile_time_ms),
            artifact: Some(compiled.hash),
        });
    }
    let artifact = Artifact::from_file(&compiled.path, compiled.hash.0);
    let tenant = Tenant(request.sender_id.to_string());
    let run = run(parts, lease, request, &secrets);
    drop(secrets);
    // No file holds secrets.
    let kept = parts.runs.as_ref().filter(|_| run.secrets.is_empty());
    let kept = kept.map(|runs| (runs, run.clone()));
    let execution = parts
        .executor
        .execute_for(&tenant, &artifact, run)
        .await
        .map_err(Setback::ours)?;
    if let Some((runs, run)) = kept {
        runs.keep(request.request_id, &compiled.path, run, &execution);
    }
    keep_log(parts, lease, &execution).await;
    let resources_used = ResourceMetrics {
        instructions: execution.instructions,
        time_ms: whole_ms(execution.wall),
        compile_time_ms,
    };
    let mut response = respond(execution, request);
    response.resources_used = resources_used;
    Ok(Answer {
        response,
        artifact: Some(compiled.hash),
    })
}

fn run(parts: &Parts, lease: &Lease, request: &ExecutionRequest, secrets: &Secrets) -> Run {
    let limits = &request.resource_limits;
    let input = request.input_data.clone().unwrap_or_default();
    let config = &parts.config;
    let mut run = Run::new(
        input,
        Limits {
            instructions: limits.max_instructions,
            memory_bytes: u64::from(limits.max_memory_mb).saturating_mul(1 << 20),
            wall: Duration::from_secs(limits.max_execution_seconds),
            stdout_bytes: config.output_bytes,
            stderr_bytes: STDERR_BYTES,
        },
        seed(request),
    );
    // Two workers must come to the same bytes.
    run.clock = Clock::Fixed(request.timestamp);
    run.attached_usd = u64::try_from(request.attached_usd).unwrap_or(u64::MAX);
    run.args = vec!["guest.wasm".into()];
    run.env = environment::variables(
        request,
        &lease.job.origin,
        config.contract_id.as_str(),
        &config.network_id,
    );
    run.secrets = secrets.iter().collect();
    run
}

/// What a guest's random bytes are drawn from: the request itself, which the contract holds, so that anyone can run it again.
///
/// Whoever sees the request can tell the bytes too. A guest that needs bytes nobody can tell beforehand asks for a verifiable
/// random function.
fn seed(request: &ExecutionRequest) -> Seed {
    let mut seed = Sha256::new();
    seed.update(b"outlayer:randomness:1");
    seed.update(request.data_id);
    seed.update(request.request_id.0.to_le_bytes());
    Seed(seed.finalize().into())
}

/// The answer to a request that only wants its source built: the artifact's name.
fn built(compiled: &Compiled, compile_time_ms: Option<u64>) -> ExecutionResponse {
    ExecutionResponse {
        success: true,
        output: Some(ExecutionOutput::Text(compiled.hash.to_string())),
        resources_used: ResourceMetrics {
            compile_time_ms,
            ..Default::default()
        },
        compilation_note: Some(match compile_time_ms {
            Some(ms) => format!("built in {ms} ms"),
            None => "was built before".into(),
        }),
        ..Default::default()
    }
}

/// What the guest did, as an answer; what it used is filled in by the caller.
fn respond(execution: Execution, request: &ExecutionRequest) -> ExecutionResponse {
    let logs = Some(tail(&execution.stderr)).filter(|logs| !logs.is_empty());
    let failure = failure_of(&execution.outcome);
    let mut response = match failure {
        Some((code, message)) => ExecutionResponse::failure(code, message),
        None => match ExecutionOutput::from_stdout(execution.stdout, request.response_format) {
            Ok(output) => ExecutionResponse {
                success: true,
                output: Some(output),
                refund_usd: execution.refund_usd,
                ..Default::default()
            },
            Err(err) => ExecutionResponse::failure(FailureCode::BadOutput, err.to_string()),
        },
    };
    response.logs = logs;
    response
}

fn failure_of(outcome: &Outcome) -> Option<(FailureCode, String)> {
    let code = match outcome {
        Outcome::Returned | Outcome::Exited(0) => return None,
        Outcome::Exited(_) => FailureCode::Exited,
        Outcome::Trapped { kind, backtrace } => {
            // The innermost frames say where it happened; the rest is for the log.
            let place = backtrace.lines().take(3).collect::<Vec<_>>().join("; ");
            return Some((
                FailureCode::Trapped,
                clip(&format!("{kind}; {}", place.trim()), LOG_TAIL_BYTES).to_owned(),
            ));
        }
        Outcome::OutOfInstructions => FailureCode::OutOfInstructions,
        Outcome::OutOfMemory => FailureCode::OutOfMemory,
        Outcome::StackOverflow => FailureCode::StackOverflow,
        Outcome::OutOfTime => FailureCode::OutOfTime,
        Outcome::OutputTooLarge => FailureCode::OutputTooLarge,
        Outcome::BadModule { .. } => FailureCode::BadModule,
        Outcome::Refused { .. } => FailureCode::RefusedFeature,
    };
    let message = format!("the guest {outcome}");
    Some((code, clip(&message, LOG_TAIL_BYTES).to_owned()))
}

/// What the guest wrote, for operators. A log that is lost costs nobody anything, so a failure is only noted.
async fn keep_log(parts: &Parts, lease: &Lease, execution: &Execution) {
    if !parts.config.keep_hidden_logs
        || (execution.stderr.is_empty() && execution.outcome.is_success())
    {
        return;
    }
    let log = HiddenLog {
        log_type: LogType::Execution,
        stderr: String::from_utf8_lossy(&execution.stderr).into_owned(),
        stdout: String::new(),
        exit_code: match &execution.outcome {
            Outcome::Exited(code) => Some(*code),
            Outcome::Returned => Some(0),
            _ => None,
        },
        execution_error: (!execution.outcome.is_success()).then(|| match &execution.outcome {
            Outcome::Trapped { kind, backtrace } => format!("trapped: {kind}\n{backtrace}"),
            outcome => outcome.to_string(),
        }),
    };
    parts.keep_log(lease.job.id, &log).await;
}

/// Whole milliseconds, a started one counted in full.
pub(super) fn whole_ms(time: Duration) -> u64 {
    u64::try_from(time.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX)
}

/// The end of what a guest wrote, as text.
fn tail(stderr: &[u8]) -> String {
    let from = stderr.len().saturating_sub(LOG_TAIL_BYTES);
    String::from_utf8_lossy(stderr.get(from..).unwrap_or_default()).into_owned()
}

/// The beginning of `text`, at most `bytes` long, not cut inside a character.
pub(super) fn clip(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_never_cut_inside_a_character() {
        assert_eq!(clip("héllo", 2), "h");
        assert_eq!(clip("héllo", 3), "hé");
        assert_eq!(clip("hi", 99), "hi");
    }

    #[test]
    fn a_started_millisecond_counts_in_full() {
        assert_eq!(whole_ms(Duration::ZERO), 0);
        assert_eq!(whole_ms(Duration::from_micros(1)), 1);
        assert_eq!(whole_ms(Duration::from_micros(2_001)), 3);
    }

    #[test]
    fn an_exit_with_code_0_is_no_failure_and_every_other_ending_has_a_code() {
        assert_eq!(failure_of(&Outcome::Exited(0)), None);
        assert_eq!(failure_of(&Outcome::Returned), None);
        let codes = [
            (Outcome::Exited(1), FailureCode::Exited),
            (Outcome::OutOfInstructions, FailureCode::OutOfInstructions),
            (Outcome::StackOverflow, FailureCode::StackOverflow),
            (Outcome::OutOfTime, FailureCode::OutOfTime),
        ];
        for (outcome, code) in codes {
            assert_eq!(failure_of(&outcome).map(|(code, _)| code), Some(code));
        }
    }
}
