//! Times in their order, and where most of them lie.

use std::fmt;
use std::time::Duration;

/// Times that were measured, the shortest first.
#[derive(Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn push(&mut self, time: Duration) {
        let place = self.0.partition_point(|known| *known <= time);
        self.0.insert(place, time);
    }

    /// The time that this part of all stays below.
    pub(crate) fn at(&self, part: f64) -> Duration {
        let last = u32::try_from(self.0.len().saturating_sub(1)).map_or(0.0, f64::from);
        let wanted = (last * part).round();
        let place = (0..self.0.len())
            .find(|place| u32::try_from(*place).map_or(f64::MAX, f64::from) >= wanted);
        place
            .and_then(|place| self.0.get(place))
            .copied()
            .unwrap_or_default()
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "p50 {:.0} us, p99 {:.0} us",
            self.at(0.5).as_secs_f64() * 1e6,
            self.at(0.99).as_secs_f64() * 1e6
        )
    }
}
