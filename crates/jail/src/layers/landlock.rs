//! Landlock: nothing allowed but what is said. No file opened, no port, no signal or abstract socket outwards.

use std::{
    fs::OpenOptions,
    io,
    os::{
        fd::{AsFd as _, BorrowedFd, OwnedFd},
        unix::fs::OpenOptionsExt as _,
    },
    path::Path,
};

use crate::sys;

/// The kernel's `struct landlock_ruleset_attr`.
#[repr(C)]
struct Handled {
    files: u64,
    network: u64,
    scopes: u64,
}

/// The kernel's `struct landlock_path_beneath_attr`.
#[repr(C, packed)]
struct Beneath {
    rights: u64,
    parent: i32,
}

const VERSION: usize = 1;
const PATH_BENEATH: usize = 1;
/// To bind and to connect.
const TCP: u64 = 0b11;
const SIGNALS: u64 = 0b10;
const ABSTRACT_SOCKETS: u64 = 0b01;

const EXECUTE: u64 = 1 << 0;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
const MAKE_CHAR: u64 = 1 << 6;
const MAKE_BLOCK: u64 = 1 << 11;
const TRUNCATE: u64 = 1 << 14;
const IOCTL_DEV: u64 = 1 << 15;
/// The rights that a file can have; the others are a folder's.
const OF_FILES: u64 = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV;

/// What may be done with a file or a folder and all that is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Read, list, run.
    Read,
    /// That, and everything else but making devices.
    Write,
}

/// What is closed but for what is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    Everything(Signals),
    /// Files only: for what fetches, and cannot do without the network.
    Files,
}

/// Whether signals may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signals {
    Closed,
    /// For the process outside. Even the signal by which the kernel kills the jailed process when that one ends counts as its own.
    Open,
}

/// Closes everything that this kernel's landlock can close; the answer is the version of its interface.
pub(crate) fn close_all(signals: Signals) -> io::Result<u8> {
    Rules::closing(Closed::Everything(signals))?.put_up()
}

/// Everything closed but what has been opened.
#[derive(Debug)]
pub(crate) struct Rules {
    rules: OwnedFd,
    abi: usize,
}

impl Rules {
    #[expect(unsafe_code, reason = "std has no landlock")]
    pub(crate) fn closing(what: Closed) -> io::Result<Self> {
        let abi = sys::plain(libc::SYS_landlock_create_ruleset, [0, 0, VERSION])?;
        let (network, scopes) = match what {
            Closed::Everything(Signals::Closed) => (TCP, ABSTRACT_SOCKETS | SIGNALS),
            Closed::Everything(Signals::Open) => (TCP, ABSTRACT_SOCKETS),
            Closed::Files => (0, 0),
        };
        let handled = Handled {
            files: files(abi),
            network: if abi >= 4 { network } else { 0 },
            scopes: if abi >= 6 { scopes } else { 0 },
        };
        // An older kernel takes a longer structure as long as what it does not know is zero.
        // SAFETY: the kernel reads the structure, which lives through the call, and answers with a new descriptor.
        let rules = unsafe {
            let raw = sys::call(
                libc::SYS_landlock_create_ruleset,
                [sys::at(&handled), size_of::<Handled>(), 0],
            )?;
            sys::own(sys::to_raw(raw))
        };
        Ok(Self { rules, abi })
    }

    /// Opens what is at a path, and what is beneath it.
    #[expect(unsafe_code, reason = "std has no landlock")]
    pub(crate) fn open(&self, path: &Path, access: Access) -> io::Result<()> {
        let there = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_PATH | libc::O_CLOEXEC)
            .open(path)?;
        let wanted = match access {
            Access::Read => EXECUTE | READ_FILE | READ_DIR,
            Access::Write => !(MAKE_CHAR | MAKE_BLOCK | IOCTL_DEV),
        };
        let possible = if there.metadata()?.is_dir() {
            u64::MAX
        } else {
            OF_FILES
        };
        let beneath = Beneath {
            rights: wanted & possible & files(self.abi),
            parent: std::os::fd::AsRawFd::as_raw_fd(&there),
        };
        // SAFETY: the kernel reads the structure, which lives through the call.
        unsafe {
            sys::call(
                libc::SYS_landlock_add_rule,
                [
                    sys::fd_word(self.rules.as_fd()),
                    PATH_BENEATH,
                    sys::at(&beneath),
                    0,
                ],
            )?;
        }
        Ok(())
    }

    /// The rules for another process of this program to put up.
    pub(crate) fn into_fd(self) -> OwnedFd {
        self.rules
    }

    /// Puts the rules up, for good; the answer is the version of landlock's interface.
    pub(crate) fn put_up(self) -> io::Result<u8> {
        put_up(self.rules.as_fd())?;
        Ok(u8::try_from(self.abi).unwrap_or(u8::MAX))
    }
}

/// Puts rules up for this process. It neither allocates nor locks.
pub(crate) fn put_up(rules: BorrowedFd<'_>) -> io::Result<()> {
    sys::plain(libc::SYS_landlock_restrict_self, [sys::fd_word(rules), 0]).map(drop)
}

/// All rights to files that a version knows.
const fn files(abi: usize) -> u64 {
    let count: u32 = match abi {
        0 | 1 => 13,
        2 => 14,
        3 | 4 => 15,
        _ => 16,
    };
    (1_u64 << count).wrapping_sub(1)
}
