//! A stranger's first ten minutes: a clean clone, an empty home, the commands of the README.
//!
//! The toolchain (`RUSTUP_HOME`) stays, as does the user's `config.toml` of cargo, which may name how crates.io is reached.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Args;
use xshell::{Shell, cmd};

/// What of the environment a fresh machine would have too: variables that begin so.
const KEPT: &str = "PATH LANG TERM TMPDIR http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY \
    SSL_CERT_ CARGO_HTTP_ CARGO_NET_ CARGO_REGISTR CARGO_SOURCE_ RUSTUP_DIST_ RUSTUP_UPDATE_ RUSTUP_AUTO_";

/// Which commands to run.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Run only the command that contains this word: `demo` or `test`.
    #[arg(long)]
    only: Option<String>,
}

pub(crate) fn run(shell: &Shell, arguments: &Arguments) -> Result<()> {
    let machine = shell.create_temp_dir()?;
    let (home, clone) = (machine.path().join("home"), machine.path().join("outlayer"));
    let cargo = home.join(".cargo");
    fs::create_dir_all(&cargo)?;
    let configuration = home_of("CARGO_HOME", ".cargo")?.join("config.toml");
    if configuration.is_file() {
        eprintln!("carried over: {}", configuration.display());
        fs::copy(&configuration, cargo.join("config.toml"))?;
    }
    // What is not committed stays behind.
    cmd!(shell, "git clone --quiet . {clone}").run()?;
    let mut times = Vec::new();
    let only = arguments.only.as_deref().unwrap_or_default();
    for line in commands(&fs::read_to_string(clone.join("README.md"))?) {
        if line.contains(only) {
            let seconds = try_out(&line, &home, &clone)?;
            times.push(format!("{seconds:>6} s  {line}"));
        }
    }
    if times.is_empty() {
        bail!("the first `sh` block of README.md has no such cargo command");
    }
    eprintln!("\non a fresh machine:\n{}", times.join("\n"));
    Ok(())
}

/// The cargo commands in the first shell block of a README, without their comments.
fn commands(readme: &str) -> Vec<String> {
    let block = readme
        .split("```")
        .skip(1)
        .step_by(2)
        .find_map(|block| block.strip_prefix("sh\n"));
    block
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.split('#').next())
        .map(|line| line.trim().to_owned())
        .filter(|line| line.starts_with("cargo "))
        .collect()
}

/// Runs a line of the README and returns how many seconds it took.
fn try_out(line: &str, home: &Path, clone: &Path) -> Result<u64> {
    eprintln!("\nfresh machine$ {line}");
    let kept = env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        KEPT.split_whitespace().any(|kept| name.starts_with(kept))
    });
    #[expect(
        clippy::disallowed_methods,
        reason = "a stopwatch; nothing decides by it"
    )]
    let start = Instant::now();
    let status = Command::new("sh")
        .args(["-c", line])
        .current_dir(clone)
        .env_clear()
        .envs(kept)
        .env("HOME", home)
        .env("CARGO_HOME", home.join(".cargo"))
        .env("RUSTUP_HOME", home_of("RUSTUP_HOME", ".rustup")?)
        .status()?;
    let seconds = start.elapsed().as_secs();
    if !status.success() {
        bail!("`{line}` fails on a fresh machine after {seconds} s ({status})");
    }
    Ok(seconds)
}

/// A tool's home: where its variable points, or its folder in the user's home.
fn home_of(variable: &str, folder: &str) -> Result<PathBuf> {
    let home = || env::home_dir().map(|home| home.join(folder));
    let found = env::var_os(variable).map(PathBuf::from).or_else(home);
    found.with_context(|| format!("neither {variable} nor a home is known"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_commands_of_the_first_shell_block() {
        let readme = "Hello.\n```text\ncargo no\n```\n```sh\ncargo demo     # why\ncd x\ncargo xtask test\n```\n```sh\ncargo late\n```\n";

        let found = commands(readme);

        assert_eq!(found, ["cargo demo", "cargo xtask test"]);
    }
}
