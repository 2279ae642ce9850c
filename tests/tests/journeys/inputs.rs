//! Requests that are refused, and what the caller learns.

use protocol::NearToken;
use serde_json::{Value, json};
use town::{Guest, Town};

use crate::PROGRAM;

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_fails_with_its_code_and_the_deposit_stays_with_the_caller() {
    let town = Town::without_workers(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();
    let contract = town.platform.accounts.outlayer.clone();
    let before = town.balance(&contract).await.unwrap();
    let cases = [
        (json!({}), "invalid_source"),
        (json!({"source": {}}), "invalid_source"),
        (
            json!({"source": {"repo": "r", "commit": "c", "url": "u", "hash": "00".repeat(32)}}),
            "invalid_source",
        ),
        (
            json!({"source": source, "input_data": 5}),
            "invalid_arguments",
        ),
        (
            json!({"source": source, "payer_account_id": "NOT AN ACCOUNT"}),
            "invalid_arguments",
        ),
        (
            json!({"source": source, "resource_limits": {"max_memory_mb": 0}}),
            "invalid_limits",
        ),
        (
            json!({"source": source, "resource_limits": {"max_execution_seconds": 9999}}),
            "limits_above_cap",
        ),
        (
            json!({"source": {"Project": {"project_id": "a/b"}}}),
            "project_not_found",
        ),
        (
            json!({"source": source, "params": {"attached_usd": "5"}}),
            "insufficient_usd_balance",
        ),
    ];

    for (request, code) in cases {
        let answer = town.ask(request.clone()).await.unwrap();

        let refusal = answer.value.unwrap_err();
        assert!(
            refusal.starts_with(&format!("{code}: ")),
            "{request}: {refusal}"
        );
    }
    // Calls leave nothing behind but, at times, a share of the gas that a contract is given.
    assert_eq!(town.balance(&contract).await.unwrap(), before);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_asks_for_the_full_result_gets_a_refusal_as_a_value() {
    let town = Town::without_workers(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();
    let alice = town.platform.accounts.alice.clone();
    let before = town.balance(&alice).await.unwrap();

    let answer = town
        .ask(json!({
            "source": source,
            "resource_limits": {"max_instructions": 0},
            "params": {"full_result": true},
        }))
        .await
        .unwrap();

    let error = &answer.value.unwrap()["Error"];
    assert_eq!(error["error_type"], json!("invalid_limits"));
    let after = town.balance(&alice).await.unwrap();
    let paid = before.checked_sub(after).unwrap();
    assert!(
        paid < NearToken::from_millinear(20),
        "only gas is gone, not the deposit: {paid}"
    );
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deposit_below_the_estimate_is_refused() {
    let town = Town::without_workers(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();

    let answer = town
        .ask_with(NearToken::from_yoctonear(1), json!({"source": source}))
        .await
        .unwrap();

    let refusal = answer.value.unwrap_err();
    assert!(refusal.starts_with("deposit_too_small: "), "{refusal}");
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_contract_refuses_and_a_resumed_one_answers() {
    let town = Town::new(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();
    let request = json!({"source": source, "input_data": "say hi"});

    town.as_owner("set_paused", json!({"paused": true}))
        .await
        .unwrap();
    let paused = town.ask(request.clone()).await.unwrap();
    town.as_owner("set_paused", json!({"paused": false}))
        .await
        .unwrap();
    let resumed = town.ask(request).await.unwrap();

    let refusal = paused.value.unwrap_err();
    assert!(refusal.starts_with("paused: "), "{refusal}");
    assert_eq!(resumed.value, Ok(json!("hi")));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_coordinator_names_what_is_wrong_with_a_call() {
    let town = Town::without_workers(PROGRAM).await.unwrap();
    let http = reqwest::Client::new();
    let lease = format!("{}/worker/lease", town.platform.coordinator_url());
    let token = town.platform.worker_token().to_owned();
    let post = async |body: Vec<u8>, token: &str| {
        let request = http
            .post(&lease)
            .header("content-type", "application/json")
            .bearer_auth(token);
        let response = request.body(body).send().await.unwrap();
        let status = response.status().as_u16();
        let body: Value = response.json().await.unwrap();
        (status, body["error"].as_str().unwrap().to_owned())
    };

    let unknown = town.get("/no/such/path").await.unwrap();
    let malformed = post(b"{".to_vec(), &token).await;
    let huge = post(vec![b' '; 11 << 20], &token).await;
    let stranger = post(b"{\"wait_ms\":0}".to_vec(), "somebody").await;

    assert_eq!(
        unknown,
        json!({"error": "not_found", "message": "Unknown endpoint"})
    );
    assert_eq!(malformed.0, 400);
    assert_eq!(huge.0, 413);
    assert_eq!(stranger.0, 401);
    town.close().await;
}
