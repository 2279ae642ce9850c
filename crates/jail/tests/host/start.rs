//! How the tests start servers.

use std::{fs::File, os::fd::AsFd as _};

use jail::{
    Limits, MissingLayers,
    client::Server,
    wire::{Code, Start},
};

pub const START: Start =
    Start { ahead: 2, code: Code::InChildren, missing_layers: MissingLayers::Refused, limits: Limits::FORK_SERVER };

pub const PROBE: &str = env!("CARGO_BIN_EXE_jail-probe");

/// A server of the probe without an artifact.
pub fn server(start: &Start) -> Server {
    let program = File::open(PROBE).unwrap();
    Server::start(program.as_fd(), start, None).unwrap()
}
