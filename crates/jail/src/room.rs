//! A jail with something in it: a room in which a program runs that compiles strangers' sources, and whatever those start.
//!
//! The host asks for a [`Room`] by starting a launcher, a program that calls [`main`] with the arguments that
//! [`Room::command`] gives it. The launcher splits in three:
//!
//! ```text
//! jail-watch                waits outside; passes the first end on, the host's or the room's
//! └── room-first            process 1 of the room: starts the program, buries orphans, measures memory and disk, ends it all
//!     └── the program       under landlock and the list of system calls, with all that it starts
//! ```
//!
//! What the program writes goes to file systems in memory that end with the room. Of it only the files that the room was asked
//! for come out, and they are copied by `room-first` when nothing else lives in the room any more. A file system may begin as a copy
//! of a folder, which `room-first` makes before anything else lives there.
//!
//! What the program says of itself, its exit code and what it prints, may be forged by what it compiles. What became of the
//! room is therefore told elsewhere: in an [`Account`], a file that nobody in the room can reach.

mod account;
mod calls;
mod cgroup;
mod enter;
mod first;
mod plan;
mod products;
mod spending;
mod tree;
mod whole;

use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    io,
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::fs::OpenOptionsExt as _,
    },
    path::PathBuf,
    process::{Command, ExitCode},
};

pub use account::{Account, Excess};

use crate::{enter::MissingLayers, sys};
use account::{Line, Teller};
use cgroup::Cgroup;

/// The files of the system that every room shows, read-only, and its devices.
pub const SYSTEM_FILES: (&[&str], &[&str]) = (&tree::SYSTEM_AND_CONFIGURATION, &tree::DEVICES);

/// Exit code of a launcher that could not make the room.
const NO_ROOM: u8 = 125;
/// So that what is made here can be looked at by the user that the room's program runs as.
const USUAL_MASK: usize = 0o022;

/// A room, and what is to run in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// The program. This and all other paths are those in the room, but for where it is said that they are outside.
    pub program: PathBuf,
    pub args: Vec<OsString>,
    /// Where it starts.
    pub folder: PathBuf,
    /// Files and folders of outside that are in the room, read-only. The system's programs and libraries come on top.
    pub reads: Vec<Read>,
    /// Folders that may be written to. The room's own `/tmp` is named among them.
    pub spaces: Vec<Space>,
    /// What comes out of it.
    pub product: Option<Product>,
    /// Memory that all processes together may hold, files in the spaces not counted.
    pub memory_bytes: u64,
    /// Memory that one process may write to.
    pub process_memory_bytes: u64,
    /// Processes and threads.
    pub processes: u64,
    /// Where the [`Account`] is written: a path outside, of nothing that the room shows.
    pub account: PathBuf,
    pub missing_layers: MissingLayers,
}

/// A file or a folder of outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Its path outside.
    pub from: PathBuf,
    /// Its path in the room.
    pub at: PathBuf,
}

/// The same path in the room as outside.
impl From<PathBuf> for Read {
    fn from(path: PathBuf) -> Self {
        Self {
            from: path.clone(),
            at: path,
        }
    }
}

/// A folder in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Space {
    pub path: PathBuf,
    pub bytes: u64,
    /// Files, folders and links.
    pub inodes: u64,
    /// The folder that it begins as a copy of: plain files and folders, with the times of the files. One of the room's `reads`.
    pub filled_from: Option<PathBuf>,
}

/// The files that leave the room: those of one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// A space of the room.
    pub space: PathBuf,
    /// The folder in it.
    pub folder: PathBuf,
    /// A folder outside, in which one of the same name is made.
    pub to: PathBuf,
    pub wanted: Wanted,
}

/// Which files of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Those right in it, and of one kind.
    Kind {
        /// What their names end in, after the dot.
        extension: String,
        /// The most that is copied of a file. Who wants to know that one is longer asks for a byte more than is accepted.
        bytes: u64,
    },
    /// All of them, with those of the folders in it, and their times.
    Everything,
}

impl Room {
    /// The command that runs the program in the room; the environment is the caller's business.
    pub fn command(&self, launcher: &std::path::Path, first: &[OsString]) -> Command {
        let mut command = Command::new(launcher);
        command.args(first).args(self.to_args());
        command
    }
}

/// What is opened outside and used inside.
struct Openings {
    account: Teller,
    /// Where the product goes.
    out: Option<OwnedFd>,
}

/// Makes the room that the arguments describe and runs its program: all that a launcher does. To be called before there is a
/// second thread.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let Some(room) = Room::from_args(args) else {
        return ExitCode::from(NO_ROOM);
    };
    let Ok(mut openings) = open(&room) else {
        return ExitCode::from(NO_ROOM);
    };
    let cgroup = Cgroup::enter(&room);
    if let Err(reason) = &cgroup {
        openings
            .account
            .say(&Line::Absent(format!("cgroup ({reason})")));
    }
    match enter::enter(&room, &openings) {
        Ok(report) => {
            for lack in &report.missing {
                openings.account.say(&Line::Without(lack.to_string()));
            }
            first::run(&room, openings)
        }
        Err(missing) => {
            openings.account.say(&Line::Refused(missing.to_string()));
            ExitCode::from(NO_ROOM)
        }
    }
}

fn open(room: &Room) -> io::Result<Openings> {
    sys::plain(libc::SYS_umask, [USUAL_MASK])?;
    let account = OpenOptions::new()
        .append(true)
        .create(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
        .open(&room.account)?;
    let out = match &room.product {
        Some(product) => {
            let out = OwnedFd::from(File::open(&product.to)?);
            give_to_nobody(&out)?;
            Some(out)
        }
        None => None,
    };
    Ok(Openings {
        account: Teller::new(account),
        out,
    })
}

/// As root: the room's processes are nobody, and write here.
fn give_to_nobody(folder: &OwnedFd) -> io::Result<()> {
    if sys::plain(libc::SYS_geteuid, [])? == 0 {
        let nobody = crate::layers::identity::NOBODY;
        let fd = sys::fd_word(folder.as_fd());
        sys::plain(libc::SYS_fchown, [fd, nobody, nobody])?;
    }
    Ok(())
}
