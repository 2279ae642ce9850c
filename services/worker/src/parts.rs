//! What a worker is made of, and the small deeds that several steps share.

use std::sync::Arc;

use bytes::Bytes;
use clients::coordinator;
use clients::near::{ChainLimits, Sender};
use clients::outlayer::Contract;
use compiler::{Artifact, Compiler};
use executor::Executor;
use protocol::artifact::{Build, SignedBuild};
use protocol::clock::Clock;
use protocol::job::{HiddenLog, Lease};
use protocol::source::BuildTarget;
use protocol::{ArtifactHash, CommitHash, JobId};

use crate::artifacts::Artifacts;
use crate::branches::Branches;
use crate::building::Building;
use crate::config::Config;
use crate::history::History;
use crate::notary::Notary;
use crate::published::Published;
use crate::runs::Runs;
use crate::steps::{Step, WatchSteps};
use crate::vault::Vault;

/// Everything a job needs on its way. Cheap to clone; clones share.
#[derive(Clone, Debug)]
pub struct Parts {
    pub(crate) config: Arc<Config>,
    pub(crate) clock: Clock,
    pub(crate) coordinator: Arc<coordinator::Worker>,
    pub(crate) contract: Contract,
    pub(crate) sender: Arc<Sender>,
    pub(crate) chain_limits: ChainLimits,
    pub(crate) compiler: Compiler,
    pub(crate) executor: Executor,
    pub(crate) notary: Arc<Notary>,
    pub(crate) vault: Option<Arc<Vault>>,
    pub(crate) branches: Branches,
    pub(crate) artifacts: Artifacts,
    pub(crate) history: History,
    pub(crate) building: Building,
    pub(crate) published: Published,
    pub(crate) runs: Option<Runs>,
    pub(crate) watch: Arc<dyn WatchSteps>,
}

/// What a worker is given; the rest it makes itself.
#[derive(Debug)]
pub struct Given {
    /// The time.
    pub clock: Clock,
    /// The queue.
    pub coordinator: coordinator::Worker,
    /// The contract.
    pub contract: Contract,
    /// Keys that may resolve.
    pub sender: Sender,
    /// What the chain allows.
    pub chain_limits: ChainLimits,
    /// Source to artifact.
    pub compiler: Compiler,
    /// Artifact to outcome.
    pub executor: Executor,
    /// Signs this worker's builds and checks the others'.
    pub notary: Notary,
    /// Opens the secrets that requests name; a worker without one answers no such request.
    pub vault: Option<Vault>,
    /// Is told of every step.
    pub watch: Arc<dyn WatchSteps>,
}

impl Parts {
    /// Joins what is given with what a worker has of its own.
    ///
    /// # Errors
    /// When a folder of its own cannot be made.
    pub fn join(config: Config, given: Given) -> std::io::Result<Self> {
        Ok(Self {
            artifacts: Artifacts::open(&config.folder.join("artifacts"))?,
            building: Building::default(),
            history: History::open(&config.folder.join("history"), given.clock.clone())?,
            published: Published::open(&config.folder.join("published"))?,
            runs: config.keep_runs.as_deref().map(Runs::open).transpose()?,
            config: Arc::new(config),
            branches: Branches::new(given.clock.clone()),
            clock: given.clock,
            coordinator: Arc::new(given.coordinator),
            contract: given.contract,
            sender: Arc::new(given.sender),
            chain_limits: given.chain_limits,
            compiler: given.compiler,
            executor: given.executor,
            notary: Arc::new(given.notary),
            vault: given.vault.map(Arc::new),
            watch: given.watch,
        })
    }

    pub(crate) fn reached(&self, lease: &Lease, step: Step, detail: &str) {
        self.watch.reached(lease.job.id, step, detail);
    }

    /// Gives operators a log to read. One that is lost costs nobody anything, so a failure is only noted.
    pub(crate) async fn keep_log(&self, job: JobId, log: &HiddenLog) {
        if let Err(err) = self.coordinator.log(job, log).await {
            tracing::warn!(%job, "a hidden log is lost: {err:#}");
        }
    }

    /// What another worker says the commit builds to, if its signature is good.
    pub(crate) async fn vouched(
        &self,
        repo: &str,
        commit: &CommitHash,
        target: BuildTarget,
    ) -> Option<ArtifactHash> {
        let signed = match self.coordinator.build(repo, commit, target).await {
            Ok(signed) => signed?,
            Err(err) => {
                tracing::warn!("the index of builds cannot be read: {err:#}");
                return None;
            }
        };
        let build = &signed.build;
        let asked = build.repo == repo && build.commit == *commit && build.build_target == target;
        if !asked || !self.notary.vouches(&signed).await {
            tracing::warn!(repo, %commit, "a build without a good signature is not believed");
            return None;
        }
        if let Err(err) = self.artifacts.remember(build) {
            tracing::warn!("a build is not remembered: {err}");
        }
        Some(build.artifact)
    }

    /// An artifact from the shared cache, if its bytes have its name.
    pub(crate) async fn download(&self, hash: ArtifactHash) -> Option<Bytes> {
        match self.coordinator.artifact(&hash).await {
            Ok(wasm) => wasm.filter(|wasm| ArtifactHash::of(wasm) == hash),
            Err(err) => {
                tracing::warn!(%hash, "an artifact cannot be downloaded: {err:#}");
                None
            }
        }
    }

    /// Puts an artifact, and the signed claim of what it was built from, where other workers find them. They can do
    /// without, so a failure is only noted.
    pub(crate) async fn share(&self, artifact: &Artifact, claim: Option<Build>) {
        if let Err(err) = self
            .coordinator
            .put_artifact(&artifact.hash, artifact.wasm.clone())
            .await
        {
            tracing::warn!(hash = %artifact.hash, "an artifact is not shared: {err:#}");
            return;
        }
        let Some(build) = claim else { return };
        let signed: SignedBuild = self.notary.sign(build);
        if let Err(err) = self.coordinator.put_build(&signed).await {
            tracing::warn!("a build is not shared: {err:#}");
        }
    }
}
