//! Copies what was made out of the room, when nothing else lives there any more.
//!
//! The folder was written by strangers' programs: a link in it is not followed, not even one on the way, and only plain files
//! of the one kind are taken, each up to a length.

use std::{
    ffi::{CString, OsStr},
    fs::File,
    io::{self, Read as _},
    os::{
        fd::{AsFd as _, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    path::{Component, Path},
};

use super::{Product, Wanted, whole};
use crate::sys;

/// The most files that are copied. A build of several programs has a few.
const MOST_FILES: usize = 32;

const CLOEXEC: u64 = 0x8_0000;
pub(super) const NON_BLOCKING: u64 = 0x800;
pub(super) const FOLDER: u64 = 0x1_0000;
/// `RESOLVE_NO_XDEV`, `RESOLVE_NO_MAGICLINKS`, `RESOLVE_NO_SYMLINKS`, `RESOLVE_BENEATH`.
const STRICTLY_BELOW: u64 = 0x1 | 0x2 | 0x4 | 0x8;
const READ_ALL: usize = 0o755;
pub(super) const READ_BY_ALL: usize = 0o644;
pub(super) const RUN_BY_ALL: usize = 0o755;

/// The kernel's `struct open_how`.
#[repr(C)]
struct How {
    flags: u64,
    mode: u64,
    resolve: u64,
}

/// Copies the product to `out`, which is outside.
///
/// What is wrong inside is no error: then less comes out, and whoever wanted it misses it.
pub(super) fn copy_out(product: &Product, out: &OwnedFd) -> io::Result<()> {
    let space = File::open(&product.space)?;
    // A folder without a name is the space itself.
    let below = Path::new(".").join(&product.folder);
    let Ok(folder) = open_below(space.as_fd(), &below, FOLDER) else {
        return Ok(());
    };
    let path = product.space.join(&product.folder);
    let target = make_below(out, &product.folder)?;
    match &product.wanted {
        Wanted::Everything => whole::copy(folder.as_fd(), &path, &target),
        Wanted::Kind { extension, bytes } => {
            for name in names_in(&path, extension)? {
                copy(folder.as_fd(), &target, &name, *bytes)?;
            }
            Ok(())
        }
    }
}

fn names_in(folder: &Path, extension: &str) -> io::Result<Vec<CString>> {
    let names = std::fs::read_dir(folder)?
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .map(|entry| entry.file_name())
        .filter(|name| Path::new(name).extension() == Some(OsStr::new(extension)));
    names.take(MOST_FILES).map(|name| text(&name)).collect()
}

fn copy(folder: BorrowedFd<'_>, target: &OwnedFd, name: &CString, most: u64) -> io::Result<()> {
    let path = Path::new(OsStr::from_bytes(name.as_bytes()));
    let Ok(from) = open_below(folder, path, NON_BLOCKING).map(File::from) else {
        return Ok(());
    };
    let mut to = File::from(create(target, name, READ_BY_ALL)?);
    io::copy(&mut from.take(most), &mut to).map(drop)
}

#[expect(unsafe_code, reason = "std opens nothing relative to a descriptor")]
pub(super) fn open_below(folder: BorrowedFd<'_>, path: &Path, flags: u64) -> io::Result<OwnedFd> {
    let path = sys::path(path)?;
    let how = How {
        flags: flags | CLOEXEC,
        mode: 0,
        resolve: STRICTLY_BELOW,
    };
    // SAFETY: the path and the structure live through the call, and its length goes with it; the descriptor is new and ours.
    unsafe {
        sys::call(
            libc::SYS_openat2,
            [
                sys::fd_word(folder),
                sys::address(&path),
                sys::at(&how),
                size_of::<How>(),
            ],
        )
        .map(|raw| sys::own(sys::to_raw(raw)))
    }
}

/// Makes the folders of a relative path, and opens the last.
#[expect(unsafe_code, reason = "std makes nothing relative to a descriptor")]
pub(super) fn make_below(out: &OwnedFd, path: &Path) -> io::Result<OwnedFd> {
    let mut folder = out.try_clone()?;
    for part in path.components() {
        let Component::Normal(name) = part else {
            return Err(io::ErrorKind::InvalidFilename.into());
        };
        let name = text(name)?;
        // SAFETY: the name lives through the call.
        let made = unsafe {
            sys::call(
                libc::SYS_mkdirat,
                [sys::fd_word(folder.as_fd()), sys::address(&name), READ_ALL],
            )
        };
        match made {
            Err(err) if err.kind() != io::ErrorKind::AlreadyExists => return Err(err),
            _ => {
                let next = Path::new(OsStr::from_bytes(name.as_bytes()));
                folder = open_below(folder.as_fd(), next, FOLDER)?;
            }
        }
    }
    Ok(folder)
}

#[expect(unsafe_code, reason = "std makes nothing relative to a descriptor")]
pub(super) fn create(folder: &OwnedFd, name: &CString, mode: usize) -> io::Result<OwnedFd> {
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_CLOEXEC | libc::O_NOFOLLOW;
    // SAFETY: the name lives through the call; the descriptor is new and ours.
    unsafe {
        sys::call(
            libc::SYS_openat,
            [
                sys::fd_word(folder.as_fd()),
                sys::address(name),
                sys::word(flags),
                mode,
            ],
        )
        .map(|raw| sys::own(sys::to_raw(raw)))
    }
}

pub(super) fn text(name: &OsStr) -> io::Result<CString> {
    sys::path(Path::new(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::{fs, os::unix::fs::symlink, path::PathBuf};

    fn product(space: &Path) -> Product {
        Product {
            space: space.to_owned(),
            folder: "a/release".into(),
            to: PathBuf::new(),
            wanted: Wanted::Kind {
                extension: "wasm".into(),
                bytes: 4,
            },
        }
    }

    fn folders() -> (tempfile::TempDir, tempfile::TempDir, OwnedFd) {
        let (space, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let fd = OwnedFd::from(File::open(out.path()).unwrap());
        (space, out, fd)
    }

    #[test]
    fn plain_files_of_the_kind_come_out_and_nothing_else_does() {
        let (space, out, fd) = folders();
        let release = space.path().join("a/release");
        fs::create_dir_all(release.join("folder.wasm")).unwrap();
        fs::write(release.join("one.wasm"), "long wasm").unwrap();
        fs::write(release.join("one.d"), "text").unwrap();
        symlink("/etc/hostname", release.join("link.wasm")).unwrap();

        copy_out(&product(space.path()), &fd).unwrap();

        let came: Vec<_> = fs::read_dir(out.path().join("a/release"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(came, ["one.wasm"]);
        let one = fs::read(out.path().join("a/release/one.wasm")).unwrap();
        assert_eq!(one, b"long");
    }

    #[test]
    fn everything_is_what_is_in_the_space_itself_too() {
        let (space, out, fd) = folders();
        fs::create_dir(space.path().join("deps")).unwrap();
        fs::write(space.path().join("deps/lib"), "lib").unwrap();
        let all = Product {
            folder: PathBuf::new(),
            wanted: Wanted::Everything,
            ..product(space.path())
        };

        copy_out(&all, &fd).unwrap();

        assert_eq!(fs::read(out.path().join("deps/lib")).unwrap(), b"lib");
    }

    #[test]
    fn a_link_on_the_way_is_not_followed() {
        let (space, out, fd) = folders();
        let (elsewhere, _, _) = folders();
        fs::create_dir(elsewhere.path().join("release")).unwrap();
        fs::write(elsewhere.path().join("release/x.wasm"), "x").unwrap();
        symlink(elsewhere.path(), space.path().join("a")).unwrap();

        copy_out(&product(space.path()), &fd).unwrap();

        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
    }

    #[test]
    fn where_nothing_was_made_nothing_comes_out() {
        let (space, out, fd) = folders();

        copy_out(&product(space.path()), &fd).unwrap();

        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
    }
}
