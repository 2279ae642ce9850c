//! Local git repositories made from folders of sources, in the place of GitHub.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

/// A folder that stands for a host: `{folder}/{owner}/{repo}` is the repository `https://github.com/{owner}/{repo}`.
#[derive(Clone, Debug)]
pub struct Repositories {
    folder: PathBuf,
}

impl Repositories {
    /// Repositories below `folder`.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where they are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Commits `files` as the whole content of `owner/repo`, which is made if it is not there; the new commit.
    pub async fn commit(&self, repo: &str, files: &[(&str, &[u8])]) -> Result<String> {
        let folder = self.folder.join(repo);
        if !folder.join(".git").exists() {
            std::fs::create_dir_all(&folder)
                .with_context(|| format!("make {}", folder.display()))?;
            git(&folder, &["init", "--quiet", "--initial-branch=main"]).await?;
        }
        for (path, contents) in files {
            let path = folder.join(path);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(&path, contents).with_context(|| format!("write {}", path.display()))?;
        }
        git(&folder, &["add", "--all"]).await?;
        let message = [
            "commit",
            "--quiet",
            "--allow-empty",
            "--message=The sources",
        ];
        git(&folder, &message).await?;
        let head = git(&folder, &["rev-parse", "HEAD"]).await?;
        Ok(head.trim().to_owned())
    }

    /// Puts the commits that follow on a branch, which is made where the repository stands if it is not there.
    pub async fn switch(&self, repo: &str, branch: &str) -> Result<()> {
        let folder = self.folder.join(repo);
        let there = git(&folder, &["branch", "--list", branch]).await?;
        let how = if there.is_empty() { &["-b"][..] } else { &[] };
        let args = [&["checkout", "--quiet"], how, &[branch]].concat();
        git(&folder, &args).await.map(drop)
    }
}

/// Runs git with nothing of the user's configuration, under a fixed name and at a fixed time, so that the same sources
/// give the same commit everywhere.
async fn git(folder: &Path, args: &[&str]) -> Result<String> {
    let output = Command::new("git")
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "outlayer")
        .env("GIT_AUTHOR_EMAIL", "outlayer@localhost")
        .env("GIT_COMMITTER_NAME", "outlayer")
        .env("GIT_COMMITTER_EMAIL", "outlayer@localhost")
        .env("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z")
        .env("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z")
        .output()
        .await
        .context("git is needed; install it with the system's package manager")?;
    ensure!(
        output.status.success(),
        "git {} failed: {}",
        args.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8(output.stdout)?)
}
