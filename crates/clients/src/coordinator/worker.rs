//! What a worker says to the coordinator. Source: the table of [`protocol::job`].

use std::time::Duration;

use bytes::Bytes;
use protocol::artifact::{Published, SignedBuild};
use protocol::job::{Extension, Fail, Fence, Finish, HiddenLog, Lease, LeaseAsk, Retry};
use protocol::progress::{BuildName, BuildProgress, Claim, ClaimAsk, ProgressReport};
use protocol::public::BranchView;
use protocol::source::BuildTarget;
use protocol::{ArtifactHash, CommitHash, JobId};
use reqwest::{Method, RequestBuilder, StatusCode, Url};

use super::error::Error;
use super::transport::{Transport, or_nothing, parse};

/// A worker's line to the coordinator. Cheap to clone; its `Debug` shows no token.
#[derive(Clone, Debug)]
pub struct Worker(Transport);

impl Worker {
    /// A line to the coordinator at `base` with this worker's token.
    pub fn new(base: &Url, token: &str) -> Result<Self, Error> {
        Transport::new(base, Some(token.to_owned())).map(Self)
    }

    /// Waits up to `wait` for a job.
    pub async fn lease(&self, wait: Duration) -> Result<Option<Lease>, Error> {
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        let request = self
            .0
            .request(Method::POST, &["worker", "lease"])
            .timeout(Transport::patience(wait))
            .json(&LeaseAsk { wait_ms });
        match self.0.send(request).await? {
            (StatusCode::NO_CONTENT, _) => Ok(None),
            (_, body) => parse(&body).map(Some),
        }
    }

    /// Keeps a lease alive.
    pub async fn heartbeat(&self, job: JobId, fence: u64) -> Result<Extension, Error> {
        let request = self.about(job, "heartbeat").json(&Fence { fence });
        self.0.json(request).await
    }

    /// Tells that the chain has the answer.
    pub async fn finish(&self, job: JobId, finish: &Finish) -> Result<(), Error> {
        self.0.done(self.about(job, "finish").json(finish)).await
    }

    /// Tells that the job could not be done, and that it was our fault.
    pub async fn fail(&self, job: JobId, fail: &Fail) -> Result<Retry, Error> {
        self.0.json(self.about(job, "fail").json(fail)).await
    }

    /// Hands a job back untouched.
    pub async fn release(&self, job: JobId, fence: u64) -> Result<(), Error> {
        let request = self.about(job, "release").json(&Fence { fence });
        self.0.done(request).await
    }

    /// Leaves what a build or a guest wrote for operators to read.
    pub async fn log(&self, job: JobId, log: &HiddenLog) -> Result<(), Error> {
        self.0.done(self.about(job, "logs").json(log)).await
    }

    /// What a source was built to before, if it was.
    pub async fn build(
        &self,
        repo: &str,
        commit: &CommitHash,
        build_target: BuildTarget,
    ) -> Result<Option<SignedBuild>, Error> {
        let request = self.0.request(Method::GET, &["worker", "builds"]).query(&[
            ("repo", repo),
            ("commit", commit.as_str()),
            ("build_target", build_target.triple()),
        ]);
        or_nothing(self.0.json(request).await)
    }

    /// Of which branch of a repository a commit is, or was not long ago.
    pub async fn branch(&self, repo: &str, commit: &CommitHash) -> Result<BranchView, Error> {
        let request = self.0.request(Method::GET, &["worker", "branch"]);
        let query = [("repo", repo), ("commit", commit.as_str())];
        self.0.json(request.query(&query)).await
    }

    /// Tells what a source was built to.
    pub async fn put_build(&self, build: &SignedBuild) -> Result<(), Error> {
        let request = self.0.request(Method::PUT, &["worker", "builds"]);
        self.0.done(request.json(build)).await
    }

    /// Asks to be the one that builds.
    pub async fn claim_build(&self, build: &BuildName, job_id: JobId) -> Result<Claim, Error> {
        let ask = ClaimAsk {
            build: build.clone(),
            job_id,
        };
        self.0.json(self.build_request("claim").json(&ask)).await
    }

    /// Tells how far a build is, which keeps the claim to it up.
    pub async fn report_build(
        &self,
        build: &BuildName,
        progress: BuildProgress,
    ) -> Result<Extension, Error> {
        let report = ProgressReport {
            build: build.clone(),
            progress,
        };
        self.0
            .json(self.build_request("progress").json(&report))
            .await
    }

    /// Ends the claim to a build.
    pub async fn release_build(&self, build: &BuildName) -> Result<(), Error> {
        self.0.done(self.build_request("release").json(build)).await
    }

    /// An artifact's bytes, if the coordinator has them and they are the artifact's.
    pub async fn artifact(&self, artifact: &ArtifactHash) -> Result<Option<Bytes>, Error> {
        let request = self.artifact_request(Method::GET, artifact);
        let Some((_, wasm)) = or_nothing(self.0.send(request).await)? else {
            return Ok(None);
        };
        if ArtifactHash::of(&wasm) != *artifact {
            return Err(Error::Malformed {
                reason: format!("the bytes are not those of artifact {artifact}"),
            });
        }
        Ok(Some(wasm))
    }

    /// Gives the coordinator an artifact to keep.
    pub async fn put_artifact(&self, artifact: &ArtifactHash, wasm: Bytes) -> Result<(), Error> {
        let request = self.artifact_request(Method::PUT, artifact).body(wasm);
        self.0.done(request).await
    }

    /// Tells where an artifact is published.
    pub async fn published(&self, artifact: &ArtifactHash, url: String) -> Result<(), Error> {
        let name = artifact.to_string();
        let path = ["worker", "artifacts", &name, "published"];
        let request = self.0.request(Method::POST, &path);
        self.0.done(request.json(&Published { url })).await
    }

    fn about(&self, job: JobId, what: &str) -> RequestBuilder {
        let job = job.to_string();
        self.0
            .request(Method::POST, &["worker", "jobs", &job, what])
    }

    fn build_request(&self, what: &str) -> RequestBuilder {
        self.0.request(Method::POST, &["worker", "builds", what])
    }

    fn artifact_request(&self, method: Method, artifact: &ArtifactHash) -> RequestBuilder {
        let name = artifact.to_string();
        self.0.request(method, &["worker", "artifacts", &name])
    }
}
