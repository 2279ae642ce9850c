//! The same journey on a node in a process of its own, started and asked as the sandbox tools do, its blocks read by plain RPC.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use town::{Guest, Sandbox};

use crate::PROGRAM;

async fn answers_on(node: &Path) {
    let sandbox = Sandbox::start(node, PROGRAM).await.unwrap();

    let answer = sandbox.ask(Guest::Probe, "say hi").await.unwrap();

    assert_eq!(answer, json!("hi"));
    sandbox.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_answered_on_our_localnet_started_as_a_sandbox() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("near-sandbox");
    std::fs::write(
        &script,
        format!("#!/bin/sh\nexec '{PROGRAM}' localnet \"$@\"\n"),
    )
    .unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();

    answers_on(&script).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_answered_on_a_real_node_if_there_is_one() {
    let Some(node) = std::env::var_os("NEAR_SANDBOX_BIN_PATH").map(PathBuf::from) else {
        println!("skipped: NEAR_SANDBOX_BIN_PATH names no node");
        return;
    };

    answers_on(&node).await;
}
