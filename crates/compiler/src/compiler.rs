//! The compiler: from a source to a commit, from a commit to an artifact, each artifact built once.

use std::fmt;
use std::fs;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use protocol::clock::Clock;
use protocol::progress::{BuildProgress, BuildStage};
use protocol::source::{BuildTarget, CodeSource, WasmUrl};
use protocol::{ArtifactHash, CommitHash};
use tokio::sync::Semaphore;

use crate::artifact::{Artifact, BuildRecord, Built};
use crate::error::Error;
use crate::git::Git;
use crate::language::{Language, Project, Tools};
use crate::module::Fetcher;
use crate::once::Once;
use crate::prebuilt::Prebuilt;
use crate::progress::{Unwatched, WatchBuild, Watcher};
use crate::repository::Repository;
use crate::settings::Settings;
use crate::workbench::{self, Workbench};

/// A source that names the same code whenever it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResolvedSource {
    /// A commit of a repository.
    Commit {
        /// The repository.
        repository: Repository,
        /// The commit.
        commit: CommitHash,
        /// What to build for.
        target: BuildTarget,
    },
    /// A module pinned by its hash.
    Module(WasmUrl),
}

/// For people: `github.com/owner/repo@commit`, or the URL.
impl fmt::Display for ResolvedSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit {
                repository, commit, ..
            } => write!(f, "{repository}@{commit}"),
            Self::Module(module) => f.write_str(&module.url),
        }
    }
}

/// Turns sources into artifacts. Cheap to clone; clones share their work.
#[derive(Clone, Debug)]
pub struct Compiler(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    settings: Settings,
    clock: Clock,
    fetcher: Fetcher,
    /// Room for builds.
    room: Semaphore,
    /// The machine's compilers.
    tools: Tools,
    prebuilt: Prebuilt,
    builds: Once<(Repository, CommitHash, BuildTarget), Result<Artifact, Error>>,
}

impl Compiler {
    /// Makes the folders it works in, and removes what a killed process left there.
    ///
    /// # Errors
    /// When the folders cannot be made.
    pub fn new(settings: Settings, clock: Clock) -> io::Result<Self> {
        fs::create_dir_all(&settings.work)?;
        fs::create_dir_all(&settings.cargo_home)?;
        fs::create_dir_all(&settings.npm_home)?;
        workbench::clear_abandoned(&settings.work)?;
        if let Some(config) = &settings.cargo_config {
            // Read whole before it is written: it may be the very same file.
            let config = fs::read(config)?;
            fs::write(settings.cargo_home.join("config.toml"), config)?;
        }
        let npm: io::Result<Vec<_>> = settings.npm_configs.iter().map(fs::read).collect();
        fs::write(settings.npm_home.join("npmrc"), npm?.join(&b'\n'))?;
        Ok(Self(Arc::new(Parts {
            tools: Tools::default(),
            fetcher: Fetcher::new(settings.modules.clone()).map_err(io::Error::other)?,
            room: Semaphore::new(settings.builds_at_once.max(1)),
            builds: Once::default(),
            prebuilt: Prebuilt::open(
                &settings.prebuilt,
                settings.limits.prebuilt_bytes,
                clock.clone(),
            )?,
            clock,
            settings,
        })))
    }

    /// Finds the commit that a branch or a tag is at. A full commit is taken as it is; whether the repository has it
    /// shows when it is compiled.
    ///
    /// # Errors
    /// See [`Error::code`].
    pub async fn resolve(&self, source: &CodeSource) -> Result<ResolvedSource, Error> {
        let git_hub = match source {
            CodeSource::WasmUrl(module) => return Ok(ResolvedSource::Module(module.clone())),
            CodeSource::GitHub(git_hub) => git_hub,
        };
        let parts = &*self.0;
        let repository = Repository::parse(&git_hub.repo, &parts.settings.hosts)?;
        let commit = match git_hub.commit.parse() {
            Ok(commit) => commit,
            Err(_) => parts.find(&repository, &git_hub.commit).await?,
        };
        Ok(ResolvedSource::Commit {
            repository,
            commit,
            target: git_hub.build_target,
        })
    }

    /// Whether a branch of the repository is at the commit or has come from it. A module is on no branch.
    ///
    /// # Errors
    /// See [`Error::code`].
    pub async fn is_on_branch(&self, source: &ResolvedSource, branch: &str) -> Result<bool, Error> {
        let ResolvedSource::Commit {
            repository, commit, ..
        } = source
        else {
            return Ok(false);
        };
        let parts = &*self.0;
        let bench = parts.bench()?;
        let found = Git::of(repository, &parts.settings, &bench)?
            .is_on_branch(commit, branch)
            .await;
        bench.clear().await;
        found
    }

