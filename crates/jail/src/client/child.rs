//! A child as the host sees it: a connection and a pidfd.

use std::{
    io,
    os::fd::{AsFd as _, BorrowedFd, OwnedFd},
};

use crate::{frame, sys};

/// A jailed process that waits for its one request. Dropped before it was asked, it ends by itself.
#[derive(Debug)]
pub struct Child {
    /// A stream that takes one frame and gives one.
    pub connection: OwnedFd,
    /// Readable once the child has ended.
    pub pidfd: OwnedFd,
}

#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("the child does not take the request")]
    Request(#[source] frame::Error),
    #[error("the child does not answer")]
    Answer(#[source] frame::Error),
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Exited(i32),
    /// By this signal: `SIGSYS` is a system call that is not allowed, `SIGXCPU` the limit on processor time.
    Killed(i32),
    /// It has ended, but this kernel (older than 6.15) does not say how.
    Unknown,
}

impl Child {
    /// Sends the request.
    pub fn send(
        &self,
        request: &[u8],
        artifact: Option<BorrowedFd<'_>>,
    ) -> Result<(), frame::Error> {
        frame::send_with(self.connection.as_fd(), request, artifact)
    }

    /// Sends the request and waits for the answer: until the child ends, so somebody must kill it in the end.
    pub fn ask(
        &self,
        request: &[u8],
        artifact: Option<BorrowedFd<'_>>,
        limit: usize,
    ) -> Result<Vec<u8>, AskError> {
        self.send(request, artifact).map_err(AskError::Request)?;
        frame::receive(self.connection.as_fd(), limit)
            .map(|(answer, _)| answer)
            .map_err(AskError::Answer)
    }

    /// Kills it, whatever it is doing.
    pub fn kill(&self) -> io::Result<()> {
        match sys::pidfd_kill(self.pidfd.as_fd(), libc::SIGKILL) {
            Err(err) if err.raw_os_error() == Some(libc::ESRCH) => Ok(()),
            other => other,
        }
    }

    /// Waits for its end.
    pub fn wait(&self) -> io::Result<()> {
        sys::poll(&mut [sys::readable(self.pidfd.as_fd())], -1).map(drop)
    }

    /// Waits for its end and asks the kernel how it came.
    pub fn ending(&self) -> io::Result<Ending> {
        self.wait()?;
        // How it ended is known when it has been reaped, which the kernel does right after.
        let mut entry = sys::readable(self.pidfd.as_fd());
        entry.events = 0;
        sys::poll(&mut [entry], REAPED_WITHIN_MS)?;
        Ok(
            status(self.pidfd.as_fd()).map_or(Ending::Unknown, |status| {
                if libc::WIFSIGNALED(status) {
                    Ending::Killed(libc::WTERMSIG(status))
                } else {
                    Ending::Exited(libc::WEXITSTATUS(status))
                }
            }),
        )
    }
}

/// A kernel that does not report reaping (before 6.9) does not report endings either, so waiting longer gains nothing.
const REAPED_WITHIN_MS: i32 = 50;

/// The first version of the kernel's `struct pidfd_info`: two longs, eleven numbers, the exit code.
#[repr(C)]
struct PidfdInfo {
    mask: u64,
    cgroup: u64,
    ids: [u32; 11],
    exit_code: i32,
}

#[expect(unsafe_code, reason = "std asks no pidfd")]
fn status(pidfd: BorrowedFd<'_>) -> Option<i32> {
    /// `_IOWR(0xff, 11, struct pidfd_info)`, of 64 bytes.
    const GET_INFO: usize = 0xc040_ff0b;
    const EXIT: u64 = 1 << 3;
    let mut found = PidfdInfo {
        mask: EXIT,
        cgroup: 0,
        ids: [0; 11],
        exit_code: 0,
    };
    // SAFETY: the kernel fills in the structure, whose length is in the call's number.
    unsafe {
        sys::call(
            libc::SYS_ioctl,
            [sys::fd_word(pidfd), GET_INFO, sys::at_mut(&mut found)],
        )
    }
    .ok()?;
    (found.mask & EXIT != 0).then_some(found.exit_code)
}
