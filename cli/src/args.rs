//! What can be typed after `outlayer`.

mod compiling;
mod keystore;
pub mod secrets;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use protocol::AccountId;

pub use compiling::{BuildJail, Compiling};
pub use keystore::Keystore;

/// Off-chain execution for NEAR contracts.
#[derive(Debug, Parser)]
#[command(name = "outlayer", version, about, max_term_width = 120)]
pub struct Cli {
    /// Speak JSON, one object a line, for scripts.
    #[arg(long, global = true)]
    pub json: bool,
    /// Say more about what happens inside (also `RUST_LOG`).
    #[arg(long, short, global = true)]
    pub verbose: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the whole journey of a request once, on a chain of its own.
    Demo(Demo),
    /// Run the whole platform on this machine until Ctrl-C.
    Dev(Dev),
    /// Ask the contract to execute something and wait for the answer.
    Request(Request),
    /// Build a source as a worker does, and say whether it is what somebody claims.
    Build(Build),
    /// Run a guest here, with the same engine and limits as a worker.
    Run(Run),
    /// Run again what `run --record` or a worker kept: the same guest, the same inputs, the same gas.
    Replay(Replay),
    /// Store secrets for code, sealed, and say for whom they are opened.
    #[command(subcommand)]
    Secrets(secrets::Secrets),
    /// Show how a platform is, or where one request stands.
    Status(Status),
    /// Run a coordinator.
    Coordinator(Coordinator),
    /// Run a worker.
    Worker(Worker),
    /// Run a keystore.
    Keystore(Keystore),
    /// Run a NEAR node in one process, by the command lines of near-sandbox.
    Localnet(localnet::sandbox::Cli),
    /// Measure the platform.
    #[command(hide = true)]
    Bench(Bench),
    /// Be the process that one module is compiled in.
    #[command(hide = true, name = COMPILING_PROCESS)]
    CompilingProcess,
    /// Make the room that one build of source runs in.
    #[command(hide = true, name = BUILD_ROOM)]
    BuildRoom,
}

/// The subcommand by which an executor starts this program to compile a module.
pub const COMPILING_PROCESS: &str = "compiling-process";

/// The subcommand by which a compiler starts this program to build a source in a room.
pub const BUILD_ROOM: &str = "build-room";

/// `outlayer demo`
#[derive(Debug, Args)]
pub struct Demo {
    /// Let requests wait so many seconds for their build. A build that takes longer is answered in two phases: at once that it goes
    /// on, and to the request that asks again.
    #[arg(long, value_name = "SECONDS")]
    pub build_window: Option<u64>,
}

/// `outlayer dev`
#[derive(Debug, Args)]
pub struct Dev {
    /// Keep everything in this folder; a temporary one is used otherwise.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Begin anew, removing what the folder holds.
    #[arg(long, requires = "data")]
    pub fresh: bool,
    /// Make a block at least every so many milliseconds, as a public network does.
    #[arg(long, default_value_t = 600)]
    pub block_ms: u64,
    /// Jobs at the same time.
    #[arg(long, default_value_t = 4)]
    pub concurrency: usize,
}

/// A node and an account on it.
#[derive(Debug, Args)]
pub struct Chain {
    /// The node's JSON-RPC address.
    #[arg(long, env = "NEAR_RPC_URL")]
    pub rpc: String,
    /// The `OutLayer` contract.
    #[arg(long, env = "OUTLAYER_CONTRACT", default_value = "outlayer.test")]
    pub contract: AccountId,
}

/// `outlayer request`
#[derive(Debug, Args)]
pub struct Request {
    #[command(flatten)]
    pub chain: Chain,
    /// The account that asks and pays.
    #[arg(long, default_value = "alice.test")]
    pub account: AccountId,
    /// Its secret key, `ed25519:…`.
    #[arg(long, env = "NEAR_SECRET_KEY", hide_env_values = true)]
    pub secret_key: String,
    /// `https://github.com/owner/repo@commit`, or the arguments' `source` as JSON.
    pub source: String,
    /// What the guest reads on stdin.
    #[arg(long, default_value = "")]
    pub input: String,
    /// `bytes`, `text` or `json`.
    #[arg(long, default_value = "text")]
    pub format: String,
    /// Secrets for the guest: `owner.near`, or `owner.near/profile`.
    #[arg(long, value_name = "OWNER[/PROFILE]")]
    pub secrets: Option<String>,
    /// The deposit, in NEAR; the contract's estimate if absent.
    #[arg(long)]
    pub deposit: Option<String>,
    /// Show how far the build is. When it takes longer than a request can wait, see it to its end and ask once more.
    #[arg(long, requires = "coordinator")]
    pub watch: bool,
    /// The coordinator's address, where builds are watched.
    #[arg(long, env = "OUTLAYER_COORDINATOR")]
    pub coordinator: Option<String>,
    #[command(flatten)]
    pub limits: Limits,
}

