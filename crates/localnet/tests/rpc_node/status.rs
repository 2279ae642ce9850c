//! What a node says of itself, its settings and its validators.

use serde_json::json;

use super::node::{Node, nowhere};

#[tokio::test]
async fn the_status_names_the_chain_its_blocks_and_its_validator() {
    let node = Node::start().await;
    node.server.fast_forward(4).await.unwrap();

    let status = node.result("status", json!([])).await;

    assert_eq!(status["chain_id"], "localnet");
    assert_eq!(status["protocol_version"], 88);
    assert_eq!(status["sync_info"]["latest_block_height"], 5);
    assert_eq!(status["sync_info"]["syncing"], false);
    assert_eq!(
        status["sync_info"]["earliest_block_time"],
        "2023-11-14T22:13:20.000000000Z"
    );
    assert_eq!(status["validators"], json!([{ "account_id": "test.near" }]));
    assert_eq!(status["rpc_addr"], node.server.addr().to_string());
}

#[tokio::test]
async fn a_localnet_is_healthy_and_has_no_peers() {
    let node = Node::start().await;

    let health = node.result("health", json!([])).await;
    let network = node.result("network_info", json!([])).await;

    assert_eq!(health, json!(null));
    assert_eq!(network["num_active_peers"], 0);
    assert_eq!(network["known_producers"], json!([]));
}

#[tokio::test]
async fn the_genesis_is_shown_without_its_records() {
    let node = Node::start().await;

    let genesis = node
        .result("EXPERIMENTAL_genesis_config", json!(null))
        .await;

    assert_eq!(genesis["chain_id"], "localnet");
    assert_eq!(genesis["protocol_version"], 88);
    assert_eq!(
        genesis["total_supply"].as_str().map(|supply| supply != "0"),
        Some(true)
    );
    assert!(genesis.get("records").is_none());
}

#[tokio::test]
async fn the_protocols_parameters_are_mainnets() {
    let node = Node::start().await;

    let config = node
        .result(
            "EXPERIMENTAL_protocol_config",
            json!({ "finality": "final" }),
        )
        .await;
    let (_, unknown) = node
        .error("EXPERIMENTAL_protocol_config", json!({ "block_id": 999 }))
        .await;

    let limits = &config["runtime_config"]["wasm_config"]["limit_config"];
    assert_eq!(limits["yield_timeout_length_in_blocks"], 200);
    assert_eq!(limits["max_total_log_length"], 16384);
    assert_eq!(config["chain_id"], "localnet");
    assert_eq!(unknown["cause"]["name"], "UNKNOWN_BLOCK");
}

#[tokio::test]
async fn the_one_validator_is_shown_for_now_and_for_a_block() {
    let node = Node::start().await;
    node.blocks(4).await;

    let now = node.result("validators", json!([null])).await;
    let latest = node.result("validators", json!("latest")).await;
    let then = node.result("validators", json!({ "block_id": 2 })).await;
    let (_, unknown) = node
        .error("validators", json!({ "epoch_id": nowhere() }))
        .await;

    let one = &now["current_validators"][0];
    assert_eq!(one["account_id"], "test.near");
    assert_eq!(one["num_produced_blocks"], 5);
    assert_eq!(one["stake"], now["next_validators"][0]["stake"]);
    assert_eq!([&latest, &then], [&now; 2]);
    assert_eq!(unknown["cause"]["name"], "UNKNOWN_EPOCH");
}

#[tokio::test]
async fn the_stake_shown_is_the_stake_locked() {
    let node = Node::start().await;

    let validators = node
        .result("EXPERIMENTAL_validators_ordered", json!([null]))
        .await;
    let account = node
        .query(json!({ "request_type": "view_account", "account_id": "test.near" }))
        .await;

    assert_eq!(validators[0]["stake"], account["locked"]);
    assert_eq!(validators[0]["account_id"], "test.near");
}
