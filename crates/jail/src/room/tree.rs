//! What is in the room: the system's programs and libraries, what may be read, and folders in memory that may be written to.

use std::{
    ffi::CString,
    fs::{self, File},
    io,
    os::unix::fs::{FileTypeExt as _, lchown},
    path::{Path, PathBuf},
};

use super::{Room, Space};
use crate::{
    layers::{
        identity::NOBODY,
        mounts::{self, NO_DEVICES, NO_PROGRAMS, NO_SUID, READ_ONLY},
    },
    sys,
};

/// The system's programs and libraries, those that there are. A link, as `/bin` is on most systems, is made again.
const SYSTEM: [&str; 7] = [
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
];
/// What starting programs and linking takes of `/etc`.
const CONFIGURATION: [&str; 4] = [
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
];
/// Both.
pub(super) const SYSTEM_AND_CONFIGURATION: [&str; 11] = {
    let [usr, bin, sbin, lib, lib32, lib64, libx32] = SYSTEM;
    let [alternatives, cache, conf, folder] = CONFIGURATION;
    [
        usr,
        bin,
        sbin,
        lib,
        lib32,
        lib64,
        libx32,
        alternatives,
        cache,
        conf,
        folder,
    ]
};
/// Every device of the room.
pub(super) const DEVICES: [&str; 4] = ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"];

/// Names and mount points; nothing is written there.
const ROOT_BYTES: u64 = 1 << 20;
const ROOT_INODES: u64 = 4096;

/// The room's root and all that comes into it, held until the old root is gone.
#[derive(Debug)]
pub(super) struct Tree {
    root: mounts::Tree,
    mounted: Vec<Mounted>,
    /// Links, each with where it leads.
    links: Vec<(PathBuf, PathBuf)>,
}

#[derive(Debug)]
struct Mounted {
    tree: mounts::Tree,
    path: PathBuf,
    is_folder: bool,
}

impl Tree {
    /// Takes hold of everything, with the old root still there.
    pub(super) fn gather(room: &Room, own_processes: bool) -> io::Result<Self> {
        mounts::make_private()?;
        let mut tree = Self {
            root: fresh(ROOT_BYTES, ROOT_INODES, c"755")?,
            mounted: Vec::new(),
            links: Vec::new(),
        };
        for path in SYSTEM.map(Path::new) {
            tree.take_if_there(path)?;
        }
        for path in CONFIGURATION
            .map(Path::new)
            .iter()
            .filter(|path| path.exists())
        {
            tree.take(path, path)?;
        }
        for path in DEVICES.map(Path::new) {
            if !fs::metadata(path)?.file_type().is_char_device() {
                return Err(io::Error::other(format!("{} is no device", path.display())));
            }
            let device = mounts::Tree::of(path)?.restrict(NO_SUID | NO_PROGRAMS)?;
            tree.add(device, path, false);
        }
        for read in &room.reads {
            tree.take(&read.from, &read.at)
                .map_err(|err| io::Error::other(format!("{}: {err}", read.from.display())))?;
        }
        for space in &room.spaces {
            tree.add(in_memory(space)?, &space.path, true);
        }
        if let Some(view) = view_of_processes(own_processes) {
            tree.add(view, Path::new("/proc"), true);
        }
        Ok(tree)
    }

    /// Makes it the root.
    pub(super) fn become_root(mut self) -> io::Result<()> {
        // Any folder would do; this one is everywhere.
        mounts::become_root(&self.root, Path::new("/proc"))?;
        fs::create_dir("/proc")?;
        fs::create_dir("/dev")?;
        for (link, target) in &self.links {
            std::os::unix::fs::symlink(target, link)?;
        }
        // What contains another comes before it.
        self.mounted.sort_by(|one, other| one.path.cmp(&other.path));
        for mounted in &self.mounted {
            let put = make_place(&mounted.path, mounted.is_folder)
                .and_then(|()| mounted.tree.put_at(&mounted.path));
            put.map_err(|err| io::Error::other(format!("{}: {err}", mounted.path.display())))?;
        }
        mounts::restrict_root(READ_ONLY | NO_SUID | NO_DEVICES)
    }

    fn take_if_there(&mut self, path: &Path) -> io::Result<()> {
        match fs::symlink_metadata(path) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(err) => Err(err),
            Ok(metadata) if metadata.is_symlink() => {
                self.links.push((path.to_owned(), fs::read_link(path)?));
                Ok(())
            }
            Ok(_) => self.take(path, path),
        }
    }

    fn take(&mut self, from: &Path, at: &Path) -> io::Result<()> {
        let is_folder = fs::metadata(from)?.is_dir();
        let tree = mounts::Tree::of(from)?.restrict(READ_ONLY | NO_SUID | NO_DEVICES)?;
        self.add(tree, at, is_folder);
        Ok(())
    }

    fn add(&mut self, tree: mounts::Tree, path: &Path, is_folder: bool) {
        self.mounted.push(Mounted {
            tree,
            path: path.to_owned(),
            is_folder,
        });
    }
}

/// What programs find themselves in: the loader and the linker ask the kernel for their own paths.
///
/// It shows the room's processes only, unless the kernel makes no new view: where something of the machine's own is hidden by
/// mounts over it, as in most containers. Then it is the machine's. Nothing in either can be opened by the room's program.
fn view_of_processes(own_processes: bool) -> Option<mounts::Tree> {
    let attributes = READ_ONLY | NO_SUID | NO_DEVICES | NO_PROGRAMS;
    let own = || mounts::Tree::fresh(c"proc", &[(c"subset", c"pid")], attributes).ok();
    let machines = || mounts::Tree::of(Path::new("/proc")).and_then(|all| all.restrict(attributes));
    own_processes
        .then(own)
        .flatten()
        .or_else(|| machines().ok())
}

fn in_memory(space: &Space) -> io::Result<mounts::Tree> {
    fresh(space.bytes, space.inodes, c"700")
}

fn fresh(bytes: u64, inodes: u64, mode: &'static std::ffi::CStr) -> io::Result<mounts::Tree> {
    let (size, inodes, nobody) = (text(&bytes)?, text(&inodes)?, text(&NOBODY)?);
    mounts::Tree::fresh(
        c"tmpfs",
        &[
            (c"size", &size),
            (c"nr_inodes", &inodes),
            (c"mode", mode),
            (c"uid", &nobody),
            (c"gid", &nobody),
        ],
        NO_SUID | NO_DEVICES,
    )
}

fn text(number: &impl ToString) -> io::Result<CString> {
    CString::new(number.to_string()).map_err(io::Error::other)
}

/// Something to mount on, with the folders above it; they belong to the room's user, who may need to write beside what is mounted.
fn make_place(path: &Path, is_folder: bool) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let folder = if is_folder { Some(path) } else { path.parent() };
    let missing: Vec<&Path> = folder
        .into_iter()
        .flat_map(Path::ancestors)
        .take_while(|above| !above.exists())
        .collect();
    for folder in missing.into_iter().rev() {
        fs::create_dir(folder)?;
        give_to_nobody(folder)?;
    }
    if is_folder {
        Ok(())
    } else {
        File::create(path).map(drop)
    }
}

fn give_to_nobody(path: &Path) -> io::Result<()> {
    if sys::plain(libc::SYS_geteuid, [])? == 0 {
        let nobody = u32::try_from(NOBODY).ok();
        lchown(path, nobody, nobody)?;
    }
    Ok(())
}
