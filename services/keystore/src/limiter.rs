//! How often somebody may ask: a bucket each, that fills with time.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use protocol::clock::{Clock, UnixMs};

use crate::error::Error;

/// How many are remembered. Whoever has not asked for a while is forgotten, which is the same as a full bucket.
const MOST: usize = 10_000;

/// What one call takes out of a bucket, in the buckets' unit: so that a millisecond's share is a whole number.
const CALL: u64 = 60_000;

/// Limits each `K` to so many calls a minute.
pub(crate) struct Limiter<K> {
    clock: Clock,
    per_minute: u64,
    buckets: Mutex<HashMap<K, Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    left: u64,
    at: UnixMs,
}

impl<K: Eq + Hash> Limiter<K> {
    pub(crate) fn new(clock: Clock, per_minute: u32) -> Self {
        Self {
            clock,
            per_minute: per_minute.into(),
            buckets: Mutex::default(),
        }
    }

    /// Counts a call, or refuses it.
    pub(crate) fn count(&self, who: K) -> Result<(), Error> {
        let now = self.clock.now_ms();
        let full = self.per_minute.saturating_mul(CALL);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST && !buckets.contains_key(&who) {
            buckets.retain(|_, bucket| self.filled(*bucket, now).left < full);
        }
        if buckets.len() >= MOST && !buckets.contains_key(&who) {
            return Err(Error::RateLimited);
        }
        let bucket = buckets.entry(who).or_insert(Bucket {
            left: full,
            at: now,
        });
        *bucket = self.filled(*bucket, now);
        bucket.left = bucket.left.checked_sub(CALL).ok_or(Error::RateLimited)?;
        Ok(())
    }

    fn filled(&self, bucket: Bucket, now: UnixMs) -> Bucket {
        let since = now.saturating_sub(bucket.at);
        let added = since.saturating_mul(self.per_minute);
        let full = self.per_minute.saturating_mul(CALL);
        Bucket {
            left: bucket.left.saturating_add(added).min(full),
            at: now,
        }
    }
}

impl<K> fmt::Debug for Limiter<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Limiter({} a minute)", self.per_minute)
    }
}

#[cfg(test)]
mod tests {
    use protocol::clock::ManualClock;

    use super::*;

    #[test]
    fn so_many_calls_may_come_at_once_and_then_as_time_goes_by() {
        let clock = ManualClock::at(0);
        let limiter = Limiter::new(clock.clone(), 2);

        let at_once = [1, 2, 3].map(|_| limiter.count("alice").is_ok());
        clock.advance_ms(29_999);
        let too_early = limiter.count("alice").is_ok();
        clock.advance_ms(1);
        let in_time = limiter.count("alice").is_ok();

        assert_eq!(at_once, [true, true, false]);
        assert_eq!((too_early, in_time), (false, true));
    }

    #[test]
    fn one_does_not_use_up_what_is_anothers() {
        let limiter = Limiter::new(ManualClock::at(0), 1);

        limiter.count("alice").unwrap();

        assert!(limiter.count("alice").is_err());
        assert!(limiter.count("bob").is_ok());
    }

    #[test]
    fn whoever_has_not_asked_for_a_while_is_forgotten() {
        let clock = ManualClock::at(0);
        let limiter = Limiter::new(clock.clone(), 1);
        (0..MOST).for_each(|who| limiter.count(who).unwrap());

        let crowded = limiter.count(MOST).is_ok();
        clock.advance_ms(60_000);
        let later = limiter.count(MOST).is_ok();

        assert_eq!((crowded, later), (false, true));
        assert_eq!(limiter.buckets.lock().unwrap().len(), 1);
    }
}
