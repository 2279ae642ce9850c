//! Who may depend on whom. The table is the trust table: an arrow that points up or level is a mistake in the design.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;
use xshell::{Shell, cmd};

/// The layer of each folder, the lowest first. A folder ending in `/` speaks for everything in it.
const LAYERS: &[(&str, u8)] = &[
    ("crates/protocol", 0),
    ("crates/jail", 0),
    ("crates/metering", 0),
    ("crates/nested-cargo", 0),
    ("sdk", 0),
    ("crates/attestation", 1),
    ("crates/guest", 1),
    ("crates/sealing", 1),
    ("contracts/", 2),
    ("crates/clients", 2),
    ("crates/compiler", 2),
    ("crates/executor", 2),
    ("crates/localnet", 2),
    ("services/", 3),
    ("cli", 4),
    ("xtask", 4),
    // The journeys drive the command's library, so they stand on it.
    ("tests", 5),
];

/// What tests of parts and services may reach besides what is below them: a chain to run against.
const CHAIN: &str = "crates/localnet";

/// Crates that only these folders may name: whoever holds one is trusted with what it does.
const OWNED: &[(&str, &[&str])] = &[
    ("sqlx", &["services/coordinator"]),
    ("wasmtime", &["crates/executor", "crates/guest"]),
    ("wasmtime-wasi", &["crates/guest"]),
    ("near-vm-runner", &["crates/localnet"]),
];

/// Who may name an owned crate for its tests: gas is proved on the engines that run it.
const OWNED_IN_TESTS: &[(&str, &str)] = &[("wasmtime", "crates/metering")];

pub(super) fn check(shell: &Shell) -> Result<Vec<String>> {
    let metadata = cmd!(shell, "cargo metadata --no-deps --format-version 1")
        .quiet()
        .read()?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let root = shell.current_dir();
    let mut complaints = Vec::new();
    for package in list(&metadata, "packages") {
        let manifest = Path::new(text(package, "manifest_path")?);
        let user = within(
            &root,
            manifest.parent().context("a manifest is in a folder")?,
        )?;
        if layer(&user).is_none() {
            complaints.push(format!(
                "{user} has no layer: give it one in xtask/src/tidy/layers.rs"
            ));
        }
        for dependency in list(package, "dependencies") {
            let test = text(dependency, "kind").is_ok_and(|kind| kind == "dev");
            complaints.extend(match text(dependency, "path") {
                Ok(path) => arrow(&user, &within(&root, Path::new(path))?, test),
                Err(_) => ownership(&user, text(dependency, "name")?, test),
            });
        }
    }
    Ok(complaints)
}

fn list<'a>(of: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    of.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(of: &'a Value, key: &str) -> Result<&'a str> {
    of.get(key)
        .and_then(Value::as_str)
        .with_context(|| format!("cargo metadata tells no {key}"))
}

fn within(root: &Path, folder: &Path) -> Result<String> {
    let inside = folder
        .strip_prefix(root)
        .with_context(|| format!("{} is outside the workspace", folder.display()))?;
    Ok(inside.to_string_lossy().into_owned())
}

fn layer(folder: &str) -> Option<u8> {
    let found = LAYERS
        .iter()
        .find(|(of, _)| folder == *of || of.ends_with('/') && folder.starts_with(of));
    found.map(|(_, layer)| *layer)
}

/// A complaint, if `user` may not depend on `part`.
fn arrow(user: &str, part: &str, test: bool) -> Option<String> {
    let (from, to) = (layer(user)?, layer(part)?);
    let down = to < from && user != "xtask";
    let chain = test && part == CHAIN && matches!(from, 2 | 3);
    (!down && !chain).then(|| {
        format!(
            "{user} (layer {from}) depends on {part} (layer {to}): dependencies point down, and xtask's nowhere; \
             only dev-dependencies of layers 2 and 3 may also reach {CHAIN}"
        )
    })
}

/// A complaint, if `user` names a crate that another folder owns.
fn ownership(user: &str, name: &str, test: bool) -> Option<String> {
    let (_, owners) = OWNED
        .iter()
        .find(|(owned, owners)| name == *owned && !owners.contains(&user))?;
    if test && OWNED_IN_TESTS.contains(&(name, user)) {
        return None;
    }
    Some(format!(
        "{user} depends on {name}, which belongs to {} alone",
        owners.join(" and ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_point_down() {
        assert_eq!(arrow("services/worker", "crates/executor", false), None);
        assert_eq!(arrow("tests", "cli", false), None);
        assert!(arrow("services/worker", "services/coordinator", false).is_some());
        assert!(arrow("crates/protocol", "crates/clients", false).is_some());
        assert!(arrow("xtask", "crates/protocol", false).is_some());
    }

    #[test]
    fn only_tests_of_parts_and_services_reach_the_chain() {
        assert_eq!(arrow("contracts/outlayer", "crates/localnet", true), None);
        assert_eq!(arrow("services/coordinator", "crates/localnet", true), None);
        assert!(arrow("crates/clients", "crates/localnet", false).is_some());
        assert!(arrow("crates/protocol", "crates/localnet", true).is_some());
    }

    #[test]
    fn a_crate_with_an_owner_is_named_by_nobody_else() {
        assert_eq!(ownership("crates/executor", "wasmtime", false), None);
        assert_eq!(ownership("crates/executor", "serde", false), None);
        assert!(ownership("services/worker", "sqlx", false).is_some());
    }
}
