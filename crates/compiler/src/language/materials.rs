//! What builds: programs and libraries, and one hash over them all.
//!
//! The hash is that of the text that `sha256sum` prints of them in the order of their names, so that anybody can come to it without us.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256 as Hasher};
use tokio::sync::Mutex;

use crate::artifact::Sha256;
use crate::error::Error;

/// Files that build, and folders of them.
#[derive(Clone, Debug)]
pub(crate) struct Materials {
    /// What the names of the files do not begin with.
    base: PathBuf,
    files: Vec<PathBuf>,
    /// With all that is below.
    folders: Vec<PathBuf>,
}

impl Materials {
    pub(crate) fn new(base: &Path, files: Vec<PathBuf>, folders: Vec<PathBuf>) -> Self {
        Self {
            base: base.to_owned(),
            files,
            folders,
        }
    }

    /// Cargo, rustc, its libraries, the linkers that it brings, and the standard library for `triple`.
    pub(crate) fn of_rust(sysroot: &Path, triple: &str) -> Self {
        let lib = sysroot.join("lib");
        let is_library = |path: &PathBuf| {
            let name = path.file_name().map(OsStr::to_string_lossy);
            path.is_file() && name.is_some_and(|name| name.contains(".so"))
        };
        let libraries = fs::read_dir(&lib).into_iter().flatten().flatten();
        let mut files: Vec<_> = libraries
            .map(|entry| entry.path())
            .filter(is_library)
            .collect();
        files.extend(["bin/cargo", "bin/rustc"].map(|name| sysroot.join(name)));
        let targets = lib.join("rustlib");
        let mut folders = vec![targets.join(triple).join("lib")];
        let linkers = fs::read_dir(targets).into_iter().flatten().flatten();
        let linkers = linkers.map(|entry| entry.path().join("bin"));
        folders.extend(linkers.filter(|folder| folder.is_dir()));
        Self::new(sysroot, files, folders)
    }

    /// The hash; reads them all.
    fn hash(&self) -> io::Result<Sha256> {
        let mut files = self.files.clone();
        for folder in &self.folders {
            add_files(folder, &mut files)?;
        }
        let mut names: Vec<_> = files
            .into_iter()
            .map(|file| (self.name_of(&file), file))
            .collect();
        names.sort();
        names.dedup();
        let mut whole = Hasher::new();
        for (name, file) in names {
            let mut one = Hasher::new();
            io::copy(&mut File::open(&file)?, &mut one)?;
            whole.update(format!("{}  {name}\n", Sha256(one.finalize().into())));
        }
        Ok(Sha256(whole.finalize().into()))
    }

    fn name_of(&self, file: &Path) -> String {
        let name = file.strip_prefix(&self.base).unwrap_or(file);
        name.display().to_string()
    }
}

/// Every plain file below `folder`; links to folders are not followed, as they could lead round.
fn add_files(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            add_files(&entry.path(), files)?;
        } else if entry.path().is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// Which of a machine's toolchains: the language, and what it builds for.
pub(super) type Which = (&'static str, &'static str);

/// The hashes that are known: of each toolchain it is taken once.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<HashMap<Which, Sha256>>);

impl Known {
    /// The hash of what `gather` finds, which whoever comes second waits for.
    pub(super) async fn hash(
        &self,
        which: Which,
        gather: impl FnOnce() -> Materials + Send + 'static,
    ) -> Result<Sha256, Error> {
        let ours = |error: String| Error::ours(format!("toolchain's hash: {error}"));
        let mut known = self.0.lock().await;
        if let Some(hash) = known.get(&which) {
            return Ok(*hash);
        }
        let hash = tokio::task::spawn_blocking(move || gather().hash())
            .await
            .map_err(|error| ours(error.to_string()))?
            .map_err(|error| ours(error.to_string()))?;
        known.insert(which, hash);
        Ok(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::process::Command;

    #[test]
    fn the_hash_is_what_coreutils_come_to() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path();
        fs::create_dir_all(base.join("lib/deep")).unwrap();
        for name in ["bin", "lib/b", "lib/deep/a", "not-named"] {
            fs::write(base.join(name), name).unwrap();
        }
        let materials = Materials::new(base, vec![base.join("bin")], vec![base.join("lib")]);

        let hash = materials.hash().unwrap();

        let line = "sha256sum bin lib/b lib/deep/a | sha256sum";
        let said = Command::new("sh")
            .args(["-c", line])
            .current_dir(base)
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8(said.stdout).unwrap(),
            format!("{hash}  -\n")
        );
    }

    #[tokio::test]
    async fn a_hash_that_is_known_is_not_taken_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "one").unwrap();
        let materials = Materials::new(folder.path(), vec![file.clone()], Vec::new());
        let again = materials.clone();
        let known = Known::default();

        let first = known.hash(("rust", "x"), || materials).await.unwrap();
        fs::write(file, "other").unwrap();
        let second = known.hash(("rust", "x"), || again).await.unwrap();

        assert_eq!(first, second);
    }
}
