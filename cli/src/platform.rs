//! The whole platform on this machine: a chain, the contracts on it, a keystore, a coordinator and a worker.
//!
//! `outlayer dev` keeps one up, `outlayer demo` walks through one, the journeys and the benchmarks start many.

mod accounts;
mod chain;
mod contracts;
mod detours;
mod key_file;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clients::near::{Node, Sender, Settings as NodeSettings, sender};
use clients::outlayer::Contract;
use clients::parts::Parts as ClientParts;
use coordinator::Coordinator;
use keystore::Keystore;
use localnet::{Pace, Server};
use protocol::AccountId;
use protocol::clock::SystemClock;
use reqwest::Url;
use tempfile::TempDir;
use worker::{LogSteps, WatchSteps, Worker};

pub use accounts::Accounts;
pub use detours::Detours;

use crate::args;
use crate::compiling_process;
use crate::repositories::Repositories;
use crate::services;

/// What the platform's worker calls itself.
const WORKER: &str = "worker-1";

/// Blocks that are at least so far apart let a yield live for some time.
const SLOW_BLOCK: Duration = Duration::from_millis(100);

/// How a platform is started.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The `outlayer` program; the one that is running if absent.
    pub program: Option<PathBuf>,
    /// Where everything is kept; a temporary folder if absent.
    pub folder: Option<PathBuf>,
    /// When blocks are made.
    pub pace: Pace,
    /// How many blocks below the newest one the final block is.
    pub finality_lag: u64,
    /// Jobs that its worker does at the same time; 0 for a platform without a worker.
    pub concurrency: usize,
    /// How long a request waits for its build.
    pub build_patience: Duration,
    /// How the queue behaves.
    pub queue: coordinator::queue::Settings,
    /// How often the keystore may be asked.
    pub keystore: keystore::Limits,
    /// Is told of every step of the worker.
    pub watch: Arc<dyn WatchSteps>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            program: None,
            folder: None,
            pace: Pace::OnDemand,
            finality_lag: 0,
            concurrency: 4,
            build_patience: Duration::from_secs(100),
            queue: coordinator::queue::Settings::default(),
            keystore: keystore::Limits::default(),
            watch: Arc::new(LogSteps),
        }
    }
}

/// A running platform.
#[derive(Debug)]
pub struct Platform {
    /// The chain.
    pub localnet: Server,
    /// Talks to it.
    pub node: Node,
    /// The names on it.
    pub accounts: Accounts,
    /// The repositories that stand for GitHub's.
    pub repositories: Repositories,
    /// The queue; none while it is taken down.
    coordinator: Option<Coordinator>,
    /// Where the queue is, also while it is taken down.
    coordinator_url: String,
    /// Opens secrets; none while it is taken down.
    keystore: Option<Keystore>,
    /// Where it is, also while it is taken down.
    keystore_url: String,
    /// What it signs with.
    keystore_key: String,
    worker: Option<Worker>,
    worker_token: String,
    settings: Settings,
    detours: Detours,
    folder: PathBuf,
    _temporary: Option<TempDir>,
}

impl Platform {
    /// Starts everything, and deploys the contracts if the chain is new.
    pub async fn start(settings: Settings) -> Result<Self> {
        let temporary = match settings.folder {
            Some(_) => None,
            None => Some(tempfile::tempdir().context("make a temporary folder")?),
        };
        let folder = match (&settings.folder, &temporary) {
            (Some(folder), _) => folder.clone(),
            (None, Some(temporary)) => temporary.path().to_owned(),
            (None, None) => std::env::temp_dir(),
        };
        std::fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
        let accounts = Accounts::new()?;
        let chain_folder = settings.folder.as_ref().map(|_| folder.join("chain"));
        let localnet = chain::start(&settings, chain_folder, &accounts).await?;
        let node = Node::connect(&NodeSettings::new(vec![localnet.rpc_url().parse()?]))?;
        contracts::deploy(&node, &accounts).await?;
        let mut platform = Self {
            repositories: Repositories::in_folder(folder.join("repositories")),
            localnet,
            node,
            accounts,
            coordinator: None,
            coordinator_url: String::new(),
            keystore: None,
            keystore_url: String::new(),
            keystore_key: String::new(),
            worker: None,
            worker_token: String::new(),
            settings,
            detours: Detours::default(),
            folder,
            _temporary: temporary,
        };
        platform.start_keystore().await?;
        platform.start_coordinator().await?;
        if platform.settings.concurrency > 0 {
            platform.start_worker().await?;
        }
        Ok(platform)
    }

