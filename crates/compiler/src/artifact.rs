//! What comes out of the compiler.

use std::time::Duration;

use bytes::Bytes;
use protocol::ArtifactHash;

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
    /// The compiler that built it; absent when it was fetched ready-made.
    pub toolchain: Option<String>,
    /// Time spent fetching.
    pub fetch_time: Duration,
    /// Time spent building; zero for a module that was fetched ready-made.
    pub build_time: Duration,
    /// What git and cargo printed. For administrators.
    pub hidden_logs: String,
}

impl std::fmt::Debug for BuildRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BuildRecord")
            .field("source", &self.source)
            .field("target", &self.target)
            .field("toolchain", &self.toolchain)
            .field("fetch_time", &self.fetch_time)
            .field("build_time", &self.build_time)
            .finish_non_exhaustive()
    }
}

/// Whether `bytes` begin as every WebAssembly module and component does.
pub(crate) fn is_wasm(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm")
}
