//! What an executor is made with.

use std::path::PathBuf;
use std::time::Duration;

use crate::process::Program;

/// What an executor is made with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The program that becomes a compiling process by calling [`crate::child::main`].
    pub compiler: Program,
    /// The folder for compiled modules. The executor's own: nobody else writes there.
    pub cache: PathBuf,
    /// How large that folder may grow.
    pub cache_bytes: u64,
    /// Guests at one time; more executions wait.
    pub guests: usize,
    /// Artifacts that are kept loaded, ready to run, each for one tenant.
    pub hot: usize,
    /// What runs the guests.
    pub engine: Engine,
    /// What to do where the kernel lacks a layer of the jail.
    pub jail: Jail,
    /// What compiling one module may use.
    pub compile: CompileLimits,
}

impl Settings {
    /// Usual settings: a cache of 4 GiB, 64 guests, 8 of them kept loaded, the whole jail.
    pub fn new(compiler: Program, cache: impl Into<PathBuf>) -> Self {
        Self {
            compiler,
            cache: cache.into(),
            cache_bytes: 4 << 30,
            guests: 64,
            hot: 8,
            engine: Engine::Tiered,
            jail: Jail::Whole,
            compile: CompileLimits::default(),
        }
    }
}

/// What runs the guests. All engines give the same answers and count the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Code of one quick pass for a module never seen, of the optimising compiler as soon as that is done.
    Tiered,
    /// The optimising compiler only, as slow as it may be the first time.
    Cranelift,
    /// The quick compiler only.
    Winch,
    /// wasmi, the reference engine, which compiles nothing.
    Interpreter,
}

/// What to do where the kernel lacks a layer of the jail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jail {
    /// Refuse to start.
    Whole,
    /// Go on and say so in the log: for development, never for guests of strangers.
    AsFarAsPossible,
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