    /// Starts the coordinator, where it was before if it was up before.
    pub async fn start_coordinator(&mut self) -> Result<()> {
        let mut config =
            services::coordinator_config(&self.accounts.outlayer, &self.folder.join("coordinator"));
        if let Some(port) = port_of(&self.coordinator_url) {
            config.listen.set_port(port);
        }
        config.ingest.start = coordinator::ingest::Start::Height(1);
        config.ingest.poll_ms = 20;
        config.queue = self.settings.queue;
        let detours = &self.detours;
        let keystore = detours.coordinator_to_keystore.as_ref();
        config.keystore = Some(keystore.unwrap_or(&self.keystore_url).parse()?);
        let feed = detours.coordinator_to_blocks.clone();
        let feed = feed.unwrap_or_else(|| self.localnet.feed_url());
        let source = services::neardata(&feed, &self.accounts.outlayer)?;
        let parts = services::coordinator_parts(
            self.contract_by(detours.coordinator_to_chain.as_deref())?,
            source,
            Some(self.repositories.folder()),
            SystemClock::shared(),
        )?;
        let coordinator = Coordinator::start(config, parts).await?;
        self.coordinator_url = coordinator.url();
        if self.worker_token.is_empty() {
            let token = coordinator.tokens().replace(WORKER).await?;
            token.reveal().clone_into(&mut self.worker_token);
        }
        self.coordinator = Some(coordinator);
        Ok(())
    }

    /// Takes the coordinator down; `gently` lets running calls end.
    pub async fn stop_coordinator(&mut self, ending: Ending) {
        match (self.coordinator.take(), ending) {
            (Some(coordinator), Ending::Graceful) => coordinator.stop().await,
            (Some(coordinator), Ending::Sudden) => drop(coordinator),
            (None, _) => {}
        }
    }

    /// Starts the keystore, where it was before if it was up before. Its master key is made when there is none yet.
    pub async fn start_keystore(&mut self) -> Result<()> {
        let folder = self.folder.join("keystore");
        let master = key_file::in_folder(&folder)?;
        let mut config = keystore::Config::new(self.accounts.outlayer.clone(), master, &folder);
        config.limits = self.settings.keystore;
        if let Some(port) = port_of(&self.keystore_url) {
            config.listen.set_port(port);
        }
        let operator = self.accounts.operator.clone();
        let contract = self.contract_by(self.detours.keystore_to_chain.as_deref())?;
        let parts = services::keystore_parts(contract, operator, SystemClock::shared());
        let keystore = Keystore::start(config, parts).await?;
        self.keystore_url = keystore.url();
        self.keystore_key = keystore.identity().public_key;
        self.keystore = Some(keystore);
        Ok(())
    }

    /// Takes the keystore down; `gently` lets running calls end.
    pub async fn stop_keystore(&mut self, ending: Ending) {
        match (self.keystore.take(), ending) {
            (Some(keystore), Ending::Graceful) => keystore.stop().await,
            (Some(keystore), Ending::Sudden) => drop(keystore),
            (None, _) => {}
        }
    }

    /// Lets the parts that are started from now on reach each other by other addresses.
    pub fn go_by(&mut self, detours: Detours) {
        self.detours = detours;
    }

    /// Starts the worker in this process.
    pub async fn start_worker(&mut self) -> Result<()> {
        let parts = self.worker_parts().await?;
        self.worker = Some(Worker::start(parts));
        Ok(())
    }

    /// Takes the worker down.
    pub async fn stop_worker(&mut self, ending: Ending) {
        match (self.worker.take(), ending) {
            (Some(worker), Ending::Graceful) => worker.stop().await,
            (Some(worker), Ending::Sudden) => worker.abort(),
            (None, _) => {}
        }
    }

    /// Stops everything in order.
    pub async fn stop(mut self) {
        self.stop_worker(Ending::Graceful).await;
        self.stop_coordinator(Ending::Graceful).await;
        self.stop_keystore(Ending::Graceful).await;
        self.localnet.stop().await;
    }

