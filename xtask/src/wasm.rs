//! Contracts and guests as WebAssembly, in target/wasm.
//!
//! A contract that was built without `--cfg near` compiles and even links, but calls nothing of the chain: its imports show it.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use toml::{Table, Value};
use wasmparser::{Parser, Payload};
use xshell::{Shell, cmd};

use crate::machine;

/// What every contract imports from the chain if it was built for it.
const EVERY_CONTRACT: &[&str] = &["panic_utf8"];

/// What single contracts must import besides: the functions that their main job needs.
const CONTRACTS: &[(&str, &[&str])] = &[(
    "outlayer-contract",
    &[
        "log_utf8",
        "promise_yield_create",
        "promise_yield_resume",
        "value_return",
    ],
)];

pub(crate) fn run(shell: &Shell) -> Result<()> {
    machine::toolchain(shell)?;
    let manifests = cmd!(
        shell,
        "git ls-files -- contracts/*/Cargo.toml examples/*/Cargo.toml"
    );
    for manifest in manifests.quiet().read()?.lines() {
        let wasm = build(shell, manifest)?;
        eprintln!(
            "{:>9} bytes  {}",
            fs::metadata(&wasm)?.len(),
            wasm.display()
        );
    }
    Ok(())
}

/// Builds a crate: a library for the chain is a contract, a program is a guest.
fn build(shell: &Shell, manifest: &str) -> Result<PathBuf> {
    let table: Table = shell.read_file(manifest)?.parse()?;
    let of = |section: &str, key: &str| table.get(section).and_then(|section| section.get(key));
    let name = of("package", "name").and_then(Value::as_str);
    let name = name.with_context(|| format!("{manifest} names no package"))?;
    let types = of("lib", "crate-type").and_then(Value::as_array);
    let contract = types.is_some_and(|types| types.contains(&Value::from("cdylib")));
    let (target, profile, file) = if contract {
        ("wasm32-unknown-unknown", "contract", name.replace('-', "_"))
    } else {
        ("wasm32-wasip1", "release", name.to_owned())
    };
    let folder = shell.current_dir().join("target/wasm");
    let flags = [
        "--target",
        target,
        "--profile",
        profile,
        "--package",
        name,
        "--locked",
    ];
    let mut build = cmd!(shell, "cargo build {flags...} --manifest-path {manifest}");
    // These would take the place of the flags in .cargo/config.toml, which turn `cfg(near)` on.
    for (variable, _) in env::vars_os() {
        if variable.to_string_lossy().ends_with("RUSTFLAGS") {
            build = build.env_remove(variable);
        }
    }
    build.arg("--target-dir").arg(&folder).run()?;
    let wasm = folder
        .join(target)
        .join(profile)
        .join(file)
        .with_extension("wasm");
    if contract {
        prove(name, &fs::read(&wasm)?)?;
    }
    Ok(wasm)
}

/// Fails if a contract lacks the imports that prove it was built for NEAR.
fn prove(contract: &str, module: &[u8]) -> Result<()> {
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ImportSection(section) = payload? {
            for import in section.into_imports() {
                let import = import?;
                found.extend((import.module == "env").then_some(import.name));
            }
        }
    }
    let own = CONTRACTS
        .iter()
        .filter(|(of, _)| *of == contract)
        .flat_map(|(_, needs)| *needs);
    let mut needs = EVERY_CONTRACT.iter().chain(own);
    match needs.find(|need| !found.contains(need)) {
        None => Ok(()),
        Some(need) => bail!("{contract} was not built for NEAR, for it does not import `{need}`"),
    }
}
