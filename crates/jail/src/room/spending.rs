//! What the room has spent of the two things that no limit on a process bounds: memory of all together, and disk.

use std::{
    fs::{self, File, ReadDir},
    io,
    os::fd::{AsFd as _, OwnedFd},
    path::{Path, PathBuf},
};

use super::{Excess, Room};
use crate::sys;

/// A space with less than this left is full: whoever needs more would fail now, perhaps without saying why.
const LAST_BYTES: u64 = 256 * 1024;
const LAST_INODES: u64 = 8;
const KIB: u64 = 1024;

/// The kernel's `struct statfs`, in words: block size, blocks free and files free are the second, fifth and seventh.
type FileSystem = [u64; 15];

/// Holds what must be held to measure.
#[derive(Debug)]
pub(super) struct Spending {
    spaces: Vec<(PathBuf, OwnedFd)>,
    /// None where the view of processes is not the room's own: there is nothing to add up then.
    memory_bytes: Option<u64>,
}

impl Spending {
    /// To be made in the room, before anything has run there.
    pub(super) fn of(room: &Room) -> io::Result<Self> {
        let spaces = room.spaces.iter().map(|space| {
            let folder = File::open(&space.path)?;
            Ok((space.path.clone(), OwnedFd::from(folder)))
        });
        // Who is the first process in a view is so in the namespace that it is a view of.
        let is_own = fs::read_link("/proc/self").is_ok_and(|own| own == Path::new("1"));
        Ok(Self {
            spaces: spaces.collect::<io::Result<_>>()?,
            memory_bytes: is_own.then_some(room.memory_bytes),
        })
    }

    /// Whether memory is measured.
    pub(super) fn sees_memory(&self) -> bool {
        self.memory_bytes.is_some()
    }

    /// What there is too much of, if anything.
    pub(super) fn excess(&self) -> Option<Excess> {
        let full = self
            .spaces
            .iter()
            .find(|(_, folder)| is_full(folder).unwrap_or(false));
        if let Some((path, _)) = full {
            return Some(Excess::Space(path.clone()));
        }
        let most = self.memory_bytes?;
        let held = fs::read_dir("/proc").map_or(0, memory_of);
        (held > most).then_some(Excess::Memory)
    }
}

#[expect(unsafe_code, reason = "std asks no file system")]
fn is_full(folder: &OwnedFd) -> io::Result<bool> {
    let mut found: FileSystem = [0; 15];
    // SAFETY: the kernel fills in one structure, which lives through the call.
    unsafe {
        sys::call(
            libc::SYS_fstatfs,
            [sys::fd_word(folder.as_fd()), sys::at_mut(&mut found)],
        )?;
    }
    let [_, block, _, _, blocks, _, inodes, ..] = found;
    Ok(blocks.saturating_mul(block) < LAST_BYTES || inodes < LAST_INODES)
}

/// Memory that all processes hold, not counting pages of files. What two share is counted for both.
fn memory_of(processes: ReadDir) -> u64 {
    let statuses = processes.flatten().filter_map(|process| {
        let is_one = process
            .file_name()
            .as_encoded_bytes()
            .iter()
            .all(u8::is_ascii_digit);
        is_one.then(|| fs::read_to_string(process.path().join("status")).ok())?
    });
    statuses
        .map(|status| held(&status))
        .fold(0, u64::saturating_add)
}

/// The bytes in a process's `RssAnon` and `RssShmem`.
fn held(status: &str) -> u64 {
    let of = |line: &str| -> Option<u64> {
        let rest = line
            .strip_prefix("RssAnon:")
            .or_else(|| line.strip_prefix("RssShmem:"))?;
        rest.trim().strip_suffix(" kB")?.parse().ok()
    };
    let kib = status.lines().filter_map(of).fold(0, u64::saturating_add);
    kib.saturating_mul(KIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_what_a_process_holds_itself() {
        let status = "VmRSS:\t   9000 kB\nRssAnon:\t     100 kB\nRssFile:\t    8890 kB\nRssShmem:\t      10 kB\n";

        assert_eq!(held(status), 110 * 1024);
    }

    #[test]
    fn a_file_system_with_space_is_not_full() {
        let folder = OwnedFd::from(File::open("/dev/shm").unwrap());

        assert!(!is_full(&folder).unwrap());
    }
}
