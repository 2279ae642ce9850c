//! An upload: hashed as it comes, renamed when it is whole.

use std::path::PathBuf;

use protocol::ArtifactHash;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use super::Artifacts;
use crate::error::Error;
use crate::store::int;

/// An artifact on its way in. Dropped before [`Upload::commit`], it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Upload {
    cache: Artifacts,
    named: ArtifactHash,
    file: tokio::fs::File,
    path: Temporary,
    hasher: Sha256,
    size: u64,
}

/// A file that goes when this goes.
#[derive(Debug)]
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0)); // it is not there any more once it was renamed
    }
}

impl Artifacts {
    /// Begins to take in what the caller calls `named`.
    pub(crate) async fn upload(&self, named: ArtifactHash) -> Result<Upload, Error> {
        if self.banned().await?.contains(&named) {
            return Err(Error::Banned(named));
        }
        let path = self
            .temporary_dir()
            .join(format!("{named}.{:016x}", rand::random::<u64>()));
        let file = tokio::fs::File::create_new(&path)
            .await
            .map_err(|source| Error::File {
                path: path.clone(),
                source,
            })?;
        Ok(Upload {
            cache: self.clone(),
            named,
            file,
            path: Temporary(path),
            hasher: Sha256::new(),
            size: 0,
        })
    }
}

impl Upload {
    /// Takes in some bytes.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.size = self.size.saturating_add(length);
        let cap_bytes = self.cache.max_artifact_bytes();
        if self.size > cap_bytes {
            return Err(Error::BodyTooLarge { cap_bytes });
        }
        self.hasher.update(bytes);
        self.file
            .write_all(bytes)
            .await
            .map_err(|source| Error::File {
                path: self.path.0.clone(),
                source,
            })
    }

    /// Puts the artifact in its place, if it is what it was called.
    pub(crate) async fn commit(self) -> Result<(), Error> {
        let Self {
            cache,
            named,
            mut file,
            path,
            hasher,
            size,
        } = self;
        let found = ArtifactHash(hasher.finalize().into());
        if found != named {
            return Err(Error::HashMismatch { named, found });
        }
        let in_file = |source| Error::File {
            path: path.0.clone(),
            source,
        };
        file.flush().await.map_err(in_file)?;
        file.sync_all().await.map_err(in_file)?; // a name must never stand on bytes that a power cut can take
        drop(file);
        let target = cache.path(named);
        tokio::fs::rename(&path.0, &target)
            .await
            .map_err(|source| Error::File {
                path: target,
                source,
            })?;
        let now = int(cache.0.clock.now_ms());
        sqlx::query(
            "INSERT INTO artifacts (sha256, size_bytes, first_seen_at, last_used_at, executions) \
             VALUES ($1, $2, $3, $3, 0) ON CONFLICT (sha256) DO UPDATE SET last_used_at = excluded.last_used_at",
        )
        .bind(named.to_string())
        .bind(int(size))
        .bind(now)
        .execute(cache.0.store.writer())
        .await?;
        cache.make_room(Some(named)).await?;
        Ok(())
    }
}
