//! What a guest's store holds: what it reads, what it wrote, and what it may still use.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use wasmtime::{Caller, Global, Memory, ResourceLimiter, Val};

use super::wasi::GuestClock;
use crate::run::{Limits, Randomness, Run};

/// Entries that all of a guest's tables may have together; each takes 8 bytes of the process.
const MAX_TABLE_ENTRIES: usize = 1_000_000;

/// A guest's world.
pub(super) struct Host {
    pub(super) args: Vec<Vec<u8>>,
    pub(super) env: Vec<Vec<u8>>,
    pub(super) input: Vec<u8>,
    pub(super) read: usize,
    /// Whether stdin, stdout and stderr are open.
    pub(super) open: [bool; 3],
    pub(super) clock: GuestClock,
    pub(super) random: ChaCha20Rng,
    pub(super) limits: Limits,
    pub(super) limiter: Limiter,
    pub(super) memory: Option<Memory>,
    pub(super) gas: Option<Global>,
    pub(super) seen: Arc<Seen>,
}

/// What may be seen of a guest while it runs, by the thread that ends it.
#[derive(Default)]
pub(super) struct Seen {
    written: Mutex<Written>,
    charged: AtomicU64,
    memory_peak: AtomicU64,
}

/// What a guest wrote.
#[derive(Default)]
pub(super) struct Written {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    pub(super) stderr_dropped: u64,
}

impl Seen {
    pub(super) fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was charged at the last host call.
    pub(super) fn charged(&self) -> u64 {
        self.charged.load(Ordering::Relaxed)
    }

    pub(super) fn memory_peak(&self) -> u64 {
        self.memory_peak.load(Ordering::Relaxed)
    }
}

/// Why a host call does not come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Stop {
    #[error("exit with code {0}")]
    Exit(i32),
    #[error("too much output")]
    OutputTooLarge,
    #[error("out of instructions")]
    OutOfInstructions,
}

impl Host {
    pub(super) fn new(run: Run, seen: Arc<Seen>) -> Self {
        let ended = |mut text: Vec<u8>| {
            text.push(0);
            text
        };
        Self {
            args: run.args.into_iter().map(|arg| ended(arg.into())).collect(),
            env: run
                .env
                .into_iter()
                .map(|(name, value)| ended(format!("{name}={value}").into()))
                .collect(),
            input: run.input,
            read: 0,
            open: [true; 3],
            clock: GuestClock::new(run.clock),
            random: match run.randomness {
                Randomness::System => ChaCha20Rng::from_os_rng(),
                Randomness::Seeded(seed) => ChaCha20Rng::from_seed(seed),
            },
            limits: run.limits,
            limiter: Limiter {
                memory_bytes: run.limits.memory_bytes,
                denied: false,
                table_entries: 0,
                seen: Arc::clone(&seen),
            },
            memory: None,
            gas: None,
            seen,
        }
    }
}

/// What gas a store starts with.
pub(super) fn initial_gas(limits: &Limits) -> i64 {
    i64::try_from(limits.instructions).unwrap_or(i64::MAX)
}

/// What was charged when `left` is left.
pub(super) fn charged(limits: &Limits, left: i64) -> u64 {
    let charged = i128::from(initial_gas(limits)).saturating_sub(left.into());
    u64::try_from(charged).unwrap_or_default()
}

/// Every host call passes here before it does anything: it costs 1 for each byte that it moves, and none is made on credit.
pub(super) fn charge(caller: &mut Caller<'_, Host>, bytes: u64) -> wasmtime::Result<()> {
    let Some(gas) = caller.data().gas else {
        return Err(Stop::OutOfInstructions.into());
    };
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    let left = gas.get(&mut *caller).i64().unwrap_or_default();
    let left = left.saturating_sub(bytes);
    gas.set(&mut *caller, Val::I64(left))?;
    let host = caller.data();
    let charged = charged(&host.limits, left);
    host.seen.charged.store(charged, Ordering::Relaxed);
    if left < 0 {
        return Err(Stop::OutOfInstructions.into());
    }
    Ok(())
}

/// Grants a guest memory up to its limit.
pub(super) struct Limiter {
    memory_bytes: u64,
    /// Whether the guest was refused memory, within what its own module declares.
    pub(super) denied: bool,
    /// Entries of all tables together.
    table_entries: usize,
    seen: Arc<Seen>,
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let desired = u64::try_from(desired).unwrap_or(u64::MAX);
        if desired > self.memory_bytes {
            self.denied = true;
            return Ok(false);
        }
        self.seen.memory_peak.store(desired, Ordering::Relaxed);
        Ok(true)
    }

    /// The kernel had none to give: as good as our own refusal.
    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.denied = true;
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let others = self.table_entries.saturating_sub(current);
        let entries = others.saturating_add(desired);
        if entries > MAX_TABLE_ENTRIES {
            self.denied = true;
            return Ok(false);
        }
        self.table_entries = entries;
        Ok(true)
    }

    fn instances(&self) -> usize {
        1
    }

    fn memories(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        MAX_TABLES
    }
}

/// Tables of one module. rustc emits one.
const MAX_TABLES: usize = 16;
