//! The node as a part of another program.

use std::time::Duration;

use localnet::Pace;
use localnet::server::Error;
use serde_json::json;

use super::node::{Node, encode, transfer};

#[tokio::test]
async fn a_manual_node_makes_blocks_only_when_asked() {
    let node = Node::manual().await;
    let tx = node.sign("test", "near", vec![transfer(1)]).await;
    node.result("broadcast_tx_async", json!([encode(&tx)]))
        .await;

    let before = node.server.height();
    let after = node.server.produce_block().await.unwrap();

    assert_eq!((before, after), (1, 2));
}

#[tokio::test]
async fn a_paused_node_keeps_work_until_it_is_resumed() {
    let node = Node::start().await;
    node.server.pause_production().await.unwrap();
    let tx = node.sign("test", "near", vec![transfer(1)]).await;
    node.result("broadcast_tx_async", json!([encode(&tx)]))
        .await;
    let paused_at = node.server.height();

    node.server.resume_production().await.unwrap();
    let height = node.server.wait_for_height(3).await.unwrap();

    assert_eq!(paused_at, 1);
    assert!(height >= 3);
}

#[tokio::test]
async fn an_idle_node_on_demand_stands_still() {
    let node = Node::start().await;
    node.send("test", "near", vec![transfer(1)]).await;
    let height = node.server.height();

    for _ in 0..20 {
        node.result("status", json!([])).await;
    }

    assert_eq!(node.server.height(), height);
}

#[tokio::test]
async fn a_node_on_a_timer_goes_on_by_itself() {
    let node = Node::with(|config| config.pace = Pace::Every(Duration::from_millis(1))).await;

    let height = node.server.wait_for_height(10).await.unwrap();

    assert!(height >= 10);
}

#[tokio::test]
async fn work_on_the_chain_returns_what_it_finds() {
    let node = Node::start().await;

    let id = node
        .server
        .with_chain(|chain| chain.chain_id().to_owned())
        .await
        .unwrap();

    assert_eq!(id, "localnet");
}

#[tokio::test]
async fn a_stopped_node_frees_its_port_and_ends_its_waits() {
    let node = Node::manual().await;
    let addr = node.server.addr();
    let client = reqwest::Client::new();
    let waiting = client
        .post(node.server.rpc_url())
        .json(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tx",
            "params": { "tx_hash": super::node::nowhere(), "sender_account_id": "test", "wait_until": "FINAL" } }))
        .send();
    let Node { server, .. } = node;

    let (answer, ()) = tokio::join!(waiting, async {
        server.with_chain(|_| ()).await.unwrap();
        server.stop().await;
    });

    // Either the call was in time and is told that the node stops, or it came too late to be heard.
    if let Ok(answer) = answer {
        assert_eq!(answer.status(), 500);
    }
    drop(tokio::net::TcpListener::bind(addr).await.unwrap());
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_names_it() {
    let node = Node::start().await;
    let taken = node.server.addr();
    let mut config =
        localnet::server::Config::over(localnet::Config::in_memory(localnet::Genesis::sandbox(0)));
    config.rpc_addr = taken;

    let error = localnet::Server::start(config).await.unwrap_err();

    assert!(
        matches!(error, Error::Listen { addr, .. } if addr == taken),
        "{error}"
    );
}
