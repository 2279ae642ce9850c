//! What goes from the cache, and when. Source: specification, "Cache Eviction Policy".

use std::collections::HashSet;

use protocol::ArtifactHash;

use super::Artifacts;
use crate::error::Error;
use crate::store::{Columns, int};

/// A day, in milliseconds.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// How long an artifact is kept that was run fewer than [`MODERATE_FROM`] times, in days since its last use.
const RARE_DAYS: u64 = 30;

/// How long an artifact is kept that was run moderately often, in days since its last use.
const MODERATE_DAYS: u64 = 90;

/// Executions from which the use of an artifact is moderate.
const MODERATE_FROM: i64 = 10;

/// Executions up to which it is; above, the artifact is kept whatever its age.
const MODERATE_TO: i64 = 100;

/// Share of the configured size above which the least recently used go, in hundredths.
const FULL_PERCENT: u64 = 80;

impl Artifacts {
    /// Throws out what was not used for too long, then the least recently used until the cache is less than 80 % full.
    pub(crate) async fn clean(&self) -> Result<u64, Error> {
        self.flush().await?;
        self.forget_claims().await?;
        let now = self.0.clock.now_ms();
        let before = |days: u64| int(now.saturating_sub(days.saturating_mul(DAY_MS)));
        let old = sqlx::query(
            "SELECT sha256 FROM artifacts WHERE (executions < $1 AND last_used_at < $2) \
             OR (executions >= $1 AND executions <= $3 AND last_used_at < $4)",
        )
        .bind(MODERATE_FROM)
        .bind(before(RARE_DAYS))
        .bind(MODERATE_TO)
        .bind(before(MODERATE_DAYS))
        .fetch_all(self.0.store.readers())
        .await?;
        let mut gone = 0u64;
        for row in old {
            self.evict(row.parsed("sha256")?).await?;
            gone = gone.saturating_add(1);
        }
        Ok(gone.saturating_add(self.make_room(None).await?))
    }

    /// Throws out the least recently used until the cache is less than 80 % full. Those that are run often are spared as long
    /// as the cache is not quite full; `spared` is what just came in.
    pub(super) async fn make_room(&self, spared: Option<ArtifactHash>) -> Result<u64, Error> {
        let whole = self.0.settings.max_bytes;
        let line = whole.saturating_mul(FULL_PERCENT).div_euclid(100);
        let mut size = self.total_bytes().await?;
        if size <= line {
            return Ok(0);
        }
        self.flush().await?;
        let rows = sqlx::query(
            "SELECT sha256, size_bytes, executions FROM artifacts \
             ORDER BY CASE WHEN executions > $1 THEN 1 ELSE 0 END, last_used_at, sha256",
        )
        .bind(MODERATE_TO)
        .fetch_all(self.0.store.readers())
        .await?;
        let mut gone = 0u64;
        for row in rows {
            let popular = row.int("executions")? > MODERATE_TO.unsigned_abs();
            if size <= if popular { whole } else { line } {
                break;
            }
            let artifact = row.parsed("sha256")?;
            if spared == Some(artifact) {
                continue;
            }
            self.evict(artifact).await?;
            size = size.saturating_sub(row.int("size_bytes")?);
            gone = gone.saturating_add(1);
        }
        Ok(gone)
    }

    /// Throws an artifact out; whether it was there.
    pub(crate) async fn evict(&self, artifact: ArtifactHash) -> Result<bool, Error> {
        let done = sqlx::query("DELETE FROM artifacts WHERE sha256 = $1")
            .bind(artifact.to_string())
            .execute(self.0.store.writer())
            .await?;
        remove(self.path(artifact)).await?;
        Ok(done.rows_affected() > 0)
    }

    async fn total_bytes(&self) -> Result<u64, Error> {
        let sum = "SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) AS size FROM artifacts";
        sqlx::query(sum)
            .fetch_one(self.0.store.readers())
            .await?
            .int("size")
    }

