//! The guest returns, and the caller gets what it said.

use protocol::NearToken;
use serde_json::json;
use town::{DEPOSIT, Guest, Town};

use crate::PROGRAM;

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_asks_for_a_random_number_and_stores_it() {
    let town = Town::new(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Random).await.unwrap();
    let alice = town.platform.accounts.alice.clone();

    let answer = town
        .ask_by_contract(json!({
            "source": source,
            "input_data": "{\"min\": 7, \"max\": 9}",
            "response_format": "Json",
            "payer_account_id": alice,
        }))
        .await
        .unwrap();

    let client = town.platform.accounts.client.clone();
    let stored = town.view(&client, "last_answer", json!({})).await.unwrap();
    let number = stored.as_u64().or_else(|| stored["random_number"].as_u64());
    assert!(
        number.is_some_and(|number| (7..=9).contains(&number)),
        "{stored}"
    );
    assert_eq!(answer.settlements, 1);
    assert_eq!(
        answer.charged().checked_add(answer.refunded()),
        Some(DEPOSIT)
    );
    assert!(answer.refunded() > NearToken::from_yoctonear(0));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_is_built_and_run_as_a_component() {
    let town = Town::new(PROGRAM).await.unwrap();
    let mut source = town.publish(Guest::Probe).await.unwrap();
    source["GitHub"]["build_target"] = json!("wasm32-wasip2");

    let answer = town
        .ask(json!({"source": source, "input_data": "say hello"}))
        .await
        .unwrap();

    assert_eq!(answer.value, Ok(json!("hello")));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_response_format_gives_its_own_kind_of_value() {
    let town = Town::new(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();
    let ask = |input: &str, format: &str| {
        town.ask(json!({"source": source, "input_data": input, "response_format": format}))
    };

    let text = ask("say hello", "Text").await.unwrap();
    let value = ask("say {\"a\": [1]}", "Json").await.unwrap();
    let bytes = ask("bytes 2", "Bytes").await.unwrap();

    assert_eq!(text.value, Ok(json!("hello")));
    assert_eq!(value.value, Ok(json!({"a": [1]})));
    assert_eq!(bytes.value, Ok(json!("//8=")));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_output_arrives_whole() {
    let town = Town::new(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();

    let answer = town
        .ask(json!({"source": source, "input_data": "repeat 50000"}))
        .await
        .unwrap();

    assert_eq!(answer.value, Ok(json!("x".repeat(50_000))));
    assert_eq!(answer.settlements, 1);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_input_stays_in_state_and_reaches_the_guest_whole() {
    let town = Town::new(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();
    let input = format!("length\nignore {}", "\"".repeat(40_000));

    let answer = town
        .ask_with(
            NearToken::from_near(2),
            json!({"source": source, "input_data": input}),
        )
        .await
        .unwrap();

    assert_eq!(answer.value, Ok(json!(input.len().to_string())));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_asks_for_the_full_result_gets_it() {
    let town = Town::new(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();

    let answer = town
        .ask(json!({
            "source": source,
            "input_data": "warn careful\nsay done",
            "params": {"full_result": true},
        }))
        .await
        .unwrap();

    let value = answer.value.unwrap();
    let success = &value["Success"];
    assert_eq!(success["return_value"], json!("done"));
    assert_eq!(success["logs"], json!("careful"));
    assert!(success["resources_used"]["instructions"].as_u64().unwrap() > 1_000);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_sees_who_asks_and_what_for() {
    let town = Town::new(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();
    let input = [
        "env NEAR_SENDER_ID",
        "say  ",
        "env NEAR_PREDECESSOR_ID",
        "say  ",
        "env OUTLAYER_EXECUTION_TYPE",
        "say  ",
        "env NEAR_MAX_MEMORY_MB",
    ]
    .join("\n");

    let answer = town
        .ask(json!({"source": source, "input_data": input}))
        .await
        .unwrap();

    assert_eq!(answer.value, Ok(json!("alice.test alice.test NEAR 128")));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_only_compiles_is_answered_with_the_artifacts_name() {
    let town = Town::new(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();

    let answer = town
        .ask(json!({"source": source, "params": {"compile_only": true}}))
        .await
        .unwrap();

    let name = answer.value.unwrap();
    let found = town
        .get(&format!("/public/wasm/exists/{}", name.as_str().unwrap()))
        .await
        .unwrap();
    assert_eq!(found["exists"], json!(true));
    town.close().await;
}
