//! `outlayer coordinator`, `outlayer worker`, `outlayer keystore` and `outlayer localnet`: the services and the node, each in a process of its own, until Ctrl-C or SIGTERM.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clients::events::{Indexer, Neardata, ReadBlocks, Receipts};
use clients::near::{Node, Settings};
use clients::outlayer::Contract;
use coordinator::Coordinator;
use keystore::Keystore;
use protocol::JobId;
use protocol::clock::SystemClock;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use worker::{LogSteps, Step, WatchSteps, Worker};

use crate::args;
use crate::compiling_process;
use crate::say::Voice;
use crate::services::{self, WorkerNeeds};

/// Runs a coordinator.
pub(crate) async fn coordinator(args: args::Coordinator, voice: Voice) -> Result<()> {
    let node = Node::connect(&Settings::new(vec![args.chain.rpc.parse()?]))?;
    let mut config = services::coordinator_config(&args.chain.contract, &args.data);
    config.listen = args.listen;
    config.admin_listen = args.admin_listen;
    config.keystore = args
        .keystore
        .as_ref()
        .map(|url| url.parse().context("--keystore is a URL"))
        .transpose()?;
    if let Some(height) = args.start_block {
        config.ingest.start = coordinator::ingest::Start::Height(height);
    }
    std::fs::create_dir_all(&args.data).with_context(|| format!("make {}", args.data.display()))?;
    let blocks = blocks(&args, &node).await?;
    let contract = Contract::new(node, args.chain.contract);
    let parts = services::coordinator_parts(
        contract,
        blocks,
        args.repositories.as_deref(),
        SystemClock::shared(),
    )?;
    let coordinator = Coordinator::start(config, parts).await?;
    voice.result(
        format!(
            "the coordinator listens at {}, for operators at {}",
            coordinator.url(),
            coordinator.admin_url()
        ),
        &json!({"coordinator": coordinator.url(), "admin": coordinator.admin_url()}),
    );
    told_to_stop().await?;
    coordinator.stop().await;
    Ok(())
}

async fn blocks(args: &args::Coordinator, node: &Node) -> Result<Arc<dyn ReadBlocks>> {
    let contract_id = args.chain.contract.clone();
    Ok(match args.blocks.split_once('=') {
        Some(("neardata", url)) => Arc::new(Neardata::new(&url.parse()?, contract_id)?),
        None if args.blocks == "indexer" => Arc::new(Indexer::new(node.clone(), contract_id)),
        None if args.blocks == "rpc" => {
            let limits = node.chain_limits().await?;
            Arc::new(Receipts::new(node.clone(), contract_id, &limits))
        }
        _ => bail!(
            "--blocks is neardata=URL, indexer or rpc, not {}",
            args.blocks
        ),
    })
}

/// Runs a keystore.
pub(crate) async fn keystore(args: args::Keystore, voice: Voice) -> Result<()> {
    keystore::core_dumps::forbid().context("forbid core files")?;
    let node = Node::connect(&Settings::new(vec![args.chain.rpc.parse()?]))?;
    std::fs::create_dir_all(&args.data).with_context(|| format!("make {}", args.data.display()))?;
    let master = args.master.named();
    let master = master.context("one of the ways to a master key is named")?;
    let contract = Contract::new(node, args.chain.contract.clone());
    let parts = services::keystore_parts(contract, args.operator, SystemClock::shared());
    let mut config = keystore::Config::new(args.chain.contract, master, &args.data);
    config.listen = args.listen;
    let keystore = Keystore::start(config, parts).await?;
    let (url, key) = (keystore.url(), keystore.identity().public_key);
    voice.result(
        format!("the keystore listens at {url}; its workers are started with --keystore-key {key}"),
        &json!({"keystore": url, "keystore_key": key}),
    );
    told_to_stop().await?;
    keystore.stop().await;
    Ok(())
}

/// Runs a worker.
pub(crate) async fn worker(args: args::Worker, voice: Voice) -> Result<()> {
    // It holds secrets while their guests run.
    keystore::core_dumps::forbid().context("forbid core files")?;
    let mut config = worker::Config::new(
        args.chain.contract,
        args.operator,
        std::path::absolute(&args.data)?,
    );
    config.network_id = args.network;
    config.concurrency = args.concurrency.max(1);
    config.fastfs_url = args.fastfs_url;
    config.block_time = (args.block_ms > 0).then(|| Duration::from_millis(args.block_ms));
    config.keep_runs = args.keep_runs.map(std::path::absolute).transpose()?;
    let keys = args
        .secret_keys
        .iter()
        .map(|key| key.parse().context("a secret key is `ed25519:…`"))
        .collect::<Result<_>>()?;
    let watch: Arc<dyn WatchSteps> = match args.die_at {
        Some(step) => Arc::new(Die { step }),
        None => Arc::new(LogSteps),
    };
    let parts = services::worker_parts(WorkerNeeds {
        config,
        program: compiling_process::this_program()?,
        node: Node::connect(&Settings::new(vec![args.chain.rpc.parse()?]))?,
        coordinator: args.coordinator.parse()?,
        token: args.token,
        keys,
        repositories: args.repositories,
        engine: args.engine,
        jail: args.jail,
        compiling: args.compiling,
        keystore: args
            .keystore_key
            .map(|key| key.parse().context("--keystore-key is `ed25519:…`"))
            .transpose()?,
        watch,
        clock: SystemClock::shared(),
    })
    .await?;
    let worker = Worker::start(parts);
    voice.result(
        format!("the worker asks {}", args.coordinator),
        &json!({"coordinator": args.coordinator}),
    );
    told_to_stop().await?;
    worker.stop().await;
    Ok(())
}

/// Runs a node.
pub(crate) async fn localnet(cli: localnet::sandbox::Cli) -> Result<()> {
    let stop = async {
        // A process that cannot hear signals is stopped by its end.
        if told_to_stop().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    cli.run(SystemClock::shared(), stop).await
}

/// Returns when this process is asked to stop.
async fn told_to_stop() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Kills this process, as nothing can catch, when a job reaches a step.
#[derive(Debug)]
struct Die {
    step: String,
}

impl WatchSteps for Die {
    fn reached(&self, job: JobId, step: Step, detail: &str) {
        LogSteps.reached(job, step, detail);
        if step.as_str() == self.step {
            // SIGKILL to ourselves: no destructor runs and nothing is flushed.
            let _ = std::process::Command::new("kill")
                .args(["-9", &std::process::id().to_string()])
                .status();
        }
    }
}
