//! The whole of a child process: confine itself, read one request, answer it, end.
//!
//! A process becomes a child by calling [`main`] before it starts threads or opens files.

mod compile;
mod confine;
mod host;
mod run;
mod wasi;

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

use crate::wire::{self, Request};

/// Serves one request of the executor that started this process.
pub fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("guest process: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> io::Result<()> {
    confine::at_start()?;
    let response = match wire::read(&mut io::stdin().lock())? {
        Request::Compile {
            wasm,
            memory_bytes,
            cpu_seconds,
        } => {
            confine::limit(memory_bytes, cpu_seconds)?;
            compile::compile(&wasm)
        }
        Request::Run { code, run } => run::run(OsStr::from_bytes(&code), run)?,
    };
    wire::write(&mut io::stdout().lock(), &response)
}
