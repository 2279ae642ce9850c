//! A program started from a descriptor.

use std::{
    io,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::process::CommandExt,
    },
    process::{self, Command, ExitStatus, Stdio},
};

use crate::sys;

/// A program that was started and jails itself, and the pidfd of what waits outside its jail. Dropped, it is ended and waited for.
#[derive(Debug)]
pub struct Launched {
    process: process::Child,
    pidfd: OwnedFd,
}

impl Launched {
    /// Starts the program behind a descriptor, with an empty environment, and `stdin` as its standard input.
    ///
    /// It becomes a `vfork` and an `exec`, so the size of the host does not matter.
    pub fn start(program: BorrowedFd<'_>, arguments: &[&str], stdin: OwnedFd) -> io::Result<Self> {
        let mut process = Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()))
            .arg0("outlayer-jail")
            .args(arguments)
            .env_clear()
            .stdin(stdin)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let pid = usize::try_from(process.id()).unwrap_or(usize::MAX);
        match sys::pidfd_open(pid) {
            Ok(pidfd) => Ok(Self { process, pidfd }),
            Err(err) => {
                process.kill()?;
                process.wait()?;
                Err(err)
            }
        }
    }

    /// Readable once it has ended.
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Ends it with all that is inside, and waits for it.
    pub fn stop(mut self) -> io::Result<ExitStatus> {
        self.end()
    }

    /// Waits for it to end by itself.
    pub fn wait(mut self) -> io::Result<ExitStatus> {
        self.process.wait()
    }

    fn end(&mut self) -> io::Result<ExitStatus> {
        // The process outside passes this on as SIGKILL and reaps; before the jail stands it ends the program itself.
        sys::pidfd_kill(self.pidfd.as_fd(), libc::SIGTERM).ok();
        self.process.wait()
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        // What has been waited for remembers it, and there is nobody to tell.
        self.end().ok();
    }
}
