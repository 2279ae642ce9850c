//! `outlayer dev`: the whole platform on free ports until Ctrl-C.

use std::time::Duration;

use anyhow::{Context as _, Result};
use localnet::Pace;
use serde_json::json;

use crate::args;
use crate::contracts;
use crate::platform::{Platform, Settings};
use crate::say::Voice;

/// Starts the platform, says what to try, and waits for Ctrl-C.
pub(crate) async fn dev(args: &args::Dev, voice: Voice) -> Result<()> {
    if let (Some(folder), true) = (&args.data, args.fresh)
        && folder.exists()
    {
        std::fs::remove_dir_all(folder).with_context(|| format!("empty {}", folder.display()))?;
    }
    let folder = args.data.as_ref().map(std::path::absolute).transpose()?;
    let platform = Platform::start(Settings {
        folder,
        pace: Pace::OnDemandAndEvery(Duration::from_millis(args.block_ms.max(1))),
        concurrency: args.concurrency,
        ..Settings::default()
    })
    .await?;
    for (name, guest) in [
        ("random-ark", contracts::RANDOM_ARK),
        ("echo-ark", contracts::ECHO_ARK),
    ] {
        let files: Vec<_> = guest
            .iter()
            .map(|(path, text)| (*path, text.as_bytes()))
            .collect();
        platform
            .repositories
            .commit(&format!("outlayer-examples/{name}"), &files)
            .await?;
    }
    introduce(&platform, voice);
    tokio::signal::ctrl_c().await.context("wait for Ctrl-C")?;
    voice.line("stopping; jobs under way are finished or handed back");
    platform.stop().await;
    Ok(())
}

fn introduce(platform: &Platform, voice: Voice) {
    let accounts = &platform.accounts;
    let rpc = platform.localnet.rpc_url();
    let coordinator = platform.coordinator_url();
    let key = localnet::secret_key(&accounts.alice);
    let repositories = platform.repositories.folder().display();
    let keystore_key = platform.keystore_key();
    let alice = &accounts.alice;
    voice.result(
        format!(
            "NEAR RPC      {rpc}
coordinator   {coordinator}
contract      {}
client        {}
repositories  {repositories}, in the place of github.com
keystore      its answers are signed with {keystore_key}
alice         {}, {key}

Try, in another terminal:
  outlayer request --rpc {rpc} --secret-key {key} --input '{{\"min\":1,\"max\":6}}' https://github.com/outlayer-examples/random-ark@main
  printf 'API_KEY=hush' | outlayer secrets set --rpc {rpc} --coordinator {coordinator} --keystore-key {keystore_key} --account {alice} --secret-key {key} --repo outlayer-examples/echo-ark --from-stdin --allow {alice}
  outlayer request --rpc {rpc} --secret-key {key} --secrets {alice} --input '{{\"env\":[\"API_KEY\"]}}' https://github.com/outlayer-examples/echo-ark@main
  outlayer status --coordinator {coordinator}
  curl {coordinator}/public/jobs

Ctrl-C stops everything.",
            accounts.outlayer, accounts.client, accounts.alice
        ),
        &json!({
            "rpc": rpc,
            "coordinator": coordinator,
            "admin": platform.admin_url(),
            "contract": accounts.outlayer,
            "client": accounts.client,
            "operator": accounts.operator,
            "alice": {"account_id": accounts.alice, "secret_key": key.to_string()},
            "repositories": platform.repositories.folder(),
            "keystore_key": keystore_key,
            "worker_token": platform.worker_token(),
        }),
    );
}
