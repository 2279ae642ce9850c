//! What is true of the processes: none stays, many run at once, compiled code is found again.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use executor::{Clock, Executor, Limits, Outcome, Run};

use crate::{Bench, fixed, guest, module, settings};

const ENDLESS: &str = r#"(module (func (export "_start") (loop $again (br $again))))"#;
const NOTHING: &str = r#"(module (func (export "_start")))"#;

/// The children of this process by their marker, an environment being cleared and arguments being seen by all.
///
/// Zombies count: they keep the name of their program.
fn children(marker: &str) -> BTreeSet<u32> {
    let me = std::process::id().to_string();
    let mut found = BTreeSet::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat
            .rsplit(')')
            .next()
            .and_then(|rest| rest.split_whitespace().nth(1));
        let command = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        if parent == Some(&me) && (command.contains(marker) || stat.contains(") Z ")) {
            found.insert(pid);
        }
    }
    found
}

/// An executor whose children bear a mark in their arguments.
fn marked(marker: &str) -> Bench {
    let cache = tempfile::tempdir().unwrap();
    let mut settings = settings(cache.path());
    settings.child.args = vec![marker.into()];
    Bench {
        executor: Executor::new(settings).unwrap(),
        cache,
    }
}

fn unlimited(wall: Duration) -> Run {
    Run {
        clock: Clock::System,
        limits: Limits {
            instructions: u64::MAX,
            wall,
            ..fixed().limits
        },
        ..fixed()
    }
}

/// Waits until `done`, or fails when it takes longer than anything here may.
///
/// The kernel's list of processes tells nobody when it changes, so it is looked at again and again.
async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let waiting = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    waited.unwrap_or_else(|_| panic!("{what}"));
}

#[tokio::test]
async fn a_killed_guest_leaves_no_process_and_no_zombie() {
    let bench = marked("--mark=killed");

    let execution = bench
        .run(ENDLESS, unlimited(Duration::from_millis(200)))
        .await;

    assert_eq!(execution.outcome, Outcome::OutOfTime);
    assert_eq!(children("--mark=killed"), BTreeSet::new());
}

#[tokio::test]
async fn an_execution_that_nobody_waits_for_any_more_is_killed() {
    let bench = marked("--mark=dropped");
    let artifact = module(ENDLESS);
    bench.executor.warm(&artifact).await.unwrap();
    let mut running = Box::pin(
        bench
            .executor
            .execute(&artifact, unlimited(Duration::from_secs(60))),
    );
    tokio::select! {
        _ = &mut running => panic!("it ended by itself"),
        () = until("no child", || !children("--mark=dropped").is_empty()) => {}
    }

    drop(running);

    until("a child stays", || children("--mark=dropped").is_empty()).await;
}

