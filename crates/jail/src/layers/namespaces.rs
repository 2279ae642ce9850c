//! Namespaces: users, mounts, processes, network, messages and names of the process's own.

use std::{ffi::c_int, fs, io};

use super::identity::NOBODY;
use crate::sys;

/// A user namespace in which only nobody is known, mapped to whoever runs this.
pub(crate) fn user() -> io::Result<()> {
    let (user, group) = (
        sys::plain(libc::SYS_geteuid, [])?,
        sys::plain(libc::SYS_getegid, [])?,
    );
    unshare(libc::CLONE_NEWUSER)?;
    // The order is the kernel's: an ordinary user may map a group only after giving up the right to set groups.
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/gid_map", format!("{NOBODY} {group} 1"))?;
    fs::write("/proc/self/uid_map", format!("{NOBODY} {user} 1"))
}

pub(crate) fn unshare(flag: c_int) -> io::Result<()> {
    sys::plain(libc::SYS_unshare, [sys::word(flag)]).map(drop)
}

/// A name that says nothing about the machine.
#[expect(unsafe_code, reason = "std names no hosts")]
pub(crate) fn neutral_name() -> io::Result<()> {
    let name = c"jail";
    for number in [libc::SYS_sethostname, libc::SYS_setdomainname] {
        // SAFETY: the name is static and as long as said.
        unsafe { sys::call(number, [sys::text(name), name.count_bytes()])? };
    }
    Ok(())
}
