//! A guest whose time is up: what it wrote so far is told by the signal handler that ends it.

use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, RawFd};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering};
use std::time::Duration;

use jail::server::Connection;
use jail::{Deadline, frame};

use crate::outcome::Outcome;
use crate::wire::{self, Report, SHORT_BYTES};
use crate::world::Seen;

/// What the handler tells, and to whom. One process runs one guest, so there is one of each.
static SEEN: AtomicPtr<Seen> = AtomicPtr::new(ptr::null_mut());
static CONNECTION: AtomicI32 = AtomicI32::new(-1);

/// Has the guest ended after `wall`, with what it wrote told on `connection`.
pub(crate) fn watch(
    deadline: Deadline,
    wall: Duration,
    connection: &Connection,
    seen: &Arc<Seen>,
) -> io::Result<()> {
    let raw: RawFd = connection.as_fd().as_raw_fd();
    CONNECTION.store(raw, Ordering::Relaxed);
    // One count is never given back: the handler may look at any moment until the process ends.
    SEEN.store(
        Arc::into_raw(Arc::clone(seen)).cast_mut(),
        Ordering::Release,
    );
    deadline.arm(wall, tell)
}

/// The guest came to its end in time.
pub(crate) fn unwatch(deadline: Deadline) -> io::Result<()> {
    deadline.disarm()
}

/// Runs in a signal's handler: allocates nothing, takes no lock.
fn tell() {
    // SAFETY: null, or what `watch` stored, which is never freed. What is read of it are atomics, and bytes that do not change any
    // more once they are counted.
    #[expect(unsafe_code, reason = "a handler is given nothing but statics")]
    let Some(seen) = (unsafe { SEEN.load(Ordering::Acquire).as_ref() }) else {
        return;
    };
    // SAFETY: the descriptor is the connection's, which is open as long as the process lives.
    #[expect(unsafe_code, reason = "a handler is given nothing but statics")]
    let connection = unsafe { BorrowedFd::borrow_raw(CONNECTION.load(Ordering::Relaxed)) };
    let report = Report {
        outcome: Outcome::OutOfTime,
        charged: seen.charged.load(Ordering::Relaxed),
        is_exact: true,
        frames: Vec::new(),
        stdout_bytes: seen.stdout.length(),
        stderr_bytes: seen.stderr.length(),
        stderr_dropped: seen.stderr_dropped.load(Ordering::Relaxed),
        memory_peak_bytes: seen.memory_peak.load(Ordering::Relaxed),
        refund_usd: None,
        readings: None,
        profile: Vec::new(),
    };
    let mut room = [0; SHORT_BYTES];
    if let Ok(head) = wire::head_of_report(&report, &mut room) {
        let parts = [head, seen.stdout.bytes(), seen.stderr.bytes()];
        // An executor that is gone is told nothing.
        let _ = frame::send(connection, &parts);
    }
}
