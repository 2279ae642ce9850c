//! The methods only a sandbox has.

use near_primitives::serialize::to_base64;
use serde_json::json;

use super::node::Node;

#[tokio::test]
async fn fast_forward_makes_exactly_so_many_blocks() {
    let node = Node::start().await;

    let answer = node
        .result("sandbox_fast_forward", json!({ "delta_height": 600 }))
        .await;

    assert_eq!(answer, json!({}));
    assert_eq!(node.server.height(), 601);
}

#[tokio::test]
async fn fast_forward_without_a_number_is_a_parse_error() {
    let node = Node::start().await;

    let (status, error) = node.error("sandbox_fast_forward", json!({})).await;

    assert_eq!(status, 400);
    assert_eq!(error["cause"]["name"], "PARSE_ERROR");
    assert_eq!(node.server.height(), 1);
}

#[tokio::test]
async fn a_patch_writes_accounts_keys_code_and_data() {
    let node = Node::start().await;
    let code = wat::parse_str("(module)").unwrap();

    let answer = node
        .result("sandbox_patch_state", json!({ "records": [
            { "Account": { "account_id": "made.up", "account": { "amount": "7", "locked": "0",
                "code_hash": "11111111111111111111111111111111", "storage_usage": 100, "version": "V1" } } },
            { "Contract": { "account_id": "made.up", "code": to_base64(&code) } },
            { "Data": { "account_id": "made.up", "data_key": to_base64(b"k"), "value": to_base64(b"v") } },
        ] }))
        .await;

    let account = node
        .query(json!({ "request_type": "view_account", "account_id": "made.up" }))
        .await;
    let shown = node
        .query(json!({ "request_type": "view_code", "account_id": "made.up" }))
        .await;
    assert_eq!(answer, json!({}));
    assert_eq!(account["amount"], "7");
    assert_eq!(shown["code_base64"], to_base64(&code));
}
