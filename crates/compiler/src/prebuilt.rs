//! Dependencies that were built, kept for the next build that has the same.
//!
//! An entry is known by a hash of all that went into it, and nothing that a repository chooses went into it but its manifests and
//! its lockfile: see [`crate::cargo::stand_in`]. Whoever makes an entry can therefore put nothing into it that would not have been
//! built for everyone who asks for it. Builds get copies; the entries themselves are out of their sight.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, Metadata};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::clock::Clock;
use sha2::{Digest as _, Sha256};

/// Begins the names of what is not whole any more, and goes when it is seen.
const LEAVING: &str = "leaving-";

/// What an entry is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key(String);

impl Key {
    /// The hash of all of `parts`, each with its length before it.
    pub(crate) fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.update(part);
        }
        Self(format!("{:x}", hash.finalize()))
    }
}

/// The kept entries. Cheap to clone; clones share.
#[derive(Clone)]
pub(crate) struct Prebuilt(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    most_bytes: u64,
    clock: Clock,
    /// How many builds use an entry.
    users: Mutex<HashMap<PathBuf, usize>>,
}

impl std::fmt::Debug for Prebuilt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Prebuilt").field(&self.0.folder).finish()
    }
}

/// An entry that stays as long as this does.
pub(crate) struct Held {
    all: Prebuilt,
    path: PathBuf,
}

impl Held {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Prebuilt {
    /// The entries in `folder`, which takes at most `most_bytes`.
    pub(crate) fn open(folder: &Path, most_bytes: u64, clock: Clock) -> io::Result<Self> {
        // What is built as an ordinary user of the machine must be nobody's to change.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let all = Self(Arc::new(Inner {
            folder: folder.to_owned(),
            most_bytes,
            clock,
            users: Mutex::default(),
        }));
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(LEAVING) {
                // What cannot be removed takes space and keeps nobody from working.
                if let Err(error) = fs::remove_dir_all(entry.path()) {
                    tracing::warn!(%error, "what was thrown away is still there");
                }
            }
        }
        Ok(all)
    }

    /// The entry of this key, if there is one.
    pub(crate) fn find(&self, key: &Key) -> Option<Held> {
        let path = self.path(key);
        let mut users = self.users();
        // Not for its size: only who has it in hand keeps it.
        let folder = File::open(&path).ok()?;
        folder.set_modified(self.now()).ok();
        let count = users.entry(path.clone()).or_default();
        *count = count.saturating_add(1);
        Some(Held {
            all: self.clone(),
            path,
        })
    }

    /// Takes the folder `made`, on the same file system, as the entry of this key. One that is there already stays.
    pub(crate) fn keep(&self, key: &Key, made: &Path) -> io::Result<()> {
        let path = self.path(key);
        if path.exists() {
            return Ok(());
        }
        self.make_room(size_of_tree(made)?)?;
        match fs::rename(made, &path) {
            // Another build was quicker.
            Err(_) if path.exists() => Ok(()),
            renamed => renamed,
        }
    }

    /// Removes the longest unused entries until `incoming` more bytes fit.
    fn make_room(&self, incoming: u64) -> io::Result<()> {
        if incoming > self.0.most_bytes {
            return Err(io::Error::other(format!("{incoming} bytes are too many")));
        }
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.0.folder)? {
            let path = entry?.path();
            let used = fs::metadata(&path).and_then(|folder| folder.modified())?;
            entries.push((used, size_of_tree(&path)?, path));
        }
        entries.sort();
        let mut total = entries
            .iter()
            .fold(incoming, |sum, (_, bytes, _)| sum.saturating_add(*bytes));
        for (_, bytes, path) in entries {
            if total <= self.0.most_bytes {
                return Ok(());
            }
            if self.remove(&path)? {
                total = total.saturating_sub(bytes);
            }
        }
        if total <= self.0.most_bytes {
            return Ok(());
        }
        Err(io::Error::other("all that is kept is in use"))
    }

    /// Removes an entry, unless it is in use.
    fn remove(&self, path: &Path) -> io::Result<bool> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let leaving = self.0.folder.join(format!("{LEAVING}{name}"));
        {
            let users = self.users();
            if users.contains_key(path) {
                return Ok(false);
            }
            // In one step, so that nobody finds half an entry.
            fs::rename(path, &leaving)?;
        }
        fs::remove_dir_all(leaving).map(|()| true)
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.0.folder.join(&key.0)
    }

    fn now(&self) -> SystemTime {
        let since = Duration::from_millis(self.0.clock.now_ms());
        UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
    }

    fn users(&self) -> MutexGuard<'_, HashMap<PathBuf, usize>> {
        self.0.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut users = self.all.users();
        if let Some(count) = users.get_mut(&self.path) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                users.remove(&self.path);
            }
        }
    }
}

/// The bytes of all files.
fn size_of_tree(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0_u64;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata: Metadata = entry.metadata()?;
        bytes = bytes.saturating_add(if metadata.is_dir() {
            size_of_tree(&entry.path())?
        } else {
            metadata.len()
        });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    use protocol::clock::ManualClock;
    use tempfile::TempDir;

    struct Scene {
        folder: TempDir,
        clock: Arc<ManualClock>,
        all: Prebuilt,
    }

    impl Scene {
        fn with_room_for(most_bytes: u64) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let clock = ManualClock::at(1_000);
            let kept = folder.path().join("kept");
            let all = Prebuilt::open(&kept, most_bytes, clock.clone()).unwrap();
            Self { folder, clock, all }
        }

        fn keep(&self, name: &str) -> io::Result<()> {
            let made = self.folder.path().join(name);
            fs::create_dir_all(made.join("deps")).unwrap();
            fs::write(made.join("deps/lib"), [0; 10]).unwrap();
            self.clock.advance_ms(1_000);
            self.all.keep(&key(name), &made)?;
            // A new entry is as old as its folder until it is used.
            drop(self.all.find(&key(name)));
            Ok(())
        }
    }

    fn key(name: &str) -> Key {
        Key::of([name.as_bytes()])
    }

    #[test]
    fn the_longest_unused_goes_when_there_is_no_room() {
        let scene = Scene::with_room_for(25);
        scene.keep("a").unwrap();
        scene.keep("b").unwrap();
        scene.clock.advance_ms(1_000);
        drop(scene.all.find(&key("a")));

        scene.keep("c").unwrap();

        let there = ["a", "b", "c"].map(|name| scene.all.find(&key(name)).is_some());
        assert_eq!(there, [true, false, true]);
    }

    #[test]
    fn what_is_in_use_stays_whole() {
        let scene = Scene::with_room_for(15);
        scene.keep("a").unwrap();
        let held = scene.all.find(&key("a")).unwrap();

        let refused = scene.keep("b");
        let is_whole = held.path().join("deps/lib").is_file();
        drop(held);
        let taken = scene.keep("b");

        assert!(refused.is_err() && is_whole && taken.is_ok());
        assert!(scene.all.find(&key("a")).is_none());
    }

    #[test]
    fn what_was_leaving_when_the_process_ended_is_gone() {
        let scene = Scene::with_room_for(15);
        let kept = scene.folder.path().join("kept");
        let half = kept.join(format!("{LEAVING}x"));
        fs::create_dir(&half).unwrap();

        Prebuilt::open(&kept, 15, scene.clock.clone()).unwrap();

        assert!(!half.exists());
    }
}
