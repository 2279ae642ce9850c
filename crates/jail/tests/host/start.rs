//! How the tests start servers.

use std::{
    fs::File,
    os::fd::{AsFd as _, BorrowedFd},
};

use jail::{
    Limits, MissingLayers,
    client::{Error, Server},
    wire::{Code, Start},
};

pub(crate) const START: Start = Start {
    ahead: 2,
    code: Code::InChildren,
    missing_layers: MissingLayers::Refused,
    limits: Limits::FORK_SERVER,
};

/// A server of the probe without an artifact.
pub(crate) fn server(start: &Start) -> Server {
    with_artifact(start, None).unwrap()
}

pub(crate) fn with_artifact(
    start: &Start,
    artifact: Option<BorrowedFd<'_>>,
) -> Result<Server, Error> {
    let program = File::open(env!("CARGO_BIN_EXE_jail-probe")).unwrap();
    Server::start(program.as_fd(), start, artifact)
}
