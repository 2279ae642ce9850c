//! A guest's world: what it reads, what it wrote, and what it may still use. The same under every engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metering::MAX_GAS;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;

use crate::clock::GuestClock;
use crate::run::{Limits, Run};
use crate::tape::Tape;

/// Entries that all of a guest's tables may have together; each takes 8 bytes of the process.
const MAX_TABLE_ENTRIES: usize = 1_000_000;

/// Tables of one module. rustc emits one.
pub(crate) const MAX_TABLES: usize = 16;

/// A guest's world.
#[derive(Debug)]
pub struct World {
    pub(crate) args: Vec<Vec<u8>>,
    pub(crate) env: Vec<Vec<u8>>,
    pub(crate) input: Vec<u8>,
    pub(crate) read: usize,
    /// Whether stdin, stdout and stderr are open.
    pub(crate) open: [bool; 3],
    pub(crate) clock: GuestClock,
    pub(crate) random: ChaCha20Rng,
    pub(crate) limits: Limits,
    /// Dollars that were attached, and what it gives back of them. Unit: millionths.
    pub(crate) attached_usd: u64,
    pub(crate) refund_usd: Option<u64>,
    /// Bytes that a component's calls moved; a module pays for them at once, from its own gas.
    pub(crate) moved: u64,
    /// The earliest moment that a component waits for.
    pub(crate) alarm: Option<u64>,
    pub(crate) granted: Granted,
    pub(crate) seen: Arc<Seen>,
}

/// What may be seen of a guest at any moment, by the signal handler that ends it.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) stdout: Tape,
    pub(crate) stderr: Tape,
    /// Bytes of messages that did not fit.
    pub(crate) stderr_dropped: AtomicU64,
    /// What was charged at the last host call.
    pub(crate) charged: AtomicU64,
    /// The most linear memory it had.
    pub(crate) memory_peak: AtomicU64,
}

/// Why a host call does not come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    #[error("exit with code {0}")]
    Exit(i32),
    #[error("too much output")]
    OutputTooLarge,
    #[error("out of instructions")]
    OutOfInstructions,
}

impl World {
    /// The world of one run.
    pub(crate) fn new(run: Run) -> std::io::Result<Self> {
        let ended = |mut text: Vec<u8>| {
            text.push(0);
            text
        };
        let env = run.env.iter().map(|(name, value)| (&**name, &**value));
        let env = env.chain(run.secrets.iter());
        Ok(Self {
            args: run.args.into_iter().map(|arg| ended(arg.into())).collect(),
            env: env
                .map(|(name, value)| ended(format!("{name}={value}").into()))
                .collect(),
            input: run.input,
            read: 0,
            open: [true; 3],
            clock: GuestClock::new(run.clock),
            random: ChaCha20Rng::from_seed(run.seed.0),
            seen: Arc::new(Seen {
                stdout: Tape::new(run.limits.stdout_bytes)?,
                stderr: Tape::new(run.limits.stderr_bytes)?,
                stderr_dropped: AtomicU64::new(0),
                charged: AtomicU64::new(0),
                memory_peak: AtomicU64::new(0),
            }),
            granted: Granted::default(),
            attached_usd: run.attached_usd,
            refund_usd: None,
            moved: 0,
            alarm: None,
            limits: run.limits,
        })
    }
}

impl World {
    /// Whether a memory of `current` bytes may grow to `desired`.
    pub(crate) fn grant_memory(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> bool {
        let most = self.limits.memory_bytes;
        let granted = self.granted.memory(most, current, desired, maximum);
        let peak = self.granted.memory_peak;
        self.seen.memory_peak.store(peak, Ordering::Relaxed);
        granted
    }
}

/// What gas a store starts with.
pub(crate) fn initial_gas(limits: &Limits) -> i64 {
    i64::try_from(limits.instructions).map_or(MAX_GAS, |gas| gas.min(MAX_GAS))
}

/// What was charged when `left` is left.
pub(crate) fn charged(limits: &Limits, left: i64) -> u64 {
    let charged = i128::from(initial_gas(limits)).saturating_sub(left.into());
    u64::try_from(charged).unwrap_or_default()
}

/// A guest in the middle of a host call, under any engine.
pub(crate) trait Calling {
    /// Its memory, if it has one, and its world.
    fn parts(&mut self) -> (Option<&mut [u8]>, &mut World);
    /// The gas that is left.
    fn gas(&mut self) -> i64;
    /// Sets it.
    fn set_gas(&mut self, left: i64);
}

/// Every host call passes here before it does anything: it costs 1 for each byte that it moves, and none is made on credit.
pub(crate) fn charge(caller: &mut dyn Calling, bytes: u64) -> Result<(), Stop> {
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    let left = caller.gas().saturating_sub(bytes);
    caller.set_gas(left);
    let (_, world) = caller.parts();
    let charged = charged(&world.limits, left);
    world.seen.charged.store(charged, Ordering::Relaxed);
    if left < 0 {
        return Err(Stop::OutOfInstructions);
    }
    Ok(())
}

/// Memory and tables granted to a guest.
#[derive(Debug, Default)]
pub(crate) struct Granted {
    /// Whether the guest was refused memory, within what its own module declares.
    pub(crate) denied: bool,
    /// The most linear memory it had.
    pub(crate) memory_peak: u64,
    /// Bytes of all memories together.
    memory_bytes: u64,
    /// Entries of all tables together.
    table_entries: usize,
}

impl Granted {
    /// Whether a memory of `current` bytes may grow to `desired`.
    fn memory(
        &mut self,
        most: u64,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> bool {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return false;
        }
        let bytes = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let others = self.memory_bytes.saturating_sub(bytes(current));
        let all = others.saturating_add(bytes(desired));
        if all > most {
            self.denied = true;
            return false;
        }
        self.memory_bytes = all;
        self.memory_peak = self.memory_peak.max(all);
        true
    }

    /// Whether a table of `current` entries may grow to `desired`.
    pub(crate) fn table(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> bool {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return false;
        }
        let others = self.table_entries.saturating_sub(current);
        let entries = others.saturating_add(desired);
        if entries > MAX_TABLE_ENTRIES {
            self.denied = true;
            return false;
        }
        self.table_entries = entries;
        true
    }
}
