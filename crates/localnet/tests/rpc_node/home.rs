//! The folder of a node, as near-sandbox makes, edits and runs it.

use std::fs;
use std::time::Duration;

use localnet::folder::Error;
use localnet::sandbox::Home;
use localnet::{Chain, Pace};
use near_primitives::types::Balance;
use serde_json::{Value, json};
use tempfile::TempDir;

fn made() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    Home::init(folder.path(), "my-net", 1_700_000_000_000).unwrap();
    folder
}

fn edit(folder: &TempDir, file: &str, change: impl FnOnce(&mut Value)) {
    let path = folder.path().join(file);
    let mut content: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut content);
    fs::write(path, content.to_string()).unwrap();
}

#[test]
fn a_new_folder_holds_all_that_callers_look_for() {
    let folder = made();

    let key: Value =
        serde_json::from_slice(&fs::read(folder.path().join("validator_key.json")).unwrap())
            .unwrap();
    let genesis: Value =
        serde_json::from_slice(&fs::read(folder.path().join("genesis.json")).unwrap()).unwrap();

    for file in [
        "config.json",
        "genesis.json",
        "node_key.json",
        "registrar.json",
    ] {
        assert!(folder.path().join(file).exists(), "{file} is missing");
    }
    assert_eq!(key["account_id"], "test.near");
    assert!(key["secret_key"].as_str().unwrap().starts_with("ed25519:"));
    assert_eq!(genesis["chain_id"], "my-net");
    assert!(genesis["total_supply"].is_string() && genesis["records"].is_array());
}

#[test]
fn accounts_a_caller_adds_to_the_genesis_are_on_the_chain() {
    let folder = made();
    edit(&folder, "genesis.json", |genesis| {
        let account = json!({ "amount": "42", "locked": "0", "storage_usage": 182,
            "code_hash": "11111111111111111111111111111111" });
        let records = genesis["records"].as_array_mut().unwrap();
        records.push(json!({ "Account": { "account_id": "clone", "account": account } }));
    });

    let chain = Chain::new(Home::open(folder.path()).unwrap().chain).unwrap();

    assert_eq!(chain.chain_id(), "my-net");
    assert_eq!(
        chain.balance(&"clone".parse().unwrap()),
        Balance::from_yoctonear(42)
    );
}

#[test]
fn settings_a_caller_edits_are_obeyed() {
    let folder = made();
    edit(&folder, "config.json", |config| {
        config["rpc"]["limits_config"]["json_payload_max_size"] = json!(1_073_741_824);
        config["rpc"]["polling_config"]["polling_timeout"] = json!({ "secs": 3, "nanos": 0 });
        config["consensus"]["min_block_production_delay"] =
            json!({ "secs": 0, "nanos": 100_000_000 });
        config["trie_viewer_state_size_limit"] = Value::Null;
        config["store"] = json!({ "max_open_files": 3000 });
    });

    let config = Home::open(folder.path()).unwrap();

    assert_eq!(config.body_limit, 1 << 30);
    assert_eq!(config.wait_limit, Duration::from_secs(3));
    assert_eq!(
        config.pace,
        Pace::OnDemandAndEvery(Duration::from_millis(100))
    );
    assert_eq!(config.state_view_limit, u64::MAX);
}

#[test]
fn a_folder_that_is_not_a_nodes_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().unwrap();

    let missing = Home::open(folder.path()).unwrap_err();
    fs::write(folder.path().join("config.json"), "{}").unwrap();
    fs::write(folder.path().join("genesis.json"), "not json").unwrap();
    let broken = Home::open(folder.path()).unwrap_err();

    assert!(
        matches!(&missing, Error::File { path, .. } if path.ends_with("config.json")),
        "{missing}"
    );
    assert!(
        matches!(&broken, Error::Json { path, .. } if path.ends_with("genesis.json")),
        "{broken}"
    );
}