#[tokio::test]
async fn a_child_that_is_killed_by_another_hand_is_our_failure_and_retryable() {
    let bench = marked("--mark=murdered");
    let artifact = module(ENDLESS);
    bench.executor.warm(&artifact).await.unwrap();
    let running = bench
        .executor
        .execute(&artifact, unlimited(Duration::from_secs(60)));

    let killing = async {
        until("no child", || !children("--mark=murdered").is_empty()).await;
        for child in children("--mark=murdered") {
            let killed = std::process::Command::new("kill")
                .args(["-9", &child.to_string()])
                .status();
            assert!(killed.unwrap().success());
        }
    };
    let (result, ()) = tokio::join!(running, killing);

    let error = result.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert!(matches!(error, executor::Error::Died { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_run_at_once_and_each_gets_its_own_answer() {
    let bench = Arc::new(Bench::new());
    let text = guest(
        r#"(func (export "_start")
            (i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (i32.const 100))
            (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
            (call $print (i32.const 1) (i32.const 100) (i32.load (i32.const 8))))"#,
    );
    let artifact = module(&text);

    let running: Vec<_> = (0..40)
        .map(|number: u32| {
            let (bench, artifact) = (Arc::clone(&bench), artifact.clone());
            tokio::spawn(async move {
                let input = format!("number {number}").into_bytes();
                let run = Run {
                    input: input.clone(),
                    ..fixed()
                };
                (input, bench.executor.execute(&artifact, run).await.unwrap())
            })
        })
        .collect();

    let mut compiled = 0;
    for execution in running {
        let (input, execution) = execution.await.unwrap();
        assert_eq!(execution.outcome, Outcome::Returned);
        assert_eq!(execution.stdout, input);
        compiled += u32::from(execution.compile.is_some());
    }
    assert_eq!(compiled, 1, "only the first compiles");
}

#[tokio::test]
async fn compiled_code_is_found_again_also_by_the_next_executor() {
    let bench = Bench::new();
    let artifact = module(NOTHING);

    let first = bench.executor.execute(&artifact, fixed()).await.unwrap();
    let second = bench.executor.execute(&artifact, fixed()).await.unwrap();
    let next = Executor::new(settings(bench.cache.path())).unwrap();
    let third = next.execute(&artifact, fixed()).await.unwrap();

    assert!(first.compile.is_some());
    assert_eq!(second.compile, None);
    assert_eq!(third.compile, None);
    assert_eq!(third.outcome, Outcome::Returned);
}

#[tokio::test]
async fn code_that_was_tampered_with_or_removed_is_made_anew() {
    let bench = Bench::new();
    let artifact = module(NOTHING);
    bench.executor.execute(&artifact, fixed()).await.unwrap();
    let files = || {
        fs::read_dir(bench.cache.path())
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect::<Vec<_>>()
    };
    assert_eq!(files().len(), 2);

    for file in files() {
        fs::write(&file, b"something else").unwrap();
    }
    let tampered = bench.executor.execute(&artifact, fixed()).await.unwrap();
    for file in files() {
        fs::remove_file(&file).unwrap();
    }
    let removed = bench.executor.execute(&artifact, fixed()).await.unwrap();

    assert!(tampered.compile.is_some());
    assert!(removed.compile.is_some());
    assert_eq!(removed.outcome, Outcome::Returned);
}

#[tokio::test]
async fn an_artifact_in_a_file_is_checked_against_its_hash() {
    let bench = Bench::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("guest.wasm");
    let wasm = wat::parse_str(NOTHING).unwrap();
    let sha256 = executor::Artifact::from_bytes(wasm.clone()).sha256();
    fs::write(&path, &wasm).unwrap();

    let wrong = executor::Artifact::from_file(&path, [0; 32]);
    let right = executor::Artifact::from_file(&path, sha256);

    let error = bench.executor.execute(&wrong, fixed()).await.unwrap_err();
    assert!(
        matches!(
            error,
            executor::Error::Files {
                what: "artifact",
                ..
            }
        ),
        "{error}"
    );
    let execution = bench.executor.execute(&right, fixed()).await.unwrap();
    assert_eq!(execution.outcome, Outcome::Returned);
}

#[tokio::test]
async fn a_program_that_is_not_there_is_our_failure() {
    let cache = tempfile::tempdir().unwrap();
    let mut settings = settings(cache.path());
    settings.child.path = "/nonexistent/outlayer".into();
    let executor = Executor::new(settings).unwrap();

    let error = executor
        .execute(&module(NOTHING), fixed())
        .await
        .unwrap_err();

    assert!(matches!(error, executor::Error::Process(_)), "{error}");
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_program_that_babbles_is_our_failure() {
    let cache = tempfile::tempdir().unwrap();
    let mut settings = settings(cache.path());
    settings.child.path = "/bin/sh".into();
    settings.child.args = vec!["-c".into(), "cat >/dev/null; yes babble".into()];
    let executor = Executor::new(settings).unwrap();

    let error = executor
        .execute(&module(NOTHING), fixed())
        .await
        .unwrap_err();

    assert!(matches!(error, executor::Error::Process(_)), "{error}");
}
