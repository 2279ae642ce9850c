//! A launcher of rooms and nothing else, for this crate's own tests; the `outlayer` program turns itself into one.

use std::process::ExitCode;

fn main() -> ExitCode {
    compiler::jail::main(std::env::args_os().skip(1))
}
