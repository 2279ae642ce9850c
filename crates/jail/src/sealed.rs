//! Bytes behind a descriptor that nobody can change any more: artifacts and programs, without a file.

use std::{
    fs::File,
    io::{self, Write as _},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use crate::sys;

const CLOEXEC: usize = 0x1;
const ALLOW_SEALING: usize = 0x2;
/// The bytes can never be run as a program (Linux 6.3).
const NOEXEC_SEAL: usize = 0x8;
/// The bytes may be run as a program (Linux 6.3, where it must be said).
const EXEC: usize = 0x10;

const F_ADD_SEALS: usize = 1033;
const F_GET_SEALS: usize = 1034;
/// Seal, shrink, grow, write.
const SEALS: usize = 0x1 | 0x2 | 0x4 | 0x8;

/// The bytes in a memory file that cannot be written, grown, shrunk or unsealed. It can be mapped as code, but not be executed.
pub fn sealed(bytes: &[u8]) -> io::Result<OwnedFd> {
    fill(memory_file(NOEXEC_SEAL)?, bytes)
}

/// As [`sealed`], for a program to be started from it.
pub fn program(bytes: &[u8]) -> io::Result<OwnedFd> {
    fill(memory_file(EXEC)?, bytes)
}

/// The descriptor is not one whose bytes will stay as they are.
#[derive(Debug, thiserror::Error)]
pub enum NotSealed {
    #[error("the descriptor is no memory file")]
    NoMemoryFile(#[source] io::Error),
    #[error("the memory file can still be changed: its seals are {seals:#x}")]
    Open { seals: usize },
}

/// Whether the bytes behind a descriptor can never change again.
pub fn check_sealed(fd: BorrowedFd<'_>) -> Result<(), NotSealed> {
    let seals = sys::plain(libc::SYS_fcntl, [sys::fd_word(fd), F_GET_SEALS])
        .map_err(NotSealed::NoMemoryFile)?;
    if seals & SEALS == SEALS {
        Ok(())
    } else {
        Err(NotSealed::Open { seals })
    }
}

#[expect(unsafe_code, reason = "std makes no memory files")]
fn memory_file(kind: usize) -> io::Result<OwnedFd> {
    let make = |flags: usize| {
        // SAFETY: the name is static; the descriptor is new and ours.
        unsafe {
            sys::call(libc::SYS_memfd_create, [sys::text(c"outlayer"), flags])
                .map(|raw| sys::own(sys::to_raw(raw)))
        }
    };
    match make(CLOEXEC | ALLOW_SEALING | kind) {
        Err(err) if err.raw_os_error() == Some(libc::EINVAL) => make(CLOEXEC | ALLOW_SEALING),
        other => other,
    }
}

fn fill(fd: OwnedFd, bytes: &[u8]) -> io::Result<OwnedFd> {
    let mut file = File::from(fd);
    file.write_all(bytes)?;
    let fd = OwnedFd::from(file);
    sys::plain(
        libc::SYS_fcntl,
        [sys::fd_word(fd.as_fd()), F_ADD_SEALS, SEALS],
    )?;
    Ok(fd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_bytes_cannot_be_changed() {
        let fd = sealed(b"artifact").unwrap();
        let mut file = File::from(fd.try_clone().unwrap());

        let write = file.write_all(b"x");

        assert_eq!(write.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        assert!(file.set_len(3).is_err());
        assert!(check_sealed(fd.as_fd()).is_ok());
    }

    #[test]
    fn only_a_sealed_memory_file_passes_for_one() {
        let open = memory_file(NOEXEC_SEAL).unwrap();
        let disk = File::open("/proc/self/status").unwrap();

        let (open, disk) = (check_sealed(open.as_fd()), check_sealed(disk.as_fd()));

        assert!(matches!(open, Err(NotSealed::Open { .. })));
        assert!(matches!(disk, Err(NotSealed::NoMemoryFile(_))));
    }
}
