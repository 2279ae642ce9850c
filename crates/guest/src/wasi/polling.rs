//! `poll_oneoff`: sleeping. stdin, stdout and stderr are always ready.

use super::errno::{Answer, BAD_FD, Errno, INVALID, SUCCESS, answer};
use super::given;
use super::words;
use crate::memory::{View, step};
use crate::world::{Calling, charge};

/// Sizes of a subscription and of an event. Source: `wasi_snapshot_preview1.witx`.
const SUBSCRIPTION_BYTES: u32 = 48;
const EVENT_BYTES: u32 = 32;

/// What a subscription waits for, by its tag.
const CLOCK: u8 = 0;
const READABLE: u8 = 1;
const WRITABLE: u8 = 2;

/// The flag of a time that is a moment and not a span.
const ABSOLUTE: u16 = 1;

/// The most subscriptions of one call.
const MAX_SUBSCRIPTIONS: u32 = 1_024;

/// What a guest waits for.
struct Subscription {
    user: u64,
    kind: u8,
    /// Nanoseconds from now, or why it cannot be waited for. Streams are ready now.
    wait: Result<u64, Errno>,
}

pub(super) fn poll(caller: &mut dyn Calling, args: &[u64]) -> Answer {
    let [from, to, count, out] = words(args);
    if count == 0 || count > MAX_SUBSCRIPTIONS {
        charge(caller, 0)?;
        return answer(Err(INVALID));
    }
    let bytes = u64::from(count).saturating_mul(SUBSCRIPTION_BYTES.into());
    charge(caller, bytes)?;
    answer(View::of(caller).and_then(|mut view| {
        let mut all = Vec::new();
        for number in 0..count {
            all.push(subscription(
                &mut view,
                step(from, number, SUBSCRIPTION_BYTES)?,
            )?);
        }
        let shortest = all
            .iter()
            .map(|one| one.wait.unwrap_or(0))
            .min()
            .unwrap_or(0);
        if shortest > 0 {
            view.world.clock.sleep(shortest);
        }
        let mut events = 0;
        for one in all {
            if one.wait.unwrap_or(0) <= shortest {
                event(&mut view, step(to, events, EVENT_BYTES)?, &one)?;
                events = events.saturating_add(1);
            }
        }
        view.put_u32(out, events)
    }))
}

/// User data at 0, tag at 8; a clock's id at 16, time at 24, flags at 40; a stream's descriptor at 16.
fn subscription(view: &mut View<'_>, at: u32) -> Result<Subscription, Errno> {
    let field = |offset| step(at, 1, offset);
    let tag = view.bytes(field(8)?, 1)?.first().copied();
    let kind = tag.ok_or(INVALID)?;
    let wait = match kind {
        CLOCK => {
            let time = view.u64(field(24)?)?;
            let flags = view.u32(field(40)?)?;
            let clock = view.u32(field(16)?)?;
            let absolute = u16::try_from(flags & 0xffff).unwrap_or(0) & ABSOLUTE != 0;
            given::now(view.world, clock).map(|now| {
                if absolute {
                    time.saturating_sub(now)
                } else {
                    time
                }
            })
        }
        READABLE | WRITABLE if view.u32(field(16)?)? <= 2 => Ok(0),
        READABLE | WRITABLE => Err(BAD_FD),
        _ => return Err(INVALID),
    };
    Ok(Subscription {
        user: view.u64(at)?,
        kind,
        wait,
    })
}

/// User data at 0, error number at 8, tag at 10; a stream's bytes at 16.
fn event(view: &mut View<'_>, at: u32, of: &Subscription) -> Result<(), Errno> {
    let ready = if of.kind == READABLE {
        view.world.input.len().saturating_sub(view.world.read)
    } else {
        0
    };
    let errno = of.wait.err().unwrap_or(SUCCESS);
    view.put(at, &[0; 32])?;
    view.put_u64(at, of.user)?;
    view.put(step(at, 1, 8)?, &errno.0.to_le_bytes())?;
    view.put(step(at, 1, 10)?, &[of.kind])?;
    view.put_u64(step(at, 1, 16)?, u64::try_from(ready).unwrap_or(u64::MAX))
}
