//! What one execution is given, and what an executor is made with.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::process::Program;

/// One execution: what the guest is told and what it may use.
#[derive(Clone, BorshSerialize, BorshDeserialize)]
pub struct Run {
    /// What it reads from stdin.
    pub input: Vec<u8>,
    /// Its arguments, the program's name first. No NUL bytes.
    pub args: Vec<String>,
    /// Its environment. No NUL bytes, and no `=` in a name.
    pub env: BTreeMap<String, String>,
    /// What it may use.
    pub limits: Limits,
    /// What `random_get` gives.
    pub randomness: Randomness,
    /// What the clocks tell.
    pub clock: Clock,
}

impl Run {
    /// A run with this input under these limits, with no arguments and an empty environment.
    pub fn new(input: impl Into<Vec<u8>>, limits: Limits) -> Self {
        Self {
            input: input.into(),
            args: Vec::new(),
            env: BTreeMap::new(),
            limits,
            randomness: Randomness::System,
            clock: Clock::System,
        }
    }
}

/// The environment holds secrets and so may the input: names and sizes are shown.
impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("input_bytes", &self.input.len())
            .field("args", &self.args.len())
            .field("env", &self.env.keys())
            .field("limits", &self.limits)
            .field("randomness", &self.randomness)
            .field("clock", &self.clock)
            .finish()
    }
}

/// What one execution may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Limits {
    /// Metered instructions.
    pub instructions: u64,
    /// Linear memory.
    pub memory_bytes: u64,
    /// Wall-clock time, from the start of its process.
    #[borsh(
        serialize_with = "crate::wire::write_duration",
        deserialize_with = "crate::wire::read_duration"
    )]
    pub wall: Duration,
    /// Output. One byte more ends the execution.
    pub stdout_bytes: usize,
    /// Messages. What is above is dropped and counted.
    pub stderr_bytes: usize,
}

impl Default for Limits {
    /// What a request gets that names no limits, with the caps of an answer.
    fn default() -> Self {
        Self {
            instructions: 1_000_000_000,
            memory_bytes: 128 << 20,
            wall: Duration::from_secs(60),
            stdout_bytes: 4 << 20,
            stderr_bytes: 64 << 10,
        }
    }
}

/// Where a guest's random bytes come from.
#[derive(Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Randomness {
    /// The operating system.
    System,
    /// ChaCha20 with this seed: the same bytes in every run.
    Seeded([u8; 32]),
}

impl fmt::Debug for Randomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Seeded(_) => "Seeded(..)",
        })
    }
}

/// What time a guest sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Clock {
    /// The machine's.
    System,
    /// Nanoseconds since the Unix epoch; moves only when the guest sleeps, and then at once.
    Fixed(u64),
}

/// What an executor is made with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The program that becomes a child by calling [`crate::child::main`].
    pub child: Program,
    /// The folder for compiled modules. The executor's own: nobody else writes there.
    pub cache: PathBuf,
    /// How large that folder may grow.
    pub cache_bytes: u64,
    /// Children at one time; more executions wait.
    pub children: usize,
    /// What compiling one module may use.
    pub compile: CompileLimits,
}

impl Settings {
    /// Usual settings: a cache of 4 GiB and 64 children.
    pub fn new(child: Program, cache: impl Into<PathBuf>) -> Self {
        Self {
            child,
            cache: cache.into(),
            cache_bytes: 4 << 30,
            children: 64,
            compile: CompileLimits::default(),
        }
    }
}

/// What compiling one module may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileLimits {
    /// Wall-clock time.
    pub wall: Duration,
    /// Memory of the process.
    pub memory_bytes: u64,
}

impl Default for CompileLimits {
    /// A module of 4.2 MB takes 2.7 s of one core; the largest seen has 15.8 MB.
    fn default() -> Self {
        Self {
            wall: Duration::from_secs(60),
            memory_bytes: 2 << 30,
        }
    }
}
