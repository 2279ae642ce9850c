//! A folder that stands in for GitHub, and a compiler that builds from it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

use compiler::jail::{Launcher, Sealed};
use compiler::{Artifact, Compiler, Error, ResolvedSource, Settings, Toolchain};
use protocol::clock::SystemClock;
use protocol::source::{BuildTarget, CodeSource, GitHub};
use tempfile::TempDir;
use url::Url;

/// A manifest of a guest without dependencies.
pub(crate) const MANIFEST: &str = r#"
[package]
name = "ark"
version = "0.1.0"
edition = "2024"

[workspace]
"#;

/// The lock file that goes with [`MANIFEST`].
pub(crate) const LOCK: &str = r#"
version = 4

[[package]]
name = "ark"
version = "0.1.0"
"#;

/// A host of repositories, in a folder.
pub(crate) struct Origin {
    folder: TempDir,
}

impl Origin {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    /// Writes a file beside the hosted repositories.
    pub(crate) fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join("beside").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// A new repository with nothing in it, at `path` of the form `owner/repo`.
    pub(crate) fn repository(&self, path: &str) -> Repository {
        let folder = self.folder.path().join("hosted").join(path);
        fs::create_dir_all(&folder).unwrap();
        let repository = Repository { folder };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository
    }

    /// Settings that find `github.com` here and keep everything in a folder of that `name`.
    pub(crate) fn settings(&self, name: &str) -> Settings {
        let folder = self.folder.path().join(name);
        let toolchain = Toolchain::of(Path::new("rustc")).unwrap();
        let hosted = Url::from_directory_path(self.folder.path().join("hosted")).unwrap();
        let mut settings = Settings::in_folder(&folder, toolchain);
        settings.hosts = [("github.com".to_owned(), hosted)].into();
        settings.npm_configs = npm_configs();
        settings
    }

    /// As [`Origin::settings`], with every build in a sealed jail.
    pub(crate) fn sealed_settings(&self, name: &str) -> Settings {
        let mut settings = self.settings(name);
        settings.jail = Arc::new(Sealed::new(launcher()));
        settings
    }

    /// What all that belongs to it is in.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn compiler(&self) -> Compiler {
        compiler(self.settings("compiler"))
    }
}

/// This machine's own way to npm's registry.
fn npm_configs() -> Vec<PathBuf> {
    static FOUND: OnceLock<Vec<PathBuf>> = OnceLock::new();
    let ask = |which: &str| {
        let said = Command::new("npm").args(["config", "get", which]).output();
        let path = String::from_utf8(said.unwrap().stdout).unwrap();
        PathBuf::from(path.trim())
    };
    let found = FOUND.get_or_init(|| ["globalconfig", "userconfig"].map(ask).to_vec());
    found
        .iter()
        .filter(|path| path.is_file())
        .cloned()
        .collect()
}

/// The program that makes rooms.
pub(crate) fn launcher() -> Launcher {
    Launcher {
        path: env!("CARGO_BIN_EXE_outlayer-room").into(),
        args: Vec::new(),
    }
}

pub(crate) fn compiler(settings: Settings) -> Compiler {
    Compiler::new(settings, SystemClock::shared()).unwrap()
}

/// Resolves and compiles.
pub(crate) async fn build(
    compiler: &Compiler,
    repo: &str,
    commit: &str,
) -> Result<Artifact, Error> {
    let source = compiler.resolve(&git_hub(repo, commit)).await?;
    compiler.compile(&source).await
}

pub(crate) fn git_hub(repo: &str, commit: &str) -> CodeSource {
    CodeSource::GitHub(GitHub {
        repo: repo.to_owned(),
        commit: commit.to_owned(),
        build_target: BuildTarget::Wasip1,
    })
}

/// The commit that a name resolves to.
pub(crate) async fn commit_of(
    compiler: &Compiler,
    repo: &str,
    name: &str,
) -> Result<String, Error> {
    match compiler.resolve(&git_hub(repo, name)).await? {
        ResolvedSource::Commit { commit, .. } => Ok(commit.to_string()),
        ResolvedSource::Module(_) => unreachable!("a repository was asked for"),
    }
}

/// A repository that a test writes.
pub(crate) struct Repository {
    folder: PathBuf,
}

impl Repository {
    /// Writes `files` over what is there, commits and returns the commit.
    pub(crate) fn commit(&self, files: &[(&str, &str)]) -> String {
        for (path, text) in files {
            let path = self.folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message=change"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Commits a guest without dependencies whose `main.rs` is `main`.
    pub(crate) fn commit_guest(&self, main: &str) -> String {
        self.commit(&[
            ("Cargo.toml", MANIFEST),
            ("Cargo.lock", LOCK),
            ("src/main.rs", main),
        ])
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs git in the repository and returns what it prints.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.git_reading(args, "")
    }

    /// Runs git, which reads `input`, in the repository and returns what it prints.
    pub(crate) fn git_reading(&self, args: &[&str], input: &str) -> String {
        let mut git = Command::new("git")
            .args([
                "-c",
                "user.name=Alice",
                "-c",
                "user.email=alice@example.com",
            ])
            .args(args)
            .current_dir(&self.folder)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        git.stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let output = git.wait_with_output().unwrap();
        assert!(output.status.success(), "git {args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}
