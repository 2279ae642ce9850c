//! What is true of many executions: each gets its own answer, and compiled code is found again.

use std::fs;
use std::sync::Arc;

use executor::{Executor, Outcome, Run};

use crate::{Bench, fixed, guest, module, settings};

const NOTHING: &str = r#"(module (func (export "_start")))"#;

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
    let next = Executor::new(&settings(bench.cache.path())).unwrap();
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
    assert_eq!(files().len(), 1);

    for file in files() {
        fs::write(&file, b"something else").unwrap();
    }
    let next = Executor::new(&settings(bench.cache.path())).unwrap();
    let tampered = next.execute(&artifact, fixed()).await.unwrap();
    for file in files() {
        fs::remove_file(&file).unwrap();
    }
    let next = Executor::new(&settings(bench.cache.path())).unwrap();
    let removed = next.execute(&artifact, fixed()).await.unwrap();

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
    settings.compiler.path = "/nonexistent/outlayer".into();
    let executor = Executor::new(&settings).unwrap();

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
    settings.compiler.path = "/bin/sh".into();
    settings.compiler.args = vec!["-c".into(), "cat >/dev/null; yes babble".into()];
    let executor = Executor::new(&settings).unwrap();

    let error = executor
        .execute(&module(NOTHING), fixed())
        .await
        .unwrap_err();

    assert!(matches!(error, executor::Error::Process(_)), "{error}");
}
