//! The envelope: what is a request, and with which HTTP status each kind of failure comes.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::node::Node;

#[tokio::test]
async fn a_request_without_a_method_gets_400_and_no_id() {
    let node = Node::start().await;

    let (status, reply) = node.post(&json!({ "jsonrpc": "2.0", "id": 7 })).await;

    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(reply["id"], Value::Null);
    assert_eq!(reply["error"]["cause"]["name"], "PARSE_ERROR");
    assert_eq!(reply["error"]["code"], -32_700);
}

#[tokio::test]
async fn another_version_than_2_0_is_not_executed() {
    let node = Node::start().await;

    let (status, reply) = node
        .post(&json!({ "jsonrpc": "1.0", "id": 7, "method": "status", "params": [] }))
        .await;

    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(reply["id"], Value::Null);
    assert_eq!(reply["error"]["name"], "REQUEST_VALIDATION_ERROR");
}

#[tokio::test]
async fn a_batch_is_refused() {
    let node = Node::start().await;
    let one = json!({ "jsonrpc": "2.0", "id": 7, "method": "status", "params": [] });

    let (status, reply) = node.post(&json!([one, one])).await;

    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(reply["id"], Value::Null);
}

#[tokio::test]
async fn the_id_comes_back_as_it_was_sent() {
    let node = Node::start().await;

    let (_, reply) = node
        .post(&json!({ "jsonrpc": "2.0", "id": { "a": [1] }, "method": "health", "params": [] }))
        .await;

    assert_eq!(
        reply,
        json!({ "jsonrpc": "2.0", "id": { "a": [1] }, "result": null })
    );
}

#[tokio::test]
async fn an_unknown_method_gets_400_and_its_name() {
    let node = Node::start().await;

    let (status, error) = node.error("no_such_thing", json!([])).await;

    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(error["code"], -32_601);
    assert_eq!(
        error["cause"],
        json!({ "name": "METHOD_NOT_FOUND", "info": { "method_name": "no_such_thing" } })
    );
}

#[tokio::test]
async fn parameters_that_do_not_parse_get_400_and_say_so() {
    let node = Node::start().await;

    let (status, error) = node
        .error("query", json!({ "request_type": "view_account" }))
        .await;

    let message = error["cause"]["info"]["error_message"].as_str().unwrap();
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(message.starts_with("Failed parsing args: "), "{message}");
    assert_eq!(error["data"], message);
}

#[tokio::test]
async fn what_the_handler_refuses_comes_with_200() {
    let node = Node::start().await;
    let params =
        json!({ "request_type": "view_account", "finality": "final", "account_id": "nobody.test" });

    let (status, error) = node.error("query", params).await;

    assert_eq!(status, StatusCode::OK);
    assert_eq!(error["name"], "HANDLER_ERROR");
    assert_eq!(error["cause"]["name"], "UNKNOWN_ACCOUNT");
}

#[tokio::test]
async fn a_body_over_the_limit_gets_413() {
    let node = Node::with(|config| config.body_limit = 1000).await;

    let response = reqwest::Client::new()
        .post(node.server.rpc_url())
        .json(
            &json!({ "jsonrpc": "2.0", "id": 1, "method": "status", "params": ["x".repeat(2000)] }),
        )
        .send()
        .await
        .unwrap();

    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_browser_on_any_page_may_call() {
    let node = Node::start().await;

    let preflight = node.request(Method::OPTIONS, "/").await;
    let answer = node.get("/status").await;

    assert_eq!(preflight.status(), StatusCode::OK);
    assert_eq!(preflight.headers()["access-control-allow-origin"], "*");
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
}
