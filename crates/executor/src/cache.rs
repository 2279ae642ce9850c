//! Compiled modules on disk, a file each: the hash of the code, then the code.
//!
//! Only this module writes to the folder, and only what a compiling process made of the very module that the key names; so a module
//! that deceives the compiler deceives nobody but itself. Before code is used its hash is checked, and what is used is a sealed
//! copy in memory that nobody can change any more.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};

const CODE: &str = "code";

/// Code that is kept ready in memory. What is above goes back to the disk, the longest unused first.
///
/// Unit: bytes.
const MOST_LOADED_BYTES: u64 = 1 << 30;

/// A compiled module that is ready to run.
#[derive(Debug)]
pub(crate) struct Compiled {
    /// What it was made of, by which compiler; see [`crate::form`].
    pub(crate) key: String,
    sealed: OwnedFd,
}

impl Compiled {
    /// The code, as a file that nobody can change.
    pub(crate) fn file(&self) -> BorrowedFd<'_> {
        self.sealed.as_fd()
    }
}

/// The folder.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    most_bytes: u64,
    index: Mutex<Index>,
}

#[derive(Debug, Default)]
struct Index {
    entries: HashMap<String, Entry>,
    bytes: u64,
    loaded_bytes: u64,
    /// Counts uses; the entry with the lowest number goes first.
    uses: u64,
}

#[derive(Debug)]
struct Entry {
    bytes: u64,
    used: u64,
    /// Set once its hash is checked.
    loaded: Option<Arc<Compiled>>,
}

impl Cache {
    /// Opens the folder, makes it if need be, and takes stock.
    pub(crate) fn open(folder: &Path, most_bytes: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        let mut found = Vec::new();
        for file in fs::read_dir(&folder)? {
            let path = file?.path();
            // Others are temporary files of an executor that was killed, or not ours.
            if path.extension().is_some_and(|it| it == CODE)
                && let Some(key) = path.file_stem().and_then(|it| it.to_str())
            {
                let file = fs::metadata(&path)?;
                found.push((file.modified()?, key.to_owned(), file.len()));
            }
        }
        found.sort();
        let mut index = Index::default();
        for (_, key, bytes) in found {
            index.insert(key, bytes, None);
        }
        let cache = Self {
            folder,
            most_bytes,
            index: Mutex::new(index),
        };
        cache.evict()?;
        Ok(cache)
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(key).with_extension(CODE)
    }

    /// A compiled module that is in memory.
    pub(crate) fn ready(&self, key: &str) -> Option<Arc<Compiled>> {
        let mut index = self.index();
        index.uses = index.uses.saturating_add(1);
        let used = index.uses;
        let entry = index.entries.get_mut(key)?;
        entry.used = used;
        entry.loaded.clone()
    }

    /// Looks for a compiled module and checks it; one that is damaged is removed, and so is not there.
    pub(crate) fn load(&self, key: &str) -> io::Result<Option<Arc<Compiled>>> {
        if let Some(ready) = self.ready(key) {
            return Ok(Some(ready));
        }
        let path = self.path(key);
        let Some(file) = present(fs::read(&path))? else {
            return Ok(None);
        };
        if let Some(code) = checked_code(&file) {
            return self.keep_ready(key, code).map(Some);
        }
        tracing::warn!(file = %path.display(), "a compiled module is damaged; it is made anew");
        self.forget(key)?;
        Ok(None)
    }

    /// Keeps a compiled module.
    pub(crate) fn store(&self, key: &str, code: &[u8]) -> io::Result<Arc<Compiled>> {
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(&Sha256::digest(code))?;
        file.write_all(code)?;
        file.persist(self.path(key))?;
        let compiled = self.keep_ready(key, code)?;
        self.evict()?;
        Ok(compiled)
    }

    fn keep_ready(&self, key: &str, code: &[u8]) -> io::Result<Arc<Compiled>> {
        let bytes = u64::try_from(code.len()).unwrap_or(u64::MAX);
        let compiled = Arc::new(Compiled {
            key: key.to_owned(),
            sealed: jail::sealed(code)?,
        });
        let mut index = self.index();
        index.insert(key.to_owned(), bytes, Some(Arc::clone(&compiled)));
        index.unload();
        Ok(compiled)
    }

    /// Removes a compiled module.
    pub(crate) fn forget(&self, key: &str) -> io::Result<()> {
        self.index().remove(key);
        remove(&self.path(key))
    }

    /// Removes what was used longest ago until the rest fits. What is running has its own copy.
    fn evict(&self) -> io::Result<()> {
        let mut index = self.index();
        while index.bytes > self.most_bytes && index.entries.len() > 1 {
            let Some(oldest) = index.oldest(|_| true) else {
                break;
            };
            index.remove(&oldest);
            remove(&self.path(&oldest))?;
        }
        Ok(())
    }
}

impl Index {
    fn insert(&mut self, key: String, bytes: u64, loaded: Option<Arc<Compiled>>) {
        self.remove(&key);
        self.uses = self.uses.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
        if loaded.is_some() {
            self.loaded_bytes = self.loaded_bytes.saturating_add(bytes);
        }
        let entry = Entry {
            bytes,
            used: self.uses,
            loaded,
        };
        self.entries.insert(key, entry);
    }

    fn remove(&mut self, key: &str) {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes = self.bytes.saturating_sub(entry.bytes);
            if entry.loaded.is_some() {
                self.loaded_bytes = self.loaded_bytes.saturating_sub(entry.bytes);
            }
        }
    }

    /// Lets go of what is in memory and was used longest ago, until the rest fits.
    fn unload(&mut self) {
        while self.loaded_bytes > MOST_LOADED_BYTES {
            let Some(oldest) = self.oldest(|entry| entry.loaded.is_some()) else {
                break;
            };
            if let Some(entry) = self.entries.get_mut(&oldest) {
                entry.loaded = None;
                self.loaded_bytes = self.loaded_bytes.saturating_sub(entry.bytes);
            }
        }
    }

    fn oldest(&self, among: impl Fn(&Entry) -> bool) -> Option<String> {
        self.entries
            .iter()
            .filter(|(_, entry)| among(entry))
            .min_by_key(|(_, entry)| entry.used)
            .map(|(key, _)| key.clone())
    }
}

/// The code in a file of the cache, if it is what was kept.
pub fn checked_code(file: &[u8]) -> Option<&[u8]> {
    let (hash, code) = file.split_first_chunk::<32>()?;
    let found: [u8; 32] = Sha256::digest(code).into();
    (found == *hash).then_some(code)
}

/// A file that is not there is no failure.
fn present<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    present(fs::remove_file(path)).map(|_| ())
}

#[cfg(test)]
mod tests;