    /// Makes the artifact of `source`. Whoever asks for a commit that is being built gets that build's answer.
    ///
    /// # Errors
    /// See [`Error::code`].
    pub async fn compile(&self, source: &ResolvedSource) -> Result<Artifact, Error> {
        self.compile_watched(source, Arc::new(Unwatched)).await
    }

    /// As [`Compiler::compile`], with `watcher` told how far it is. Of several who ask for one commit the first one's is told.
    ///
    /// # Errors
    /// See [`Error::code`].
    pub async fn compile_watched(
        &self,
        source: &ResolvedSource,
        watcher: Arc<dyn WatchBuild>,
    ) -> Result<Artifact, Error> {
        match source {
            ResolvedSource::Module(module) => self.0.fetch(module).await,
            ResolvedSource::Commit {
                repository,
                commit,
                target,
            } => {
                let key = (repository.clone(), commit.clone(), *target);
                let build = || self.0.build(repository, commit, *target, watcher);
                self.0.builds.run(key, build).await
            }
        }
    }
}

impl Parts {
    async fn find(&self, repository: &Repository, name: &str) -> Result<CommitHash, Error> {
        let bench = self.bench()?;
        let commit = Git::of(repository, &self.settings, &bench)?
            .commit_of(name)
            .await;
        bench.clear().await;
        commit
    }

    async fn build(
        &self,
        repository: &Repository,
        commit: &CommitHash,
        target: BuildTarget,
        watcher: Watcher,
    ) -> Result<Artifact, Error> {
        watcher.reached(BuildProgress::at(BuildStage::Waiting));
        let _room = self.room.acquire().await;
        let bench = self.bench()?;
        let artifact = self
            .build_on(&bench, &watcher, repository, commit, target)
            .await;
        bench.clear().await;
        artifact
    }

    async fn build_on(
        &self,
        bench: &Workbench,
        watcher: &Watcher,
        repository: &Repository,
        commit: &CommitHash,
        target: BuildTarget,
    ) -> Result<Artifact, Error> {
        let settings = &self.settings;
        let start = self.clock.now_ms();
        let reached = |stage| watcher.reached(BuildProgress::at(stage));
        reached(BuildStage::Cloning);
        let git_log = Git::of(repository, settings, bench)?
            .check_out(commit)
            .await?;
        let project = Project {
            settings,
            bench,
            tools: &self.tools,
            prebuilt: &self.prebuilt,
            watcher,
            target,
            language: Language::of(&bench.source())?,
        };
        project.check()?;
        let work = async {
            reached(BuildStage::Fetching);
            let fetch_log = project.fetch().await?;
            let fetched = self.clock.now_ms();
            reached(BuildStage::Building);
            let built = project.build().await?;
            Ok((fetch_log, fetched, built, self.clock.now_ms()))
        };
        // What builds does not change while it does, so its hash need not be waited for.
        let ((fetch_log, fetched, Built { wasm, log, how }, built), toolchain_hash) =
            tokio::try_join!(work, project.toolchain_hash())?;
        tracing::info!(%repository, %commit, %target, bytes = wasm.len(), "built");
        Ok(Artifact {
            hash: ArtifactHash::of(&wasm),
            wasm,
            build: BuildRecord {
                source: format!("{repository}@{commit}"),
                target: target.triple(),
                toolchain: Some(how.toolchain),
                toolchain_hash: Some(toolchain_hash),
                lockfile_hash: how.lockfile_hash,
                command: Some(how.command),
                fetch_time: between(start, fetched),
                build_time: between(fetched, built),
                hidden_logs: format!("{git_log}{fetch_log}{log}"),
            },
        })
    }

    async fn fetch(&self, module: &WasmUrl) -> Result<Artifact, Error> {
        let start = self.clock.now_ms();
        let wasm = self.fetcher.fetch(&module.url, module.hash).await?;
        Ok(Artifact {
            hash: module.hash,
            wasm,
            build: BuildRecord {
                source: module.url.clone(),
                target: module.build_target.triple(),
                toolchain: None,
                toolchain_hash: None,
                lockfile_hash: None,
                command: None,
                fetch_time: between(start, self.clock.now_ms()),
                build_time: Duration::ZERO,
                hidden_logs: String::new(),
            },
        })
    }

    fn bench(&self) -> Result<Workbench, Error> {
        Workbench::in_folder(&self.settings.work)
            .map_err(|error| Error::ours(format!("workbench: {error}")))
    }
}

fn between(start_ms: u64, end_ms: u64) -> Duration {
    Duration::from_millis(end_ms.saturating_sub(start_ms))
}
