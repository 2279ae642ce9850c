//! Time, waiting and chance as parts that are passed in, so that a test decides all three.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use protocol::clock::{Clock, ManualClock, SystemClock};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Waits.
#[async_trait]
pub trait Sleep: Send + Sync + fmt::Debug {
    /// Waits for `duration`.
    async fn sleep(&self, duration: Duration);
}

/// Waits on tokio's timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioSleep;

#[async_trait]
impl Sleep for TokioSleep {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// Does not wait, but moves a clock on by as much: for tests.
#[derive(Debug)]
pub struct SkipSleep(Arc<ManualClock>);

impl SkipSleep {
    /// Moves `clock` on instead of waiting.
    pub const fn new(clock: Arc<ManualClock>) -> Self {
        Self(clock)
    }
}

#[async_trait]
impl Sleep for SkipSleep {
    async fn sleep(&self, duration: Duration) {
        self.0
            .advance_ms(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
        // Somebody else may be what the sleeper waits for.
        tokio::task::yield_now().await;
    }
}

/// The parts that every client here needs.
#[derive(Clone)]
pub struct Parts {
    clock: Clock,
    sleep: Arc<dyn Sleep>,
    dice: Arc<Mutex<StdRng>>,
}

impl Parts {
    /// The machine's clock, timer and chance.
    pub fn of_the_machine() -> Self {
        Self {
            clock: SystemClock::shared(),
            sleep: Arc::new(TokioSleep),
            dice: Arc::new(Mutex::new(StdRng::from_os_rng())),
        }
    }

    /// Parts of the caller's choice.
    pub fn new(clock: Clock, sleep: Arc<dyn Sleep>, seed: u64) -> Self {
        Self {
            clock,
            sleep,
            dice: Arc::new(Mutex::new(StdRng::seed_from_u64(seed))),
        }
    }

    /// Parts for a test: waiting moves the clock on and takes no time.
    pub fn without_waiting(seed: u64) -> Self {
        let clock = ManualClock::at(1_700_000_000_000);
        Self::new(clock.clone(), Arc::new(SkipSleep::new(clock)), seed)
    }

    /// Now, in milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// Waits for `duration`.
    pub async fn sleep(&self, duration: Duration) {
        self.sleep.sleep(duration).await;
    }

    /// Waits before try number `attempt + 1`.
    pub async fn back_off(&self, backoff: &Backoff, attempt: u32) {
        let whole = backoff.ceiling(attempt);
        let share = self
            .dice
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .random_range(0.5..1.0);
        self.sleep(whole.mul_f64(share)).await;
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts")
            .field("clock", &self.clock)
            .field("sleep", &self.sleep)
            .finish_non_exhaustive()
    }
}

/// How long to wait before the next try: twice as long each time, between half of it and all of it by chance, so that many
/// clients that failed together do not come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Before the second try.
    pub first: Duration,
    /// Never longer than this.
    pub most: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(100),
            most: Duration::from_secs(5),
        }
    }
}

impl Backoff {
    /// The longest wait after try number `attempt`, counted from 1.
    pub fn ceiling(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(20);
        self.first.saturating_mul(1 << doublings).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_twice_the_last_up_to_the_most() {
        let backoff = Backoff {
            first: Duration::from_millis(100),
            most: Duration::from_secs(1),
        };

        let waits = [1, 2, 3, 4, 5, 99].map(|attempt| backoff.ceiling(attempt).as_millis());

        assert_eq!(waits, [100, 200, 400, 800, 1000, 1000]);
    }

    #[tokio::test]
    async fn a_test_waits_by_moving_the_clock() {
        let parts = Parts::without_waiting(1);
        let before = parts.now_ms();

        parts.back_off(&Backoff::default(), 1).await;

        let waited = parts.now_ms().checked_sub(before).unwrap();
        assert!((50..=100).contains(&waited), "{waited}");
    }
}
