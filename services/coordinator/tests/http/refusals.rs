//! Whatever is wrong with a call gets a stable code and a sentence.

use protocol::job::ErrorBody;
use serde_json::{Value, json};

use crate::town::{Town, refusal};

#[tokio::test]
async fn an_unknown_path_is_answered_as_the_interface_page_says() {
    let town = Town::start().await;

    let open = town.fetch("/nowhere").await;
    let admin = town.fetch_admin("/nowhere").await;

    for response in [open, admin] {
        assert_eq!(response.status(), 404);
        let body: Value = response.json().await.unwrap();
        assert_eq!(
            body,
            json!({"error": "not_found", "message": "Unknown endpoint"})
        );
    }
}

#[tokio::test]
async fn a_worker_needs_a_token_that_is_in_force() {
    let town = Town::start().await;
    let worker = town.worker("w").await;
    town.coordinator.tokens().revoke("w").await.unwrap();

    let revoked = refusal(worker.post("lease", &json!({"wait_ms": 0})).await).await;
    let none = refusal(town.fetch("/worker/builds").await).await;

    assert_eq!(revoked, (401, "not_a_worker".into()));
    assert_eq!(none, (401, "not_a_worker".into()));
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_named() {
    let town = Town::start().await;
    let worker = town.worker("w").await;
    let url = format!("{}/worker/lease", town.coordinator.url());
    let token = town.coordinator.tokens().replace("v").await.unwrap();
    let send = async |media: &str, body: &'static str| {
        let request = town.http.post(&url).bearer_auth(token.reveal());
        let request = request.header("content-type", media).body(body);
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json::<ErrorBody>().await.unwrap())
    };

    let malformed = send("application/json", "{").await;
    let text = send("text/plain", "{\"wait_ms\":1}").await;
    let typed = send("application/json", "{\"wait_ms\":\"soon\"}").await;
    let large = worker.post("lease", &"x".repeat(11 * 1024 * 1024)).await;

    assert_eq!((malformed.0, &*malformed.1.error), (400, "malformed_json"));
    assert_eq!((text.0, &*text.1.error), (415, "not_json"));
    assert_eq!((typed.0, &*typed.1.error), (400, "invalid_body"));
    assert!(
        typed.1.message.contains("wait_ms: invalid type: string"),
        "{}",
        typed.1.message
    );
    assert_eq!(refusal(large).await, (413, "body_too_large".into()));
}

#[tokio::test]
async fn wrong_and_boundless_parameters_are_refused() {
    let town = Town::start().await;
    let worker = town.worker("w").await;

    for path in [
        "/public/jobs?limit=many",
        "/public/jobs?limit=501",
        "/public/jobs?offset=100001",
        "/public/jobs?user_account_id=Not%20An%20Account",
        "/public/repos/popular?limit=101",
        "/public/wasm/info?repo_url=a/b",
        "/public/wasm/info?repo_url=a/b&commit_hash=main",
    ] {
        let refused = refusal(town.fetch(path).await).await;
        assert_eq!(refused, (400, "invalid_query".into()), "{path}");
    }
    let path = refusal(town.fetch("/public/wasm/exists/xyz").await).await;
    let method = refusal(town.fetch("/worker/lease").await).await;
    let job = worker.post("jobs/99/heartbeat", &json!({"fence": 1})).await;

    assert_eq!(path, (400, "invalid_path".into()));
    assert_eq!(method, (405, "method_not_allowed".into()));
    assert_eq!(refusal(job).await, (404, "no_such_job".into()));
}
