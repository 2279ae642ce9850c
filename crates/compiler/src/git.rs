//! Resolves names and checks out commits, without running anything that the repository brings.
//!
//! Git is told to read no configuration but ours, to ask nobody for a password, to speak only the protocol that the host is
//! mapped to, and to run no hooks. Filters run only when a configuration names their program, so none does; submodules and large
//! files are not fetched. Symbolic links are checked out as plain files, lest a link named `Cargo.lock` be written through.

mod classify;
pub(crate) mod dependencies;
mod environment;
mod refs;

use std::path::Path;
use std::process::Command;
use std::slice;
use std::time::Duration;

use protocol::{CommitHash, FailureCode};
use url::Url;

use crate::error::Error;
use crate::fetching;
use crate::process::{self, Ended};
use crate::repository::Repository;
use crate::settings::Settings;
use crate::workbench::Workbench;
pub(crate) use environment::dependency_environment;
use refs::Refs;

/// The longest list of branches and tags, or of files, that is read; a line has about 80 bytes.
const LIST_BYTES: usize = 8 * 1024 * 1024;

/// How long a list of files may take: git makes that of a million in about a second.
const LIST_TIME: Duration = Duration::from_secs(10);

/// Configuration that every command gets.
const CONFIGURATION: [&str; 9] = [
    "core.hooksPath=/dev/null",
    "core.symlinks=false",
    "core.fsmonitor=false",
    "credential.helper=",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.version=2",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=30",
];

/// Every branch.
const BRANCHES: &str = "+refs/heads/*:refs/heads/*";
/// Every tag.
const TAGS: &str = "+refs/tags/*:refs/tags/*";

/// What is in a commit.
struct Contents {
    /// Whether parts of it are in other repositories.
    has_modules: bool,
}

/// Git, at work on one repository for one build.
pub(crate) struct Git<'a> {
    settings: &'a Settings,
    bench: &'a Workbench,
    location: Url,
}

impl<'a> Git<'a> {
    pub(crate) fn of(
        repository: &Repository,
        settings: &'a Settings,
        bench: &'a Workbench,
    ) -> Result<Self, Error> {
        let location = repository
            .location(&settings.hosts)
            .ok_or_else(|| Error::new(FailureCode::InvalidRepositoryUrl))?;
        Ok(Self {
            settings,
            bench,
            location,
        })
    }

    /// The commit that a branch or a tag is at.
    pub(crate) async fn commit_of(&self, name: &str) -> Result<CommitHash, Error> {
        if !refs::is_name(name) {
            return Err(Error::new(FailureCode::CommitNotFound));
        }
        let refs = self.refs(&refs::patterns_of(name)).await?;
        refs.commit_of(name)
            .ok_or_else(|| Error::new(FailureCode::CommitNotFound))
    }

    /// Whether `branch` is at `commit` or has come from it.
    pub(crate) async fn is_on_branch(
        &self,
        commit: &CommitHash,
        branch: &str,
    ) -> Result<bool, Error> {
        if !refs::is_name(branch) {
            return Ok(false);
        }
        let full = format!("refs/heads/{branch}");
        let refs = self.refs(slice::from_ref(&full)).await?;
        match refs.at(&full) {
            None => Ok(false),
            Some(tip) if tip == commit => Ok(true),
            Some(_) => Ok(self
                .history_has(commit, &[&format!("+{full}:{full}")])
                .await?
                .is_ok()),
        }
    }

    /// Puts the files of `commit` into the workbench and says what git printed.
    pub(crate) async fn check_out(&self, commit: &CommitHash) -> Result<String, Error> {
        self.prove_reachable(commit).await?;
        let source = self.bench.source();
        self.init(&source, &[]).await?;
        let fetched = self.fetch(&source, commit).await?;
        self.measure(&source, commit).await?;
        let put = self
            .git(
                &source,
                &["checkout", "--quiet", "--detach", commit.as_str()],
            )
            .await?;
        Ok(format!(
            "{}{}",
            fetched.log("git fetch"),
            put.log("git checkout")
        ))
    }

    /// Makes sure that some branch or tag contains `commit`.
    ///
    /// Hosts keep the commits of all forks in one store and hand out any of them under any fork's address, so that a
    /// stranger's commit can be asked for as `acme/app@…`. What is bound to a repository, such as its secrets, must not
    /// be opened to it.
    async fn prove_reachable(&self, commit: &CommitHash) -> Result<(), Error> {
        let refs = self
            .refs(&["refs/heads/*", "refs/tags/*"].map(str::to_owned))
            .await?;
        if refs.has_tip(commit) {
            return Ok(());
        }
        let found = self.history_has(commit, &[BRANCHES, TAGS]).await?;
        found.map_err(|log| Error::new(FailureCode::CommitNotFound).hiding(log))
    }

