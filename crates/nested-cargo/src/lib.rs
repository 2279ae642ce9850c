//! A cargo started by a build script: what the outer one set for itself does not bend it.
//!
//! Some of what a program carries inside is built for another target than itself: contracts, guests, the program that guests run
//! in. A nested cargo builds those, in a target folder of its own, since the outer cargo holds the lock of the other one.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// What a nested cargo builds.
#[derive(Debug, Clone, Copy)]
pub struct Build<'a> {
    /// The manifest, seen from the workspace.
    pub manifest: &'a str,
    /// The package in it.
    pub package: &'a str,
    /// The target.
    pub target: &'a str,
    /// The profile.
    pub profile: &'a str,
    /// The target folder, in the workspace's `target`.
    pub folder: &'a str,
}

impl Build<'_> {
    /// Builds, and returns the folder that what was built is in.
    pub fn run(self, workspace: &Path) -> io::Result<PathBuf> {
        let folder = workspace.join("target").join(self.folder);
        let program = variable("CARGO").ok_or_else(|| io::Error::other("cargo names itself"))?;
        let mut cargo = Command::new(program);
        cargo
            .current_dir(workspace) // where .cargo/config.toml is
            .args(["build", "--locked"])
            .args(["--target", self.target, "--profile", self.profile])
            .args(["--manifest-path", self.manifest, "--package", self.package])
            .arg("--target-dir")
            .arg(&folder);
        for (name, _) in env::vars_os().filter(|(name, _)| is_the_outer_ones(name)) {
            cargo.env_remove(name);
        }
        if !cargo.status()?.success() {
            return Err(io::Error::other(format!(
                "{} does not build; if the target {} is missing, `rustup toolchain install` adds it",
                self.package, self.target
            )));
        }
        Ok(folder.join(self.target).join(self.profile))
    }
}

/// A variable that cargo sets for build scripts.
pub fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).map(PathBuf::from)
}

/// Whether a variable speaks of the outer build and would bend the nested one: flags, clippy's wrapper, targets, `cfg`s.
fn is_the_outer_ones(name: &OsStr) -> bool {
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
