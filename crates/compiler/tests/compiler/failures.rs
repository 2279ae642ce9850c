//! Sources that cannot be built: each has its code, a safe sentence, and logs that stay hidden.

use std::time::Duration;

use compiler::Compiler;
use protocol::{FailureCode, Fault};

use crate::origin::{LOCK, MANIFEST, Origin, build, compiler};

/// Paths, each with what the file holds.
type Files<'a> = &'a [(&'a str, &'a str)];

async fn code_of(compiler: &Compiler, repo: &str, commit: &str) -> FailureCode {
    build(compiler, repo, commit).await.unwrap_err().code()
}

#[tokio::test]
async fn code_that_does_not_compile_is_the_authors_fault_and_what_rustc_says_stays_hidden() {
    let origin = Origin::new();
    let commit = origin
        .repository("acme/ark")
        .commit_guest("fn main() { a_secret_name() }");

    let error = build(&origin.compiler(), "acme/ark", &commit)
        .await
        .unwrap_err();

    assert_eq!(error.code(), FailureCode::RustCompilationError);
    assert_eq!(error.fault(), Fault::Guest);
    assert!(
        error.to_string().ends_with("first at src/main.rs:1:13"),
        "{error}"
    );
    assert!(error.hidden_logs().contains("a_secret_name"));
    assert!(!format!("{error} {error:?}").contains("a_secret_name"));
}

#[tokio::test]
async fn a_build_script_that_fails_is_told_from_code_that_does_not_compile() {
    let origin = Origin::new();
    let repository = origin.repository("acme/ark");
    repository.commit_guest("fn main() {}");
    repository.commit(&[("build.rs", "fn main() { panic!(\"connection refused\") }")]);

    let code = code_of(&origin.compiler(), "acme/ark", "main").await;

    assert_eq!(code, FailureCode::BuildScriptError);
}

#[tokio::test]
async fn packages_that_are_not_whole_have_their_codes() {
    let origin = Origin::new();
    let with_dependency = format!("{MANIFEST}\n[dependencies]\nmissing = {{ path = 'missing' }}\n");
    let stale_lock = format!("{MANIFEST}\n[dependencies]\nitoa = '1'\n");
    let main = ("src/main.rs", "fn main() {}");
    let packages: [(&str, Files<'_>, FailureCode); 6] = [
        (
            "acme/empty",
            &[("README.md", "x")],
            FailureCode::CompilationError,
        ),
        (
            "acme/malformed",
            &[("Cargo.toml", "[package"), ("Cargo.lock", LOCK), main],
            FailureCode::CompilationError,
        ),
        (
            "acme/unlocked",
            &[("Cargo.toml", MANIFEST), main],
            FailureCode::LockfileMissing,
        ),
        (
            "acme/missing",
            &[("Cargo.toml", &with_dependency), ("Cargo.lock", LOCK), main],
            FailureCode::DependencyNotFound,
        ),
        (
            "acme/stale",
            &[("Cargo.toml", &stale_lock), ("Cargo.lock", LOCK), main],
            FailureCode::DependencyNotFound,
        ),
        (
            "acme/library",
            &[
                ("Cargo.toml", MANIFEST),
                ("Cargo.lock", LOCK),
                ("src/lib.rs", ""),
            ],
            FailureCode::NoArtifact,
        ),
    ];
    let compiler = origin.compiler();

    for (repo, files, code) in packages {
        origin.repository(repo).commit(files);
        let error = build(&compiler, repo, "main").await.unwrap_err();

        assert_eq!(error.code(), code, "{repo}: {}", error.hidden_logs());
    }
}

#[tokio::test]
async fn a_commit_that_is_on_no_branch_or_tag_is_not_found() {
    let origin = Origin::new();
    let repository = origin.repository("acme/ark");
    repository.commit_guest("fn main() {}");
    // As a pull request from a stranger's fork lies in the same store.
    repository.git(&["checkout", "--quiet", "-b", "fork"]);
    let strangers = repository.commit_guest("fn main() { println!(\"evil\") }");
    repository.git(&["update-ref", "refs/pull/1/head", &strangers]);
    repository.git(&["checkout", "--quiet", "main"]);
    repository.git(&["branch", "--quiet", "-D", "fork"]);
    let compiler = origin.compiler();

    let strangers = code_of(&compiler, "acme/ark", &strangers).await;
    let made_up = code_of(&compiler, "acme/ark", &"1".repeat(40)).await;

    assert_eq!(strangers, FailureCode::CommitNotFound);
    assert_eq!(made_up, FailureCode::CommitNotFound);
}

#[tokio::test]
async fn a_repository_that_grows_when_it_is_checked_out_is_refused() {
    let origin = Origin::new();
    let repository = origin.repository("acme/bomb");
    let leaf = "x".repeat(1000);
    repository.commit(&[("leaf", &leaf)]);
    // Each folder holds the one below it ten times.
    let mut tree = repository.git(&["rev-parse", "HEAD^{tree}"]);
    for _ in 0..6 {
        let entries: Vec<_> = (0..10)
            .map(|n| format!("040000 tree {tree}\t{n}\n"))
            .collect();
        tree = repository.git_reading(&["mktree"], &entries.concat());
    }
    let commit = repository.git(&["commit-tree", "-m", "bomb", &tree]);
    repository.git(&["update-ref", "refs/heads/main", &commit]);

    let error = build(&origin.compiler(), "acme/bomb", &commit)
        .await
        .unwrap_err();

    assert_eq!(error.code(), FailureCode::SourceTooLarge);
}

#[tokio::test]
async fn a_build_that_takes_too_long_is_killed_with_all_that_it_started() {
    let origin = Origin::new();
    let repository = origin.repository("acme/ark");
    // A number of seconds that names the sleeper among all processes of the machine.
    let sleeper = format!("86{}", std::process::id());
    let script =
        "fn main() { std::process::Command::new(\"sleep\").arg(\"SECONDS\").status().unwrap(); }";
    repository.commit_guest("fn main() {}");
    repository.commit(&[("build.rs", &script.replace("SECONDS", &sleeper))]);
    let mut settings = origin.settings("compiler");
    settings.limits.build = Duration::from_secs(3);
    let work = settings.work.clone();

    let code = code_of(&compiler(settings), "acme/ark", "main").await;

    assert_eq!(code, FailureCode::CompilationTimedOut);
    let all_dead = async {
        while is_alive(&sleeper) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), all_dead)
        .await
        .unwrap();
    assert_eq!(std::fs::read_dir(work).unwrap().count(), 0);
}

/// Whether a process lives whose command line ends in `last`.
fn is_alive(last: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|process| std::fs::read_to_string(process.path().join("cmdline")).ok())
        .any(|line| line.trim_end_matches('\0').ends_with(last))
}
