//! Where a job is, for those who watch: tests that stop a worker at an exact place, and the demo that tells the story.

use protocol::JobId;
use protocol::progress::BuildProgress;

/// A place in the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// The worker has the lease.
    Leased,
    /// The chain says the request is real.
    Confirmed,
    /// There is an artifact.
    Compiled,
    /// The artifact has run.
    Executed,
    /// The chain has the answer; the coordinator does not know yet.
    Resolved,
    /// The coordinator knows.
    Finished,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 6] = [
        Self::Leased,
        Self::Confirmed,
        Self::Compiled,
        Self::Executed,
        Self::Resolved,
        Self::Finished,
    ];

    /// The step's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Leased => "leased",
            Self::Confirmed => "confirmed",
            Self::Compiled => "compiled",
            Self::Executed => "executed",
            Self::Resolved => "resolved",
            Self::Finished => "finished",
        }
    }
}

/// Is told of every step that a job reaches.
pub trait WatchSteps: Send + Sync + std::fmt::Debug {
    /// The job has reached the step.
    fn reached(&self, job: JobId, step: Step, detail: &str);

    /// The build that the job has caused has come this far.
    fn building(&self, job: JobId, progress: &BuildProgress) {
        let _ = (job, progress);
    }
}

/// Writes steps to the log.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogSteps;

impl WatchSteps for LogSteps {
    fn reached(&self, job: JobId, step: Step, detail: &str) {
        tracing::info!(%job, step = step.as_str(), detail, "step");
    }
}
