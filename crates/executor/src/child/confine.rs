//! What a child takes from itself before it touches a guest.
//!
//! Done here and not between fork and exec, so that the executor can start children by `posix_spawn`, whose cost does not grow
//! with the executor. Namespaces, landlock and seccomp belong here too.

use std::io;

/// What every child gives up at once.
pub(super) fn at_start() -> io::Result<()> {
    die_with_parent()?;
    set(libc::RLIMIT_CORE, 0)?;
    set(libc::RLIMIT_FSIZE, 0)?;
    no_new_privileges()?;
    close_inherited()
}

/// Caps the memory and the processor time of this process.
///
/// `RLIMIT_DATA` counts what is writable; `RLIMIT_AS` would count the 4 GiB that are reserved, and never touched, for a guest's
/// addresses.
pub(super) fn limit(memory_bytes: u64, cpu_seconds: u64) -> io::Result<()> {
    set(libc::RLIMIT_DATA, memory_bytes)?;
    set(libc::RLIMIT_CPU, cpu_seconds)
}

fn set(resource: libc::__rlimit_resource_t, most: u64) -> io::Result<()> {
    let limit = libc::rlimit {
        rlim_cur: most,
        rlim_max: most,
    };
    // SAFETY: `limit` is a valid `rlimit` for as long as the call takes.
    #[expect(unsafe_code, reason = "std has no call for it")]
    let result = unsafe { libc::setrlimit(resource, &raw const limit) };
    check(result)
}

/// The kernel kills this process when the thread that started it ends; the executor's lives as long as the executor.
fn die_with_parent() -> io::Result<()> {
    // SAFETY: takes numbers only.
    #[expect(unsafe_code, reason = "std has no call for it")]
    let result = unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0) };
    check(result)
}

fn no_new_privileges() -> io::Result<()> {
    // SAFETY: takes numbers only.
    #[expect(unsafe_code, reason = "std has no call for it")]
    let result = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    check(result)
}

/// Closes every file but stdin, stdout and stderr, should the executor have forgotten to mark one.
fn close_inherited() -> io::Result<()> {
    // SAFETY: takes numbers only, and runs before this process opens a file of its own.
    #[expect(unsafe_code, reason = "std has no call for it")]
    let result = unsafe { libc::close_range(3, libc::c_uint::MAX, 0) };
    check(result)
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
