//! Takes leases, keeps them alive while their jobs are served, and tells the coordinator how each ended.

use std::sync::Arc;
use std::time::Duration;

use clients::coordinator::Error as CoordinatorError;
use protocol::Fault;
use protocol::job::{Fail, Finish, Lease, Report};
use protocol::response::ExecutionResponse;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::parts::Parts;
use crate::pipeline;
use crate::setback::Setback;
use crate::steps::Step;

/// How long one question for a job waits at the coordinator.
const LEASE_WAIT: Duration = Duration::from_secs(30);

/// How long to wait before asking again a coordinator that did not answer.
const AFTER_FAILURE: Duration = Duration::from_millis(500);

/// Serves jobs until told to stop, then lets those under way finish; what is not done in time is handed back.
pub(crate) async fn serve_until(parts: Parts, stop: CancellationToken) {
    let room = Arc::new(Semaphore::new(parts.config.concurrency));
    let mut jobs = JoinSet::new(); // dropped, it ends them all
    let hand_back = CancellationToken::new();
    while let Some((lease, permit)) = next_lease(&parts, &room, &stop).await {
        while jobs.try_join_next().is_some() {}
        let parts = parts.clone();
        let hand_back = hand_back.clone();
        jobs.spawn(async move {
            hold(&parts, &lease, &hand_back).await;
            drop(permit);
        });
    }
    let patience = tokio::time::sleep(parts.config.stop_patience);
    tokio::pin!(patience);
    while !jobs.is_empty() {
        tokio::select! {
            _ = jobs.join_next() => {}
            () = &mut patience, if !hand_back.is_cancelled() => hand_back.cancel(),
        }
    }
}

/// The next lease and the room it takes; `None` when it is time to stop.
async fn next_lease(
    parts: &Parts,
    room: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(Lease, tokio::sync::OwnedSemaphorePermit)> {
    let permit = tokio::select! {
        () = stop.cancelled() => return None,
        permit = room.clone().acquire_owned() => permit.ok()?,
    };
    loop {
        let asked = tokio::select! {
            () = stop.cancelled() => return None,
            asked = parts.coordinator.lease(LEASE_WAIT) => asked,
        };
        match asked {
            Ok(Some(lease)) => return Some((lease, permit)),
            Ok(None) => {}
            Err(err) => {
                tracing::warn!("no lease: {err:#}");
                tokio::select! {
                    () = stop.cancelled() => return None,
                    () = tokio::time::sleep(AFTER_FAILURE) => {}
                }
            }
        }
    }
}

/// Serves one job while its lease lasts.
async fn hold(parts: &Parts, lease: &Lease, hand_back: &CancellationToken) {
    parts.reached(lease, Step::Leased, "");
    let id = lease.job.id;
    tokio::select! {
        () = end(parts, lease) => {}
        () = keep_alive(parts, lease) => tracing::warn!(job = %id, "the lease is lost; another worker has the job"),
        () = hand_back.cancelled() => {
            if let Err(err) = parts.coordinator.release(id, lease.fence).await {
                tracing::warn!(job = %id, "not handed back, its lease will run out: {err:#}");
            }
        }
    }
}

/// Runs the pipeline and tells the coordinator how it ended.
async fn end(parts: &Parts, lease: &Lease) {
    let mut ending = pipeline::serve(parts, lease).await;
    if let Some(response) = last_word(lease, &ending) {
        ending = pipeline::give_up(parts, lease, response).await;
    }
    let id = lease.job.id;
    let told = match ending {
        Ok(report) => {
            parts.reached(
                lease,
                Step::Resolved,
                report.resolve_transaction.as_deref().unwrap_or(""),
            );
            finish(parts, lease, Some(report)).await
        }
        Err(Setback::Gone) => finish(parts, lease, None).await,
        Err(Setback::Answer(response)) => {
            // `give_up` never answers with an answer; if it did, trying again is right.
            fail(
                parts,
                lease,
                Setback::ours(anyhow::anyhow!("unsent answer: {response:?}")),
            )
            .await
        }
        Err(ours) => fail(parts, lease, ours).await,
    };
    match told {
        Ok(()) => parts.reached(lease, Step::Finished, ""),
        Err(err) => tracing::warn!(job = %id, "the coordinator was not told: {err:#}"),
    }
}

/// What is left to say to the chain after a setback: the guest's failure, or ours when no try is left.
fn last_word(lease: &Lease, ending: &Result<Report, Setback>) -> Option<ExecutionResponse> {
    match ending {
        Err(Setback::Answer(response)) => Some((**response).clone()),
        Err(Setback::Ours { code, cause }) if lease.attempt >= lease.max_attempts => {
            tracing::error!(job = %lease.job.id, %code, "given up after {} tries: {cause:#}", lease.attempt);
            debug_assert_eq!(
                code.fault(),
                Fault::Platform,
                "only our failures are tried again"
            );
            Some(ExecutionResponse::failure(
                *code,
                "the platform failed to answer; nothing is charged",
            ))
        }
        _ => None,
    }
}

async fn finish(
    parts: &Parts,
    lease: &Lease,
    report: Option<Report>,
) -> Result<(), CoordinatorError> {
    let finish = Finish {
        fence: lease.fence,
        report,
    };
    parts.coordinator.finish(lease.job.id, &finish).await
}

async fn fail(parts: &Parts, lease: &Lease, setback: Setback) -> Result<(), CoordinatorError> {
    let Setback::Ours { code, cause } = setback else {
        return finish(parts, lease, None).await;
    };
    tracing::warn!(job = %lease.job.id, attempt = lease.attempt, %code, "a try failed: {cause:#}");
    let fail = Fail {
        fence: lease.fence,
        code,
        reason: format!("{cause:#}"),
    };
    parts
        .coordinator
        .fail(lease.job.id, &fail)
        .await
        .map(|_| ())
}

/// Heartbeats; returns only when the lease is lost.
async fn keep_alive(parts: &Parts, lease: &Lease) {
    let mut expires_in_ms = lease.expires_in_ms;
    loop {
        tokio::time::sleep(Duration::from_millis(expires_in_ms / 3)).await;
        match parts.coordinator.heartbeat(lease.job.id, lease.fence).await {
            Ok(extension) => expires_in_ms = extension.expires_in_ms,
            Err(CoordinatorError::LeaseLost { .. }) => return,
            // It may be back before the lease runs out; a finish under an old fence is refused anyway.
            Err(err) => tracing::warn!(job = %lease.job.id, "no heartbeat: {err:#}"),
        }
    }
}