/// What an execution may use.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Limits {
    /// Metered instructions.
    #[arg(long = "gas", visible_alias = "instructions")]
    pub instructions: Option<u64>,
    /// Memory, in MiB.
    #[arg(long = "memory", visible_alias = "memory-mb", value_name = "MIB")]
    pub memory_mb: Option<u32>,
    /// Wall-clock time, in seconds.
    #[arg(long = "time", visible_alias = "seconds", value_name = "SECONDS")]
    pub seconds: Option<u64>,
}

impl From<Limits> for protocol::limits::ResourceLimits {
    fn from(limits: Limits) -> Self {
        Self {
            max_instructions: limits.instructions,
            max_memory_mb: limits.memory_mb,
            max_execution_seconds: limits.seconds,
        }
    }
}

/// `outlayer build`
#[derive(Debug, Args)]
pub struct Build {
    /// `https://github.com/owner/repo@commit`, or a request's `source` as JSON.
    pub source: String,
    /// What to build for.
    #[arg(long, value_enum, default_value_t)]
    pub target: Target,
    /// Succeed only if this is the artifact's sha256.
    #[arg(long, value_name = "SHA256")]
    pub verify: Option<String>,
    /// Write the artifact into this file.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Take the repositories of github.com from this folder instead, `{folder}/{owner}/{repo}`.
    #[arg(long, env = "OUTLAYER_REPOSITORIES")]
    pub repositories: Option<PathBuf>,
    #[command(flatten)]
    pub compiling: Compiling,
    #[command(flatten)]
    pub jail: Jail,
}

/// What a guest is built for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// A module.
    #[default]
    #[value(name = "wasm32-wasip1")]
    Wasip1,
    /// A component.
    #[value(name = "wasm32-wasip2")]
    Wasip2,
}

impl From<Target> for protocol::source::BuildTarget {
    fn from(target: Target) -> Self {
        match target {
            Target::Wasip1 => Self::Wasip1,
            Target::Wasip2 => Self::Wasip2,
        }
    }
}

/// `outlayer run`
#[derive(Debug, Args)]
pub struct Run {
    /// A module built for `wasm32-wasip1`, a component built for `wasm32-wasip2`, or the folder of a guest, which is built first.
    pub guest: PathBuf,
    /// What the guest reads on stdin; `-` reads it from this command's stdin.
    #[arg(long, default_value = "")]
    pub input: String,
    /// A variable of the guest's environment, `NAME=value`.
    #[arg(long = "env", value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    #[command(flatten)]
    pub limits: Limits,
    /// What runs it; all engines give the same answer and count the same.
    #[arg(long, value_enum, default_value_t)]
    pub engine: Engine,
    /// Draw the guest's random bytes from this seed, 64 hexadecimal digits, and fix its clocks at the epoch: the same run every time.
    #[arg(long, value_name = "SEED")]
    pub seed: Option<String>,
    /// Write gas by function into this file, as a flame graph. Modules only.
    #[arg(long, value_name = "SVG")]
    pub profile: Option<PathBuf>,
    /// Keep all that the guest was given in this file, for `outlayer replay`.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    #[command(flatten)]
    pub jail: Jail,
}

/// `outlayer replay`
#[derive(Debug, Args)]
pub struct Replay {
    /// What was kept.
    pub record: PathBuf,
    /// What runs it; another engine than the first time comes to the same.
    #[arg(long, value_enum, default_value_t)]
    pub engine: Engine,
    #[command(flatten)]
    pub jail: Jail,
}

/// What runs a guest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// The quick compiler for a module never seen, the optimising one as soon as it is done.
    #[default]
    Tiered,
    /// The optimising compiler.
    Cranelift,
    /// The quick compiler.
    Winch,
    /// The reference interpreter.
    Wasmi,
}

impl From<Engine> for executor::Engine {
    fn from(engine: Engine) -> Self {
        match engine {
            Engine::Tiered => Self::Tiered,
            Engine::Cranelift => Self::Cranelift,
            Engine::Winch => Self::Winch,
            Engine::Wasmi => Self::Interpreter,
        }
    }
}

/// How guests and builds are kept in.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Jail {
    /// Run guests, and builds of their sources, even where this machine lacks a layer of their jail. For development only: never run
    /// a stranger's guest so.
    #[arg(long, env = "OUTLAYER_UNSAFE_JAIL")]
    pub unsafe_jail: bool,
}

impl From<Jail> for executor::Jail {
    fn from(jail: Jail) -> Self {
        if jail.unsafe_jail {
            Self::AsFarAsPossible
        } else {
            Self::Whole
        }
    }
}

/// `outlayer status`
#[derive(Debug, Args)]
pub struct Status {
    /// The coordinator's address.
    #[arg(long, env = "OUTLAYER_COORDINATOR")]
    pub coordinator: String,
    /// Only this request.
    pub request_id: Option<u64>,
}

