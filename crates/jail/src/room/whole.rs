//! Copies a folder with all that is in it, into the room before anything else lives there, or out of it when nothing does any more.
//!
//! Only plain files and folders are copied. A file keeps the time at which it was last changed and whether it is a program: that is
//! how cargo knows what need not be built again.

use std::{
    fs::{self, File},
    io,
    os::{
        fd::{AsFd as _, BorrowedFd, OwnedFd},
        unix::fs::PermissionsExt as _,
    },
    path::Path,
};

use super::{
    Room,
    products::{
        FOLDER, NON_BLOCKING, READ_BY_ALL, RUN_BY_ALL, create, make_below, open_below, text,
    },
};

/// Folders in folders. Source: cargo makes six.
const DEEPEST: usize = 64;
/// Its owner may run it.
const PROGRAM: u32 = 0o100;

/// Fills the room's spaces that begin as copies.
pub(super) fn fill(room: &Room) -> io::Result<()> {
    for space in &room.spaces {
        if let Some(path) = &space.filled_from {
            let from = File::open(path)?;
            let to = OwnedFd::from(File::open(&space.path)?);
            copy(from.as_fd(), path, &to)?;
        }
    }
    Ok(())
}

/// Copies the folder `from`, which is at `path`, into the folder `to`.
pub(super) fn copy(from: BorrowedFd<'_>, path: &Path, to: &OwnedFd) -> io::Result<()> {
    copy_level(from, path, to, DEEPEST)
}

fn copy_level(
    from: BorrowedFd<'_>,
    path: &Path,
    to: &OwnedFd,
    levels_left: usize,
) -> io::Result<()> {
    let Some(levels_left) = levels_left.checked_sub(1) else {
        return Err(io::Error::other("there are too many folders in folders"));
    };
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let (kind, name) = (entry.file_type()?, entry.file_name());
        let name = Path::new(&name);
        if kind.is_dir() {
            let below = open_below(from, name, FOLDER)?;
            let made = make_below(to, name)?;
            copy_level(below.as_fd(), &path.join(name), &made, levels_left)?;
        } else if kind.is_file() {
            let file = File::from(open_below(from, name, NON_BLOCKING)?);
            copy_file(file, name, to)?;
        }
    }
    Ok(())
}

fn copy_file(mut from: File, name: &Path, to: &OwnedFd) -> io::Result<()> {
    let metadata = from.metadata()?;
    let is_program = metadata.permissions().mode() & PROGRAM != 0;
    let mode = if is_program { RUN_BY_ALL } else { READ_BY_ALL };
    let mut file = File::from(create(to, &text(name.as_os_str())?, mode)?);
    io::copy(&mut from, &mut file)?;
    file.set_modified(metadata.modified()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::{
        os::unix::fs::symlink,
        time::{Duration, UNIX_EPOCH},
    };

    #[test]
    fn plain_files_and_folders_are_copied_with_their_times_and_links_are_not() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let program = from.path().join("a/b/program");
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        fs::write(&program, "#!").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o4755)).unwrap();
        let then = UNIX_EPOCH + Duration::new(1_000, 123);
        let file = File::options().write(true).open(&program).unwrap();
        file.set_modified(then).unwrap();
        symlink("/etc/hostname", from.path().join("link")).unwrap();
        symlink("/etc", from.path().join("a/folder")).unwrap();

        let folders = [from.path(), to.path()].map(|path| File::open(path).unwrap());
        let [source, target] = folders.map(OwnedFd::from);
        copy(source.as_fd(), from.path(), &target).unwrap();

        let copied = fs::metadata(to.path().join("a/b/program")).unwrap();
        assert_eq!(copied.modified().unwrap(), then);
        assert_eq!(copied.permissions().mode() & 0o7777, 0o755);
        let linked = ["link", "a/folder"].map(|path| to.path().join(path).exists());
        assert_eq!(linked, [false, false]);
    }

    #[test]
    fn folders_in_folders_without_end_are_refused() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let deep: std::path::PathBuf = std::iter::repeat_n("d", DEEPEST).collect();
        fs::create_dir_all(from.path().join(deep)).unwrap();

        let folders = [from.path(), to.path()].map(|path| File::open(path).unwrap());
        let [source, target] = folders.map(OwnedFd::from);
        let copied = copy(source.as_fd(), from.path(), &target);

        assert!(copied.is_err());
    }
}
