//! How a guest ended, under any engine, and the report of it.

use std::sync::atomic::Ordering;

use crate::outcome::{Outcome, TrapKind};
use crate::profile::Stack;
use crate::wire::{Frame, MAX_FRAMES, MAX_NAME_BYTES, Report};
use crate::world::{Stop, World, charged};

/// Why a guest's code stopped running.
pub(crate) enum Reason {
    /// It came to its end.
    Returned,
    /// A host call ended it.
    Stopped(Stop),
    /// It trapped.
    Trapped(TrapKind),
    /// The engine's own stack ran out, which the metered one should not let happen.
    StackExhausted,
}

/// How a guest ended, with what is measured at its end.
pub(crate) struct End {
    pub(crate) outcome: Outcome,
    pub(crate) charged: u64,
    pub(crate) is_exact: bool,
    pub(crate) frames: Vec<Frame>,
    pub(crate) profile: Vec<Stack>,
}

impl End {
    /// The end of a guest that did not begin.
    pub(crate) const fn before_start(outcome: Outcome) -> Self {
        Self {
            outcome,
            charged: 0,
            is_exact: true,
            frames: Vec::new(),
            profile: Vec::new(),
        }
    }

    /// The end of a module that cannot be run.
    pub(crate) fn bad(reason: impl Into<String>) -> Self {
        Self::before_start(Outcome::BadModule {
            reason: reason.into(),
        })
    }

    /// Reads the end out of why the code stopped, the gas left and the stack slots left.
    pub(crate) fn of(reason: &Reason, world: &World, gas: i64, slots: i32) -> Self {
        let overflowed = slots < 0;
        let (outcome, is_exact) = match *reason {
            Reason::Returned => (Outcome::Returned, true),
            Reason::Stopped(Stop::Exit(code)) => (Outcome::Exited(code), true),
            Reason::Stopped(Stop::OutputTooLarge) => (Outcome::OutputTooLarge, true),
            Reason::Stopped(Stop::OutOfInstructions) => (Outcome::OutOfInstructions, true),
            Reason::StackExhausted => (Outcome::StackOverflow, false),
            Reason::Trapped(TrapKind::Unreachable) if overflowed => (Outcome::StackOverflow, true),
            // Languages abort when they are refused memory, and an abort is `unreachable`.
            Reason::Trapped(TrapKind::Unreachable) if world.granted.denied => {
                (Outcome::OutOfMemory, true)
            }
            Reason::Trapped(kind) => (
                Outcome::Trapped {
                    kind,
                    backtrace: String::new(),
                },
                is_counted(kind),
            ),
        };
        Self {
            outcome,
            charged: charged(&world.limits, gas),
            is_exact,
            frames: Vec::new(),
            profile: Vec::new(),
        }
    }

    /// The report of this end.
    pub(crate) fn report(self, world: &World) -> Report {
        let seen = &world.seen;
        Report {
            outcome: self.outcome,
            charged: self.charged,
            is_exact: self.is_exact,
            frames: self.frames,
            profile: self.profile,
            stdout_bytes: seen.stdout.length(),
            stderr_bytes: seen.stderr.length(),
            stderr_dropped: seen.stderr_dropped.load(Ordering::Relaxed),
            memory_peak_bytes: world.granted.memory_peak,
            refund_usd: world.refund_usd,
            readings: world
                .clock
                .is_repeatable()
                .then(|| world.clock.readings.clone()),
        }
    }
}

/// Whether the fast rewriting has the gas written down when this trap comes; see [`metering`].
const fn is_counted(kind: TrapKind) -> bool {
    matches!(
        kind,
        TrapKind::Unreachable
            | TrapKind::TableOutOfBounds
            | TrapKind::IndirectCallToNull
            | TrapKind::BadSignature
    )
}

/// The innermost frames, their names cut to what is told.
pub(crate) fn frames(
    all: impl Iterator<Item = (u32, Option<String>, Option<usize>)>,
) -> Vec<Frame> {
    all.take(MAX_FRAMES)
        .map(|(function, name, offset)| Frame {
            function,
            name: name.map(|mut name| {
                name.truncate(name.floor_char_boundary(MAX_NAME_BYTES));
                name
            }),
            offset: offset.and_then(|offset| u32::try_from(offset).ok()),
        })
        .collect()
}
