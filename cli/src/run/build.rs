//! The module of a guest's folder, built as a worker would, but here and with the caller's own cargo.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tokio::process::Command;

/// Builds the guest in `folder`; where its module is.
pub(super) async fn build(folder: &Path) -> Result<PathBuf> {
    ensure!(
        folder.join("Cargo.toml").is_file(),
        "{} is no guest in Rust: build it as its language is built, or as a worker does by `outlayer build --out FILE`, and run the module",
        folder.display()
    );
    let output = Command::new("cargo")
        .args(["build", "--release", "--target", "wasm32-wasip1"])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(folder)
        .stderr(std::process::Stdio::inherit())
        .output()
        .await
        .context("start cargo")?;
    ensure!(output.status.success(), "the guest does not build");
    let stdout = String::from_utf8(output.stdout)?;
    let mut modules = stdout.lines().filter_map(executable);
    match (modules.next(), modules.next()) {
        (Some(module), None) => Ok(module),
        (None, _) => bail!("{} has no binary to run", folder.display()),
        (Some(_), Some(_)) => bail!("{} has several binaries; a guest has one", folder.display()),
    }
}

/// The executable that one of cargo's messages tells of.
fn executable(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    message.get("executable")?.as_str().map(PathBuf::from)
}
