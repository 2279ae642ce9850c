//! Root becomes nobody, so that nothing outside belongs to the jailed process even if it came out.

use std::io;

use crate::sys;

/// The overflow user, "nobody" wherever it has a name.
pub(crate) const NOBODY: usize = 65534;

pub(crate) fn become_nobody() -> io::Result<()> {
    if sys::plain(libc::SYS_geteuid, [])? == 0 {
        sys::plain(libc::SYS_setgroups, [0, 0])?;
        sys::plain(libc::SYS_setresgid, [NOBODY; 3])?;
        sys::plain(libc::SYS_setresuid, [NOBODY; 3])?;
    }
    // Who has just changed users does not own its own /proc files, and could not write the maps of the user namespace.
    sys::prctl(libc::PR_SET_DUMPABLE, 1).map(drop)
}
