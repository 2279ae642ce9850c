//! What workers call. Source: the table in [`protocol::job`].

use std::sync::Arc;

use axum::Json as Answered;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State as Shared};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use protocol::artifact::SignedBuild;
use protocol::job::{Extension, Fail, Fence, Finish, HiddenLog, Lease, LeaseAsk, Retry};
use protocol::progress::{BuildName, Claim, ClaimAsk, ProgressReport};
use protocol::source::BuildTarget;
use protocol::{ArtifactHash, CommitHash, JobId};
use serde::Deserialize;
use tokio_util::io::ReaderStream;

use super::State;
use super::extract::{Caller, Json, Path, Query};
use super::route::{Access, Answer, Content, Required, Route};
use super::samples;
use crate::artifacts::Key;
use crate::error::Error;

/// The errors of a call that speaks for a lease.
const OF_A_LEASE: &[(u16, &str)] = &[(404, "no_such_job"), (409, "lease_lost")];

pub(super) fn routes() -> Vec<Route> {
    let mut routes = of_jobs();
    routes.extend(of_artifacts());
    routes.extend(of_claims());
    routes
        .into_iter()
        .map(|route| route.access(Access::Worker))
        .collect()
}

fn of_jobs() -> Vec<Route> {
    let fence = || Content::json::<Fence>("Fence", &samples::fence());
    vec![
        Route::post(
            "/worker/lease",
            lease,
            Content::json::<LeaseAsk>("LeaseAsk", &samples::lease_ask()),
            Answer {
                or: Some((204, "nothing came in time")),
                ..Answer::of(Content::json::<Lease>("Lease", &samples::lease()))
            },
        )
        .says("Waits for a job and leases it"),
        Route::post(
            "/worker/jobs/{id}/heartbeat",
            heartbeat,
            fence(),
            Answer::of(Content::json::<Extension>(
                "Extension",
                &samples::extension(),
            )),
        )
        .says("Keeps a lease up")
        .errors(OF_A_LEASE),
        Route::post(
            "/worker/jobs/{id}/finish",
            finish,
            Content::json::<Finish>("Finish", &samples::finish()),
            Answer::nothing(),
        )
        .says("Says that the chain has the answer; may be repeated")
        .errors(OF_A_LEASE),
        Route::post(
            "/worker/jobs/{id}/fail",
            fail,
            Content::json::<Fail>("Fail", &samples::fail()),
            Answer::of(Content::json::<Retry>("Retry", &samples::retry())),
        )
        .says("Says that the job could not be done, by our fault")
        .errors(OF_A_LEASE),
        Route::post(
            "/worker/jobs/{id}/release",
            release,
            fence(),
            Answer::nothing(),
        )
        .says("Hands a job back; the attempt does not count")
        .errors(OF_A_LEASE),
        Route::post(
            "/worker/jobs/{id}/logs",
            logs,
            Content::json::<HiddenLog>("HiddenLog", &samples::hidden_log()),
            Answer::nothing(),
        )
        .says("Leaves what a build or a guest wrote, for operators only")
        .errors(&[(404, "no_such_job"), (409, "too_many_logs")]),
    ]
}

fn of_artifacts() -> Vec<Route> {
    let build = || Content::json::<SignedBuild>("SignedBuild", &samples::signed_build());
    let mut put_artifact = Route::put("/worker/artifacts/{sha256}", put_artifact, Content::Wasm)
        .says("Gives an artifact into the cache")
        .errors(&[
            (400, "hash_mismatch"),
            (400, "body_broken"),
            (403, "artifact_banned"),
            (413, "body_too_large"),
        ]);
    // It is streamed to disk, and has a cap of its own.
    put_artifact.handler = put_artifact.handler.layer(DefaultBodyLimit::disable());
    vec![
        Route::get("/worker/builds", get_build, build())
            .says("What a worker said a commit builds to; check the signature")
            .query("repo", Required::Yes, "the repository, normalised")
            .query("commit", Required::Yes, "40 hexadecimal digits")
            .query(
                "build_target",
                Required::Yes,
                "`wasm32-wasip1` or `wasm32-wasip2`",
            )
            .errors(&[(404, "no_such_build")]),
        Route::put("/worker/builds", put_build, build()).says("Says what a commit builds to"),
        Route::get("/worker/artifacts/{sha256}", get_artifact, Content::Wasm)
            .says("An artifact's bytes")
            .errors(&[(404, "no_such_artifact")]),
        put_artifact,
    ]
}

