//! Artifacts that the operator does not have run: the cache takes none of them in, and workers hear of them with every lease.

use protocol::ArtifactHash;

use super::Artifacts;
use crate::error::Error;
use crate::store::{Columns, int};

/// Bans that there may be; each travels with every lease.
const MOST: usize = 1_000;

impl Artifacts {
    /// Bans an artifact, and throws it out if it is there.
    pub(crate) async fn ban(&self, artifact: ArtifactHash) -> Result<(), Error> {
        if self.banned().await?.len() >= MOST {
            return Err(Error::TooManyBans(MOST));
        }
        sqlx::query(
            "INSERT INTO banned_artifacts (sha256, banned_at) VALUES ($1, $2) \
             ON CONFLICT (sha256) DO NOTHING",
        )
        .bind(artifact.to_string())
        .bind(int(self.0.clock.now_ms()))
        .execute(self.0.store.writer())
        .await?;
        self.evict(artifact).await.map(drop)
    }

    /// Lifts a ban; whether there was one.
    pub(crate) async fn unban(&self, artifact: ArtifactHash) -> Result<bool, Error> {
        let done = sqlx::query("DELETE FROM banned_artifacts WHERE sha256 = $1")
            .bind(artifact.to_string())
            .execute(self.0.store.writer())
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// All that are banned, the last one first.
    pub(crate) async fn banned(&self) -> Result<Vec<ArtifactHash>, Error> {
        sqlx::query("SELECT sha256 FROM banned_artifacts ORDER BY banned_at DESC, sha256")
            .fetch_all(self.0.store.readers())
            .await?
            .iter()
            .map(|row| row.parsed("sha256"))
            .collect()
    }
}
