//! The command line.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use protocol::clock::Clock;

use super::Home;
use crate::genesis::{ChainTime, Config as ChainConfig, Genesis, secret_key};
use crate::server::{Config, Pace, Server};

/// NEAR in one process: real contracts, JSON-RPC and a block feed, with nothing to install.
#[derive(Debug, Parser)]
#[command(name = "localnet", version)]
pub struct Cli {
    /// Folder with the node's settings, genesis, keys and blocks; without it a run keeps everything in memory.
    #[arg(long, global = true)]
    home: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write settings, genesis and keys into the folder.
    Init(Init),
    /// Run a node until it is told to stop.
    Run(Run),
}

#[derive(Debug, Args)]
struct Init {
    /// Accepted for the sake of neard's callers; a localnet is always fast.
    #[arg(long)]
    fast: bool,
    /// Name of the chain.
    #[arg(long, default_value = "localnet")]
    chain_id: String,
}

#[derive(Debug, Args)]
struct Run {
    /// Where to listen for JSON-RPC; the block feed is there as well.
    #[arg(long)]
    rpc_addr: Option<SocketAddr>,
    /// Accepted for the sake of neard's callers; a localnet has no peers.
    #[arg(long)]
    network_addr: Option<String>,
    /// Milliseconds after which an idle chain makes a block; 0 makes blocks only when there is work.
    #[arg(long)]
    block_ms: Option<u64>,
    /// How many blocks the final one is behind the newest.
    #[arg(long)]
    finality_lag: Option<u64>,
}

/// Where a node listens unless told otherwise, as neard does.
const DEFAULT_ADDR: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 3030);

impl Cli {
    /// Does what the command line says; a node runs until `stop` completes.
    ///
    /// # Errors
    /// When the folder cannot be read or written, or the address is taken.
    pub async fn run(self, clock: Clock, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        match self.command {
            Command::Init(init) => {
                let home = self.home.context("init needs --home")?;
                Home::init(&home, &init.chain_id, clock.now_ms())
                    .context("cannot make the node's folder")?;
                Ok(())
            }
            Command::Run(run) => {
                let in_memory = self.home.is_none();
                let server = Server::start(run.settings(self.home, &clock)?).await?;
                greet(&server)?;
                if in_memory {
                    tell_keys()?;
                }
                stop.await;
                server.stop().await;
                Ok(())
            }
        }
    }
}

impl Run {
    fn settings(&self, home: Option<PathBuf>, clock: &Clock) -> anyhow::Result<Config> {
        let mut config = if let Some(home) = home {
            Home::open(&home).context("cannot read the node's folder")?
        } else {
            let genesis = Genesis::sandbox(clock.now_ms().saturating_mul(1_000_000));
            Config {
                rpc_addr: DEFAULT_ADDR,
                ..Config::over(ChainConfig::in_memory(genesis))
            }
        };
        config.chain.time = ChainTime::of(clock.clone());
        config.rpc_addr = self.rpc_addr.unwrap_or(config.rpc_addr);
        config.chain.finality_lag = self.finality_lag.unwrap_or(config.chain.finality_lag);
        config.pace = match self.block_ms {
            Some(0) => Pace::OnDemand,
            Some(ms) => Pace::OnDemandAndEvery(Duration::from_millis(ms)),
            None => config.pace,
        };
        Ok(config)
    }
}

/// Tells people where the node is.
fn greet(server: &Server) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "JSON-RPC    {}", server.rpc_url())?;
    let feed = server.feed_url();
    writeln!(out, "block feed  {feed}/v0/last_block/final")?;
    out.flush()
}

/// Tells people which keys they have on a chain that was made for this run.
fn tell_keys() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for id in ["test.near", "test"].into_iter().flat_map(str::parse) {
        writeln!(out, "key         {id} {}", secret_key(&id))?;
    }
    out.flush()
}
