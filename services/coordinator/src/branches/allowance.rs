//! How often hosts may be asked, whoever wants it: a bucket that fills with time.

use std::sync::{Mutex, PoisonError};

use protocol::clock::{Clock, UnixMs};

/// What one question takes out of the bucket, in the bucket's unit: so that a millisecond's share is a whole number.
const QUESTION: u64 = 60_000;

/// So many questions a minute.
#[derive(Debug)]
pub(super) struct Allowance {
    clock: Clock,
    per_minute: u64,
    bucket: Mutex<Bucket>,
}

#[derive(Debug)]
struct Bucket {
    left: u64,
    at: UnixMs,
}

impl Allowance {
    pub(super) fn new(clock: Clock, per_minute: u32) -> Self {
        let per_minute = u64::from(per_minute);
        let bucket = Bucket {
            left: per_minute.saturating_mul(QUESTION),
            at: clock.now_ms(),
        };
        Self {
            clock,
            per_minute,
            bucket: Mutex::new(bucket),
        }
    }

    /// Counts a question, if one may be asked; whether one may.
    pub(super) fn take(&self) -> bool {
        let now = self.clock.now_ms();
        let full = self.per_minute.saturating_mul(QUESTION);
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let since = now.saturating_sub(bucket.at);
        let added = since.saturating_mul(self.per_minute);
        bucket.left = bucket.left.saturating_add(added).min(full);
        bucket.at = now;
        let left = bucket.left.checked_sub(QUESTION);
        bucket.left = left.unwrap_or(bucket.left);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use protocol::clock::ManualClock;

    use super::*;

    #[test]
    fn so_many_questions_may_come_at_once_and_then_as_time_goes_by() {
        let clock = ManualClock::at(0);
        let allowance = Allowance::new(clock.clone(), 2);

        let at_once = [1, 2, 3].map(|_| allowance.take());
        clock.advance_ms(29_999);
        let too_early = allowance.take();
        clock.advance_ms(1);
        let in_time = allowance.take();

        assert_eq!(at_once, [true, true, false]);
        assert_eq!((too_early, in_time), (false, true));
    }
}
