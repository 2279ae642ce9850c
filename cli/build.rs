//! Builds the contracts that the binary deploys, and packs the guests it shows, so that one file makes a whole platform.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nested_cargo::{Build, variable};

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
const GUESTS: &[(&str, &str)] = &[
    ("examples", "random-ark"),
    ("examples", "echo-ark"),
    ("tests/guests", "many-ark"),
];

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
    "tests/guests/many-ark",
];

fn main() -> Result<(), Box<dyn Error>> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .ok_or("cli/ stands in the workspace")?;
    let out = variable("OUT_DIR").ok_or("cargo names the folder for what this makes")?;
    for source in SOURCES {
        println!(
            "cargo::rerun-if-changed={}",
            workspace.join(source).display()
        );
    }
    for (manifest, package, module) in CONTRACTS {
        let build = Build {
            manifest,
            package,
            target: "wasm32-unknown-unknown",
            profile: "contract",
            folder: "wasm",
        };
        let wasm = build.run(workspace)?.join(module).with_extension("wasm");
        fs::copy(&wasm, out.join(module).with_extension("wasm"))?;
    }
    for (folder, guest) in GUESTS {
        fs::write(
            out.join(guest).with_extension("rs"),
            pack(&workspace.join(folder).join(guest))?,
        )?;
    }
    Ok(())
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
