//! What this worker has built or fetched, on its own disk: the one store it believes without asking.
//!
//! `{folder}/{sha256}.wasm` holds an artifact, `{folder}/{key}.build` the name of what a commit builds to. Files appear whole
//! or not at all, and the oldest go when the folder grows past its bound.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use protocol::ArtifactHash;
use protocol::artifact::Build;
use sha2::{Digest as _, Sha256};

/// How much of the disk a worker's artifacts may take. Unit: bytes.
const FOLDER_BYTES: u64 = 2 << 30;

/// Artifacts on this worker's disk.
#[derive(Clone, Debug)]
pub(crate) struct Artifacts {
    folder: PathBuf,
}

impl Artifacts {
    /// Artifacts in `folder`, which is made if it is not there.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Where the artifact is, if it is here.
    pub(crate) fn path(&self, hash: ArtifactHash) -> Option<PathBuf> {
        let path = self.wasm_path(hash);
        path.is_file().then_some(path)
    }

    /// Keeps an artifact and tells where.
    pub(crate) fn keep(&self, hash: ArtifactHash, wasm: &[u8]) -> io::Result<PathBuf> {
        let path = self.wasm_path(hash);
        if !path.is_file() {
            self.make_room(u64::try_from(wasm.len()).unwrap_or(u64::MAX))?;
            self.write(&path, wasm)?;
        }
        Ok(path)
    }

    /// What a commit builds to, if this worker has built it or believed another worker's signature.
    pub(crate) fn built(&self, repo: &str, commit: &str, target: &str) -> Option<ArtifactHash> {
        let text = fs::read_to_string(self.build_path(repo, commit, target)).ok()?;
        text.trim().parse().ok()
    }

    /// Remembers what a commit builds to.
    pub(crate) fn remember(&self, build: &Build) -> io::Result<()> {
        let path = self.build_path(
            &build.repo,
            build.commit.as_str(),
            build.build_target.triple(),
        );
        self.write(&path, build.artifact.to_string().as_bytes())
    }

    fn wasm_path(&self, hash: ArtifactHash) -> PathBuf {
        self.folder.join(format!("{hash}.wasm"))
    }

    fn build_path(&self, repo: &str, commit: &str, target: &str) -> PathBuf {
        let key = Sha256::digest(format!("{repo}\n{commit}\n{target}"));
        self.folder
            .join(format!("{}.build", ArtifactHash(key.into())))
    }

    /// Writes beside and renames, so that a kill leaves the whole file or none.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(bytes)?;
        file.persist(path).map_err(|err| err.error)?;
        Ok(())
    }

    /// Removes the oldest artifacts until `incoming` more bytes fit.
    fn make_room(&self, incoming: u64) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            // A file that another task has just removed is no reason to fail.
            if let Ok(metadata) = entry.metadata() {
                files.push((metadata.modified()?, metadata.len(), entry.path()));
            }
        }
        files.sort();
        let mut total = files
            .iter()
            .fold(incoming, |sum, (_, bytes, _)| sum.saturating_add(*bytes));
        for (_, bytes, path) in files {
            if total <= FOLDER_BYTES {
                break;
            }
            fs::remove_file(path)?;
            total = total.saturating_sub(bytes);
        }
        Ok(())
    }
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
