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
    /// Signs with a key that it is given: `examples/signing-ark`.
    Signing,
    /// Draws lots by a seed that it is given: `examples/draw-ark`.
    Draw,
    /// In C: `examples/echo-c`.
    EchoC,
    /// In C++: `examples/echo-cpp`.
    EchoCpp,
    /// In AssemblyScript: `examples/echo-assemblyscript`.
    EchoAssemblyScript,
}

impl Guest {
    /// Every guest among the examples.
    pub const EXAMPLES: [Self; 7] = [
        Self::Random,
        Self::Echo,
        Self::Signing,
        Self::Draw,
        Self::EchoC,
        Self::EchoCpp,
        Self::EchoAssemblyScript,
    ];

    /// The folder's name, and the repository's.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Probe => "probe-ark",
            Self::Broken => "broken-ark",
            Self::Random => "random-ark",
            Self::Echo => "echo-ark",
            Self::Signing => "signing-ark",
            Self::Draw => "draw-ark",
            Self::EchoC => "echo-c",
            Self::EchoCpp => "echo-cpp",
            Self::EchoAssemblyScript => "echo-assemblyscript",
        }
    }

    /// Its files, by their paths in the repository.
    pub fn files(self) -> Result<Vec<(String, Vec<u8>)>> {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = match self {
            Self::Probe | Self::Broken => tests.join("guests"),
            _ => tests.join("../examples"),
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

/// What builds and git leave in a folder.
const BUILT: [&str; 4] = [".git", "build", "node_modules", "target"];

/// The files in a folder, but not what a build leaves there.
fn walk(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if !path.is_dir() {
            files.push(path);
        } else if !BUILT.iter().any(|built| path.ends_with(built)) {
            files.extend(walk(&path)?);
        }
    }
    Ok(files)
}
