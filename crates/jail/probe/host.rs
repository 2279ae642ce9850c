//! The probe as a host, in a process of its own, so that a test can be another user, or kill it.

use std::{
    fs::File,
    io::{self, Write as _},
    os::fd::AsFd as _,
};

use jail::{
    Limits, MissingLayers,
    client::Server,
    wire::{Code, Start},
};

const START: Start = Start {
    ahead: 2,
    code: Code::InChildren,
    missing_layers: MissingLayers::Refused,
    limits: Limits::FORK_SERVER,
};

/// Starts a server and asks one thing.
pub(crate) fn ask_once(program: &str) -> Result<(), String> {
    let answer = ask(program).map_err(|err| format!("{err:?}"))?;
    io::stdout()
        .write_all(&answer)
        .map_err(|err| err.to_string())
}

fn ask(program: &str) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let program = File::open(program)?;
    let server = Server::start(program.as_fd(), &START, None)?;
    let answer = server.take()?.ask(b"echo from the jail", None, 100)?;
    server.stop()?;
    Ok(answer)
}

/// Starts a server, has one child spin and one wait, says so, and waits to be killed.
pub(crate) fn wait_for_ever(program: &str) -> Result<(), String> {
    let hold = || -> Result<(), Box<dyn std::error::Error>> {
        let program = File::open(program)?;
        let server = Server::start(program.as_fd(), &START, None)?;
        let (spinning, waiting) = (server.take()?, server.take()?);
        spinning.send(b"spin", None)?;
        waiting.send(b"wait", None)?;
        io::stdout().write_all(b"ready\n")?;
        io::stdin().read_line(&mut String::new())?;
        Ok(())
    };
    hold().map_err(|err| format!("{err:?}"))
}

/// Starts a server that never becomes ready, since its artifact has taken it over.
pub(crate) fn start_for_ever(program: &str) -> Result<(), String> {
    let hold = || -> Result<(), Box<dyn std::error::Error>> {
        let program = File::open(program)?;
        let artifact = jail::sealed(b"server spin on")?;
        Server::start(program.as_fd(), &START, Some(artifact.as_fd()))?;
        Ok(())
    };
    hold().map_err(|err| format!("{err:?}"))
}
