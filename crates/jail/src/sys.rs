//! The one door to the kernel: system calls by number, with the kernel's own structures.

use std::{
    ffi::{CStr, CString, c_int, c_long},
    io,
    os::{
        fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
        unix::ffi::OsStrExt as _,
    },
    path::Path,
};

/// Makes a system call.
///
/// # Safety
/// The arguments are what the call of this number wants: pointers live as long as the call, and nothing that Rust relies on is
/// unmapped, closed or overwritten.
#[expect(unsafe_code, reason = "the kernel is asked by number")]
pub(crate) unsafe fn call<const N: usize>(
    number: c_long,
    arguments: [usize; N],
) -> io::Result<usize> {
    let mut six = [0_usize; 6];
    for (place, argument) in six.iter_mut().zip(arguments) {
        *place = argument;
    }
    let [first, second, third, fourth, fifth, sixth] = six;
    // SAFETY: the caller vouches for the arguments; those beyond a call's own are ignored by the kernel.
    let got = unsafe { libc::syscall(number, first, second, third, fourth, fifth, sixth) };
    usize::try_from(got).map_err(|_| io::Error::last_os_error())
}

/// Makes a system call whose arguments are numbers only and which touches no memory of ours.
#[expect(unsafe_code, reason = "the kernel is asked by number")]
pub(crate) fn plain<const N: usize>(number: c_long, arguments: [usize; N]) -> io::Result<usize> {
    // SAFETY: used in this crate only for calls that neither read nor write the process's memory nor close a descriptor.
    unsafe { call(number, arguments) }
}

/// As [`plain`], and the answer is a new descriptor.
#[expect(unsafe_code, reason = "the kernel answers with a number")]
pub(crate) fn descriptor<const N: usize>(
    number: c_long,
    arguments: [usize; N],
) -> io::Result<OwnedFd> {
    let raw = to_raw(plain(number, arguments)?);
    // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// Takes over a descriptor that the kernel wrote into memory: at fork, or with a message.
///
/// # Safety
/// The kernel has just made it, and nobody else owns it.
#[expect(unsafe_code, reason = "the kernel answers with a number")]
pub(crate) unsafe fn own(raw: RawFd) -> OwnedFd {
    // SAFETY: as the caller says.
    unsafe { OwnedFd::from_raw_fd(raw) }
}

/// Signed numbers as the kernel reads them.
pub(crate) fn word(value: c_int) -> usize {
    isize::try_from(value).unwrap_or(-1).cast_unsigned()
}

pub(crate) fn to_raw(word: usize) -> RawFd {
    RawFd::try_from(word).unwrap_or(-1)
}

pub(crate) fn fd_word(fd: BorrowedFd<'_>) -> usize {
    word(fd.as_raw_fd())
}

/// The address of something that outlives the call.
pub(crate) fn at<T>(value: &T) -> usize {
    std::ptr::from_ref(value).expose_provenance()
}

pub(crate) fn at_mut<T>(value: &mut T) -> usize {
    std::ptr::from_mut(value).expose_provenance()
}

pub(crate) fn text(value: &'static CStr) -> usize {
    value.as_ptr().expose_provenance()
}

/// The address of text that outlives the call.
pub(crate) fn address(value: &CStr) -> usize {
    value.as_ptr().expose_provenance()
}

/// A path as the kernel reads it.
pub(crate) fn path(value: &Path) -> io::Result<CString> {
    CString::new(value.as_os_str().as_bytes()).map_err(|_| io::ErrorKind::InvalidFilename.into())
}

pub(crate) fn prctl(option: c_int, first: usize) -> io::Result<usize> {
    plain(libc::SYS_prctl, [word(option), first, 0, 0, 0])
}

pub(crate) fn set_name(name: &'static CStr) {
    // A name is for `ps`; nothing depends on it.
    prctl(libc::PR_SET_NAME, text(name)).ok();
}

/// Ends the process at once: no destructor, no exit handler, nothing shared with a parent is flushed twice.
pub(crate) fn exit(code: c_int) -> ! {
    loop {
        plain(libc::SYS_exit_group, [word(code)]).ok();
    }
}

pub(crate) fn pidfd_open(pid: usize) -> io::Result<OwnedFd> {
    descriptor(libc::SYS_pidfd_open, [pid, 0])
}

pub(crate) fn pidfd_kill(pidfd: BorrowedFd<'_>, signal: c_int) -> io::Result<()> {
    plain(
        libc::SYS_pidfd_send_signal,
        [fd_word(pidfd), word(signal), 0, 0],
    )
    .map(drop)
}

/// Waits for events on descriptors, again after a signal; `timeout_ms` of -1 waits for ever.
#[expect(unsafe_code, reason = "std has no poll")]
pub(crate) fn poll(entries: &mut [libc::pollfd], timeout_ms: c_int) -> io::Result<usize> {
    loop {
        let first = entries.as_mut_ptr().expose_provenance();
        // SAFETY: the slice lives through the call, and its length goes with it.
        match unsafe { call(libc::SYS_poll, [first, entries.len(), word(timeout_ms)]) } {
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// What [`poll`] is to wait for: something to read, or the end.
pub(crate) fn readable(fd: BorrowedFd<'_>) -> libc::pollfd {
    libc::pollfd {
        fd: fd.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    }
}

/// How a child ended that this process must still reap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Exited(c_int),
    Killed(c_int),
}

/// Waits for a child to end.
#[expect(unsafe_code, reason = "std waits for children of its own only")]
pub(crate) fn wait(pid: usize) -> io::Result<Ended> {
    let mut status: c_int = 0;
    loop {
        // SAFETY: the kernel writes one integer, which lives through the call.
        match unsafe { call(libc::SYS_wait4, [pid, at_mut(&mut status), 0, 0]) } {
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            Err(err) => return Err(err),
            Ok(_) if libc::WIFSIGNALED(status) => return Ok(Ended::Killed(libc::WTERMSIG(status))),
            Ok(_) => return Ok(Ended::Exited(libc::WEXITSTATUS(status))),
        }
    }
}

/// Takes note of one child that has ended, if any has: its number and its end. `Err` when there is no child at all.
#[expect(unsafe_code, reason = "std waits for children of its own only")]
pub(crate) fn reap(blocking: Blocking) -> io::Result<Option<(usize, Ended)>> {
    const NO_HANG: usize = 1;
    const ANY: usize = usize::MAX;
    let options = match blocking {
        Blocking::Yes => 0,
        Blocking::No => NO_HANG,
    };
    let mut status: c_int = 0;
    // SAFETY: the kernel writes one integer, which lives through the call.
    let pid = unsafe { call(libc::SYS_wait4, [ANY, at_mut(&mut status), options, 0])? };
    let ended = if libc::WIFSIGNALED(status) {
        Ended::Killed(libc::WTERMSIG(status))
    } else {
        Ended::Exited(libc::WEXITSTATUS(status))
    };
    Ok((pid != 0).then_some((pid, ended)))
}

/// Whether a call waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blocking {
    Yes,
    No,
}
