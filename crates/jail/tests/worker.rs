//! A single-use program that jails itself, as a compile worker does.

use std::{
    fs::File,
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::{net::UnixStream, process::ExitStatusExt as _},
    },
    process::ExitStatus,
};

use jail::{
    client::{Child, Launched},
    frame, sealed,
};

/// Starts one, asks it, and waits for its end.
fn ask(request: &[u8], source: &[u8]) -> Option<(Result<Vec<u8>, frame::Error>, ExitStatus)> {
    let program = File::open(env!("CARGO_BIN_EXE_jail-probe")).ok()?;
    let (ours, theirs) = UnixStream::pair().ok()?;
    let launched = Launched::start(program.as_fd(), &["worker"], OwnedFd::from(theirs)).ok()?;
    let worker = Child {
        connection: OwnedFd::from(ours),
        pidfd: launched.pidfd().try_clone_to_owned().ok()?,
    };
    worker
        .send(request, Some(sealed(source).ok()?.as_fd()))
        .ok()?;
    let answer = frame::receive(worker.connection.as_fd(), 100).map(|(answer, _)| answer);
    Some((answer, launched.wait().ok()?))
}

#[test]
fn a_worker_takes_its_source_by_descriptor_and_answers_once() {
    let (answer, status) = ask(b"compile", b"some wasm").unwrap();

    assert_eq!(answer.unwrap(), b"compiled 9 bytes");
    assert!(status.success(), "{status:?}");
}

#[test]
fn a_worker_makes_nothing_runnable() {
    let (answer, status) = ask(b"run-code", b"").unwrap();

    assert!(matches!(answer, Err(frame::Error::Nothing)), "{answer:?}");
    assert_eq!(status, ExitStatus::from_raw((128 + libc::SIGSYS) << 8));
}

#[test]
fn a_worker_that_is_stopped_is_gone() {
    let program = File::open(env!("CARGO_BIN_EXE_jail-probe")).unwrap();
    let (_ours, theirs) = UnixStream::pair().unwrap();
    let launched = Launched::start(program.as_fd(), &["worker"], OwnedFd::from(theirs)).unwrap();

    let status = launched.stop().unwrap();

    assert!(!status.success(), "{status:?}");
}
