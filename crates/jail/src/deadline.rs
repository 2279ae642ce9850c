//! A time limit that a child holds itself to, so that it can still say what it has.
//!
//! The host has a harder one: it kills through the pidfd.

use std::{ffi::c_int, io, ptr, sync::OnceLock, time::Duration};

use crate::sys;

/// Exit code of a child whose time was up, if what it was to call then did not end it.
pub const EXIT_CODE: i32 = 124;

/// Room for a handler, on pages of its own: wasmtime takes an alternate stack of this size for its own instead of mapping one.
const STACK_BYTES: usize = 128 << 10;

static THEN: OnceLock<fn()> = OnceLock::new();

/// The one deadline of a process.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(());

impl Deadline {
    /// Puts the handler and its stack in place. A server does it once; its children inherit both.
    pub fn prepare() -> io::Result<Self> {
        alternate_stack()?;
        handle_alarms()?;
        Ok(Self(()))
    }

    /// Has `then` called when the time is up, whatever this process is doing, and ends the process after it.
    ///
    /// `then` runs in a signal's handler: it may not allocate, lock or panic. [`frame::send`](crate::frame::send) does none of it.
    /// Disarm the deadline before sending the answer in the ordinary way, or the two may mix.
    ///
    /// # Errors
    /// A process has one `then`; another one is refused.
    pub fn arm(self, after: Duration, then: fn()) -> io::Result<()> {
        if THEN.set(then).is_err()
            && THEN
                .get()
                .is_none_or(|known| !ptr::fn_addr_eq(*known, then))
        {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        // A timer of nothing would never fire.
        set_timer(after.max(Duration::from_micros(1)))
    }

    pub fn disarm(self) -> io::Result<()> {
        set_timer(Duration::ZERO)
    }
}

extern "C" fn on_alarm(_signal: c_int) {
    if let Some(then) = THEN.get() {
        then();
    }
    sys::exit(EXIT_CODE);
}

/// The kernel's `struct itimerval`.
#[repr(C)]
struct Timer {
    interval: [i64; 2],
    value: [i64; 2],
}

#[expect(unsafe_code, reason = "std has no timers")]
fn set_timer(after: Duration) -> io::Result<()> {
    let seconds = i64::try_from(after.as_secs()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let timer = Timer {
        interval: [0; 2],
        value: [seconds, i64::from(after.subsec_micros())],
    };
    // SAFETY: the kernel reads the structure, which lives through the call. 0 is the real-time timer.
    unsafe { sys::call(libc::SYS_setitimer, [0, sys::at(&timer), 0])? };
    Ok(())
}

#[expect(unsafe_code, reason = "std has no alternate stacks")]
fn alternate_stack() -> io::Result<()> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK;
    // SAFETY: a new mapping of the kernel's choosing; it is never unmapped, as the process keeps this stack for life.
    let base = unsafe {
        libc::mmap(
            ptr::null_mut(),
            STACK_BYTES,
            libc::PROT_READ | libc::PROT_WRITE,
            flags,
            -1,
            0,
        )
    };
    if base == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    let stack = libc::stack_t {
        ss_sp: base,
        ss_flags: 0,
        ss_size: STACK_BYTES,
    };
    // SAFETY: the stack is the mapping just made.
    if unsafe { libc::sigaltstack(&raw const stack, ptr::null_mut()) } == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[expect(unsafe_code, reason = "std has no signal handlers")]
fn handle_alarms() -> io::Result<()> {
    // SAFETY: all zeros are a valid action: default, no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    let handler: extern "C" fn(c_int) = on_alarm;
    #[expect(
        clippy::as_conversions,
        reason = "the C library keeps a handler's address in a number"
    )]
    let address = handler as usize;
    action.sa_sigaction = address;
    action.sa_flags = libc::SA_ONSTACK | libc::SA_RESTART;
    // SAFETY: the handler calls only what a handler may, as `arm` demands of its caller.
    if unsafe { libc::sigaction(libc::SIGALRM, &raw const action, ptr::null_mut()) } == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say_one_thing() {}
    fn say_another() {
        sys::exit(1);
    }

    #[test]
    fn a_process_has_one_thing_to_do_when_its_time_is_up() {
        let deadline = Deadline::prepare().unwrap();
        let far = Duration::from_secs(1000);
        deadline.arm(far, say_one_thing).unwrap();

        let (again, other) = (
            deadline.arm(far, say_one_thing),
            deadline.arm(far, say_another),
        );

        deadline.disarm().unwrap();
        assert!(again.is_ok());
        assert_eq!(other.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }
}
