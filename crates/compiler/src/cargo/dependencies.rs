//! The first step of a build: the dependencies alone, with a [stand-in](super::stand_in) for the package. What comes of it is kept.
//!
//! It needs a jail in which every build seems to be in the same place, and dependencies that are not the repository's own. Where it
//! does not come to anything, the whole is built at once, and fails, if it does, for its own reasons.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::source::BuildTarget;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::stand_in::{self, Manifest};
use super::{Cargo, classify};
use crate::error::Error;
use crate::jail::Wanted;
use crate::prebuilt::{Held, Key};
use crate::process::End;
use crate::workbench::Workbench;

/// Changes when the same sources would be built differently.
const VERSION: &[u8] = b"outlayer prebuilt dependencies 1";

/// The time at which every dependency's files were last changed, as it seems: copies are made anew for each build, and what is newer
/// than what was built from it is built again. Source: the time that `cargo package` writes.
const UNCHANGED_SINCE: Duration = Duration::from_secs(1_153_704_088);

/// The folders of a target folder that hold what was built, and what it was built from.
const KEPT: [&str; 3] = [".fingerprint", "build", "deps"];

impl Cargo<'_> {
    /// Finds the dependencies built, or builds and keeps them; and what cargo printed.
    pub(super) async fn dependencies(
        &self,
        target: BuildTarget,
        end: Instant,
    ) -> Result<(Option<Held>, String), Error> {
        if !self.settings.jail.keeps_trees() {
            return Ok((None, String::new()));
        }
        let lockfile = fs::read_to_string(self.bench.source().join("Cargo.lock"));
        let Some(own) = lockfile.ok().and_then(|text| own_packages(&text)) else {
            return Ok((None, String::new()));
        };
        let (source, stand_in) = (self.bench.source(), self.bench.stand_in());
        let vendor = self.bench.vendor();
        let prepared = blocking(move || {
            let since = UNIX_EPOCH.checked_add(UNCHANGED_SINCE);
            set_times(&vendor, since.unwrap_or(UNIX_EPOCH))?;
            stand_in::make(&source, &stand_in)
        });
        let prepared = prepared.await;
        let key = match prepared.and_then(|manifests| self.key(target, &manifests)) {
            Ok(key) => key,
            Err(error) => {
                tracing::warn!(%error, "dependencies are not built alone");
                return Ok((None, String::new()));
            }
        };
        if let Some(held) = self.prebuilt.find(&key) {
            return Ok((Some(held), String::new()));
        }
        let log = self
            .build_dependencies(target, end, key.clone(), own)
            .await?;
        Ok((self.prebuilt.find(&key), log))
    }

    async fn build_dependencies(
        &self,
        target: BuildTarget,
        end: Instant,
        key: Key,
        own: Vec<String>,
    ) -> Result<String, Error> {
        let step = self.build_step(target, Wanted::Everything);
        let aside = Aside::put(self.bench).map_err(|error| ours(&error))?;
        let ran = self.run(&step, "cargo build, dependencies", end).await;
        drop(aside);
        let finished = ran?;
        let log = finished.log.clone();
        if let Some(failure) = finished.failure(classify::of_build) {
            // There is no time left for another.
            if finished.ended.end == End::TimedOut {
                return Err(failure);
            }
            return Ok(log);
        }
        let (made, prebuilt) = (self.bench.target(), self.prebuilt.clone());
        let triple = target.triple();
        let kept = blocking(move || {
            forget_own(&made, triple, &own)?;
            let kept = prebuilt.keep(&key, &made);
            if made.exists() {
                fs::remove_dir_all(&made)?;
            }
            fs::create_dir(&made)?;
            kept
        });
        if let Err(error) = kept.await {
            tracing::warn!(%error, "built dependencies are not kept");
        }
        Ok(log)
    }

    /// All that decides what is built.
    fn key(&self, target: BuildTarget, manifests: &[Manifest]) -> io::Result<Key> {
        let toolchain = &self.settings.toolchain;
        let sources = fs::read(self.bench.cargo_config())?;
        let mut parts = vec![
            VERSION,
            toolchain.version.as_bytes(),
            toolchain.sysroot.as_os_str().as_bytes(),
            target.triple().as_bytes(),
            // What is built of a workspace decides by which features its dependencies are.
            self.package.unwrap_or_default().as_bytes(),
            &sources,
        ];
        for (path, text) in manifests {
            parts.extend([path.as_os_str().as_bytes(), text]);
        }
        Ok(Key::of(parts))
    }
}

