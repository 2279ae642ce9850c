//! What blocks changed.

use near_primitives::serialize::to_base64;
use near_primitives::transaction::SignedTransaction;
use serde_json::{Value, json};

use super::node::{Node, encode, function_call, nowhere, transfer};

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
async fn a_key_that_changed_twice_in_a_block_is_listed_with_both_causes() {
    let node = Node::manual().await;
    let first = node.sign("test", "near", vec![transfer(1)]).await;
    let second = node.sign("test", "near", vec![transfer(1)]).await;
    for tx in [&first, &second] {
        node.result("broadcast_tx_async", json!([encode(tx)])).await;
    }
    let height = node.server.produce_block().await.unwrap();

    let answer = node
        .result(
            "EXPERIMENTAL_changes",
            json!({ "block_id": height, "changes_type": "account_changes", "account_ids": ["test"] }),
        )
        .await;

    let causes: Vec<_> = answer["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["cause"].clone())
        .collect();
    let by = |tx: &SignedTransaction| json!({ "type": "transaction_processing", "tx_hash": tx.get_hash() });
    assert_eq!(causes, [by(&first), by(&second)]);
    let amount = |at: usize| {
        answer["changes"][at]["change"]["amount"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_ne!(amount(0), amount(1));
}

#[tokio::test]
async fn a_patch_is_listed_as_a_migration() {
    let node = Node::start().await;
    let record = json!({ "Data": { "account_id": "test", "data_key": to_base64(b"k"), "value": to_base64(b"v") } });
    node.result("sandbox_patch_state", json!({ "records": [record] }))
        .await;

    let answer = node
        .result(
            "EXPERIMENTAL_changes",
            json!({ "finality": "final", "changes_type": "data_changes", "account_ids": ["test"],
                "key_prefix_base64": "" }),
        )
        .await;

    assert_eq!(
        answer["changes"][0]["cause"],
        json!({ "type": "migration" })
    );
    assert_eq!(
        answer["changes"][0]["change"]["value_base64"],
        to_base64(b"v")
    );
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

    assert_eq!(
        answer["changes"],
        json!([
            { "type": "account_touched", "account_id": "app.test" },
            { "type": "data_touched", "account_id": "app.test" },
        ])
    );
}

#[tokio::test]
async fn each_key_that_was_touched_is_listed_once() {
    let node = Node::start().await;
    let data = |key: &[u8]| json!({ "Data": { "account_id": "test", "data_key": to_base64(key), "value": "" } });
    node.result(
        "sandbox_patch_state",
        json!({ "records": [data(b"a"), data(b"b"), data(b"a")] }),
    )
    .await;

    let answer = node
        .result(
            "EXPERIMENTAL_changes_in_block",
            json!({ "finality": "final" }),
        )
        .await;

    let touched = json!({ "type": "data_touched", "account_id": "test" });
    assert_eq!(answer["changes"], json!([touched, touched]));
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
