//! Builds the contracts that the binary deploys, and packs the guests it shows, so that one file makes a whole platform.
//!
//! A nested cargo builds for wasm in a target folder of its own: the outer cargo holds the lock of the other one.

use std::env;
use std::error::Error;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Manifest, package, and the name of its module.
const CONTRACTS: &[(&str, &str, &str)] = &[
    (
        "contracts/outlayer/Cargo.toml",
        "outlayer-contract",
        "outlayer_contract",
    ),
    (
        "examples/random-client/Cargo.toml",
        "random-client",
        "random_client",
    ),
];

/// Guests whose sources the binary carries.
const GUESTS: &[&str] = &["random-ark", "echo-ark"];

/// What the modules and the packs are made from; tests beside them are not.
const SOURCES: &[&str] = &[
    ".cargo/config.toml",
    "Cargo.toml",
    "Cargo.lock",
    "contracts/outlayer/Cargo.toml",
    "contracts/outlayer/src",
    "crates/protocol/Cargo.toml",
    "crates/protocol/src",
    "examples/echo-ark",
    "examples/random-ark",
    "examples/random-client/Cargo.toml",
    "examples/random-client/Cargo.lock",
    "examples/random-client/src",
];

/// Variables that say how cargo reaches crates.io and shares the cores; the nested cargo needs them as well.
const SHARED: &[&str] = &[
    "CARGO_HOME",
    "CARGO_HTTP_",
    "CARGO_MAKEFLAGS",
    "CARGO_NET_",
    "CARGO_REGISTR",
    "CARGO_SOURCE_",
    "CARGO_TERM_",
];

fn main() -> Result<(), Box<dyn Error>> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .ok_or("cli/ stands in the workspace")?;
    let out =
        PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo names the folder for what this makes")?);
    for source in SOURCES {
        println!(
            "cargo::rerun-if-changed={}",
            workspace.join(source).display()
        );
    }
    for (manifest, package, module) in CONTRACTS {
        let wasm = build(workspace, manifest, package)?
            .join(module)
            .with_extension("wasm");
        fs::copy(&wasm, out.join(module).with_extension("wasm"))?;
    }
    for guest in GUESTS {
        fs::write(
            out.join(guest).with_extension("rs"),
            pack(&workspace.join("examples").join(guest))?,
        )?;
    }
    Ok(())
}

/// Builds a contract and returns the folder its module is in.
fn build(workspace: &Path, manifest: &str, package: &str) -> Result<PathBuf, Box<dyn Error>> {
    let folder = workspace.join("target/wasm");
    let mut cargo = Command::new(env::var_os("CARGO").ok_or("cargo names itself")?);
    cargo
        .current_dir(workspace) // where .cargo/config.toml is, which turns `cfg(near)` on
        .args([
            "build",
            "--locked",
            "--target",
            "wasm32-unknown-unknown",
            "--profile",
            "contract",
        ])
        .args(["--manifest-path", manifest, "--package", package])
        .arg("--target-dir")
        .arg(&folder);
    for (name, _) in env::vars_os().filter(|(name, _)| is_for_us(name)) {
        cargo.env_remove(name);
    }
    if !cargo.status()?.success() {
        return Err(format!("{package} does not build; if the wasm target is missing, `rustup toolchain install` adds it").into());
    }
    Ok(folder.join("wasm32-unknown-unknown/contract"))
}

/// Whether a variable speaks of this build and would bend the nested one: flags, clippy's wrapper, targets, `cfg`s.
fn is_for_us(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let bends = [
        "CARGO_",
        "DEP_",
        "CLIPPY_",
        "RUSTFLAGS",
        "RUSTC_WORKSPACE_WRAPPER",
    ];
    let starts = |with: &[&str]| with.iter().any(|with| name.starts_with(with));
    starts(&bends) && !starts(SHARED)
}

/// Writes a folder down as a Rust expression: a list of (path, contents).
fn pack(folder: &Path) -> Result<String, Box<dyn Error>> {
    let mut files = Vec::new();
    walk(folder, &mut files)?;
    files.sort();
    let mut list = String::from("&[\n");
    for file in files {
        let name = file
            .strip_prefix(folder)?
            .to_str()
            .ok_or("a file of a guest has a readable name")?;
        let path = file.to_str().ok_or("the workspace has a readable path")?;
        writeln!(list, "    ({name:?}, include_str!({path:?})),")?;
    }
    list.push_str("]\n");
    Ok(list)
}

/// Collects the files in a folder, but not what a build leaves there.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if !path.is_dir() {
            files.push(path);
        } else if !path.ends_with("target") && !path.ends_with(".git") {
            walk(&path, files)?;
        }
    }
    Ok(())
}