fn ours(error: &io::Error) -> Error {
    Error::ours(format!("dependencies: {error}"))
}

async fn blocking<T, F>(work: F) -> io::Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> io::Result<T> + Send + 'static,
{
    spawn_blocking(work).await.map_err(io::Error::other)?
}

/// The names of the packages that are in the repository itself; nothing if they are all, or if the lockfile cannot be read.
fn own_packages(lockfile: &str) -> Option<Vec<String>> {
    let lockfile: toml::Table = lockfile.parse().ok()?;
    let packages = lockfile.get("package")?.as_array()?;
    let (others, own): (Vec<_>, Vec<_>) = packages
        .iter()
        .partition(|package| package.get("source").is_some());
    let names = own
        .iter()
        .filter_map(|package| package.get("name")?.as_str());
    (!others.is_empty()).then(|| names.map(str::to_owned).collect())
}

/// The stand-in is in the repository's place, for paths decide whether what was built can be used again. Dropped, it is aside again.
struct Aside<'a>(&'a Workbench);

impl<'a> Aside<'a> {
    fn put(bench: &'a Workbench) -> io::Result<Self> {
        fs::rename(bench.source(), bench.source_aside())?;
        let aside = Self(bench);
        fs::rename(bench.stand_in(), bench.source())?;
        Ok(aside)
    }
}

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        let bench = self.0;
        // Where either fails there is no source, and the next step says so.
        fs::rename(bench.source(), bench.stand_in()).ok();
        fs::rename(bench.source_aside(), bench.source()).ok();
    }
}

/// Removes all that says how the repository's own packages were built: it was the stand-in that was.
fn forget_own(target: &Path, triple: &str, own: &[String]) -> io::Result<()> {
    for profile in ["release".into(), PathBuf::from(triple).join("release")] {
        let profile = target.join(profile);
        for entry in entries(&profile)? {
            let is_kept = KEPT.iter().any(|kept| entry.ends_with(kept));
            if !is_kept {
                remove(&entry)?;
            }
        }
        for entry in entries(&profile.join(".fingerprint"))? {
            let name = entry.file_name().and_then(OsStr::to_str);
            let package = name.and_then(|name| name.rsplit_once('-'));
            if package.is_none_or(|(package, _)| own.iter().any(|own| own == package)) {
                remove(&entry)?;
            }
        }
    }
    Ok(())
}

/// What is in a folder; nothing if it is not there.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    }
}

/// Says of everything in `folder` that it was last changed then.
fn set_times(folder: &Path, then: SystemTime) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            set_times(&entry.path(), then)?;
        } else if kind.is_file() {
            File::open(entry.path())?.set_modified(then)?;
        }
    }
    File::open(folder)?.set_modified(then)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_without_a_source_are_the_repositorys_own() {
        let lock = "[[package]]\nname = 'ark'\n[[package]]\nname = 'itoa'\nsource = 'registry'\n";

        assert_eq!(own_packages(lock), Some(vec!["ark".to_owned()]));
        assert_eq!(own_packages("[[package]]\nname = 'ark'\n"), None);
        assert_eq!(own_packages("version = 4"), None);
        assert_eq!(own_packages("no toml"), None);
    }

    #[test]
    fn what_the_stand_in_was_built_to_is_forgotten() {
        let target = tempfile::tempdir().unwrap();
        let files = [
            "release/.fingerprint/itoa-1/a",
            "release/.fingerprint/my-ark-1/a",
            "release/my-ark",
            "wasm32-wasip1/release/.fingerprint/my-ark-2/a",
            "wasm32-wasip1/release/deps/libitoa.rlib",
            "wasm32-wasip1/release/my-ark.wasm",
            "wasm32-wasip1/release/examples/x.wasm",
        ];
        for file in files {
            let file = target.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }

        forget_own(target.path(), "wasm32-wasip1", &["my-ark".to_owned()]).unwrap();

        let left = files.map(|file| target.path().join(file).exists());
        assert_eq!(left, [true, false, false, false, true, false, false]);
    }
}
