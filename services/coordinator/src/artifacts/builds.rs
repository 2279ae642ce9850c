//! The index of builds: what workers say a source builds to. The coordinator does not vouch for it; it hands back what it
//! was given, and whoever reads it checks the signature.

use protocol::ArtifactHash;
use protocol::artifact::{Published, SignedBuild};
use protocol::id::CommitHash;
use protocol::public::WasmView;
use protocol::source::BuildTarget;

use super::Artifacts;
use crate::error::Error;
use crate::store::{Columns, corrupt, int};

/// The most that a build may take as JSON, in bytes.
const MAX_BUILD_BYTES: usize = 4_096;

/// The longest address that is kept, in bytes.
const MAX_URL_BYTES: usize = 1_024;

/// Which build is meant.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    /// The repository, normalised: `github.com/owner/repo`.
    pub(crate) repo: String,
    /// The commit.
    pub(crate) commit: CommitHash,
    /// What it was built for.
    pub(crate) build_target: BuildTarget,
}

impl Artifacts {
    /// Writes what a worker says; a later word takes the place of an earlier one.
    pub(crate) async fn put_build(&self, signed: &SignedBuild) -> Result<(), Error> {
        let text = serde_json::to_string(signed).map_err(|err| corrupt("signed_build", err))?;
        if text.len() > MAX_BUILD_BYTES {
            return Err(Error::BodyTooLarge {
                cap_bytes: u64::try_from(MAX_BUILD_BYTES).unwrap_or(u64::MAX),
            });
        }
        let build = &signed.build;
        sqlx::query(
            "INSERT INTO builds (repo, commit_hash, build_target, artifact, signed_build, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (repo, commit_hash, build_target) \
             DO UPDATE SET artifact = excluded.artifact, signed_build = excluded.signed_build, \
                 created_at = excluded.created_at",
        )
        .bind(build.repo.clone())
        .bind(build.commit.to_string())
        .bind(build.build_target.triple())
        .bind(build.artifact.to_string())
        .bind(text)
        .bind(int(self.0.clock.now_ms()))
        .execute(self.0.store.writer())
        .await?;
        Ok(())
    }

    /// What was last said of a build.
    pub(crate) async fn build(&self, key: &Key) -> Result<SignedBuild, Error> {
        sqlx::query(
            "SELECT signed_build FROM builds WHERE repo = $1 AND commit_hash = $2 AND build_target = $3",
        )
        .bind(key.repo.clone())
        .bind(key.commit.to_string())
        .bind(key.build_target.triple())
        .fetch_optional(self.0.store.readers())
        .await?
        .ok_or_else(|| Error::NoSuchBuild(format!("{}@{}", key.repo, key.commit)))?
        .json("signed_build")
    }

    /// What anyone may know of a build.
    pub(crate) async fn wasm_view(&self, key: &Key) -> Result<WasmView, Error> {
        let row = sqlx::query(
            "SELECT builds.artifact, builds.signed_build, builds.created_at, artifacts.size_bytes, artifacts.executions, \
                 artifacts.last_used_at, artifacts.published_url FROM builds LEFT JOIN artifacts ON artifacts.sha256 = builds.artifact \
             WHERE repo = $1 AND commit_hash = $2 AND build_target = $3",
        )
        .bind(key.repo.clone())
        .bind(key.commit.to_string())
        .bind(key.build_target.triple())
        .fetch_optional(self.0.store.readers())
        .await?;
        let Some(row) = row else {
            return Ok(WasmView::default());
        };
        let size_bytes = row.maybe_int("size_bytes")?;
        let signed: SignedBuild = row.json("signed_build")?;
        Ok(WasmView {
            exists: size_bytes.is_some(),
            sha256: Some(row.parsed("artifact")?),
            size_bytes,
            executions: row.maybe_int("executions")?,
            built_at_ms: Some(row.int("created_at")?),
            last_used_ms: row.maybe_int("last_used_at")?,
            recipe: signed.build.recipe,
            published_url: row.maybe_text("published_url")?,
        })
    }

    /// Notes where a worker has published an artifact.
    pub(crate) async fn published(
        &self,
        artifact: ArtifactHash,
        published: &Published,
    ) -> Result<(), Error> {
        let Published { url } = published;
        if url.len() > MAX_URL_BYTES {
            return Err(Error::BodyTooLarge {
                cap_bytes: u64::try_from(MAX_URL_BYTES).unwrap_or(u64::MAX),
            });
        }
        let done = sqlx::query("UPDATE artifacts SET published_url = $1 WHERE sha256 = $2")
            .bind(url.clone())
            .bind(artifact.to_string())
            .execute(self.0.store.writer())
            .await?;
        if done.rows_affected() == 0 {
            return Err(Error::NoSuchArtifact(artifact));
        }
        Ok(())
    }
}
