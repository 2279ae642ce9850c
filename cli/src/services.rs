//! Coordinators and workers put together from their parts, for the platform on one machine and for the services' own
//! command lines alike.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clients::near::{Node, PublicKey, SecretKey, Sender, sender};
use clients::outlayer::Contract;
use clients::parts::Parts as ClientParts;
use clients::{coordinator as queue, events};
use compiler::jail::Confine;
use compiler::{Compiler, Reach, Toolchain};
use coordinator::branches::GitHosts;
use executor::Executor;
use protocol::AccountId;
use protocol::clock::Clock;
use reqwest::Url;
use worker::{Given, Notary, Vault, WatchSteps};

use crate::args;
use crate::{build_room, compiling_process};

/// What a worker is put together from.
#[derive(Debug)]
pub struct WorkerNeeds {
    /// How it works.
    pub config: worker::Config,
    /// The `outlayer` program, which is started for each module to be compiled and for each source to be built.
    pub program: PathBuf,
    /// The chain.
    pub node: Node,
    /// The coordinator's address.
    pub coordinator: Url,
    /// Its token there.
    pub token: String,
    /// The operator's keys.
    pub keys: Vec<SecretKey>,
    /// A folder in the place of github.com.
    pub repositories: Option<PathBuf>,
    /// What runs the guests.
    pub engine: args::Engine,
    /// How they are kept in.
    pub jail: args::Jail,
    /// What its compiler is told.
    pub compiling: args::Compiling,
    /// What the keystore signs its answers with; a worker that is not told opens no secrets.
    pub keystore: Option<PublicKey>,
    /// Is told of every step.
    pub watch: Arc<dyn WatchSteps>,
    /// The time.
    pub clock: Clock,
}

/// A worker's parts.
pub async fn worker_parts(needs: WorkerNeeds) -> Result<worker::Parts> {
    let config = needs.config;
    let node = needs.node;
    let signing_key = needs
        .keys
        .first()
        .context("a worker needs a key of the operator's")?
        .clone();
    let sender = Sender::new(
        node.clone(),
        config.operator_id.clone(),
        needs.keys,
        ClientParts::of_the_machine(),
        sender::Settings::default(),
    )?;
    let chain_limits = node
        .chain_limits()
        .await
        .context("read the chain's limits")?;
    let given = Given {
        coordinator: queue::Worker::new(&needs.coordinator, &needs.token)?,
        contract: Contract::new(node.clone(), config.contract_id.clone()),
        sender,
        chain_limits,
        compiler: compiler(
            &config.folder,
            needs.repositories.as_deref(),
            &needs.compiling,
            build_room::jail(needs.program.clone(), needs.jail, &needs.compiling)?,
            needs.clock.clone(),
        )?,
        executor: Executor::new(&compiling_process::settings(
            needs.program,
            &config.folder,
            needs.engine,
            needs.jail,
        ))?,
        notary: Notary::new(signing_key, config.operator_id.clone(), node),
        vault: match needs.keystore {
            None => None,
            Some(keystore) => {
                let line = queue::Public::new(&needs.coordinator)?;
                Some(Vault::of_the_machine(line, keystore, needs.clock.clone()))
            }
        },
        watch: needs.watch,
        clock: needs.clock,
    };
    Ok(worker::Parts::join(config, given)?)
}

/// A compiler that works below `folder`.
pub fn compiler(
    folder: &Path,
    repositories: Option<&Path>,
    compiling: &args::Compiling,
    jail: Arc<dyn Confine>,
    clock: Clock,
) -> Result<Compiler> {
    let toolchain = Toolchain::of(&crate::environment::rustc())
        .context("find the Rust that builds guests; rustup installs one")?;
    let mut settings = compiler::Settings::in_folder(&folder.join("compiler"), toolchain);
    settings.cargo_config = machine_cargo_config();
    settings.npm_configs = crate::environment::npm_configs();
    settings.jail = jail;
    settings.modules = compiling.modules();
    if let Some(repositories) = repositories {
        let url = Url::from_directory_path(repositories)
            .map_err(|()| anyhow::anyhow!("{} is not an absolute path", repositories.display()))?;
        settings.hosts.insert("github.com".into(), url);
        settings.modules.reach = Reach::Anywhere;
    }
    Ok(Compiler::new(settings, clock)?)
}

/// The machine's own way to reach crates.io, if it has one of its own.
fn machine_cargo_config() -> Option<PathBuf> {
    let home = crate::environment::cargo_home()?;
    let config = home.join("config.toml");
    config.is_file().then_some(config)
}

/// A coordinator's usual settings.
pub fn coordinator_config(contract_id: &AccountId, folder: &Path) -> coordinator::Config {
    coordinator::Config::new(contract_id.clone(), folder)
}

/// A coordinator's parts.
pub fn coordinator_parts(
    contract: Contract,
    blocks: Arc<dyn events::ReadBlocks>,
    repositories: Option<&Path>,
    clock: Clock,
) -> Result<coordinator::parts::Parts> {
    Ok(coordinator::parts::Parts {
        clock,
        blocks,
        pricing: Arc::new(contract),
        branches: Arc::new(git_hosts(repositories)?),
    })
}

/// Where the branches of repositories are read.
fn git_hosts(repositories: Option<&Path>) -> Result<GitHosts> {
    let hosts = GitHosts::default().and_env(crate::environment::of_git());
    let Some(folder) = repositories else {
        return Ok(hosts);
    };
    let url = Url::from_directory_path(folder)
        .map_err(|()| anyhow::anyhow!("{} is not an absolute path", folder.display()))?;
    Ok(hosts.and_host("github.com", url))
}

/// A keystore's parts, whose workers are those who have a key of `operator_id`.
pub fn keystore_parts(contract: Contract, operator_id: AccountId, clock: Clock) -> keystore::Parts {
    let node = contract.node().clone();
    let contract_id = contract.contract_id().clone();
    keystore::Parts {
        clock,
        chance: keystore::Chance::of_the_machine(),
        workers: Arc::new(keystore::parts::OperatorKeys::new(
            node,
            operator_id,
            contract_id,
        )),
        chain: Arc::new(keystore::parts::Chain::new(contract)),
    }
}

/// Blocks from a feed of neardata's shape.
pub fn neardata(base: &str, contract_id: &AccountId) -> Result<Arc<dyn events::ReadBlocks>> {
    Ok(Arc::new(events::Neardata::new(
        &base.parse()?,
        contract_id.clone(),
    )?))
}
