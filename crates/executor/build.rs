//! Builds the program that guests run in, for a machine without libraries, so that an executor carries it inside.

use std::error::Error;
use std::fs;
use std::path::Path;

use nested_cargo::{Build, variable};

/// What the program is made from; tests beside it are not.
const SOURCES: &[&str] = &[
    ".cargo/config.toml",
    "Cargo.toml",
    "Cargo.lock",
    "crates/guest/Cargo.toml",
    "crates/guest/src",
    "crates/jail/Cargo.toml",
    "crates/jail/src",
    "crates/metering/Cargo.toml",
    "crates/metering/src",
];

const PROGRAM: &str = "outlayer-guest";

fn main() -> Result<(), Box<dyn Error>> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .and_then(Path::parent)
        .ok_or("crates/executor/ stands in the workspace")?;
    let out = variable("OUT_DIR").ok_or("cargo names the folder for what this makes")?;
    for source in SOURCES {
        println!(
            "cargo::rerun-if-changed={}",
            workspace.join(source).display()
        );
    }
    let build = Build {
        manifest: "crates/guest/Cargo.toml",
        package: "guest",
        target: "x86_64-unknown-linux-musl",
        profile: "guest",
        folder: "guest",
    };
    fs::copy(build.run(workspace)?.join(PROGRAM), out.join(PROGRAM))?;
    Ok(())
}
