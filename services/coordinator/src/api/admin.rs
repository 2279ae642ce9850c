//! What only this machine may call: hidden logs, worker tokens, the cache, events that were set aside.

use std::sync::Arc;

use axum::Json as Answered;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use protocol::public::WorkerView;
use protocol::{ArtifactHash, JobId};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::State;
use super::extract::{Json, Path};
use super::route::{Access, Answer, Content, Route};
use super::samples;
use crate::error::Error;
use crate::logs::StoredLog;
use crate::views::{DeadJob, RejectedEvent};

pub(super) fn routes() -> Vec<Route> {
    let logs = || Content::json::<Vec<StoredLog>>("StoredLogList", &json!([samples::stored_log()]));
    let name = json!({"worker_name": "worker-1"});
    let token = json!({"worker_name": "worker-1", "token": "9f86d081…"});
    let routes = vec![
        Route::get("/admin/system-logs/{request_id}", system_logs, logs())
            .says("What the builds and guests of a request wrote"),
        Route::get("/admin/compile-logs/{job_id}", compile_logs, logs())
            .says("What the builds of a job wrote"),
        Route::get(
            "/admin/rejected-events",
            rejected_events,
            Content::json::<Vec<RejectedEvent>>(
                "RejectedEventList",
                &json!([samples::rejected_event()]),
            ),
        )
        .says("The last 100 events of the contract that could not be understood"),
        Route::get(
            "/admin/dead-jobs",
            dead_jobs,
            Content::json::<Vec<DeadJob>>("DeadJobList", &json!([samples::dead_job()])),
        )
        .says("The last 100 jobs that were given up, and why"),
        Route::get(
            "/admin/worker-tokens",
            workers,
            Content::json::<Vec<WorkerView>>("WorkerList", &json!([samples::worker()])),
        )
        .says("The workers that have a token"),
        Route::post(
            "/admin/worker-tokens",
            create_token,
            Content::json::<NewWorker>("NewWorker", &name),
            Answer {
                status: 201,
                ..Answer::of(Content::json::<NewToken>("NewToken", &token))
            },
        )
        .says("Makes a worker's token; it is told this once")
        .errors(&[(400, "bad_worker_name"), (409, "worker_exists")]),
        Route::delete("/admin/worker-tokens/{worker_name}", revoke_token)
            .says("Takes a worker's token out of force")
            .errors(&[(404, "no_such_worker")]),
        Route::delete("/admin/artifacts/{sha256}", evict)
            .says("Throws an artifact out of the cache")
            .errors(&[(404, "no_such_artifact")]),
        Route::get(
            "/admin/banned-artifacts",
            banned,
            Content::json::<Vec<ArtifactHash>>("BannedArtifactList", &json!([samples::sha256()])),
        )
        .says("The artifacts that no worker runs"),
        Route::post(
            "/admin/banned-artifacts",
            ban,
            Content::json::<Ban>("Ban", &json!({"sha256": samples::sha256()})),
            Answer::nothing(),
        )
        .says(
            "Bans an artifact: the cache throws it out and takes it no more, and no worker runs it",
        )
        .errors(&[(409, "too_many_bans")]),
        Route::delete("/admin/banned-artifacts/{sha256}", unban)
            .says("Lifts a ban")
            .errors(&[(404, "no_such_artifact")]),
    ];
    routes
        .into_iter()
        .map(|route| route.access(Access::Local))
        .collect()
}

async fn system_logs(
    Shared(state): Shared<Arc<State>>,
    Path(request_id): Path<u64>,
) -> Result<Answered<Vec<StoredLog>>, Error> {
    state.logs.of_request(request_id).await.map(Answered)
}

async fn compile_logs(
    Shared(state): Shared<Arc<State>>,
    Path(job_id): Path<JobId>,
) -> Result<Answered<Vec<StoredLog>>, Error> {
    state.logs.of_build(job_id).await.map(Answered)
}

async fn rejected_events(
    Shared(state): Shared<Arc<State>>,
) -> Result<Answered<Vec<RejectedEvent>>, Error> {
    state.views.last_rejected_events().await.map(Answered)
}

async fn dead_jobs(Shared(state): Shared<Arc<State>>) -> Result<Answered<Vec<DeadJob>>, Error> {
    state.views.last_dead_jobs().await.map(Answered)
}

async fn workers(Shared(state): Shared<Arc<State>>) -> Result<Answered<Vec<WorkerView>>, Error> {
    state.views.workers().await.map(Answered)
}

#[derive(Debug, Serialize, Deserialize)]
struct NewWorker {
    worker_name: String,
}

#[derive(Serialize, Deserialize)]
struct NewToken {
    worker_name: String,
    token: String,
}

async fn create_token(
    Shared(state): Shared<Arc<State>>,
    Json(new): Json<NewWorker>,
) -> Result<(StatusCode, Answered<NewToken>), Error> {
    let token = state.tokens.create(&new.worker_name).await?;
    let answer = NewToken {
        worker_name: new.worker_name,
        token: token.reveal().to_owned(),
    };
    Ok((StatusCode::CREATED, Answered(answer)))
}

async fn revoke_token(
    Shared(state): Shared<Arc<State>>,
    Path(worker_name): Path<String>,
) -> Result<StatusCode, Error> {
    state.tokens.revoke(&worker_name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn evict(
    Shared(state): Shared<Arc<State>>,
    Path(artifact): Path<ArtifactHash>,
) -> Result<StatusCode, Error> {
    if !state.artifacts.evict(artifact).await? {
        return Err(Error::NoSuchArtifact(artifact));
    }
    tracing::info!(%artifact, "an operator threw an artifact out");
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Serialize, Deserialize)]
struct Ban {
    sha256: ArtifactHash,
}

async fn banned(Shared(state): Shared<Arc<State>>) -> Result<Answered<Vec<ArtifactHash>>, Error> {
    state.artifacts.banned().await.map(Answered)
}

async fn ban(Shared(state): Shared<Arc<State>>, Json(ban): Json<Ban>) -> Result<StatusCode, Error> {
    state.artifacts.ban(ban.sha256).await?;
    tracing::info!(artifact = %ban.sha256, "an operator banned an artifact");
    Ok(StatusCode::NO_CONTENT)
}

async fn unban(
    Shared(state): Shared<Arc<State>>,
    Path(artifact): Path<ArtifactHash>,
) -> Result<StatusCode, Error> {
    if !state.artifacts.unban(artifact).await? {
        return Err(Error::NoSuchArtifact(artifact));
    }
    tracing::info!(%artifact, "an operator lifted a ban");
    Ok(StatusCode::NO_CONTENT)
}
