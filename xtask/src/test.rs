//! Every test, by the best runner there is. The runner's own summary is the last thing printed: people and CI read that.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::Args;
use xshell::{Shell, cmd};

use crate::machine;

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Words for the runner, for example `-p localnet`; then only what they name is run.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    runner: Vec<String>,
}

pub(crate) fn run(shell: &Shell, arguments: &Arguments) -> Result<ExitCode> {
    machine::provide(shell)?;
    machine::toolchain(shell)?;
    let words = &arguments.runner;
    let everything = words.is_empty();
    if everything {
        javascript(shell)?;
    }
    let runner = match (everything, machine::has(shell, "nextest")) {
        (true, true) => {
            // nextest does not know doc tests, so they go first.
            cmd!(shell, "cargo test --workspace --doc --quiet").run()?;
            cmd!(shell, "cargo nextest run --workspace")
        }
        (true, false) => cmd!(shell, "cargo test --workspace"),
        (false, true) => cmd!(shell, "cargo nextest run {words...}"),
        (false, false) => cmd!(shell, "cargo test {words...}"),
    };
    eprintln!("$ {runner}");
    let status = Command::from(runner)
        .status()
        .context("cargo starts the runner")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Tests of clients written in JavaScript: each folder with a `package.json` that says how to test it.
fn javascript(shell: &Shell) -> Result<()> {
    let manifests = cmd!(shell, "git ls-files -- package.json */package.json")
        .quiet()
        .read()?;
    for manifest in manifests.lines() {
        if !shell.read_file(manifest)?.contains("\"test\":") {
            continue;
        }
        let folder = manifest.trim_end_matches("package.json");
        if !machine::find("node") || !machine::find("npm") {
            eprintln!("skipped: {folder} needs Node.js with npm, and this machine has none");
            continue;
        }
        let _inside = shell.push_dir(folder);
        if cmd!(shell, "npm ci --no-audit --no-fund").run().is_err() {
            eprintln!("skipped: {folder} needs packages that npm could not fetch");
            continue;
        }
        cmd!(shell, "npm test").run()?;
    }
    Ok(())
}
