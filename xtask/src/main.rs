//! The one door to everything that is done to a checkout: `cargo xtask <deed>`.
//!
//! It depends on nothing of ours, so that it builds in seconds and works while the rest does not compile.

mod bench;
mod fresh_machine;
mod machine;
mod test;
mod tidy;
mod wasm;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use xshell::Shell;

/// Everything that is done to a checkout.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Deed {
    /// Run every test, after installing what the tests need.
    Test(test::Arguments),
    /// Check what the house rules can measure: format, lints, layers, documents.
    Tidy(tidy::Arguments),
    /// Build the contracts and the guests to target/wasm, and check that they are what they claim.
    Wasm,
    /// Measure one of the things that `bench` lists.
    Bench(bench::Arguments),
    /// Run the README's commands on a clean clone in an empty home.
    FreshMachine(fresh_machine::Arguments),
}

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    let shell = Shell::new()?;
    shell.change_dir(workspace()?);
    match Deed::parse() {
        Deed::Test(arguments) => return test::run(&shell, &arguments),
        Deed::Tidy(arguments) => tidy::run(&shell, &arguments)?,
        Deed::Wasm => wasm::run(&shell)?,
        Deed::Bench(arguments) => bench::run(&shell, &arguments)?,
        Deed::FreshMachine(arguments) => fresh_machine::run(&shell, &arguments)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The folder of the workspace this program was built from.
fn workspace() -> Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("xtask/ stands in the workspace's folder")
}
