//! What comes out of the compiler.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use protocol::ArtifactHash;
use protocol::artifact::Recipe;
use sha2::Digest as _;

/// A WebAssembly module, named by its hash.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// The sha256 of its bytes.
    pub hash: ArtifactHash,
    /// The module.
    pub wasm: Bytes,
    /// How it was made.
    pub build: BuildRecord,
}

/// How an artifact was made. Its log may hold whatever a build could read, so `Debug` leaves it out.
#[derive(Clone)]
pub struct BuildRecord {
    /// What was asked for: `github.com/owner/repo@commit` or the module's URL.
    pub source: String,
    /// The target triple.
    pub target: &'static str,
    /// The compiler that built it; absent, as the three that follow, when it was fetched ready-made.
    pub toolchain: Option<String>,
    /// The programs and libraries that built it: the sha256 of what `sha256sum` says of each, in the order of their names.
    pub toolchain_hash: Option<Sha256>,
    /// The sha256 of the lock file. A language without packages has none.
    pub lockfile_hash: Option<Sha256>,
    /// What was run, as a line for a shell. The build's own folder is where it seems to be to a sealed build.
    pub command: Option<String>,
    /// Time spent fetching.
    pub fetch_time: Duration,
    /// Time spent building; zero for a module that was fetched ready-made.
    pub build_time: Duration,
    /// What git, what fetches and what builds printed. For administrators.
    pub hidden_logs: String,
}

impl BuildRecord {
    /// What it takes to make the artifact again; nothing for one that was fetched ready-made.
    pub fn recipe(&self) -> Option<Recipe> {
        Some(Recipe {
            toolchain: self.toolchain.clone()?,
            toolchain_sha256: self.toolchain_hash?.to_string(),
            lockfile_sha256: self.lockfile_hash.map(|hash| hash.to_string()),
            command: self.command.clone()?,
        })
    }
}

impl fmt::Debug for BuildRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BuildRecord")
            .field("source", &self.source)
            .field("target", &self.target)
            .field("toolchain", &self.toolchain)
            .field("toolchain_hash", &self.toolchain_hash)
            .field("lockfile_hash", &self.lockfile_hash)
            .field("command", &self.command)
            .field("fetch_time", &self.fetch_time)
            .field("build_time", &self.build_time)
            .finish_non_exhaustive()
    }
}

/// The hash of what an artifact was made with.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha256(pub [u8; 32]);

impl Sha256 {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }
}

/// 64 hexadecimal digits.
impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

/// A module with all that its making tells.
pub(crate) struct Built {
    pub(crate) wasm: Bytes,
    /// What the build printed.
    pub(crate) log: String,
    pub(crate) how: How,
}

/// What an artifact was made with, and how.
pub(crate) struct How {
    pub(crate) toolchain: String,
    pub(crate) lockfile_hash: Option<Sha256>,
    pub(crate) command: String,
}

/// Whether `bytes` begin as every WebAssembly module and component does.
pub(crate) fn is_wasm(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm")
}
