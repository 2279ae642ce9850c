//! A coordinator that lies to its workers gets nothing by it: the chain says who asked for what, the repository says which branch a
//! commit is of, and the keystore signs what it answers.

use std::sync::Arc;

use bytes::Bytes;
use coordinator::queue;
use outlayer::platform::Settings;
use protocol::{AccountId, FailureCode};
use serde_json::{Value, json};
use town::{Answer, Guest, Town};

use crate::PROGRAM;

/// A town whose only worker is lied to, and carol, who has secrets for main of the echoing guest's repository which only alice may use.
async fn town() -> (Town, AccountId) {
    let settings = Settings {
        concurrency: 0,
        queue: queue::Settings {
            max_attempts: 2,
            backoff_ms: 20,
            ..Default::default()
        },
        ..Settings::default()
    };
    let town = Town::with(PROGRAM, settings).await.unwrap();
    let carol = town.settle("carol").await.unwrap();
    let accessor = json!({"Repo": {"repo": "acme/echo-ark", "branch": "main"}});
    let alice = json!({"Whitelist": {"accounts": [town.platform.accounts.alice]}});
    let secrets = json!({"API_KEY": "k"});
    town.store_secrets(&carol, &accessor, "default", &secrets, &alice)
        .await
        .unwrap();
    (town, carol)
}

fn request(source: &Value, owner: &AccountId) -> Value {
    json!({
        "source": source,
        "input_data": r#"{"env": ["API_KEY", "NEAR_PREDECESSOR_ID"]}"#,
        "response_format": "Json",
        "secrets_ref": {"profile": "default", "account_id": owner},
    })
}

/// What comes of a request while the coordinator changes each answer to a call of a path in this way.
async fn ask_a_liar(
    town: &Town,
    account: &AccountId,
    request: &Value,
    path: &'static str,
    change: impl Fn(String) -> String + Send + Sync + 'static,
) -> Answer {
    let lie = move |called: &str, body: Bytes| {
        if !called.ends_with(path) || body.is_empty() {
            return body;
        }
        Bytes::from(change(String::from_utf8(body.to_vec()).unwrap()))
    };
    let mut worker = town
        .worker_of_a_liar("lied-to", Arc::new(lie))
        .await
        .unwrap();
    let answer = town.ask_as(account, request).await.unwrap();
    worker.kill().await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_the_coordinator_made_up_opens_nothing() {
    let (town, carol) = town().await;
    let alice = town.platform.accounts.alice.clone();
    town.publish(Guest::Echo).await.unwrap();
    let repositories = &town.platform.repositories;
    repositories
        .switch("acme/echo-ark", "experiment")
        .await
        .unwrap();
    let files: [(&str, &[u8]); 1] = [("NOTE", b"2")];
    let commit = repositories.commit("acme/echo-ark", &files).await.unwrap();
    let source = json!({"GitHub": {"repo": "acme/echo-ark", "commit": commit}});

    let answer = ask_a_liar(
        &town,
        &alice,
        &request(&source, &carol),
        "/worker/branch",
        |said| said.replace("experiment", "main"),
    )
    .await;

    assert_eq!(answer.failure(), Some(FailureCode::SecretsNotFound));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_caller_or_another_source_in_the_queue_changes_nothing() {
    let (town, carol) = town().await;
    let alice = town.platform.accounts.alice.clone();
    let dora = town.settle("dora").await.unwrap();
    let echo = town.publish(Guest::Echo).await.unwrap();
    let probe = town.publish(Guest::Probe).await.unwrap();
    let [(echo_commit, echo_name), (probe_commit, probe_name)] =
        [(&echo, "echo-ark"), (&probe, "probe-ark")].map(|(source, name)| {
            (
                source["GitHub"]["commit"].as_str().unwrap().to_owned(),
                name,
            )
        });

    // Who may not have them is said to be who may.
    let (from, to) = (dora.to_string(), alice.to_string());
    let caller = ask_a_liar(
        &town,
        &dora,
        &request(&echo, &carol),
        "/worker/lease",
        move |said| {
            assert!(said.contains(&from));
            said.replace(&from, &to)
        },
    )
    .await;
    // Code that may not have them is said to be asked for in the name of code that may.
    let other_source = json!({"source": probe, "input_data": "say hi"});
    let source = ask_a_liar(&town, &alice, &other_source, "/worker/lease", move |said| {
        assert!(said.contains(&probe_commit));
        said.replace(&probe_commit, &echo_commit)
            .replace(probe_name, echo_name)
    })
    .await;

    assert_eq!(caller.failure(), Some(FailureCode::SecretsDenied));
    assert_eq!(source.value, Ok(json!("hi")));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_the_keystores_is_not_believed() {
    let (town, carol) = town().await;
    let alice = town.platform.accounts.alice.clone();
    let echo = town.publish(Guest::Echo).await.unwrap();

    let answer = ask_a_liar(
        &town,
        &alice,
        &request(&echo, &carol),
        "/secrets/decrypt",
        |said| {
            let mut said: Value = serde_json::from_str(&said).unwrap();
            said["block_height"] = json!(said["block_height"].as_u64().unwrap() + 1);
            said.to_string()
        },
    )
    .await;

    assert_eq!(answer.failure(), Some(FailureCode::SecretsUnavailable));
    assert_eq!(answer.refunded(), town::DEPOSIT);
    town.close().await;
}
