//! Guests that journeys run, from the folders beside this crate and from the examples.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// A guest with sources in this repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guest {
    /// Does what its input says: `tests/guests/probe-ark`.
    Probe,
    /// Does not compile: `tests/guests/broken-ark`.
    Broken,
    /// Answers with a random number: `examples/random-ark`.
    Random,
    /// Answers with its environment and input: `examples/echo-ark`.
    Echo,
}

impl Guest {
    /// The folder's name, and the repository's.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Probe => "probe-ark",
            Self::Broken => "broken-ark",
            Self::Random => "random-ark",
            Self::Echo => "echo-ark",
        }
    }

    /// Its files, by their paths in the repository.
    pub fn files(self) -> Result<Vec<(String, Vec<u8>)>> {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = match self {
            Self::Probe | Self::Broken => tests.join("guests"),
            Self::Random | Self::Echo => tests.join("../examples"),
        }
        .join(self.name());
        let mut files = Vec::new();
        for path in walk(&folder)? {
            let name = path.strip_prefix(&folder)?.to_string_lossy().into_owned();
            files.push((name, std::fs::read(&path)?));
        }
        Ok(files)
    }
}

/// The files in a folder, but not what a build leaves there.
fn walk(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if !path.is_dir() {
            files.push(path);
        } else if !path.ends_with("target") && !path.ends_with(".git") {
            files.extend(walk(&path)?);
        }
    }
    Ok(files)
}
