//! The coordinator's client against a server that answers by the book.

use std::time::Duration;

use axum::Json;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use bytes::Bytes;
use clients::coordinator::{Error, Public, Worker};
use protocol::job::{ErrorBody, Extension, Fence, LeaseAsk, Retry};
use protocol::source::BuildTarget;
use protocol::{ArtifactHash, FailureCode, JobId};
use reqwest::Url;

const ARTIFACT: &[u8] = b"\0asm";

fn refuse(status: StatusCode, code: &str) -> (StatusCode, Json<ErrorBody>) {
    let body = ErrorBody {
        error: code.to_owned(),
        message: "no".to_owned(),
    };
    (status, Json(body))
}

/// Job 1's lease is alive under fence 7; any other is lost.
async fn start() -> Url {
    let heartbeat = |Path(id): Path<i64>, Json(fence): Json<Fence>| async move {
        if (id, fence.fence) == (1, 7) {
            Ok(Json(Extension {
                expires_in_ms: 30_000,
            }))
        } else {
            Err(refuse(StatusCode::CONFLICT, "lease_lost"))
        }
    };
    let lease = |headers: HeaderMap, Json(_): Json<LeaseAsk>| async move {
        if headers["authorization"] == "Bearer token" {
            Ok(StatusCode::NO_CONTENT)
        } else {
            Err(refuse(StatusCode::UNAUTHORIZED, "bad_token"))
        }
    };
    let fail = || async {
        Json(Retry {
            retry_in_ms: Some(5),
        })
    };
    let artifact = |Path(name): Path<String>| async move {
        match name.parse::<ArtifactHash>() {
            Ok(hash) if hash == ArtifactHash::of(ARTIFACT) => Ok(ARTIFACT),
            Ok(hash) if hash == ArtifactHash::of(b"forged") => Ok(&b"something else"[..]),
            _ => Err(refuse(StatusCode::NOT_FOUND, "no_such_artifact")),
        }
    };
    let router = axum::Router::new()
        .route("/base/worker/lease", post(lease))
        .route("/base/worker/jobs/{id}/heartbeat", post(heartbeat))
        .route("/base/worker/jobs/{id}/fail", post(fail))
        .route("/base/worker/artifacts/{name}", get(artifact))
        .route(
            "/base/worker/builds",
            get(|| async { refuse(StatusCode::NOT_FOUND, "no_such_build") }),
        )
        .route(
            "/base/health",
            get(|| async { StatusCode::SERVICE_UNAVAILABLE }),
        );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/base", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url.parse().unwrap()
}

#[tokio::test]
async fn no_job_in_time_is_no_error_and_a_wrong_token_is() {
    let url = start().await;
    let right = Worker::new(&url, "token").unwrap();
    let wrong = Worker::new(&url, "guess").unwrap();

    let none = right.lease(Duration::from_millis(1)).await.unwrap();
    let refused = wrong.lease(Duration::from_millis(1)).await.unwrap_err();

    assert_eq!(none, None);
    assert_eq!(refused.code(), Some("bad_token"));
    assert!(!format!("{wrong:?}").contains("guess"));
}

#[tokio::test]
async fn a_lost_lease_is_told_apart_from_every_other_refusal() {
    let worker = Worker::new(&start().await, "token").unwrap();

    let alive = worker.heartbeat(JobId(1), 7).await.unwrap();
    let lost = worker.heartbeat(JobId(1), 6).await.unwrap_err();

    assert_eq!(alive.expires_in_ms, 30_000);
    assert!(matches!(lost, Error::LeaseLost { .. }), "{lost:?}");
    assert!(!lost.is_transient());
}

#[tokio::test]
async fn an_artifact_is_believed_only_if_it_bears_its_name() {
    let worker = Worker::new(&start().await, "token").unwrap();

    let true_one = worker.artifact(&ArtifactHash::of(ARTIFACT)).await.unwrap();
    let forged = worker.artifact(&ArtifactHash::of(b"forged")).await;
    let absent = worker.artifact(&ArtifactHash::of(b"absent")).await.unwrap();

    assert_eq!(true_one, Some(Bytes::from_static(ARTIFACT)));
    assert!(matches!(forged, Err(Error::Malformed { .. })));
    assert_eq!(absent, None);
}

#[tokio::test]
async fn a_build_that_is_not_known_is_none() {
    let worker = Worker::new(&start().await, "token").unwrap();
    let commit = "0123456789abcdef0123456789abcdef01234567".parse().unwrap();

    let build = worker
        .build("github.com/a/b", &commit, BuildTarget::Wasip1)
        .await;

    assert_eq!(build.unwrap(), None);
}

#[tokio::test]
async fn a_failed_job_learns_when_it_is_tried_again() {
    let worker = Worker::new(&start().await, "token").unwrap();
    let fail = protocol::job::Fail {
        fence: 7,
        code: FailureCode::NetworkError,
        reason: "down".into(),
    };

    let retry = worker.fail(JobId(1), &fail).await.unwrap();

    assert_eq!(retry.retry_in_ms, Some(5));
}

#[tokio::test]
async fn an_unhealthy_coordinator_and_an_absent_one_are_worth_another_try() {
    let unhealthy = Public::new(&start().await).unwrap();
    let absent = Public::new(&"http://127.0.0.1:1".parse().unwrap()).unwrap();

    let first = unhealthy.health().await.unwrap_err();
    let second = absent.health().await.unwrap_err();

    assert!(first.is_transient() && matches!(first, Error::Refused { status: 503, .. }));
    assert!(second.is_transient() && matches!(second, Error::Unavailable { .. }));
}