/// `outlayer coordinator`
#[derive(Debug, Args)]
pub struct Coordinator {
    #[command(flatten)]
    pub chain: Chain,
    /// Where to listen.
    #[arg(long, env = "OUTLAYER_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Where operators listen; loopback only.
    #[arg(long, env = "OUTLAYER_ADMIN_LISTEN", default_value = "127.0.0.1:8081")]
    pub admin_listen: SocketAddr,
    /// The folder of the database and the artifacts.
    #[arg(long, env = "OUTLAYER_DATA")]
    pub data: PathBuf,
    /// Where blocks come from: `neardata=URL`, `indexer` (the node's indexer RPC) or `rpc` (plain RPC).
    #[arg(long, env = "OUTLAYER_BLOCKS", default_value = "rpc")]
    pub blocks: String,
    /// The keystore's address, to which `/secrets/*` is passed on.
    #[arg(long, env = "OUTLAYER_KEYSTORE", value_name = "URL")]
    pub keystore: Option<String>,
    /// Take the repositories of github.com from this folder instead, `{folder}/{owner}/{repo}`.
    #[arg(long, env = "OUTLAYER_REPOSITORIES")]
    pub repositories: Option<PathBuf>,
    /// The first block to read, when the database is new; the newest if absent.
    #[arg(long, env = "OUTLAYER_START_BLOCK")]
    pub start_block: Option<u64>,
}

/// `outlayer worker`
#[derive(Debug, Args)]
pub struct Worker {
    #[command(flatten)]
    pub chain: Chain,
    /// The coordinator's address.
    #[arg(long, env = "OUTLAYER_COORDINATOR")]
    pub coordinator: String,
    /// This worker's token.
    #[arg(long, env = "OUTLAYER_WORKER_TOKEN", hide_env_values = true)]
    pub token: String,
    /// The account that may resolve.
    #[arg(long, env = "OUTLAYER_OPERATOR", default_value = "operator.test")]
    pub operator: AccountId,
    /// Its secret keys, `ed25519:…`; several let more transactions be in flight.
    #[arg(
        long = "secret-key",
        env = "OUTLAYER_OPERATOR_KEYS",
        value_delimiter = ',',
        hide_env_values = true,
        required = true
    )]
    pub secret_keys: Vec<String>,
    /// What the keystore signs its answers with, `ed25519:…`, as `outlayer keystore` says at its start. Without it requests that name
    /// secrets are not answered.
    #[arg(long, env = "OUTLAYER_KEYSTORE_KEY", value_name = "KEY")]
    pub keystore_key: Option<String>,
    /// The folder of artifacts and builds.
    #[arg(long, env = "OUTLAYER_DATA")]
    pub data: PathBuf,
    /// What guests see as `NEAR_NETWORK_ID`.
    #[arg(long, env = "NEAR_NETWORK_ID", default_value = "mainnet")]
    pub network: String,
    /// Jobs at the same time.
    #[arg(long, env = "OUTLAYER_CONCURRENCY", default_value_t = 4)]
    pub concurrency: usize,
    /// The time between two blocks of the chain, in milliseconds: it decides how long a request can wait for its build. 0 for a chain whose
    /// blocks come when there is something to do.
    #[arg(long, env = "OUTLAYER_BLOCK_MS", default_value_t = 600)]
    pub block_ms: u64,
    /// Take the repositories of github.com from this folder instead, `{folder}/{owner}/{repo}`, and let modules be fetched
    /// from this machine.
    #[arg(long, env = "OUTLAYER_REPOSITORIES")]
    pub repositories: Option<PathBuf>,
    /// What runs the guests.
    #[arg(long, env = "OUTLAYER_ENGINE", value_enum, default_value_t)]
    pub engine: Engine,
    #[command(flatten)]
    pub compiling: Compiling,
    #[command(flatten)]
    pub jail: Jail,
    /// Where FastFS serves what an account has put on the chain; `{owner}` stands for the account.
    #[arg(
        long,
        env = "OUTLAYER_FASTFS_URL",
        default_value = "https://{owner}.fastfs.io",
        value_name = "URL"
    )]
    pub fastfs_url: String,
    /// Keep every execution that was given no secrets in this folder for `outlayer replay`, up to 1 GiB.
    #[arg(long, env = "OUTLAYER_KEEP_RUNS", value_name = "FOLDER")]
    pub keep_runs: Option<PathBuf>,
    /// Kill this process when a job reaches the step: for tests of crashes.
    #[arg(long, hide = true)]
    pub die_at: Option<String>,
}

/// `outlayer bench`
#[derive(Debug, Args)]
pub struct Bench {
    /// What to measure.
    #[command(subcommand)]
    pub what: Measure,
}

/// What can be measured.
#[derive(Debug, Subcommand)]
pub enum Measure {
    /// Requests through the whole platform, and calls on the localnet alone.
    Journey {
        /// How many requests.
        #[arg(long, default_value_t = 1_000)]
        requests: u64,
        /// How many wait for their answer at the same time.
        #[arg(long, default_value_t = 32)]
        clients: u64,
    },
    /// A request whose guest has to be built from nothing, one for the next commit of the same repository, and one for a commit that is
    /// built.
    Compile,
    /// What secrets add to a request, and how many questions the keystore answers.
    Secrets,
    /// Requests while the worker is killed at random: every one is answered once.
    Crashes {
        /// How many requests.
        #[arg(long, default_value_t = 1_000)]
        requests: u64,
        /// The seed of the kills.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}
