//! The process that stays outside the pid namespace: it waits for the first end, the host's or the jailed process's, and passes it on.
//!
//! The kernel's own "die with your parent" means the thread that started the process, and a host's threads come and go. So this one
//! watches the host's whole process through a pidfd; it has one thread itself, so the jailed process may rely on the kernel.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use crate::{
    calls,
    enter::no_new_privileges,
    filter::Filter,
    layers::{capabilities, descriptors, landlock},
    sys,
};

/// Exit code when the watch itself fails.
const WATCH_FAILED: i32 = 125;

/// The process that started this one.
pub(crate) fn host() -> io::Result<OwnedFd> {
    match sys::plain(libc::SYS_getppid, [])? {
        0 => Err(io::Error::other("the host is in another pid namespace")),
        pid => sys::pidfd_open(pid),
    }
}

pub(crate) enum Side {
    Inside,
    Outside(usize),
}

#[expect(unsafe_code, reason = "std forks only to run another program")]
pub(crate) fn fork() -> io::Result<Side> {
    // SAFETY: there is one thread, so no lock is held by another one. The C library's own fork is used since it keeps its idea of
    // who we are right.
    match unsafe { libc::fork() } {
        0 => Ok(Side::Inside),
        pid => usize::try_from(pid)
            .map(Side::Outside)
            .map_err(|_| io::Error::last_os_error()),
    }
}

/// Whether the process outside was alive after the request to die with it was made. It never writes to its end.
pub(crate) fn check_lifeline(lifeline: BorrowedFd<'_>) -> io::Result<()> {
    let mut entries = [sys::readable(lifeline)];
    if sys::poll(&mut entries, 0)? == 0 {
        Ok(())
    } else {
        sys::exit(WATCH_FAILED)
    }
}

/// Asks the kernel to kill this process when the thread that started it ends.
pub(crate) fn die_with_parent() -> io::Result<()> {
    sys::prctl(libc::PR_SET_PDEATHSIG, sys::word(libc::SIGKILL)).map(drop)
}

/// Waits and passes on; never returns. SIGTERM asks for the end of the jailed process.
pub(crate) fn until_the_end(
    host: Option<BorrowedFd<'_>>,
    inner: usize,
    lifeline: BorrowedFd<'_>,
) -> ! {
    sys::set_name(c"jail-watch");
    let code = match watch(host, inner, lifeline) {
        Ok(sys::Ended::Exited(code)) => code,
        Ok(sys::Ended::Killed(signal)) => signal.saturating_add(128),
        Err(_) => WATCH_FAILED,
    };
    sys::exit(code)
}

fn watch(
    host: Option<BorrowedFd<'_>>,
    inner: usize,
    lifeline: BorrowedFd<'_>,
) -> io::Result<sys::Ended> {
    let (Some(host), Ok(inner_fd)) = (host, sys::pidfd_open(inner)) else {
        // Only where layers may be missing: then the host's thread has to do.
        die_with_parent()?;
        return sys::wait(inner);
    };
    let terminations = terminations()?;
    // What stays open here keeps a peer from seeing the end: nothing may but these.
    let keep = [host, lifeline, inner_fd.as_fd(), terminations.as_fd()];
    descriptors::close_all_but(descriptors::numbers_of(&keep)).ok();
    confine();
    let mut entries = [inner_fd.as_fd(), host, terminations.as_fd()].map(sys::readable);
    loop {
        sys::poll(&mut entries, -1)?;
        let [ended, host, asked] = &mut entries;
        if ended.revents != 0 {
            return sys::wait(inner);
        }
        if host.revents != 0 || asked.revents != 0 {
            sys::pidfd_kill(inner_fd.as_fd(), libc::SIGKILL)?;
            // Only the end is of interest now; a negative number is passed over.
            host.fd = -1;
            asked.fd = -1;
        }
    }
}

/// The same layers inside are reported on, so a failure here has been said there.
fn confine() {
    capabilities::drop_all().ok();
    no_new_privileges().ok();
    landlock::close_all(landlock::Signals::Open).ok();
    sys::prctl(libc::PR_SET_DUMPABLE, 0).ok();
    let filter = Filter::only(&calls::WATCH);
    filter.put_up().ok();
    // The list has no call by which an allocator could give the memory back.
    std::mem::forget(filter);
}

/// SIGTERM as something to read.
#[expect(unsafe_code, reason = "std has no signals")]
fn terminations() -> io::Result<OwnedFd> {
    const MASK_BYTES: usize = 8;
    let bit = u32::try_from(libc::SIGTERM.saturating_sub(1)).unwrap_or(0);
    let mask: u64 = 1_u64.checked_shl(bit).unwrap_or(0);
    let block = sys::word(libc::SIG_BLOCK);
    // SAFETY: the kernel reads the mask, which lives through both calls; the descriptor is new.
    unsafe {
        sys::call(
            libc::SYS_rt_sigprocmask,
            [block, sys::at(&mask), 0, MASK_BYTES],
        )?;
        let flags = sys::word(libc::SFD_CLOEXEC);
        let raw = sys::call(
            libc::SYS_signalfd4,
            [usize::MAX, sys::at(&mask), MASK_BYTES, flags],
        )?;
        Ok(sys::own(sys::to_raw(raw)))
    }
}
