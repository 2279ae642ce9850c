//! The server of guests' processes. Started by an executor, which speaks to it over its standard input.

use std::process::ExitCode;

/// By this argument the program ends at once: what a new process costs and nothing else, for a bench to compare with.
const NOTHING: &str = "nothing";

fn main() -> ExitCode {
    if std::env::args().nth(1).is_some_and(|it| it == NOTHING) {
        return ExitCode::SUCCESS;
    }
    match guest::server::main() {
        Ok(()) => ExitCode::SUCCESS,
        // The executor was told why, if it could be told at all.
        Err(_) => ExitCode::FAILURE,
    }
}
