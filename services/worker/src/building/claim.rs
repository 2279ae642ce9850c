//! A claim to a build, among all workers of a coordinator: it is kept up by telling how far the build is.

use std::sync::Arc;
use std::time::Duration;

use clients::coordinator;
use compiler::WatchBuild;
use protocol::JobId;
use protocol::progress::{BuildName, BuildProgress, BuildStage};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::steps::WatchSteps;

/// How often the coordinator hears of a build in which nothing happens. Its claims last three times as long.
const AT_LEAST_EVERY: Duration = Duration::from_secs(10);

/// How often it hears of one at most: people read it.
const AT_MOST_EVERY: Duration = Duration::from_millis(250);

/// Whether this worker is to build.
pub(crate) enum Turn {
    /// It is, with the claim to it where there is one: a coordinator that cannot be reached keeps nobody from building.
    Ours(Option<Claimed>),
    /// Another worker builds.
    Others,
}

/// A claim to a build. Dropped, it is no longer kept up.
#[derive(Debug)]
pub(crate) struct Claimed {
    coordinator: Arc<coordinator::Worker>,
    build: BuildName,
    telling: JoinHandle<()>,
}

/// Asks whether this worker is to build. What `progress` shows is told from then on.
pub(crate) async fn claim(
    coordinator: &Arc<coordinator::Worker>,
    build: BuildName,
    job: JobId,
    progress: watch::Receiver<BuildProgress>,
) -> Turn {
    match coordinator.claim_build(&build, job).await {
        Ok(claim) if claim.is_yours => {
            let telling = tell(coordinator.clone(), build.clone(), progress);
            Turn::Ours(Some(Claimed {
                coordinator: coordinator.clone(),
                build,
                telling: tokio::spawn(telling),
            }))
        }
        Ok(_) => Turn::Others,
        Err(err) => {
            tracing::warn!(%build, "nobody says whether another worker builds: {err:#}");
            Turn::Ours(None)
        }
    }
}

impl Claimed {
    /// Lets the next worker have it. One that cannot be told so waits until the claim ends by itself.
    pub(crate) async fn release(self) {
        self.telling.abort();
        if let Err(err) = self.coordinator.release_build(&self.build).await {
            tracing::warn!(build = %self.build, "a claim is not released: {err:#}");
        }
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        self.telling.abort();
    }
}

async fn tell(
    coordinator: Arc<coordinator::Worker>,
    build: BuildName,
    mut progress: watch::Receiver<BuildProgress>,
) {
    loop {
        let is_over = tokio::select! {
            changed = progress.changed() => changed.is_err(),
            () = tokio::time::sleep(AT_LEAST_EVERY) => false,
        };
        if is_over {
            return;
        }
        let seen = progress.borrow_and_update().clone();
        if let Err(err) = coordinator.report_build(&build, seen).await {
            tracing::debug!(%build, "nobody hears how far a build is: {err:#}");
        }
        tokio::time::sleep(AT_MOST_EVERY).await;
    }
}

/// Shows how far a build is to those who watch this worker and, through the claim, to everyone.
#[derive(Debug)]
pub(crate) struct Showing {
    job: JobId,
    steps: Arc<dyn WatchSteps>,
    progress: watch::Sender<BuildProgress>,
}

impl Showing {
    pub(crate) fn new(
        job: JobId,
        steps: Arc<dyn WatchSteps>,
    ) -> (Arc<Self>, watch::Receiver<BuildProgress>) {
        let (progress, seen) = watch::channel(BuildProgress::at(BuildStage::Waiting));
        let showing = Self {
            job,
            steps,
            progress,
        };
        (Arc::new(showing), seen)
    }
}

impl WatchBuild for Showing {
    fn reached(&self, progress: BuildProgress) {
        self.steps.building(self.job, &progress);
        self.progress.send_replace(progress);
    }
}
