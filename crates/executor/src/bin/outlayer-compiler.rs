//! A compiling process and nothing else, for this crate's own tests; the `outlayer` program turns itself into one.

use std::process::ExitCode;

fn main() -> ExitCode {
    executor::child::main()
}
