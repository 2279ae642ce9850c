//! What this worker has built or fetched, on its own disk: the one store it believes without asking.
//!
//! `{folder}/{sha256}.wasm` holds an artifact, `{folder}/{key}.build` the name of what a commit builds to. Files appear whole
//! or not at all, and the oldest go when the folder grows past its bound.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use protocol::ArtifactHash;
use protocol::artifact::Build;
use sha2::{Digest as _, Sha256};

use crate::folder::Folder;

/// How much of the disk a worker's artifacts may take. Unit: bytes.
const FOLDER_BYTES: u64 = 2 << 30;

/// Artifacts on this worker's disk.
#[derive(Clone, Debug)]
pub(crate) struct Artifacts {
    folder: Folder,
}

impl Artifacts {
    /// Artifacts in `folder`, which is made if it is not there.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        Ok(Self {
            folder: Folder::open(folder, FOLDER_BYTES)?,
        })
    }

    /// Where the artifact is, if it is here.
    pub(crate) fn path(&self, hash: ArtifactHash) -> Option<PathBuf> {
        let path = self.folder.file(&wasm_name(hash));
        path.is_file().then_some(path)
    }

    /// Keeps an artifact and tells where.
    pub(crate) fn keep(&self, hash: ArtifactHash, wasm: &[u8]) -> io::Result<PathBuf> {
        if let Some(path) = self.path(hash) {
            return Ok(path);
        }
        let name = wasm_name(hash);
        self.folder.write(&name, wasm)?;
        Ok(self.folder.file(&name))
    }

    /// What a commit builds to, if this worker has built it or believed another worker's signature.
    pub(crate) fn built(&self, repo: &str, commit: &str, target: &str) -> Option<ArtifactHash> {
        let text = fs::read_to_string(self.folder.file(&build_name(repo, commit, target))).ok()?;
        text.trim().parse().ok()
    }

    /// Remembers what a commit builds to.
    pub(crate) fn remember(&self, build: &Build) -> io::Result<()> {
        let name = build_name(
            &build.repo,
            build.commit.as_str(),
            build.build_target.triple(),
        );
        self.folder
            .write(&name, build.artifact.to_string().as_bytes())
    }
}

fn wasm_name(hash: ArtifactHash) -> String {
    format!("{hash}.wasm")
}

fn build_name(repo: &str, commit: &str, target: &str) -> String {
    let key = Sha256::digest(format!("{repo}\n{commit}\n{target}"));
    format!("{}.build", ArtifactHash(key.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::source::BuildTarget;

    #[test]
    fn what_was_kept_is_found_again_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let hash = ArtifactHash::of(b"wasm");
        let build = Build {
            repo: "github.com/a/b".into(),
            commit: "0123456789abcdef0123456789abcdef01234567".parse().unwrap(),
            build_target: BuildTarget::Wasip1,
            artifact: hash,
            recipe: None,
        };
        let before = Artifacts::open(folder.path()).unwrap();
        before.keep(hash, b"wasm").unwrap();
        before.remember(&build).unwrap();

        let after = Artifacts::open(folder.path()).unwrap();

        assert_eq!(fs::read(after.path(hash).unwrap()).unwrap(), b"wasm");
        let found = after.built(&build.repo, build.commit.as_str(), "wasm32-wasip1");
        assert_eq!(found, Some(hash));
        assert_eq!(
            after.built(&build.repo, build.commit.as_str(), "wasm32-wasip2"),
            None
        );
    }
}