    /// Makes the folder, empties what was coming in, and lets rows without a file and files without a row go.
    pub(super) async fn reconcile(&self) -> Result<(), Error> {
        let incoming = self.temporary_dir();
        drop(std::fs::remove_dir_all(&incoming)); // it may not be there
        std::fs::create_dir_all(&incoming).map_err(|source| Error::File {
            path: incoming,
            source,
        })?;
        let mut rows = HashSet::<ArtifactHash>::new();
        for row in sqlx::query("SELECT sha256 FROM artifacts")
            .fetch_all(self.0.store.readers())
            .await?
        {
            let artifact = row.parsed("sha256")?;
            if self.path(artifact).is_file() {
                rows.insert(artifact);
            } else {
                self.evict(artifact).await?;
            }
        }
        let dir = &self.0.settings.dir;
        let in_dir = |source| Error::File {
            path: dir.clone(),
            source,
        };
        for entry in std::fs::read_dir(dir).map_err(in_dir)? {
            let path = entry.map_err(in_dir)?.path();
            let named = path
                .file_stem()
                .and_then(|stem| stem.to_str()?.parse::<ArtifactHash>().ok())
                .filter(|_| {
                    path.extension()
                        .is_some_and(|extension| extension == "wasm")
                });
            if named.is_some_and(|artifact| !rows.contains(&artifact)) {
                remove(path).await?;
            }
        }
        Ok(())
    }
}

async fn remove(path: std::path::PathBuf) -> Result<(), Error> {
    match tokio::fs::remove_file(&path).await {
        Ok(()) => Ok(()),
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(Error::File { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use protocol::clock::ManualClock;

    use super::super::Settings;
    use super::*;
    use crate::store::{Database, Store};

    async fn cache(folder: &tempfile::TempDir) -> (Artifacts, Arc<ManualClock>) {
        let clock = ManualClock::at(1_000 * DAY_MS);
        let store = Store::open(&Database::Memory).await.unwrap();
        let settings = Settings {
            max_bytes: 100,
            ..Settings::in_dir(folder.path().into())
        };
        let cache = Artifacts::open(store, clock.clone(), settings).await;
        (cache.unwrap(), clock)
    }

    async fn put(cache: &Artifacts, wasm: &[u8], executions: u64) -> ArtifactHash {
        let artifact = ArtifactHash::of(wasm);
        let mut upload = cache.upload(artifact).await.unwrap();
        upload.write(wasm).await.unwrap();
        upload.commit().await.unwrap();
        for _ in 0..executions {
            cache.executed(artifact);
        }
        artifact
    }

    #[tokio::test]
    async fn the_more_an_artifact_runs_the_longer_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, clock) = cache(&folder).await;
        let mut artifacts = Vec::new();
        for (wasm, executions) in [(b"rare", 9), (b"some", 10), (b"more", 100), (b"most", 101)] {
            artifacts.push(put(&cache, wasm, executions).await);
        }

        let mut kept = Vec::new();
        for days in [30, 1, 59, 1, 10_000] {
            clock.advance_ms(days * DAY_MS);
            cache.clean().await.unwrap();
            let mut here = Vec::new();
            for artifact in &artifacts {
                here.push(cache.size(*artifact).await.unwrap().is_some());
            }
            kept.push(here);
        }

        assert_eq!(kept[0], [true, true, true, true]); // 30 days
        assert_eq!(kept[1], [false, true, true, true]); // 31
        assert_eq!(kept[2], [false, true, true, true]); // 90
        assert_eq!(kept[3], [false, false, false, true]); // 91
        assert_eq!(kept[4], [false, false, false, true]);
    }

    #[tokio::test]
    async fn what_runs_often_stays_until_the_cache_is_quite_full() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, clock) = cache(&folder).await;
        let often = put(&cache, &[1; 50], 101).await;
        clock.advance_ms(1);
        let seldom = put(&cache, &[2; 30], 0).await;
        clock.advance_ms(1);

        let newer = put(&cache, &[3; 20], 0).await; // 100 bytes: more than 80
        let large = put(&cache, &[4; 60], 0).await; // 110 without it: more than 100

        let mut kept = Vec::new();
        for artifact in [often, seldom, newer, large] {
            kept.push(cache.size(artifact).await.unwrap().is_some());
        }
        assert_eq!(kept, [false, false, false, true]);
    }
}
