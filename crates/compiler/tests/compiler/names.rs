//! Branches, tags and commits.

use protocol::FailureCode;

use crate::origin::{Origin, commit_of};

#[tokio::test]
async fn a_branch_that_moves_resolves_to_its_new_commit() {
    let origin = Origin::new();
    let repository = origin.repository("acme/ark");
    let compiler = origin.compiler();

    let first = repository.commit(&[("a", "1")]);
    let before = commit_of(&compiler, "https://github.com/acme/ark", "main").await;
    let second = repository.commit(&[("a", "2")]);
    let after = commit_of(&compiler, "https://github.com/acme/ark", "main").await;

    assert_eq!(
        (before.unwrap(), after.unwrap()),
        (first.clone(), second.clone())
    );
    assert_ne!(first, second);
}

#[tokio::test]
async fn tags_and_the_default_branch_resolve_to_commits() {
    let origin = Origin::new();
    let repository = origin.repository("acme/ark");
    let compiler = origin.compiler();
    let first = repository.commit(&[("a", "1")]);
    repository.git(&["tag", "light"]);
    repository.git(&["tag", "--annotate", "--message=x", "annotated"]);
    let second = repository.commit(&[("a", "2")]);

    let light = commit_of(&compiler, "acme/ark.git", "light").await;
    let annotated = commit_of(&compiler, "github.com/acme/ark", "annotated").await;
    let head = commit_of(&compiler, "acme/ark", "HEAD").await;

    assert_eq!(light.unwrap(), first);
    assert_eq!(annotated.unwrap(), first);
    assert_eq!(head.unwrap(), second);
}

#[tokio::test]
async fn a_full_commit_is_taken_as_it_is() {
    let compiler = Origin::new().compiler();
    let commit = "0123456789ABCDEF0123456789abcdef01234567";

    let resolved = commit_of(&compiler, "acme/nowhere", commit).await;

    assert_eq!(resolved.unwrap(), commit.to_lowercase());
}

#[tokio::test]
async fn names_and_repositories_that_are_not_there_are_told_apart() {
    let origin = Origin::new();
    origin.repository("acme/ark").commit(&[("a", "1")]);
    let compiler = origin.compiler();
    let asked = [
        ("acme/ark", "no-such-branch", FailureCode::CommitNotFound),
        ("acme/ark", "--upload-pack=id", FailureCode::CommitNotFound),
        ("acme/ark", "", FailureCode::CommitNotFound),
        ("acme/nowhere", "main", FailureCode::RepositoryNotFound),
        (
            "git@github.com:acme/ark.git",
            "main",
            FailureCode::InvalidRepositoryUrl,
        ),
        (
            "https://gitlab.com/acme/ark",
            "main",
            FailureCode::InvalidRepositoryUrl,
        ),
    ];

    for (repo, name, code) in asked {
        let error = commit_of(&compiler, repo, name).await.unwrap_err();

        assert_eq!(error.code(), code, "{repo} {name}: {}", error.hidden_logs());
    }
}
