//! The `outlayer` command, built with the journeys so that they start the same code they test.

use std::process::ExitCode;

fn main() -> ExitCode {
    outlayer::main(std::env::args_os())
}
