//! Mounts that are held as descriptors until they are put somewhere, so that what was in sight before the root went can be put
//! into the new one.

use std::{
    ffi::CStr,
    io,
    os::fd::{AsFd as _, OwnedFd},
    path::Path,
};

use crate::sys;

const HERE: i32 = libc::AT_FDCWD;
const CLOEXEC: usize = 0x8_0000;
const OPEN_TREE_CLONE: usize = 1;
const RECURSIVE: usize = 0x8000;
const EMPTY_PATH: usize = 0x1000;
const FROM_EMPTY_PATH: usize = 0x4;
const DETACH: usize = 0x2;
const CONFIG_STRING: usize = 1;
const CONFIG_CREATE: usize = 6;
const FS_CLOEXEC: usize = 1;
const PRIVATE: usize = 0x4_0000;
const MS_RECURSIVE: usize = 0x4000;

pub(crate) const READ_ONLY: u64 = 0x1;
pub(crate) const NO_SUID: u64 = 0x2;
pub(crate) const NO_DEVICES: u64 = 0x4;
pub(crate) const NO_PROGRAMS: u64 = 0x8;

/// The kernel's `struct mount_attr`.
#[repr(C)]
struct Attributes {
    set: u64,
    clear: u64,
    propagation: u64,
    user_namespace: u64,
}

/// A mount that is nowhere yet.
#[derive(Debug)]
pub(crate) struct Tree(OwnedFd);

impl Tree {
    /// A second view of what is at a path, with everything that is mounted below it.
    #[expect(unsafe_code, reason = "std mounts nothing")]
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let path = sys::path(path)?;
        let flags = OPEN_TREE_CLONE | CLOEXEC | RECURSIVE;
        // SAFETY: the path lives through the call; the descriptor is new and ours.
        unsafe {
            sys::call(
                libc::SYS_open_tree,
                [sys::word(HERE), sys::address(&path), flags],
            )
            .map(|raw| Self(sys::own(sys::to_raw(raw))))
        }
    }

    /// A new file system of this kind.
    #[expect(unsafe_code, reason = "std mounts nothing")]
    pub(crate) fn fresh(
        kind: &CStr,
        options: &[(&CStr, &CStr)],
        attributes: u64,
    ) -> io::Result<Self> {
        // SAFETY: the text lives through the call; the descriptor is new and ours.
        let context = unsafe {
            sys::call(libc::SYS_fsopen, [sys::address(kind), FS_CLOEXEC])
                .map(|raw| sys::own(sys::to_raw(raw)))?
        };
        let fd = sys::fd_word(context.as_fd());
        for (name, value) in options {
            let [name, value] = [name, value].map(|text| sys::address(text));
            // SAFETY: both texts live through the call.
            unsafe { sys::call(libc::SYS_fsconfig, [fd, CONFIG_STRING, name, value, 0])? };
        }
        sys::plain(libc::SYS_fsconfig, [fd, CONFIG_CREATE, 0, 0, 0])?;
        let attributes = usize::try_from(attributes).unwrap_or(usize::MAX);
        sys::descriptor(libc::SYS_fsmount, [fd, FS_CLOEXEC, attributes]).map(Self)
    }

    /// Takes rights away from it and from everything mounted below.
    pub(crate) fn restrict(self, attributes: u64) -> io::Result<Self> {
        let fd = sys::fd_word(self.0.as_fd());
        set_attributes(fd, c"", EMPTY_PATH | RECURSIVE, attributes)?;
        Ok(self)
    }

    /// Mounts it over what is at the path.
    #[expect(unsafe_code, reason = "std mounts nothing")]
    pub(crate) fn put_at(&self, path: &Path) -> io::Result<()> {
        let path = sys::path(path)?;
        // SAFETY: both paths live through the call.
        unsafe {
            sys::call(
                libc::SYS_move_mount,
                [
                    sys::fd_word(self.0.as_fd()),
                    sys::text(c""),
                    sys::word(HERE),
                    sys::address(&path),
                    FROM_EMPTY_PATH,
                ],
            )?;
        }
        Ok(())
    }
}

/// Takes rights away from the root's own mount.
pub(crate) fn restrict_root(attributes: u64) -> io::Result<()> {
    set_attributes(sys::word(HERE), c"/", 0, attributes)
}

/// From here on nothing that is mounted elsewhere shows here, nor the other way round.
#[expect(unsafe_code, reason = "std mounts nothing")]
pub(crate) fn make_private() -> io::Result<()> {
    let [nothing, root] = [c"", c"/"].map(sys::text);
    let flags = PRIVATE | MS_RECURSIVE;
    // SAFETY: the texts are static.
    unsafe { sys::call(libc::SYS_mount, [nothing, root, nothing, flags, nothing])? };
    Ok(())
}

/// Makes the tree the root, and detaches the old one with everything that is mounted in it. `stage` is any folder of the old one.
#[expect(unsafe_code, reason = "std mounts nothing")]
pub(crate) fn become_root(tree: &Tree, stage: &Path) -> io::Result<()> {
    tree.put_at(stage)?;
    std::env::set_current_dir(stage)?;
    let here = sys::text(c".");
    // The old root is put over the new one, so that no folder for it is needed; then it is taken off.
    // SAFETY: the path is static text.
    unsafe { sys::call(libc::SYS_pivot_root, [here, here])? };
    // SAFETY: the path is static text.
    unsafe { sys::call(libc::SYS_umount2, [here, DETACH])? };
    std::env::set_current_dir("/")
}

#[expect(unsafe_code, reason = "std mounts nothing")]
fn set_attributes(fd: usize, path: &'static CStr, flags: usize, attributes: u64) -> io::Result<()> {
    let attributes = Attributes {
        set: attributes,
        clear: 0,
        propagation: 0,
        user_namespace: 0,
    };
    // SAFETY: the path is static and the structure lives through the call, and its length goes with it.
    unsafe {
        sys::call(
            libc::SYS_mount_setattr,
            [
                fd,
                sys::text(path),
                flags,
                sys::at(&attributes),
                size_of::<Attributes>(),
            ],
        )?;
    }
    Ok(())
}
