//! Claims to builds: of several workers that miss an artifact one builds it, and the others wait. A claim ends when its worker says so,
//! or when nothing is heard of the worker for a while.
//!
//! A claim is no proof of anything. A worker that does not get one waits for an artifact that it then checks, and builds after all when
//! the claim ends without one.

use protocol::JobId;
use protocol::job::Extension;
use protocol::progress::{
    BuildName, BuildProgress, BuildStage, BuildView, Claim, ClaimAsk, ProgressReport,
};
use sqlx::any::AnyRow;

use super::Artifacts;
use crate::error::Error;
use crate::store::{Columns, corrupt, int};

/// How long a claim lasts after its worker was last heard, in milliseconds. Workers tell how far they are every ten seconds.
const LASTS_MS: u64 = 30_000;

/// The longest name of a repository that is kept. Source: GitHub's own bounds are 39 and 100 characters.
const LONGEST_REPO: usize = 200;

/// What is shown at once.
const MOST_SHOWN: i64 = 100;

/// Which builds to show.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// Those of this repository, normalised.
    pub(crate) repo: Option<String>,
    /// Those of this commit.
    pub(crate) commit: Option<String>,
}

impl Artifacts {
    /// Gives the claim to `worker`, unless another has it.
    pub(crate) async fn claim(&self, worker: &str, ask: &ClaimAsk) -> Result<Claim, Error> {
        let ClaimAsk { build, job_id } = ask;
        if build.repo.len() > LONGEST_REPO {
            return Err(Error::NoSuchBuild("a repository of so long a name".into()));
        }
        let now = self.0.clock.now_ms();
        let waiting = BuildProgress::at(BuildStage::Waiting);
        let done = sqlx::query(
            "INSERT INTO build_claims (repo, commit_hash, build_target, worker, job_id, progress, \
                 began_at, heard_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8) \
             ON CONFLICT (repo, commit_hash, build_target) DO UPDATE SET worker = excluded.worker, \
                 job_id = excluded.job_id, progress = excluded.progress, began_at = excluded.began_at, \
                 heard_at = excluded.heard_at, expires_at = excluded.expires_at \
             WHERE build_claims.expires_at <= excluded.began_at OR build_claims.worker = excluded.worker",
        )
        .bind(build.repo.clone())
        .bind(build.commit.to_string())
        .bind(build.build_target.triple())
        .bind(worker.to_owned())
        .bind(job_id.0)
        .bind(json(&waiting)?)
        .bind(int(now))
        .bind(int(now.saturating_add(LASTS_MS)))
        .execute(self.0.store.writer())
        .await?;
        if done.rows_affected() > 0 {
            return Ok(Claim {
                is_yours: true,
                expires_in_ms: LASTS_MS,
            });
        }
        let row = sqlx::query(
            "SELECT expires_at FROM build_claims \
             WHERE repo = $1 AND commit_hash = $2 AND build_target = $3",
        )
        .bind(build.repo.clone())
        .bind(build.commit.to_string())
        .bind(build.build_target.triple())
        .fetch_optional(self.0.store.readers())
        .await?;
        // It may have ended just now: then the next to ask has it.
        let expires_at = row.map_or(Ok(now), |row| row.int("expires_at"))?;
        Ok(Claim {
            is_yours: false,
            expires_in_ms: expires_at.saturating_sub(now),
        })
    }

    /// Notes how far the worker that has the claim is.
    pub(crate) async fn report(
        &self,
        worker: &str,
        report: &ProgressReport,
    ) -> Result<Extension, Error> {
        let now = self.0.clock.now_ms();
        let build = &report.build;
        let done = sqlx::query(
            "UPDATE build_claims SET progress = $1, heard_at = $2, expires_at = $3 \
             WHERE repo = $4 AND commit_hash = $5 AND build_target = $6 AND worker = $7 \
                 AND expires_at > $2",
        )
        .bind(json(&report.progress)?)
        .bind(int(now))
        .bind(int(now.saturating_add(LASTS_MS)))
        .bind(build.repo.clone())
        .bind(build.commit.to_string())
        .bind(build.build_target.triple())
        .bind(worker.to_owned())
        .execute(self.0.store.writer())
        .await?;
        if done.rows_affected() == 0 {
            return Err(Error::BuildLost(build.to_string()));
        }
        Ok(Extension {
            expires_in_ms: LASTS_MS,
        })
    }

    /// Ends a worker's claim; one that is another's stays.
    pub(crate) async fn release(&self, worker: &str, build: &BuildName) -> Result<(), Error> {
        sqlx::query(
            "DELETE FROM build_claims \
             WHERE repo = $1 AND commit_hash = $2 AND build_target = $3 AND worker = $4",
        )
        .bind(build.repo.clone())
        .bind(build.commit.to_string())
        .bind(build.build_target.triple())
        .bind(worker.to_owned())
        .execute(self.0.store.writer())
        .await?;
        Ok(())
    }

    /// The builds that go on, the newest first.
    pub(crate) async fn going_on(&self, wanted: &Wanted) -> Result<Vec<BuildView>, Error> {
        sqlx::query(
            "SELECT * FROM build_claims WHERE expires_at > $1 AND ($2 = '' OR repo = $2) \
                 AND ($3 = '' OR commit_hash = $3) ORDER BY began_at DESC, repo LIMIT $4",
        )
        .bind(int(self.0.clock.now_ms()))
        .bind(wanted.repo.clone().unwrap_or_default())
        .bind(wanted.commit.clone().unwrap_or_default())
        .bind(MOST_SHOWN)
        .fetch_all(self.0.store.readers())
        .await?
        .iter()
        .map(view)
        .collect()
    }

    /// Throws away claims that nobody keeps up.
    pub(super) async fn forget_claims(&self) -> Result<(), Error> {
        sqlx::query("DELETE FROM build_claims WHERE expires_at <= $1")
            .bind(int(self.0.clock.now_ms()))
            .execute(self.0.store.writer())
            .await?;
        Ok(())
    }
}

fn view(row: &AnyRow) -> Result<BuildView, Error> {
    Ok(BuildView {
        build: BuildName {
            repo: row.text("repo")?,
            commit: row.parsed("commit_hash")?,
            build_target: serde_json::from_value(row.text("build_target")?.into())
                .map_err(|err| corrupt("build_target", err))?,
        },
        worker: row.text("worker")?,
        job_id: JobId(int(row.int("job_id")?)),
        progress: row.json("progress")?,
        began_at_ms: row.int("began_at")?,
        heard_at_ms: row.int("heard_at")?,
    })
}

fn json(progress: &BuildProgress) -> Result<String, Error> {
    serde_json::to_string(progress).map_err(|err| corrupt("progress", err))
}
