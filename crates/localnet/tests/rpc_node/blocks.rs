//! Blocks, chunks, gas prices.

use serde_json::json;

use super::node::{Node, nowhere, transfer};

#[tokio::test]
async fn a_block_is_found_by_height_hash_and_finality() {
    let node = Node::start().await;
    node.server.fast_forward(3).await.unwrap();

    let newest = node.result("block", json!({ "finality": "final" })).await;
    let hash = &newest["header"]["hash"];
    let by_height = node.result("block", json!({ "block_id": 4 })).await;
    let by_hash = node.result("block", json!({ "block_id": hash })).await;
    let by_position = node.result("block", json!([4])).await;

    assert_eq!(newest["header"]["height"], 4);
    assert_eq!(newest["author"], "test.near");
    assert_eq!([&by_height, &by_hash, &by_position], [&newest; 3]);
}

#[tokio::test]
async fn a_header_has_the_shape_of_a_nodes_header() {
    let node = Node::start().await;

    let header = node.result("block", json!({ "finality": "final" })).await["header"].take();

    for field in [
        "approvals",
        "block_body_hash",
        "chunk_endorsements",
        "random_value",
        "signature",
        "total_supply",
    ] {
        assert!(!header[field].is_null(), "{field} is missing from {header}");
    }
    assert!(header["timestamp_nanosec"].is_string());
}

#[tokio::test]
async fn a_missing_block_is_named_as_a_node_names_it() {
    let node = Node::start().await;

    let (status, by_height) = node.error("block", json!({ "block_id": 999 })).await;
    let (_, by_hash) = node.error("block", json!({ "block_id": nowhere() })).await;

    assert_eq!(status, 200);
    assert_eq!(
        by_height["cause"],
        json!({ "name": "UNKNOWN_BLOCK", "info": {} })
    );
    assert_eq!(
        by_height["data"],
        "DB Not Found Error: BLOCK HEIGHT: 999 \n Cause: Unknown"
    );
    assert_eq!(
        by_hash["data"],
        format!("DB Not Found Error: BLOCK: {} \n Cause: Unknown", nowhere())
    );
}

#[tokio::test]
async fn finality_names_blocks_as_far_back_as_the_lag() {
    let node = Node::with(|config| config.chain.finality_lag = 2).await;
    node.blocks(9).await;

    let mut heights = Vec::new();
    for finality in ["optimistic", "near-final", "final"] {
        heights.push(
            node.result("block", json!({ "finality": finality })).await["header"]["height"].clone(),
        );
    }

    assert_eq!(heights, [10, 9, 8]);
}

#[tokio::test]
async fn a_chunk_is_found_by_hash_and_by_block_and_shard() {
    let node = Node::start().await;
    node.send("test", "near", vec![transfer(1)]).await;
    let block = node.result("block", json!({ "block_id": 2 })).await;
    let hash = &block["chunks"][0]["chunk_hash"];

    let by_hash = node.result("chunk", json!({ "chunk_id": hash })).await;
    let by_position = node.result("chunk", json!([hash])).await;
    let by_block = node
        .result("chunk", json!({ "block_id": 2, "shard_id": 0 }))
        .await;
    let by_pair = node.result("chunk", json!([[2, 0]])).await;

    assert_eq!(by_hash["transactions"][0]["signer_id"], "test");
    assert!(!by_hash["header"]["congestion_info"].is_null());
    assert_eq!([&by_position, &by_block, &by_pair], [&by_hash; 3]);
}

#[tokio::test]
async fn a_missing_chunk_shard_or_block_is_named() {
    let node = Node::start().await;

    let (_, chunk) = node.error("chunk", json!({ "chunk_id": nowhere() })).await;
    let (_, shard) = node
        .error("chunk", json!({ "block_id": 1, "shard_id": 7 }))
        .await;
    let (_, block) = node
        .error("chunk", json!({ "block_id": 999, "shard_id": 0 }))
        .await;

    assert_eq!(chunk["cause"]["name"], "UNKNOWN_CHUNK");
    assert_eq!(
        shard["cause"],
        json!({ "name": "INVALID_SHARD_ID", "info": { "shard_id": 7 } })
    );
    assert_eq!(block["cause"]["name"], "UNKNOWN_BLOCK");
}

#[tokio::test]
async fn the_gas_price_is_told_for_now_and_for_a_block() {
    let node = Node::start().await;

    let now = node.result("gas_price", json!([null])).await;
    let then = node.result("gas_price", json!([1])).await;
    let (_, unknown) = node.error("gas_price", json!({ "block_id": 999 })).await;

    assert_eq!(now, json!({ "gas_price": "100000000" }));
    assert_eq!(then, now);
    assert_eq!(unknown["cause"]["name"], "UNKNOWN_BLOCK");
}

#[tokio::test]
async fn a_block_names_the_block_before_it_even_where_heights_were_skipped() {
    let node = Node::start().await;
    node.server.fast_forward(40).await.unwrap();
    node.blocks(2).await;

    let header = |height: u64| {
        let node = &node;
        async move { node.result("block", json!({ "block_id": height })).await["header"].take() }
    };
    let (first, skipping, next, last) = (
        header(1).await,
        header(41).await,
        header(42).await,
        header(43).await,
    );

    assert_eq!(skipping["prev_hash"], first["hash"]);
    assert_eq!(skipping["prev_height"], 1);
    assert_eq!(skipping["block_ordinal"], 2);
    assert_eq!(next["last_ds_final_block"], skipping["hash"]);
    assert_eq!(last["last_final_block"], skipping["hash"]);
}
