//! Compiled modules on disk: each a file of code and a file beside it with its hash and what traps give back.
//!
//! Only this module writes to the folder, and only what a compiling child made of the very module that the key names; so a module
//! that deceives the compiler deceives nobody but itself. Before code is used its hash is checked, once in a process for each
//! state of the file.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};

use metering::Unspent;

const CODE: &str = "code";
const PROOF: &str = "proof";

/// A SHA-256.
type Hash = [u8; 32];

/// A compiled module that is ready to run. While one is held, its file is not evicted.
#[derive(Debug)]
pub(crate) struct Compiled {
    /// The file of code.
    pub(crate) path: PathBuf,
    /// What a trap gives back.
    pub(crate) unspent: Unspent,
    state: FileState,
}

/// What changes when a file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileState {
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
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
    /// Counts uses; the entry with the lowest number goes first.
    uses: u64,
}

#[derive(Debug)]
struct Entry {
    bytes: u64,
    used: u64,
    /// Set once its hash is checked.
    compiled: Option<Arc<Compiled>>,
}

impl Cache {
    /// Opens the folder, makes it if need be, and takes stock. Leftovers of a crash are removed.
    pub(crate) fn open(folder: &Path, most_bytes: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        let mut found = Vec::new();
        for file in fs::read_dir(&folder)? {
            let path = file?.path();
            let partner = match path.extension().and_then(|it| it.to_str()) {
                Some(CODE) => PROOF,
                Some(PROOF) => CODE,
                // A temporary file of an executor that was killed, or not ours.
                _ => continue,
            };
            if !path.with_extension(partner).exists() {
                remove(&path)?;
            } else if partner == PROOF
                && let Some(key) = path.file_stem().and_then(|it| it.to_str())
            {
                let code = fs::metadata(&path)?;
                let proof = fs::metadata(path.with_extension(PROOF))?;
                found.push((
                    code.modified()?,
                    key.to_owned(),
                    code.len().saturating_add(proof.len()),
                ));
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

    fn path(&self, key: &str, extension: &str) -> PathBuf {
        self.folder.join(key).with_extension(extension)
    }

    /// A compiled module that was checked in this process and has not changed since: one `stat`.
    pub(crate) fn ready(&self, key: &str) -> Option<Arc<Compiled>> {
        let mut index = self.index();
        index.uses = index.uses.saturating_add(1);
        let used = index.uses;
        let entry = index.entries.get_mut(key)?;
        entry.used = used;
        let compiled = entry.compiled.clone()?;
        drop(index);
        let state = FileState::of(&fs::metadata(&compiled.path).ok()?);
        (state == compiled.state).then_some(compiled)
    }

    /// Looks for a compiled module and checks it; one that is damaged is removed, and so is not there.
    pub(crate) fn load(&self, key: &str) -> io::Result<Option<Arc<Compiled>>> {
        let (code, proof) = (self.path(key, CODE), self.path(key, PROOF));
        let (Some(state), Some(proof)) =
            (present(fs::metadata(&code))?, present(fs::read(&proof))?)
        else {
            return Ok(None);
        };
        let state = FileState::of(&state);
        let Some(bytes) = present(fs::read(&code))? else {
            return Ok(None);
        };
        let Some(unspent) = check(&bytes, &proof) else {
            tracing::warn!(file = %code.display(), "a compiled module is damaged; it is made anew");
            self.forget(key)?;
            return Ok(None);
        };
        let compiled = Arc::new(Compiled {
            path: code,
            unspent: Unspent::from_bytes(unspent.to_vec()),
            state,
        });
        let length = bytes.len().saturating_add(proof.len());
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        self.index()
            .insert(key.to_owned(), length, Some(Arc::clone(&compiled)));
        Ok(Some(compiled))
    }

    /// Keeps a compiled module.
    pub(crate) fn store(
        &self,
        key: &str,
        code: &[u8],
        unspent: &[u8],
    ) -> io::Result<Arc<Compiled>> {
        let mut proof = digest(code).to_vec();
        proof.extend_from_slice(&digest(unspent));
        proof.extend_from_slice(unspent);
        // The proof first: code without proof is never used, and both are removed at the next start.
        self.write(&self.path(key, PROOF), &proof)?;
        self.write(&self.path(key, CODE), code)?;
        let compiled = self
            .load(key)?
            .ok_or_else(|| io::Error::other("a compiled module vanished as soon as it was kept"))?;
        self.evict()?;
        Ok(compiled)
    }

    /// Writes a whole file or none.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(bytes)?;
        file.persist(path)?;
        Ok(())
    }

    /// Removes a compiled module.
    pub(crate) fn forget(&self, key: &str) -> io::Result<()> {
        let mut index = self.index();
        index.remove(key);
        remove(&self.path(key, CODE))?;
        remove(&self.path(key, PROOF))
    }

    /// Removes what was used longest ago until the rest fits. What is running stays.
    fn evict(&self) -> io::Result<()> {
        let mut index = self.index();
        while index.bytes > self.most_bytes {
            let Some(oldest) = index.oldest_idle() else {
                break;
            };
            index.remove(&oldest);
            remove(&self.path(&oldest, CODE))?;
            remove(&self.path(&oldest, PROOF))?;
        }
        Ok(())
    }
}

impl Index {
    fn insert(&mut self, key: String, bytes: u64, compiled: Option<Arc<Compiled>>) {
        self.remove(&key);
        self.uses = self.uses.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
        let entry = Entry {
            bytes,
            used: self.uses,
            compiled,
        };
        self.entries.insert(key, entry);
    }

    fn remove(&mut self, key: &str) {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes = self.bytes.saturating_sub(entry.bytes);
        }
    }

    fn oldest_idle(&self) -> Option<String> {
        self.entries
            .iter()
            .filter(|(_, entry)| {
                entry
                    .compiled
                    .as_ref()
                    .is_none_or(|compiled| Arc::strong_count(compiled) == 1)
            })
            .min_by_key(|(_, entry)| entry.used)
            .map(|(key, _)| key.clone())
    }
}

impl FileState {
    fn of(file: &fs::Metadata) -> Self {
        Self {
            inode: file.ino(),
            bytes: file.len(),
            modified: (file.mtime(), file.mtime_nsec()),
        }
    }
}

/// What the proof says of traps, if code and proof are what was kept.
fn check<'a>(code: &[u8], proof: &'a [u8]) -> Option<&'a [u8]> {
    let (of_code, rest) = proof.split_first_chunk::<32>()?;
    let (of_unspent, unspent) = rest.split_first_chunk::<32>()?;
    (*of_code == digest(code) && *of_unspent == digest(unspent)).then_some(unspent)
}

fn digest(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
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
