//! near-api-js, unmodified, against the localnet. Needs node and npm with a registry to install from; says so if not.

#![cfg(test)]

#[path = "clients/node.rs"]
mod node;

use std::path::Path;
use std::process::Output;

use localnet::secret_key;
use tokio::process::Command;

/// The near-api-js that is tried.
const NEAR_API_JS: &str = "near-api-js@7.3.1";

async fn run(program: &str, args: &[&str], folder: &Path) -> Result<Output, String> {
    let run = Command::new(program)
        .args(args)
        .current_dir(folder)
        .kill_on_drop(true)
        .output()
        .await;
    run.map_err(|error| format!("{program} does not run: {error}"))
}

/// Installs near-api-js into a folder, once for all runs of the tests.
async fn install(folder: &Path) -> Result<(), String> {
    if folder
        .join("node_modules/near-api-js/package.json")
        .exists()
    {
        return Ok(());
    }
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(
        folder.join("package.json"),
        r#"{ "private": true, "type": "module" }"#,
    )
    .unwrap();
    run("node", &["--version"], folder).await?;
    let flags = [
        "install",
        "--no-audit",
        "--no-fund",
        "--fetch-retries=0",
        "--fetch-timeout=20000",
        NEAR_API_JS,
    ];
    let output = run("npm", &flags, folder).await?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!(
            "npm cannot install {NEAR_API_JS}: {}",
            String::from_utf8_lossy(&output.stderr)
        ))
    }
}

#[tokio::test]
async fn near_api_js_creates_accounts_deploys_calls_and_reads_errors() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("near-api-js");
    if let Err(reason) = install(&folder).await {
        eprintln!("skipped: {reason}");
        return;
    }
    std::fs::write(folder.join("contract.wasm"), node::contract()).unwrap();
    std::fs::write(folder.join("near_api.mjs"), include_str!("js/near_api.mjs")).unwrap();
    let server = node::start().await;
    let key = secret_key(&"test".parse().unwrap()).to_string();

    let output = run(
        "node",
        &["near_api.mjs", &server.rpc_url(), &key, "contract.wasm"],
        &folder,
    )
    .await
    .unwrap();

    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}\n{err}");
    assert!(out.contains("near-api-js is content"), "{out}");
}
