//! Branches as git itself tells them, of repositories in a folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use coordinator::branches::{GitHosts, Heads};
use coordinator::parts::{ReadBranches as _, Unread};
use protocol::CommitHash;
use reqwest::Url;
use tempfile::TempDir;

/// Repositories in the place of GitHub's.
struct Hosted {
    folder: TempDir,
    hosts: GitHosts,
}

impl Hosted {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = Url::from_directory_path(folder.path()).unwrap();
        let hosts = BTreeMap::from([("github.com".to_owned(), url)]);
        let path = std::env::var_os("PATH").unwrap().into_string().unwrap();
        let env = BTreeMap::from([("PATH".to_owned(), path)]);
        Self {
            hosts: GitHosts::new(hosts, env),
            folder,
        }
    }

    /// Runs git in a repository, which is made if it is not there; what it prints.
    fn git(&self, repo: &str, args: &[&str]) -> String {
        let folder = self.folder.path().join(repo);
        if !folder.exists() {
            std::fs::create_dir_all(&folder).unwrap();
            git_in(&folder, &["init", "--quiet", "--initial-branch=trunk"]);
        }
        git_in(&folder, args)
    }

    fn commit(&self, repo: &str) -> CommitHash {
        self.git(
            repo,
            &["commit", "--quiet", "--allow-empty", "--message=more"],
        );
        self.git(repo, &["rev-parse", "HEAD"])
            .trim()
            .parse()
            .unwrap()
    }

    async fn heads(&self, repo: &str) -> Result<Heads, Unread> {
        self.hosts.heads(&repo.parse().unwrap()).await
    }
}

fn git_in(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@localhost"])
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn git_tells_each_branch_and_which_is_the_default_one() {
    let hosted = Hosted::new();
    let first = hosted.commit("alice/app");
    hosted.git("alice/app", &["branch", "main"]);
    hosted.git("alice/app", &["branch", "feature/x"]);
    hosted.git("alice/app", &["tag", "v1"]);
    let second = hosted.commit("alice/app");
    hosted.git("alice/app", &["branch", "a"]);

    let heads = hosted.heads("alice/app").await.unwrap();

    let branch_at = |commit| heads.branch_at(commit).map(ToString::to_string);
    assert_eq!(
        heads.default.as_ref().map(ToString::to_string).as_deref(),
        Some("trunk")
    );
    assert_eq!(heads.commits.len(), 4);
    assert_eq!(branch_at(&first).as_deref(), Some("main"));
    assert_eq!(branch_at(&second).as_deref(), Some("trunk"));
    assert!(heads.named(&"feature/x".parse().unwrap()).is_some());
    assert!(heads.named(&"v1".parse().unwrap()).is_none());
}

#[tokio::test]
async fn an_empty_repository_has_no_branch_and_a_missing_one_is_missing() {
    let hosted = Hosted::new();
    hosted.git("alice/empty", &["status"]);

    let empty = hosted.heads("alice/empty").await;
    let missing = hosted.heads("alice/missing").await;
    let elsewhere = hosted.heads("gitlab.com/alice/app").await;

    assert!(empty.unwrap().commits.is_empty());
    assert_eq!(missing, Err(Unread::NoSuchRepository));
    assert_eq!(elsewhere, Err(Unread::UnknownHost));
}

#[tokio::test]
async fn more_questions_than_are_asked_at_once_are_all_answered() {
    let hosted = Hosted::new();
    let commit = hosted.commit("alice/app");

    let answers = futures::future::join_all((0..10).map(|_| hosted.heads("alice/app"))).await;

    for heads in answers {
        assert!(heads.unwrap().branch_at(&commit).is_some());
    }
}

#[tokio::test]
async fn a_git_that_cannot_be_run_or_has_no_answer_is_no_missing_repository() {
    let folder = tempfile::tempdir().unwrap();
    let url = Url::from_directory_path(folder.path()).unwrap();
    let empty = folder.path().to_str().unwrap().to_owned();
    let env = BTreeMap::from([("PATH".to_owned(), empty)]);
    let without_git = GitHosts::new(BTreeMap::from([("github.com".to_owned(), url)]), env);
    let closed: Url = "http://127.0.0.1:1/".parse().unwrap();
    let path = std::env::var_os("PATH").unwrap().into_string().unwrap();
    let hosts = BTreeMap::from([("github.com".to_owned(), closed)]);
    let out_of_reach = GitHosts::new(hosts, BTreeMap::from([("PATH".to_owned(), path)]));
    let repo = "alice/app".parse().unwrap();

    let not_run = without_git.heads(&repo).await;
    let not_reached = out_of_reach.heads(&repo).await;

    assert!(
        matches!(not_run, Err(Unread::Unavailable(_))),
        "{not_run:?}"
    );
    assert!(
        matches!(not_reached, Err(Unread::Unavailable(_))),
        "{not_reached:?}"
    );
}
