//! The probe as a single-use program that jails itself with the compile worker's list.

use std::{
    io,
    os::fd::{AsFd as _, OwnedFd},
};

use jail::{Limits, Mapped, MissingLayers, Plan, calls, frame};

use crate::crimes;

const MOST_BYTES: usize = 1 << 20;

/// Takes one request on standard input, "compiles" what comes with it, and answers.
pub(crate) fn work_once() -> Result<(), String> {
    let stdin = io::stdin();
    let plan = Plan {
        keep: &[stdin.as_fd()],
        calls: &calls::COMPILE_WORKER,
        limits: Limits::COMPILE_WORKER,
        missing_layers: MissingLayers::Refused,
    };
    jail::enter(&plan).map_err(|missing| missing.to_string())?;
    let (request, source) =
        frame::receive(stdin.as_fd(), MOST_BYTES).map_err(|err| err.to_string())?;
    let answer = if request == b"run-code" {
        crimes::run_code()
    } else {
        compile(source)?
    };
    frame::send(stdin.as_fd(), &[answer.as_bytes()]).map_err(|err| err.to_string())
}

fn compile(source: Option<OwnedFd>) -> Result<String, String> {
    let source = source.ok_or("nothing to compile")?;
    let source = Mapped::sealed(source.as_fd()).map_err(|err| err.to_string())?;
    Ok(format!("compiled {} bytes", source.len()))
}
