//! A town in one folder: its services reach each other through taps, all that they say is kept, and its worker is a process of its own
//! that would leave a core file if it did not forbid it.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use coordinator::queue;
use localnet::Pace;
use outlayer::platform::{Detours, Ending, Settings};
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use town::{Tap, Town};

use super::faults::assert_forbids_cores;
use super::log::Log;
use crate::PROGRAM;

/// What is written of what is done: everything, but what the compilers of contracts and guests think, which is gigabytes and before
/// any secret.
const EVERYTHING: &str = "trace,cranelift=info,regalloc2=info,wasmtime=info";

/// Jobs that the worker does at the same time: most wait for a block.
const CONCURRENCY: &str = "32";

/// Runs a program with as large core files as it is allowed.
const WITH_CORES: &str = r#"ulimit -c "$(ulimit -H -c)"; exec "$@""#;

/// The town, and what listens in it.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) town: Town,
    pub(super) taps: Taps,
    pub(super) worker: Child,
    folder: PathBuf,
    log: Log,
}

/// Who is listened to on the way to whom.
#[derive(Debug)]
pub(super) struct Taps {
    pub(super) worker_coordinator: Tap,
    pub(super) worker_chain: Tap,
    pub(super) coordinator_keystore: Tap,
    coordinator_chain: Tap,
    coordinator_blocks: Tap,
    keystore_chain: Tap,
}

impl Stage {
    /// Sets it up in a folder.
    pub(super) async fn set_up(folder: &Path) -> Result<Self> {
        for name in ["cwd", "logs", "taps", "tmp"] {
            std::fs::create_dir_all(folder.join(name))?;
        }
        let log = Log::start(&folder.join("logs/services"), EVERYTHING)?;
        let mut town = Town::with(PROGRAM, settings(folder.join("town"))).await?;
        let taps = Taps::set_up(&town, &folder.join("taps")).await?;
        town.platform.go_by(Detours {
            keystore_to_chain: Some(taps.keystore_chain.url().to_owned()),
            coordinator_to_chain: Some(taps.coordinator_chain.url().to_owned()),
            coordinator_to_blocks: Some(taps.coordinator_blocks.url().to_owned()),
            coordinator_to_keystore: Some(taps.coordinator_keystore.url().to_owned()),
        });
        town.platform.stop_coordinator(Ending::Graceful).await;
        town.platform.stop_keystore(Ending::Graceful).await;
        town.platform.start_keystore().await?;
        town.platform.start_coordinator().await?;
        let worker = start_worker(folder, &town, &taps)?;
        Ok(Self {
            town,
            taps,
            worker,
            folder: folder.to_owned(),
            log,
        })
    }

    /// Starts another worker in the place of one that is gone.
    pub(super) fn start_worker(&mut self) -> Result<()> {
        self.worker = start_worker(&self.folder, &self.town, &self.taps)?;
        Ok(())
    }

    /// What the contract still holds.
    pub(super) async fn pending(&self) -> Result<Value> {
        let contract = &self.town.platform.accounts.outlayer;
        self.town
            .view(contract, "get_pending_request_ids", json!({}))
            .await
    }

    /// Stops everything; the worker finishes what it does.
    pub(super) async fn strike_the_set(mut self) -> Result<()> {
        let pid = self.worker.id().context("the worker runs")?.to_string();
        assert_forbids_cores(&pid)?;
        Command::new("kill").args(["-TERM", &pid]).status().await?;
        let ended = self.worker.wait().await?;
        ensure!(ended.success(), "the worker ended with {ended}");
        self.town.close().await;
        self.log.stop();
        Ok(())
    }
}

impl Taps {
    async fn set_up(town: &Town, folder: &Path) -> Result<Self> {
        let chain = town.platform.localnet.rpc_url();
        let blocks = town.platform.localnet.feed_url();
        let coordinator = town.platform.coordinator_url();
        let keystore = town.platform.keystore_url();
        let tap = async |url: &str, name: &str| Tap::before(url, folder.join(name)).await;
        Ok(Self {
            worker_coordinator: tap(coordinator, "worker-coordinator").await?,
            worker_chain: tap(&chain, "worker-chain").await?,
            coordinator_keystore: tap(keystore, "coordinator-keystore").await?,
            coordinator_chain: tap(&chain, "coordinator-chain").await?,
            coordinator_blocks: tap(&blocks, "coordinator-blocks").await?,
            keystore_chain: tap(&chain, "keystore-chain").await?,
        })
    }
}

fn settings(folder: PathBuf) -> Settings {
    let mut settings = Settings {
        folder: Some(folder),
        concurrency: 0,
        // A yield lives 200 blocks, here 50 s, which is longer than anything is away.
        pace: Pace::Every(Duration::from_millis(250)),
        queue: queue::Settings {
            lease_ms: 1_000,
            backoff_ms: 50,
            max_backoff_ms: 500,
            // However often something is away.
            max_attempts: 1_000,
            ..Default::default()
        },
        ..Settings::default()
    };
    // One caller asks one worker about one owner's secrets.
    settings.keystore.per_worker = 1_000_000;
    settings.keystore.per_caller = 1_000_000;
    settings.keystore.per_owner = 1_000_000;
    settings.keystore.strangers = 1_000_000;
    settings
}

fn start_worker(folder: &Path, town: &Town, taps: &Taps) -> Result<Child> {
    let log = |name: &str| {
        let path = folder.join("logs").join(name);
        OpenOptions::new().append(true).create(true).open(path)
    };
    let usual = town.platform.worker_command("worker").into_iter();
    let tapped = usual.map(|word| match word.split_once('=') {
        Some(("--rpc", _)) => format!("--rpc={}", taps.worker_chain.url()),
        Some(("--coordinator", _)) => format!("--coordinator={}", taps.worker_coordinator.url()),
        _ => word,
    });
    let runs = folder.join("runs");
    let worker = Command::new("sh")
        .args(["-c", WITH_CORES, "sh", PROGRAM])
        .args(tapped)
        .arg(format!("--keep-runs={}", runs.display()))
        .arg(format!("--concurrency={CONCURRENCY}"))
        .current_dir(folder.join("cwd"))
        .env("RUST_LOG", EVERYTHING)
        .env("TMPDIR", folder.join("tmp"))
        .stdin(Stdio::null())
        .stdout(log("worker.out")?)
        .stderr(log("worker.err")?)
        .kill_on_drop(true)
        .spawn()?;
    Ok(worker)
}