fn of_claims() -> Vec<Route> {
    vec![
        Route::post(
            "/worker/builds/claim",
            claim,
            Content::json::<ClaimAsk>("ClaimAsk", &samples::claim_ask()),
            Answer::of(Content::json::<Claim>("Claim", &samples::claim())),
        )
        .says("Asks to be the one that builds, and says who is"),
        Route::post(
            "/worker/builds/progress",
            progress,
            Content::json::<ProgressReport>("ProgressReport", &samples::progress_report()),
            Answer::of(Content::json::<Extension>(
                "Extension",
                &samples::extension(),
            )),
        )
        .says("Says how far a build is, and keeps the claim to it up")
        .errors(&[(409, "build_lost")]),
        Route::post(
            "/worker/builds/release",
            release_build,
            Content::json::<BuildName>("BuildName", &samples::build_name()),
            Answer::nothing(),
        )
        .says("Ends the claim to a build; may be repeated"),
    ]
}

async fn claim(
    Shared(state): Shared<Arc<State>>,
    Caller(worker): Caller,
    Json(ask): Json<ClaimAsk>,
) -> Result<Answered<Claim>, Error> {
    state.artifacts.claim(&worker, &ask).await.map(Answered)
}

async fn progress(
    Shared(state): Shared<Arc<State>>,
    Caller(worker): Caller,
    Json(report): Json<ProgressReport>,
) -> Result<Answered<Extension>, Error> {
    state.artifacts.report(&worker, &report).await.map(Answered)
}

async fn release_build(
    Shared(state): Shared<Arc<State>>,
    Caller(worker): Caller,
    Json(build): Json<BuildName>,
) -> Result<StatusCode, Error> {
    state.artifacts.release(&worker, &build).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn lease(
    Shared(state): Shared<Arc<State>>,
    Caller(worker): Caller,
    Json(ask): Json<LeaseAsk>,
) -> Result<Response, Error> {
    let lease = state
        .queue
        .lease_within(&worker, ask.wait_ms, &state.stop)
        .await?;
    Ok(match lease {
        Some(mut lease) => {
            lease.banned = state.artifacts.banned().await?;
            Answered(lease).into_response()
        }
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

async fn heartbeat(
    Shared(state): Shared<Arc<State>>,
    Caller(worker): Caller,
    Path(id): Path<JobId>,
    Json(fence): Json<Fence>,
) -> Result<Answered<Extension>, Error> {
    state
        .queue
        .heartbeat(id, &worker, fence)
        .await
        .map(Answered)
}

async fn finish(
    Shared(state): Shared<Arc<State>>,
    Caller(worker): Caller,
    Path(id): Path<JobId>,
    Json(finish): Json<Finish>,
) -> Result<StatusCode, Error> {
    state.queue.finish(id, &worker, &finish).await?;
    if let Some(artifact) = finish.report.and_then(|report| report.artifact) {
        state.artifacts.executed(artifact);
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn fail(
    Shared(state): Shared<Arc<State>>,
    Caller(worker): Caller,
    Path(id): Path<JobId>,
    Json(fail): Json<Fail>,
) -> Result<Answered<Retry>, Error> {
    state.queue.fail(id, &worker, &fail).await.map(Answered)
}

async fn release(
    Shared(state): Shared<Arc<State>>,
    Caller(worker): Caller,
    Path(id): Path<JobId>,
    Json(fence): Json<Fence>,
) -> Result<StatusCode, Error> {
    state.queue.release(id, &worker, fence).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn logs(
    Shared(state): Shared<Arc<State>>,
    Caller(_): Caller,
    Path(id): Path<JobId>,
    Json(log): Json<HiddenLog>,
) -> Result<StatusCode, Error> {
    state.logs.add(id, log).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize)]
struct BuildQuery {
    repo: String,
    commit: CommitHash,
    build_target: BuildTarget,
}

async fn get_build(
    Shared(state): Shared<Arc<State>>,
    Caller(_): Caller,
    Query(query): Query<BuildQuery>,
) -> Result<Answered<SignedBuild>, Error> {
    let key = Key {
        repo: query.repo,
        commit: query.commit,
        build_target: query.build_target,
    };
    state.artifacts.build(&key).await.map(Answered)
}

async fn put_build(
    Shared(state): Shared<Arc<State>>,
    Caller(_): Caller,
    Json(signed): Json<SignedBuild>,
) -> Result<StatusCode, Error> {
    state.artifacts.put_build(&signed).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn get_artifact(
    Shared(state): Shared<Arc<State>>,
    Caller(_): Caller,
    Path(artifact): Path<ArtifactHash>,
) -> Result<Response, Error> {
    let (file, size) = state.artifacts.read(artifact).await?;
    let headers = [
        (CONTENT_TYPE, "application/wasm".to_owned()),
        (CONTENT_LENGTH, size.to_string()),
    ];
    Ok((headers, Body::from_stream(ReaderStream::new(file))).into_response())
}

async fn put_artifact(
    Shared(state): Shared<Arc<State>>,
    Caller(_): Caller,
    Path(artifact): Path<ArtifactHash>,
    body: Body,
) -> Result<StatusCode, Error> {
    let mut upload = state.artifacts.upload(artifact).await?;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Error::BodyBroken)?;
        upload.write(&chunk).await?;
    }
    upload.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
