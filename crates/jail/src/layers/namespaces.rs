//! Namespaces: users, mounts, processes, network, messages and names of the process's own.

use std::{
    ffi::{CStr, c_int},
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::fs::OpenOptionsExt as _,
    },
};

use super::identity::NOBODY;
use crate::sys;

/// A user namespace in which only nobody is known, mapped to whoever runs this.
pub(crate) fn user() -> io::Result<()> {
    user_through(&own_folder()?)
}

/// What the kernel shows of this process: a place to be held on to before the root goes.
pub(crate) fn own_folder() -> io::Result<OwnedFd> {
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_PATH | libc::O_DIRECTORY)
        .open("/proc/self")
        .map(OwnedFd::from)
}

/// As [`user`], through the process's [`own_folder`].
pub(crate) fn user_through(own: &OwnedFd) -> io::Result<()> {
    let (user, group) = (
        sys::plain(libc::SYS_geteuid, [])?,
        sys::plain(libc::SYS_getegid, [])?,
    );
    unshare(libc::CLONE_NEWUSER)?;
    // The order is the kernel's: an ordinary user may map a group only after giving up the right to set groups.
    write(own, c"setgroups", "deny")?;
    write(own, c"gid_map", &format!("{NOBODY} {group} 1"))?;
    write(own, c"uid_map", &format!("{NOBODY} {user} 1"))
}

#[expect(unsafe_code, reason = "std opens nothing relative to a descriptor")]
fn write(folder: &OwnedFd, name: &'static CStr, text: &str) -> io::Result<()> {
    let flags = sys::word(libc::O_WRONLY | libc::O_CLOEXEC);
    // SAFETY: the name is static; the descriptor is new and ours.
    let file = unsafe {
        let raw = sys::call(
            libc::SYS_openat,
            [sys::fd_word(folder.as_fd()), sys::text(name), flags],
        )?;
        sys::own(sys::to_raw(raw))
    };
    File::from(file).write_all(text.as_bytes())
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
