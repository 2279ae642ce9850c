//! What blocks changed.

use near_primitives::serialize::to_base64;
use serde_json::{Value, json};

use super::node::{Node, function_call, nowhere};

/// The block in which the contract's storage was written, and the outcome that did it.
async fn put(node: &Node) -> (Value, Value) {
    let sent = node
        .send("test", "app.test", vec![function_call("put", b"value")])
        .await;
    let outcome = sent["receipts_outcome"][0].clone();
    (outcome["block_hash"].clone(), outcome["id"].clone())
}

#[tokio::test]
async fn changes_of_storage_are_listed_with_their_cause() {
    let node = Node::with_contract().await;
    let (block, receipt) = put(&node).await;

    let answer = node
        .result(
            "EXPERIMENTAL_changes",
            json!({ "block_id": block, "changes_type": "data_changes",
            "account_ids": ["app.test"], "key_prefix_base64": "" }),
        )
        .await;

    assert_eq!(answer["block_hash"], block);
    assert_eq!(
        answer["changes"],
        json!([{
            "cause": { "type": "receipt_processing", "receipt_hash": receipt },
            "type": "data_update",
            "change": { "account_id": "app.test", "key_base64": to_base64(b"key"), "value_base64": to_base64(b"value") },
        }])
    );
}

#[tokio::test]
async fn changes_of_accounts_and_keys_are_listed_for_those_who_are_asked_for() {
    let node = Node::start().await;
    let sent = node
        .send("test", "alice.test", super::node::creation("alice.test"))
        .await;
    let block = &sent["transaction_outcome"]["block_hash"];
    let ask = |kind: &str, account: &str| json!({ "block_id": block, "changes_type": kind, "account_ids": [account] });

    let account = node
        .result("EXPERIMENTAL_changes", ask("account_changes", "test"))
        .await;
    let keys = node
        .result(
            "EXPERIMENTAL_changes",
            ask("all_access_key_changes", "test"),
        )
        .await;
    let others = node
        .result("EXPERIMENTAL_changes", ask("account_changes", "near"))
        .await;

    let cause = json!({ "type": "transaction_processing", "tx_hash": sent["transaction"]["hash"] });
    assert_eq!(account["changes"][0]["type"], "account_update");
    assert_eq!(account["changes"][0]["cause"], cause);
    assert_eq!(keys["changes"][0]["type"], "access_key_update");
    assert_eq!(keys["changes"][0]["cause"], cause);
    assert_eq!(others["changes"], json!([]));
}

#[tokio::test]
async fn the_accounts_touched_in_a_block_are_listed_by_kind() {
    let node = Node::with_contract().await;
    let (block, _) = put(&node).await;

    let answer = node
        .result(
            "EXPERIMENTAL_changes_in_block",
            json!({ "block_id": block }),
        )
        .await;

    let changes = answer["changes"].as_array().unwrap();
    assert!(
        changes.contains(&json!({ "type": "data_touched", "account_id": "app.test" })),
        "{changes:?}"
    );
    assert!(
        changes.contains(&json!({ "type": "account_touched", "account_id": "app.test" })),
        "{changes:?}"
    );
}

#[tokio::test]
async fn the_stable_names_of_the_methods_answer_too() {
    let node = Node::start().await;

    let touched = node
        .result("block_effects", json!({ "finality": "final" }))
        .await;
    let changes = node
        .result(
            "changes",
            json!({ "finality": "final", "changes_type": "account_changes", "account_ids": [] }),
        )
        .await;

    assert_eq!(touched["changes"], json!([]));
    assert_eq!(changes["changes"], json!([]));
}

#[tokio::test]
async fn changes_of_a_missing_block_are_refused() {
    let node = Node::start().await;

    let (_, error) = node
        .error(
            "EXPERIMENTAL_changes_in_block",
            json!({ "block_id": nowhere() }),
        )
        .await;

    assert_eq!(error["cause"]["name"], "UNKNOWN_BLOCK");
}
