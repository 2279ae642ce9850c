//! How a node says it is set up.

use std::time::Duration;

use localnet::Pace;
use serde_json::json;

use super::node::Node;

#[tokio::test]
async fn the_clients_settings_are_shown_in_a_nodes_shape() {
    let node = Node::with(|config| {
        config.pace = Pace::Every(Duration::from_millis(250));
        config.state_view_limit = 1_234;
    })
    .await;

    let config = node.result("client_config", json!([])).await;

    assert_eq!(config["chain_id"], "localnet");
    assert_eq!(config["rpc_addr"], node.server.addr().to_string());
    assert_eq!(config["min_block_production_delay"], "[0,250000000]");
    assert_eq!(config["trie_viewer_state_size_limit"], 1_234);
    assert_eq!(config["epoch_length"], 60);
    for field in [
        "gc",
        "state_sync",
        "epoch_sync",
        "version",
        "tracked_shards_config",
    ] {
        assert!(!config[field].is_null(), "{field} is missing from {config}");
    }
}

#[tokio::test]
async fn nothing_is_split_off_the_storage() {
    let node = Node::with(|config| config.chain.finality_lag = 2).await;
    node.blocks(5).await;

    let info = node
        .result("EXPERIMENTAL_split_storage_info", json!({}))
        .await;

    assert_eq!(
        info,
        json!({ "head_height": 6, "final_head_height": 4, "cold_head_height": null, "hot_db_kind": "RPC" })
    );
}
