//! Builds that go on: who builds, and how far it is, for who waits for it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::UnixMs;
use crate::id::{CommitHash, JobId};
use crate::source::BuildTarget;

/// Which build is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BuildName {
    /// The repository, normalised: `github.com/owner/repo`.
    pub repo: String,
    /// The commit.
    pub commit: CommitHash,
    /// What it is built for.
    pub build_target: BuildTarget,
}

/// For people: `github.com/owner/repo@commit for wasm32-wasip1`.
impl fmt::Display for BuildName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            repo,
            commit,
            build_target,
        } = self;
        write!(f, "{repo}@{commit} for {build_target}")
    }
}

/// A worker's wish to be the one that builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimAsk {
    /// What it would build.
    #[serde(flatten)]
    pub build: BuildName,
    /// The job that causes it.
    pub job_id: JobId,
}

/// Who builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Whether it is the worker that asked. Then it must tell how far it is before the claim ends.
    pub is_yours: bool,
    /// How long the claim lasts when nothing more is heard of the build, in milliseconds.
    pub expires_in_ms: u64,
}

/// A worker's word of how far it is; it keeps the claim up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressReport {
    /// What it builds.
    #[serde(flatten)]
    pub build: BuildName,
    /// How far it is.
    pub progress: BuildProgress,
}

/// A build that goes on, as `/public/builds` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildView {
    /// What is built.
    #[serde(flatten)]
    pub build: BuildName,
    /// Who builds.
    pub worker: String,
    /// The job that has caused it.
    pub job_id: JobId,
    /// How far it is.
    pub progress: BuildProgress,
    /// When it began.
    pub began_at_ms: UnixMs,
    /// When it was last heard of.
    pub heard_at_ms: UnixMs,
}

/// How far a build is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildProgress {
    /// What is being done.
    pub stage: BuildStage,
    /// How many of the parts are built, where parts are counted: crates, and what is run and linked for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<u32>,
    /// How many parts there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u32>,
    /// What is at hand, such as the names of crates. Strangers choose it; it is one line of plain characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
}

/// What a build does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BuildStage {
    /// It waits for other builds of its worker.
    Waiting,
    /// The commit is fetched.
    Cloning,
    /// The dependencies are fetched.
    Fetching,
    /// The crates are compiled.
    Building,
    /// The last of them is, which makes the module.
    Linking,
}

impl BuildStage {
    /// The name as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Cloning => "cloning",
            Self::Fetching => "fetching",
            Self::Building => "building",
            Self::Linking => "linking",
        }
    }
}

impl BuildProgress {
    /// At a stage that has no parts.
    pub const fn at(stage: BuildStage) -> Self {
        Self {
            stage,
            done: None,
            of: None,
            what: None,
        }
    }
}

/// For people: `building 17 of 42: serde, syn`.
impl fmt::Display for BuildProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.stage.as_str())?;
        if let (Some(done), Some(of)) = (self.done, self.of) {
            write!(f, " {done} of {of}")?;
        }
        match &self.what {
            Some(what) => write!(f, ": {what}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_reads_as_a_line() {
        let building = BuildProgress {
            stage: BuildStage::Building,
            done: Some(17),
            of: Some(42),
            what: Some("serde, syn".into()),
        };

        assert_eq!(building.to_string(), "building 17 of 42: serde, syn");
        assert_eq!(
            BuildProgress::at(BuildStage::Cloning).to_string(),
            "cloning"
        );
    }
}
