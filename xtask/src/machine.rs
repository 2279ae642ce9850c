//! What this machine has, and what the tests need of it.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

/// What the tests start that cargo does not build: the program, its package, and what it is for.
///
/// A database or a browser that a test begins to use is one more row here, in the change that begins to use it.
const NEEDS: &[(&str, &str, &str)] = &[
    ("git", "git", "the compiler clones sources with it"),
    (
        "cc",
        "gcc",
        "rustc links with it, and SQLite and the cryptography are C",
    ),
];

/// Package managers, and how each is asked for a package.
const MANAGERS: &[(&str, &str)] = &[
    ("apt-get", "apt-get update -qq && apt-get install -y -qq"),
    ("dnf", "dnf install -y -q"),
    ("apk", "apk add --quiet musl-dev"),
    ("pacman", "pacman -Sy --noconfirm"),
];

/// Where a program is, if the PATH has it.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

/// Whether cargo has a subcommand.
pub(crate) fn has(shell: &Shell, subcommand: &str) -> bool {
    let version = cmd!(shell, "cargo {subcommand} --version").quiet();
    version.ignore_stdout().ignore_stderr().run().is_ok()
}

/// Installs what the tests need and this machine lacks, and says so.
pub(crate) fn provide(shell: &Shell) -> Result<()> {
    for (program, package, why) in NEEDS.iter().filter(|(program, ..)| find(program).is_none()) {
        let Some((manager, ask)) = MANAGERS.iter().find(|(manager, _)| find(manager).is_some())
        else {
            bail!(
                "this machine has no `{program}` and no package manager known here; {why}: install it"
            );
        };
        eprintln!("installing {package} with {manager}: {why}");
        let root = cmd!(shell, "id -u").quiet().read()? == "0";
        let sudo: &[&str] = if root { &[] } else { &["sudo"] };
        let line = format!("{ask} {package}");
        cmd!(shell, "env {sudo...} sh -c {line}").run()?;
    }
    Ok(())
}

/// Makes sure of the targets and components that `rust-toolchain.toml` names.
///
/// rustup installs them with the toolchain, but not into a toolchain that is already there, and not at all under
/// `RUSTUP_AUTO_INSTALL=0`.
pub(crate) fn toolchain(shell: &Shell) -> Result<()> {
    let pinned: toml::Table = shell.read_file("rust-toolchain.toml")?.parse()?;
    let targets = pinned
        .get("toolchain")
        .and_then(|toolchain| toolchain.get("targets"))
        .and_then(toml::Value::as_array)
        .context("rust-toolchain.toml names the targets")?;
    let mut lacking = Vec::new();
    for target in targets.iter().filter_map(toml::Value::as_str) {
        let libraries = cmd!(shell, "rustc --print target-libdir --target {target}").quiet();
        if !Path::new(&libraries.read()?).is_dir() {
            lacking.push(target);
        }
    }
    for component in ["clippy", "fmt"] {
        if !has(shell, component) {
            lacking.push(component);
        }
    }
    if lacking.is_empty() {
        return Ok(());
    }
    eprintln!(
        "the toolchain lacks {}: rustup installs what rust-toolchain.toml names",
        lacking.join(", ")
    );
    cmd!(shell, "rustup toolchain install")
        .run()
        .context("add them to the Rust toolchain in use")
}
