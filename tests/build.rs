//! Builds the contracts that journeys' conditions ask about.

use std::error::Error;
use std::fs;
use std::path::Path;

use nested_cargo::{Build, variable};

/// Where they stand, seen from the workspace.
const FOLDER: &str = "tests/contracts";

/// Each is a package of that name.
const CONTRACTS: [&str; 3] = ["token", "collectible", "dao"];

fn main() -> Result<(), Box<dyn Error>> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .ok_or("tests/ stands in the workspace")?;
    let out = variable("OUT_DIR").ok_or("cargo names the folder for what this makes")?;
    for source in [FOLDER, ".cargo/config.toml"] {
        let path = workspace.join(source);
        println!("cargo::rerun-if-changed={}", path.display());
    }
    for package in CONTRACTS {
        let build = Build {
            manifest: &format!("{FOLDER}/Cargo.toml"),
            package,
            target: "wasm32-unknown-unknown",
            profile: "contract",
            folder: "wasm",
        };
        let wasm = build.run(workspace)?.join(package).with_extension("wasm");
        fs::copy(&wasm, out.join(package).with_extension("wasm"))?;
    }
    Ok(())
}
