//! Contracts and guests as WebAssembly, in target/wasm.
//!
//! A contract that was built without `--cfg near` compiles and even links, but calls nothing of the chain: its imports show it.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use toml::{Table, Value};
use wasmparser::{Parser, Payload};
use xshell::{Cmd, Shell, cmd};

use crate::machine;

/// Where wasm is built, by cli/build.rs as well.
const FOLDER: &str = "target/wasm";

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

/// Libraries of ours that browsers run too. They are compiled with the contracts' profile, for what they share with them is built by then.
const PORTABLE: &[&str] = &["sealing"];

/// A crate that becomes wasm, in a workspace of its own or in ours.
pub(crate) struct Crate {
    name: String,
    manifest: String,
    /// A library for the chain is a contract; a program is a guest.
    contract: bool,
}

pub(crate) fn run(shell: &Shell) -> Result<()> {
    machine::toolchain(shell)?;
    for found in crates(shell)? {
        found.cargo(shell, "build").run()?;
        let module = found.module(shell);
        if found.contract {
            prove(&found.name, &fs::read(&module)?)?;
        }
        eprintln!(
            "{:>9} bytes  {}",
            fs::metadata(&module)?.len(),
            module.display()
        );
    }
    for name in PORTABLE {
        Crate::portable(name).cargo(shell, "build").run()?;
        eprintln!("{name} builds for browsers");
    }
    Ok(())
}

/// Every contract, every example, and the contracts of tests.
pub(crate) fn crates(shell: &Shell) -> Result<Vec<Crate>> {
    let manifests = cmd!(
        shell,
        "git ls-files -- contracts/*/Cargo.toml examples/*/Cargo.toml tests/contracts/*/Cargo.toml"
    );
    manifests
        .quiet()
        .read()?
        .lines()
        .map(|manifest| Crate::read(shell, manifest))
        .collect()
}

impl Crate {
    fn read(shell: &Shell, manifest: &str) -> Result<Self> {
        let table: Table = shell.read_file(manifest)?.parse()?;
        let of = |section: &str, key: &str| table.get(section).and_then(|section| section.get(key));
        let name = of("package", "name").and_then(Value::as_str);
        let types = of("lib", "crate-type").and_then(Value::as_array);
        Ok(Self {
            name: name
                .with_context(|| format!("{manifest} names no package"))?
                .to_owned(),
            manifest: manifest.to_owned(),
            contract: types.is_some_and(|types| types.contains(&Value::from("cdylib"))),
        })
    }

    /// A library of our workspace, for the target that contracts have.
    fn portable(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            manifest: "Cargo.toml".to_owned(),
            contract: true,
        }
    }

    /// The target, and the profile that makes what is deployed.
    const fn target(&self) -> (&'static str, &'static str) {
        if self.contract {
            ("wasm32-unknown-unknown", "contract")
        } else {
            ("wasm32-wasip1", "release")
        }
    }

    /// A command of cargo about this crate.
    pub(crate) fn cargo<'a>(&self, shell: &'a Shell, verb: &str) -> Cmd<'a> {
        let ((target, profile), Self { name, manifest, .. }) = (self.target(), self);
        let which = ["--package", name, "--manifest-path", manifest, "--locked"];
        let how = [
            "--target",
            target,
            "--profile",
            profile,
            "--target-dir",
            FOLDER,
        ];
        let mut command = cmd!(shell, "cargo {verb} {which...} {how...}");
        // These would take the place of the flags in .cargo/config.toml, which turn `cfg(near)` on.
        for (variable, _) in env::vars_os() {
            if variable.to_string_lossy().ends_with("RUSTFLAGS") {
                command = command.env_remove(variable);
            }
        }
        command
    }

    fn module(&self, shell: &Shell) -> PathBuf {
        let (target, profile) = self.target();
        let file = if self.contract {
            self.name.replace('-', "_")
        } else {
            self.name.clone()
        };
        let folder = shell.current_dir().join(FOLDER).join(target).join(profile);
        folder.join(file).with_extension("wasm")
    }
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
