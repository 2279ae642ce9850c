//! The artifact cache: wasm files on disk, each named by the sha256 of its bytes, and a row that says how it is used.
//!
//! A file appears under its name only when it is whole and its hash is right: it is written beside and renamed. How often an
//! artifact is used is tallied in memory and written now and then, for it only decides what is thrown away.

mod bans;
mod builds;
mod claims;
mod retention;
mod upload;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use protocol::ArtifactHash;
use protocol::clock::{Clock, UnixMs};

use crate::error::Error;
use crate::store::{Columns, Store, int};

pub(crate) use builds::Key;
pub(crate) use claims::Wanted;

/// How the cache behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where the files are.
    pub dir: PathBuf,
    /// What all files may take, in bytes; above 80 % of it the least recently used go.
    pub max_bytes: u64,
    /// What one file may take, in bytes.
    pub max_artifact_bytes: u64,
}

impl Settings {
    /// The usual limits: 10 GiB in all, 10 MiB a file, as much as a body may have.
    pub const fn in_dir(dir: PathBuf) -> Self {
        Self {
            dir,
            max_bytes: 10 * 1024 * 1024 * 1024,
            max_artifact_bytes: 10 * 1024 * 1024,
        }
    }
}

/// How an artifact was used since that was last written.
#[derive(Clone, Copy, Debug, Default)]
struct Use {
    last_ms: UnixMs,
    executions: u64,
}

/// The cache.
#[derive(Clone, Debug)]
pub(crate) struct Artifacts(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    clock: Clock,
    settings: Settings,
    tally: Mutex<HashMap<ArtifactHash, Use>>,
}

impl Artifacts {
    /// Opens the folder: what a crash left half-written goes, and files and rows are made to agree.
    pub(crate) async fn open(
        store: Store,
        clock: Clock,
        settings: Settings,
    ) -> Result<Self, Error> {
        let cache = Self(Arc::new(Inner {
            store,
            clock,
            settings,
            tally: Mutex::default(),
        }));
        cache.reconcile().await?;
        Ok(cache)
    }

    /// The most that one artifact may take, in bytes.
    pub(crate) fn max_artifact_bytes(&self) -> u64 {
        self.0.settings.max_artifact_bytes
    }

    /// An artifact's file, open, and its size.
    pub(crate) async fn read(
        &self,
        artifact: ArtifactHash,
    ) -> Result<(tokio::fs::File, u64), Error> {
        let size = self
            .size(artifact)
            .await?
            .ok_or(Error::NoSuchArtifact(artifact))?;
        let path = self.path(artifact);
        match tokio::fs::File::open(&path).await {
            Ok(file) => {
                self.note(artifact, 0);
                Ok((file, size))
            }
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => {
                self.evict(artifact).await?; // somebody else took the file away
                Err(Error::NoSuchArtifact(artifact))
            }
            Err(source) => Err(Error::File { path, source }),
        }
    }

    /// An artifact's size in bytes, if the cache holds it.
    pub(crate) async fn size(&self, artifact: ArtifactHash) -> Result<Option<u64>, Error> {
        sqlx::query("SELECT size_bytes FROM artifacts WHERE sha256 = $1")
            .bind(artifact.to_string())
            .fetch_optional(self.0.store.readers())
            .await?
            .map(|row| row.int("size_bytes"))
            .transpose()
    }

    /// Counts an execution.
    pub(crate) fn executed(&self, artifact: ArtifactHash) {
        self.note(artifact, 1);
    }

    fn note(&self, artifact: ArtifactHash, executions: u64) {
        let now = self.0.clock.now_ms();
        let mut tally = self.0.tally.lock().unwrap_or_else(PoisonError::into_inner);
        let used = tally.entry(artifact).or_default();
        used.last_ms = used.last_ms.max(now);
        used.executions = used.executions.saturating_add(executions);
    }

    /// Writes how artifacts were used.
    pub(crate) async fn flush(&self) -> Result<(), Error> {
        let tally =
            std::mem::take(&mut *self.0.tally.lock().unwrap_or_else(PoisonError::into_inner));
        if tally.is_empty() {
            return Ok(());
        }
        let mut tx = self.0.store.begin().await?;
        for (artifact, used) in tally {
            sqlx::query(
                "UPDATE artifacts SET executions = executions + $1, \
                     last_used_at = CASE WHEN last_used_at < $2 THEN $2 ELSE last_used_at END \
                 WHERE sha256 = $3",
            )
            .bind(int(used.executions))
            .bind(int(used.last_ms))
            .bind(artifact.to_string())
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    fn path(&self, artifact: ArtifactHash) -> PathBuf {
        self.0.settings.dir.join(format!("{artifact}.wasm"))
    }

    fn temporary_dir(&self) -> PathBuf {
        self.0.settings.dir.join("incoming")
    }
}
