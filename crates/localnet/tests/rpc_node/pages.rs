//! The plain HTTP routes.

use reqwest::Method;
use serde_json::{Value, json};

use super::node::Node;

#[tokio::test]
async fn status_health_and_network_are_pages_too() {
    let node = Node::start().await;

    let status: Value = node.get("/status").await.json().await.unwrap();
    let network: Value = node.get("/network_info").await.json().await.unwrap();
    let health = node.get("/health").await;
    let head = node.request(Method::HEAD, "/status").await;

    assert_eq!(status, node.result("status", json!([])).await);
    assert_eq!(network["num_active_peers"], 0);
    assert_eq!(
        (health.status().as_u16(), health.text().await.unwrap()),
        (200, "null".to_owned())
    );
    assert_eq!(head.status(), 200);
}

#[tokio::test]
async fn metrics_count_blocks_and_calls() {
    let node = Node::start().await;
    node.server.fast_forward(4).await.unwrap();
    node.result("status", json!([])).await;
    node.result("status", json!([])).await;
    node.error("made_up", json!([])).await;

    let response = node.get("/metrics").await;
    let kind = response.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    let page = response.text().await.unwrap();

    assert!(kind.starts_with("text/plain"), "{kind}");
    assert!(page.contains("near_block_height_head 5\n"), "{page}");
    assert!(
        page.contains("near_rpc_total_count{method=\"status\",code=\"0\"} 2\n"),
        "{page}"
    );
    assert!(
        page.contains("near_rpc_total_count{method=\"UNSUPPORTED_METHOD\",code=\"-32601\"} 1\n"),
        "{page}"
    );
    assert!(!page.contains("made_up"), "{page}");
}
