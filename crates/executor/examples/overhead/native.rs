//! The programs as cargo builds them, for WASI and for this machine.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;

/// Where cargo put them.
pub(crate) struct Folder(PathBuf);

pub(crate) fn build() -> anyhow::Result<Folder> {
    let package = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/guests/bench-ark");
    let folder = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../target/bench-ark"
    ));
    for target in [vec!["--target", "wasm32-wasip1"], Vec::new()] {
        let built = Command::new(env!("CARGO"))
            .current_dir(package)
            .args(["build", "--release", "--quiet"])
            .args(target)
            .env("CARGO_TARGET_DIR", &folder)
            .status()?;
        anyhow::ensure!(built.success(), "cargo could not build the guests");
    }
    Ok(Folder(folder))
}

impl Folder {
    pub(crate) fn wasm(&self, name: &str) -> PathBuf {
        let file = format!("wasm32-wasip1/release/{name}.wasm");
        self.0.join(file)
    }

    /// Milliseconds of user time: the shell is asked, since it takes no unsafe call to do so.
    pub(crate) fn run_natively(&self, name: &str) -> anyhow::Result<f64> {
        let ran = Command::new("bash")
            .args(["-c", r#"TIMEFORMAT="%3U %3S"; time "$0" > /dev/null"#])
            .arg(self.0.join("release").join(name))
            .output()?;
        anyhow::ensure!(ran.status.success(), "{name} failed natively");
        let text = String::from_utf8(ran.stderr)?;
        let seconds = text
            .split_whitespace()
            .map(str::parse::<f64>)
            .sum::<Result<f64, _>>()
            .context("what the shell says of the time")?;
        Ok(seconds * 1e3)
    }
}
