//! The time that a guest sees.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::run::Clock;

/// A guest's two clocks.
#[derive(Debug)]
pub(in crate::child) enum GuestClock {
    /// The machine's; the monotonic one counts from the guest's start.
    System(Instant),
    /// Nanoseconds since the Unix epoch on both.
    Fixed(u64),
}

impl GuestClock {
    pub(in crate::child) fn new(clock: Clock) -> Self {
        match clock {
            Clock::Fixed(now) => Self::Fixed(now),
            Clock::System => Self::System(instant()),
        }
    }

    /// Nanoseconds since the Unix epoch.
    pub(super) fn realtime(&self) -> u64 {
        match self {
            Self::Fixed(now) => *now,
            Self::System(_) => {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "a guest that is given the machine's clock is given this"
                )]
                let now = SystemTime::now();
                nanos(now.duration_since(UNIX_EPOCH).unwrap_or_default())
            }
        }
    }

    /// Nanoseconds since some moment.
    pub(super) fn monotonic(&self) -> u64 {
        match self {
            Self::Fixed(now) => *now,
            Self::System(start) => nanos(instant().saturating_duration_since(*start)),
        }
    }

    /// Lets this much time go by; on a fixed clock at once.
    pub(super) fn sleep(&mut self, nanos: u64) {
        match self {
            Self::Fixed(now) => *now = now.saturating_add(nanos),
            Self::System(_) => {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "the guest asks to sleep; its executor ends it on time"
                )]
                std::thread::sleep(Duration::from_nanos(nanos));
            }
        }
    }
}

fn instant() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "a guest that is given the machine's clock is given this"
    )]
    Instant::now()
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
