//! The block feed in the shape of neardata, and the indexer's method.

use std::time::Duration;

use serde_json::{Value, json};

use super::node::{Node, function_call, nowhere};

async fn block(node: &Node, path: &str) -> Value {
    node.get(path).await.json().await.unwrap()
}

#[tokio::test]
async fn each_outcome_in_the_feed_names_its_transaction() {
    let node = Node::with_contract().await;
    let sent = node
        .send("test", "app.test", vec![function_call("hello", b"")])
        .await;
    let receipt = &sent["receipts_outcome"][0];
    let height = node
        .result("block", json!({ "block_id": receipt["block_hash"] }))
        .await["header"]["height"]
        .clone();

    let block = block(&node, &format!("/v0/block/{height}")).await;

    let outcome = &block["shards"][0]["receipt_execution_outcomes"][0];
    assert_eq!(block["block"]["header"]["height"], height);
    assert_eq!(
        outcome["execution_outcome"]["outcome"]["logs"],
        json!(["hello"])
    );
    assert_eq!(outcome["tx_hash"], sent["transaction"]["hash"]);
    assert_eq!(outcome["receipt"]["receiver_id"], "app.test");
}

#[tokio::test]
async fn a_block_that_is_far_off_is_null() {
    let node = Node::start().await;

    let answer = node.get("/v0/block/1000000").await;

    assert_eq!(answer.status(), 200);
    assert_eq!(answer.json::<Value>().await.unwrap(), Value::Null);
}

#[tokio::test]
async fn the_feed_shows_only_final_blocks() {
    let node = Node::with(|config| {
        config.chain.finality_lag = 2;
        config.feed_wait = Duration::ZERO;
    })
    .await;
    node.blocks(9).await;

    let last = block(&node, "/v0/last_block/final").await;
    let shown = block(&node, "/v0/block/8").await;
    let not_yet = block(&node, "/v0/block/9").await;

    assert_eq!(last["block"]["header"]["height"], 8);
    assert_eq!(shown, last);
    assert_eq!(not_yet, Value::Null);
}

#[tokio::test]
async fn a_request_for_the_next_block_is_held_until_it_comes() {
    let node = Node::with(|config| {
        config.pace = localnet::Pace::Manual;
        config.feed_wait = Duration::from_secs(60);
    })
    .await;

    let (held, made) = tokio::join!(block(&node, "/v0/block/2"), node.server.produce_block());

    assert_eq!(made.unwrap(), 2);
    assert_eq!(held["block"]["header"]["height"], 2);
}

#[tokio::test]
async fn a_reader_of_every_height_sees_every_block_once() {
    let node = Node::start().await;
    node.blocks(20).await;

    let mut hashes = vec![];
    for height in 1..=21 {
        let header = block(&node, &format!("/v0/block/{height}")).await["block"]["header"].take();
        hashes.push((header["prev_hash"].clone(), header["hash"].clone()));
    }

    assert!(hashes.windows(2).all(|pair| pair[1].0 == pair[0].1));
}

#[tokio::test]
async fn heights_that_were_fast_forwarded_over_are_null() {
    let node = Node::start().await;
    node.server.fast_forward(20).await.unwrap();

    let skipped = block(&node, "/v0/block/7").await;
    let next = block(&node, "/v0/block/21").await;

    assert_eq!(skipped, Value::Null);
    assert_eq!(next["block"]["header"]["prev_height"], 1);
}

#[tokio::test]
async fn the_feed_and_the_indexers_method_tell_what_changed_and_why() {
    let node = Node::with_contract().await;
    let sent = node
        .send("test", "app.test", vec![function_call("put", b"value")])
        .await;
    let (tx, receipt) = (&sent["transaction_outcome"], &sent["receipts_outcome"][0]);

    let by_tx = node
        .result(
            "EXPERIMENTAL_indexer_block",
            json!({ "block_hash": tx["block_hash"] }),
        )
        .await["shards"][0]["state_changes"]
        .take();
    let by_receipt = node
        .result(
            "EXPERIMENTAL_indexer_block",
            json!({ "block_hash": receipt["block_hash"] }),
        )
        .await;
    let height = &by_receipt["block"]["header"]["height"];
    let in_feed = block(&node, &format!("/v0/block/{height}")).await;

    let by_receipt = &by_receipt["shards"][0]["state_changes"];
    let kinds = |changes: &Value| -> Vec<(String, String)> {
        let words = |change: &Value| {
            let account = change["change"]["account_id"].as_str().unwrap();
            (
                change["type"].as_str().unwrap().to_owned(),
                account.to_owned(),
            )
        };
        changes.as_array().unwrap().iter().map(words).collect()
    };
    let pair = |kind: &str, account: &str| (kind.to_owned(), account.to_owned());
    assert_eq!(
        kinds(&by_tx),
        [
            pair("account_update", "test"),
            pair("access_key_update", "test")
        ]
    );
    let cause = json!({ "type": "transaction_processing", "tx_hash": tx["id"] });
    assert!(
        by_tx
            .as_array()
            .unwrap()
            .iter()
            .all(|change| change["cause"] == cause)
    );
    assert_eq!(
        kinds(by_receipt),
        [
            pair("account_update", "app.test"),
            pair("data_update", "app.test")
        ]
    );
    let cause = json!({ "type": "receipt_processing", "receipt_hash": receipt["id"] });
    assert!(
        by_receipt
            .as_array()
            .unwrap()
            .iter()
            .all(|change| change["cause"] == cause)
    );
    assert_eq!(in_feed["shards"][0]["state_changes"], *by_receipt);
}

#[tokio::test]
async fn an_indexer_gets_a_block_by_its_hash() {
    let node = Node::with_contract().await;
    let sent = node
        .send("test", "app.test", vec![function_call("hello", b"")])
        .await;
    let hash = &sent["receipts_outcome"][0]["block_hash"];

    let message = node
        .result("EXPERIMENTAL_indexer_block", json!({ "block_hash": hash }))
        .await;
    let (_, unknown) = node
        .error(
            "EXPERIMENTAL_indexer_block",
            json!({ "block_hash": nowhere() }),
        )
        .await;
    let (status, extra) = node
        .error(
            "EXPERIMENTAL_indexer_block",
            json!({ "block_hash": hash, "x": 1 }),
        )
        .await;

    assert_eq!(message["tracked_shards"], json!([0]));
    assert_eq!(message["block"]["header"]["hash"], *hash);
    let outcome = &message["shards"][0]["receipt_execution_outcomes"][0];
    assert_eq!(
        outcome["execution_outcome"]["outcome"]["logs"],
        json!(["hello"])
    );
    assert!(outcome.get("tx_hash").is_none());
    assert_eq!(unknown["cause"]["name"], "DATA_UNAVAILABLE");
    assert_eq!(
        (status.as_u16(), &extra["cause"]["name"]),
        (400, &json!("PARSE_ERROR"))
    );
}
