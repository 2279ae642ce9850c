//! A root folder with nothing in it.

use std::{ffi::CStr, io};

use crate::sys;

const READ_ONLY: usize = 0x1;
const NO_SUID: usize = 0x2;
const NO_DEVICES: usize = 0x4;
const NO_PROGRAMS: usize = 0x8;
const REMOUNT: usize = 0x20;
const BIND: usize = 0x1000;
const RECURSIVE: usize = 0x4000;
const PRIVATE: usize = 0x4_0000;
const DETACH: usize = 0x2;
const HARD: usize = NO_SUID | NO_DEVICES | NO_PROGRAMS;

/// Swaps the root for an empty file system of one inode, read-only, and detaches the old one with everything mounted below it.
pub(crate) fn empty() -> io::Result<()> {
    mount(c"", c"/", c"", PRIVATE | RECURSIVE, c"")?;
    // Any folder would do to mount it on; this one is everywhere, as the maps of the user namespace were just written in it.
    mount(
        c"jail",
        c"/proc",
        c"tmpfs",
        HARD,
        c"size=4096,nr_inodes=1,mode=555",
    )?;
    at_path(libc::SYS_chdir, c"/proc")?;
    pivot_in_place()?;
    at_path(libc::SYS_chdir, c"/")?;
    mount(c"", c"/", c"", REMOUNT | BIND | READ_ONLY | HARD, c"")
}

/// The new root is the current folder and the old one is put over it, so that no folder for it is needed; then it is taken off.
#[expect(unsafe_code, reason = "std mounts nothing")]
fn pivot_in_place() -> io::Result<()> {
    // SAFETY: both paths are static text.
    unsafe { sys::call(libc::SYS_pivot_root, [sys::text(c"."), sys::text(c".")])? };
    // SAFETY: the path is static text.
    unsafe { sys::call(libc::SYS_umount2, [sys::text(c"."), DETACH])? };
    Ok(())
}

#[expect(unsafe_code, reason = "by number, like its neighbours")]
fn at_path(number: i64, path: &'static CStr) -> io::Result<()> {
    // SAFETY: the path is static text.
    unsafe { sys::call(number, [sys::text(path)])? };
    Ok(())
}

#[expect(unsafe_code, reason = "std mounts nothing")]
fn mount(
    source: &'static CStr,
    target: &'static CStr,
    kind: &'static CStr,
    flags: usize,
    options: &'static CStr,
) -> io::Result<()> {
    let [source, target, kind, options] = [source, target, kind, options].map(sys::text);
    // SAFETY: all four are static text.
    unsafe { sys::call(libc::SYS_mount, [source, target, kind, flags, options])? };
    Ok(())
}
