//! The house rules, as far as a program can measure them. Every check runs, cheap ones first; then all complaints are told.

mod documents;
mod layers;
mod sources;

use std::process::Command;

use anyhow::{Result, bail};
use clap::Args;
use clap::builder::PossibleValuesParser;
use xshell::{Cmd, Shell, cmd};

use crate::{machine, wasm};

/// Looks at the checkout and returns complaints: what is wrong where, and what to do.
type Check = fn(&Shell) -> Result<Vec<String>>;

const CHECKS: &[(&str, Check)] = &[
    ("sources", sources::check),
    ("documents", documents::check),
    ("layers", layers::check),
    ("format", format),
    ("deny", deny),
    ("clippy", clippy),
    ("rustdoc", rustdoc),
];

/// What to check.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The checks; all of them if none is named.
    #[arg(value_parser = PossibleValuesParser::new(CHECKS.iter().map(|(name, _)| *name)))]
    checks: Vec<String>,
}

pub(crate) fn run(shell: &Shell, arguments: &Arguments) -> Result<()> {
    machine::provide(shell)?;
    machine::toolchain(shell)?;
    let wanted = &arguments.checks;
    let mut complaints = Vec::new();
    for (name, check) in CHECKS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            eprintln!("tidy: {name}");
            let found = check(shell)?;
            complaints.extend(found.iter().map(|complaint| format!("{name}: {complaint}")));
        }
    }
    if !complaints.is_empty() {
        bail!("not tidy\n  {}", complaints.join("\n  "));
    }
    Ok(())
}

/// The text files that git tracks, or would if they were added, with their contents.
fn texts(shell: &Shell) -> Result<Vec<(String, String)>> {
    let listed = cmd!(
        shell,
        "git ls-files -z --cached --others --exclude-standard"
    )
    .quiet()
    .read()?;
    let mut paths: Vec<&str> = listed.split('\0').filter(|path| !path.is_empty()).collect();
    paths.sort_unstable();
    paths.dedup();
    // What is deleted but still in the index, or is not text, has no lines to look at.
    Ok(paths
        .into_iter()
        .filter_map(|path| Some((path.to_owned(), shell.read_file(path).ok()?)))
        .collect())
}

fn format(shell: &Shell) -> Result<Vec<String>> {
    let mut complaints = outcome(
        cmd!(shell, "cargo fmt --all --check"),
        "`cargo fmt --all` mends it",
    )?;
    // Examples and the contracts of tests are workspaces of their own.
    let apart = cmd!(
        shell,
        "git ls-files -- examples/*/Cargo.toml tests/contracts/*/Cargo.toml"
    )
    .quiet()
    .read()?;
    for manifest in apart.lines() {
        let check = cmd!(shell, "cargo fmt --check --manifest-path {manifest}");
        complaints.extend(outcome(
            check,
            &format!("`cargo fmt --manifest-path {manifest}` mends it"),
        )?);
    }
    Ok(complaints)
}

fn clippy(shell: &Shell) -> Result<Vec<String>> {
    let clippy = cmd!(
        shell,
        "cargo clippy --quiet --workspace --all-targets -- -D warnings"
    );
    let mut complaints = outcome(clippy, "clippy's complaints are above")?;
    // What talks to the chain or to a host is compiled for wasm only.
    for found in wasm::crates(shell)? {
        let clippy = found
            .cargo(shell, "clippy")
            .args(["--quiet", "--", "-D", "warnings"]);
        complaints.extend(outcome(clippy, "clippy's complaints about wasm are above")?);
    }
    Ok(complaints)
}

fn rustdoc(shell: &Shell) -> Result<Vec<String>> {
    let rustdoc = cmd!(
        shell,
        "cargo doc --quiet --workspace --no-deps --document-private-items"
    );
    outcome(
        rustdoc.env("RUSTDOCFLAGS", "-D warnings"),
        "rustdoc's complaints are above",
    )
}

fn deny(shell: &Shell) -> Result<Vec<String>> {
    if !machine::has(shell, "deny") {
        eprintln!("skipped: cargo-deny is not here; `cargo install --locked cargo-deny` adds it");
        return Ok(Vec::new());
    }
    outcome(
        cmd!(shell, "cargo deny --workspace check"),
        "deny.toml says what is allowed",
    )
}

/// Runs a command; if it fails, that is the complaint.
fn outcome(command: Cmd<'_>, complaint: &str) -> Result<Vec<String>> {
    let succeeded = Command::from(command).status()?.success();
    Ok(if succeeded {
        Vec::new()
    } else {
        vec![complaint.to_owned()]
    })
}