    /// Fetches the commits, without files, that these branches or tags have come from: whether `commit` is one, or what git said.
    async fn history_has(
        &self,
        commit: &CommitHash,
        refs: &[&str],
    ) -> Result<Result<(), String>, Error> {
        let history = self.bench.history();
        self.init(&history, &["--bare"]).await?;
        let fetch = [
            "fetch",
            "--filter=tree:0",
            "--no-tags",
            "--no-recurse-submodules",
            self.location.as_str(),
        ];
        self.git(&history, &[&fetch[..], refs].concat()).await?;
        let contains = ["for-each-ref", "--count=1", "--contains", commit.as_str()];
        let found = self.run(&history, &contains, self.log_bytes()).await?;
        if found.is_success() && !found.stdout.is_empty() {
            return Ok(Ok(()));
        }
        Ok(Err(found.log("git for-each-ref")))
    }

    /// Fetches one commit and nothing that it comes from.
    async fn fetch(&self, folder: &Path, commit: &CommitHash) -> Result<Ended, Error> {
        let fetch = ["fetch", "--depth=1", "--no-tags", "--no-recurse-submodules"];
        let args = [&fetch[..], &[self.location.as_str(), commit.as_str()]].concat();
        self.git(folder, &args).await
    }

    /// Makes sure that the files of `commit` are not too large in sum, nor too many. What git downloads says little of it: a
    /// folder may be in a commit a million times.
    async fn measure(&self, folder: &Path, commit: &CommitHash) -> Result<Contents, Error> {
        let limits = &self.settings.limits;
        let list = ["ls-tree", "-r", "--format=%(objectsize)", commit.as_str()];
        let wall = limits.fetch.min(LIST_TIME);
        let ended = self.run_within(wall, folder, &list, LIST_BYTES).await?;
        let (mut bytes, mut files, mut has_modules) = (0_u64, 0_u64, false);
        for size in ended.stdout.lines() {
            files = files.saturating_add(1);
            match size.parse() {
                Ok(size) => bytes = bytes.saturating_add(size),
                // A submodule has no size.
                Err(_) => has_modules = true,
            }
        }
        let is_small = bytes <= limits.source_bytes && files <= limits.source_files;
        if ended.is_success() && !ended.stdout_is_cut && is_small {
            return Ok(Contents { has_modules });
        }
        Err(Error::new(FailureCode::SourceTooLarge).hiding(format!(
            "at least {bytes} bytes in {files} files; git ls-tree {}",
            ended.end
        )))
    }

    async fn refs(&self, patterns: &[String]) -> Result<Refs, Error> {
        let mut args = vec!["ls-remote", "--", self.location.as_str()];
        args.extend(patterns.iter().map(String::as_str));
        let ended = self.run(&self.bench.start(), &args, LIST_BYTES).await?;
        if !ended.is_success() {
            return Err(classify::failure(&ended, "git ls-remote"));
        }
        Ok(Refs::read(&ended.stdout))
    }

    async fn init(&self, folder: &Path, options: &[&str]) -> Result<(), Error> {
        let folder = folder.to_string_lossy();
        let args = [&["init", "--quiet", "--template="], options, &[&folder]].concat();
        self.git(&self.bench.start(), &args).await.map(drop)
    }

    /// Runs git; anything but success is an error.
    async fn git(&self, folder: &Path, args: &[&str]) -> Result<Ended, Error> {
        let ended = self.run(folder, args, self.log_bytes()).await?;
        if ended.is_success() {
            return Ok(ended);
        }
        let verb = args.first().copied().unwrap_or_default();
        Err(classify::failure(&ended, &format!("git {verb}")))
    }

    async fn run(&self, folder: &Path, args: &[&str], log_bytes: usize) -> Result<Ended, Error> {
        let wall = self.settings.limits.fetch;
        self.run_within(wall, folder, args, log_bytes).await
    }

    async fn run_within(
        &self,
        wall: Duration,
        folder: &Path,
        args: &[&str],
        log_bytes: usize,
    ) -> Result<Ended, Error> {
        let mut command = Command::new("git");
        command
            .current_dir(folder)
            .env_clear()
            .envs(&self.settings.network_env)
            .env("PATH", self.settings.toolchain.path())
            .env("HOME", self.bench.home())
            .env("TMPDIR", self.bench.tmp())
            .env("LC_ALL", "C")
            .env("GIT_ALLOW_PROTOCOL", self.location.scheme())
            .env("GIT_CEILING_DIRECTORIES", self.bench.root())
            .envs(environment::QUIET);
        for setting in CONFIGURATION {
            command.args(["-c", setting]);
        }
        command.args(args);
        fetching::fence(self.settings, self.bench, &mut command)?;
        let mut limits = self.settings.limits.fetch_process.clone();
        limits.log_bytes = log_bytes;
        process::run(command, &limits, wall)
            .await
            .map_err(|error| Error::ours(format!("git: {error}")))
    }

    fn log_bytes(&self) -> usize {
        self.settings.limits.fetch_process.log_bytes
    }
}
