//! What this worker remembers of builds: how long a repository's take, and which failed lately.
//!
//! A request is told at once when its build will take longer than it can wait, and a build that failed is not paid for again.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use compiler::ResolvedSource;
use protocol::clock::Clock;
use protocol::{ArtifactHash, FailureCode, Fault};

use crate::folder::Folder;

/// What a repository's first build is taken to last. Source: the examples build in 2 s to 20 s; a build with many dependencies takes
/// some minutes.
const USUAL: Duration = Duration::from_secs(30);

/// How long a failure is remembered: long enough for a caller that asks again and again, short enough for a dependency that appears.
const FAILURE_LASTS: Duration = Duration::from_mins(10);

/// How much of the disk it may take. Unit: bytes.
const FOLDER_BYTES: u64 = 16 << 20;

/// Builds that were.
#[derive(Clone)]
pub(crate) struct History {
    folder: Folder,
    clock: Clock,
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl History {
    pub(crate) fn open(folder: &Path, clock: Clock) -> io::Result<Self> {
        Ok(Self {
            folder: Folder::open(folder, FOLDER_BYTES)?,
            clock,
        })
    }

    /// How long a build of this source is likely to take.
    pub(crate) fn estimate(&self, source: &ResolvedSource) -> Duration {
        self.took(source).unwrap_or(USUAL)
    }

    /// A build has come to its end. What cannot be written is forgotten.
    pub(crate) fn remember(
        &self,
        source: &ResolvedSource,
        took: Duration,
        failure: Option<(FailureCode, &str)>,
    ) {
        let written = match failure {
            // Half of what was known before counts on, so that one odd build does not decide.
            None => {
                let before = self.took(source).unwrap_or(took);
                let milliseconds = before.saturating_add(took).as_millis() / 2;
                self.folder
                    .write(&took_name(source), milliseconds.to_string().as_bytes())
            }
            // A commit stays what it is; whether a repository is there does not.
            Some((code, _)) if code.fault() != Fault::Guest => return,
            Some((code, message)) => {
                let text = format!("{}\n{code}\n{message}", self.clock.now_ms());
                self.folder.write(&failure_name(source), text.as_bytes())
            }
        };
        if let Err(err) = written {
            tracing::warn!("a build is not remembered: {err}");
        }
    }

    /// Why a build of this very source failed, if it did so lately.
    pub(crate) fn failure(&self, source: &ResolvedSource) -> Option<(FailureCode, String)> {
        let text = fs::read_to_string(self.folder.file(&failure_name(source))).ok()?;
        let mut lines = text.splitn(3, '\n');
        let at: u64 = lines.next()?.parse().ok()?;
        let code = lines.next()?;
        let code = FailureCode::ALL.iter().find(|it| it.as_str() == code)?;
        let age = self.clock.now_ms().checked_sub(at)?;
        let is_fresh = Duration::from_millis(age) < FAILURE_LASTS;
        is_fresh.then(|| (*code, lines.next().unwrap_or_default().to_owned()))
    }

    fn took(&self, source: &ResolvedSource) -> Option<Duration> {
        let text = fs::read_to_string(self.folder.file(&took_name(source))).ok()?;
        text.trim().parse().ok().map(Duration::from_millis)
    }
}

/// Of a repository: its commits build much alike.
fn took_name(source: &ResolvedSource) -> String {
    let name = match source {
        ResolvedSource::Commit { repository, .. } => repository.to_string(),
        ResolvedSource::Module(module) => module.url.clone(),
    };
    format!("{}.took", ArtifactHash::of(name.as_bytes()))
}

fn failure_name(source: &ResolvedSource) -> String {
    let name = match source {
        ResolvedSource::Commit { target, .. } => format!("{source} for {target}"),
        ResolvedSource::Module(module) => format!("{source} of {}", module.hash),
    };
    format!("{}.failed", ArtifactHash::of(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    use protocol::clock::ManualClock;
    use protocol::source::WasmUrl;

    fn source() -> ResolvedSource {
        ResolvedSource::Module(WasmUrl {
            url: "https://example.com/a.wasm".into(),
            hash: ArtifactHash::of(b"wasm"),
            build_target: protocol::source::BuildTarget::Wasip1,
        })
    }

    #[test]
    fn a_repository_is_expected_to_build_as_it_did_before() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(folder.path(), ManualClock::at(0)).unwrap();

        let first = history.estimate(&source());
        history.remember(&source(), Duration::from_secs(100), None);
        let second = history.estimate(&source());
        history.remember(&source(), Duration::from_secs(50), None);
        let third = history.estimate(&source());

        assert_eq!(
            [first, second, third],
            [30, 100, 75].map(Duration::from_secs)
        );
    }

    #[test]
    fn a_failure_is_remembered_for_a_while_if_the_code_is_at_fault() {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(1_000);
        let history = History::open(folder.path(), clock.clone()).unwrap();
        let took = Duration::from_secs(1);

        history.remember(&source(), took, Some((FailureCode::NetworkError, "away")));
        history.remember(
            &source(),
            took,
            Some((FailureCode::RepositoryNotFound, "gone")),
        );
        let others = history.failure(&source());
        let theirs = (
            FailureCode::RustCompilationError,
            "line 1\nline 2".to_owned(),
        );
        history.remember(&source(), took, Some((theirs.0, &theirs.1)));
        let fresh = history.failure(&source());
        clock.advance_ms(600_000);
        let stale = history.failure(&source());

        assert_eq!((others, fresh, stale), (None, Some(theirs), None));
    }
}
