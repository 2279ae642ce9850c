//! The time that a guest sees, and a journal of what it saw.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::run::Clock;

/// Readings that are kept of one run. A guest that looks at the clock more often is not repeated exactly.
///
/// Unit: readings of 8 bytes.
const MAX_READINGS: usize = 1 << 17;

/// A guest's two clocks.
#[derive(Debug)]
pub(crate) struct GuestClock {
    source: Source,
    /// What was read of the machine's clock, in order.
    pub(crate) readings: Vec<u64>,
}

#[derive(Debug)]
enum Source {
    /// The machine's; the monotonic one counts from the guest's start.
    System(Instant),
    /// Nanoseconds since the Unix epoch on both.
    Fixed(u64),
    /// What an earlier run read; the last reading stays.
    Recorded { readings: VecDeque<u64>, last: u64 },
}

impl GuestClock {
    pub(crate) fn new(clock: Clock) -> Self {
        let source = match clock {
            Clock::Fixed(now) => Source::Fixed(now),
            Clock::System => Source::System(instant()),
            Clock::Recorded(readings) => Source::Recorded {
                readings: readings.into(),
                last: 0,
            },
        };
        Self {
            source,
            readings: Vec::new(),
        }
    }

    /// Whether what was read is all in the journal.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.readings.len() < MAX_READINGS
    }

    /// Nanoseconds since the Unix epoch.
    pub(crate) fn realtime(&mut self) -> u64 {
        self.read(|_| {
            #[expect(
                clippy::disallowed_methods,
                reason = "a guest that is given the machine's clock is given this"
            )]
            let now = SystemTime::now();
            nanos(now.duration_since(UNIX_EPOCH).unwrap_or_default())
        })
    }

    /// Nanoseconds since some moment.
    pub(crate) fn monotonic(&mut self) -> u64 {
        self.read(|start| nanos(instant().saturating_duration_since(start)))
    }

    fn read(&mut self, system: impl FnOnce(Instant) -> u64) -> u64 {
        match &mut self.source {
            Source::Fixed(now) => *now,
            Source::Recorded { readings, last } => {
                *last = readings.pop_front().unwrap_or(*last);
                *last
            }
            Source::System(start) => {
                let now = system(*start);
                if self.readings.len() < MAX_READINGS {
                    self.readings.push(now);
                }
                now
            }
        }
    }

    /// Lets this much time go by; at once, unless the clock is the machine's.
    pub(crate) fn sleep(&mut self, nanos: u64) {
        match &mut self.source {
            Source::Fixed(now) => *now = now.saturating_add(nanos),
            Source::Recorded { .. } => {}
            Source::System(_) => wait(Duration::from_nanos(nanos)),
        }
    }
}

/// Sleeps. Parking takes no system call that the jail does not allow anyway.
fn wait(time: Duration) {
    let start = instant();
    while let Some(left) = time
        .checked_sub(start.elapsed())
        .filter(|left| !left.is_zero())
    {
        std::thread::park_timeout(left);
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
