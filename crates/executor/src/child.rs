//! The whole of a compiling process: confine itself, read one module, answer with its code, end.
//!
//! A process becomes one by calling [`main`] before it starts threads or opens files.

mod compile;
mod locate;

pub(crate) mod wire;

use std::io;
use std::os::fd::AsFd as _;
use std::process::ExitCode;

use jail::{Limits, MissingLayers, Plan, calls};

use wire::{Ask, Deed, Told};

/// Serves one request of the executor that started this process.
pub fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compiling process: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> io::Result<()> {
    let ask = wire::read(&mut io::stdin().lock())?;
    let told = match enter_jail(&ask) {
        Ok(_) => match &ask.deed {
            Deed::Compile(form) => compile::compile(&ask.wasm, *form),
            Deed::Locate { variant, frames } => locate::locate(&ask.wasm, *variant, frames),
        },
        Err(missing) => Told::Failed(missing.to_string()),
    };
    wire::write(&mut io::stdout().lock(), &told)?;
    end()
}

/// Ends without the cleaning up that the jail has no system calls for.
fn end() -> ! {
    // SAFETY: ends the process; nothing is left to be done.
    #[expect(unsafe_code, reason = "std's way to end cleans up first")]
    unsafe {
        libc::_exit(0)
    }
}

/// The module has not been looked at when the jail stands.
fn enter_jail(ask: &Ask) -> Result<jail::Report, jail::Missing> {
    let (stdout, stderr) = (io::stdout(), io::stderr());
    jail::enter(&Plan {
        keep: &[stdout.as_fd(), stderr.as_fd()],
        calls: &calls::COMPILE_WORKER,
        limits: Limits {
            memory_bytes: ask.memory_bytes,
            cpu_seconds: Some(ask.cpu_seconds),
            ..Limits::COMPILE_WORKER
        },
        missing_layers: if ask.may_lack_layers {
            MissingLayers::Allowed
        } else {
            MissingLayers::Refused
        },
    })
}