    /// Where the coordinator listens.
    pub fn coordinator_url(&self) -> &str {
        &self.coordinator_url
    }

    /// Where operators ask the coordinator; none while it is down.
    pub fn admin_url(&self) -> Option<String> {
        self.coordinator.as_ref().map(Coordinator::admin_url)
    }

    /// Where the keystore listens, for nobody but the coordinator.
    pub fn keystore_url(&self) -> &str {
        &self.keystore_url
    }

    /// What the keystore signs its answers with.
    pub fn keystore_key(&self) -> &str {
        &self.keystore_key
    }

    /// The token of this platform's worker.
    pub fn worker_token(&self) -> &str {
        &self.worker_token
    }

    /// The `outlayer` program.
    pub fn program(&self) -> Result<PathBuf> {
        self.settings
            .program
            .clone()
            .map_or_else(compiling_process::this_program, Ok)
    }

    /// The command line, after the program's name, of a worker for this platform in a process of its own, which keeps its
    /// artifacts in the folder `name`. No two workers may share one.
    pub fn worker_command(&self, name: &str) -> Vec<String> {
        let operator = &self.accounts.operator;
        [
            "worker".to_owned(),
            format!("--rpc={}", self.localnet.rpc_url()),
            format!("--contract={}", self.accounts.outlayer),
            format!("--coordinator={}", self.coordinator_url),
            format!("--token={}", self.worker_token),
            format!("--operator={operator}"),
            format!("--secret-key={}", localnet::secret_key(operator)),
            format!("--data={}", self.folder.join(name).display()),
            format!("--repositories={}", self.repositories.folder().display()),
            "--network=localnet".to_owned(),
            "--block-ms=0".to_owned(),
            format!("--keystore-key={}", self.keystore_key),
        ]
        .into()
    }

    /// Where everything is kept.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The contract.
    pub fn contract(&self) -> Contract {
        Contract::new(self.node.clone(), self.accounts.outlayer.clone())
    }

    /// The contract, for a part that may reach the chain by another address.
    fn contract_by(&self, detour: Option<&str>) -> Result<Contract> {
        let Some(url) = detour else {
            return Ok(self.contract());
        };
        let node = Node::connect(&NodeSettings::new(vec![url.parse()?]))?;
        Ok(Contract::new(node, self.accounts.outlayer.clone()))
    }

    /// Signs for one of the platform's accounts.
    pub fn sender(&self, account: &AccountId) -> Result<Sender> {
        let keys = vec![localnet::secret_key(account)];
        Ok(Sender::new(
            self.node.clone(),
            account.clone(),
            keys,
            ClientParts::of_the_machine(),
            sender::Settings::default(),
        )?)
    }

    async fn worker_parts(&self) -> Result<worker::Parts> {
        let mut config = worker::Config::new(
            self.accounts.outlayer.clone(),
            self.accounts.operator.clone(),
            self.folder.join("worker"),
        );
        config.network_id = "localnet".into();
        config.concurrency = self.settings.concurrency.max(1);
        config.build_patience = self.settings.build_patience;
        config.block_time = match self.settings.pace {
            // Faster blocks are for benchmarks, where a yield lives for a moment and no build would be waited for.
            Pace::Every(block) if block >= SLOW_BLOCK => Some(block),
            _ => None,
        };
        config.stop_patience = Duration::from_secs(5);
        services::worker_parts(services::WorkerNeeds {
            config,
            program: self.program()?,
            node: self.node.clone(),
            coordinator: self.coordinator_url.parse()?,
            token: self.worker_token.clone(),
            keys: vec![localnet::secret_key(&self.accounts.operator)],
            repositories: Some(self.repositories.folder().to_owned()),
            engine: args::Engine::default(),
            // A machine for development may lack a layer, which is said in the log.
            jail: args::Jail { unsafe_jail: true },
            compiling: args::Compiling::default(),
            keystore: Some(self.keystore_key.parse()?),
            watch: self.settings.watch.clone(),
            clock: SystemClock::shared(),
        })
        .await
    }
}

/// The port in an address, if there is one.
fn port_of(url: &str) -> Option<u16> {
    url.parse::<Url>().ok()?.port()
}

/// How a part is taken down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It finishes what it does.
    Graceful,
    /// It is gone at once.
    Sudden,
}
