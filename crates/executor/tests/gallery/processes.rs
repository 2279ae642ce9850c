//! What is true of the processes: none stays, whatever a guest does and whoever kills it.

use std::path::Path;
use std::time::Duration;

use executor::{Artifact, Clock, Executor, Limits, Outcome, Run, Seed, TrapKind};

use crate::TURN;
use crate::tree::descendants;

const ENDLESS: &str = r#"(module (func (export "_start") (loop $again (br $again))))"#;
const NOTHING: &str = r#"(module (func (export "_start")))"#;

fn executor(cache: &Path) -> Executor {
    crate::executor(cache, executor::Engine::Tiered)
}

fn module(text: &str) -> Artifact {
    Artifact::from_bytes(wat::parse_str(text).unwrap())
}

fn run(wall: Duration) -> Run {
    let limits = Limits {
        instructions: u64::MAX,
        wall,
        ..Limits::default()
    };
    Run {
        clock: Clock::Fixed(0),
        ..Run::new(Vec::new(), limits, Seed([7; 32]))
    }
}

/// The process that is working: the one that has used the most of the processor.
fn busy() -> Option<u32> {
    let living = descendants().into_iter().filter(|(_, it)| !it.is_zombie);
    let (pid, process) = living.max_by_key(|(_, process)| process.ticks)?;
    (process.ticks >= 5).then_some(pid)
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

/// Kills a process, which may have ended by itself.
fn kill(pid: u32) {
    std::process::Command::new("kill")
        .args(["-9", &pid.to_string()])
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
}

#[tokio::test]
async fn a_killed_guest_leaves_no_process_and_no_zombie() {
    let _turn = TURN.lock().await;
    let cache = tempfile::tempdir().unwrap();
    let executor = executor(cache.path());
    let artifact = module(ENDLESS);
    executor.warm(&artifact).await.unwrap();
    until("better code is not made", || !executor.is_improving()).await;

    let execution = executor.execute(&artifact, run(Duration::from_millis(200)));
    let execution = execution.await.unwrap();

    assert_eq!(execution.outcome, Outcome::OutOfTime);
    until("the guest stays", || busy().is_none()).await;
    until("a zombie stays", || {
        descendants().values().all(|process| !process.is_zombie)
    })
    .await;
}

#[tokio::test]
async fn an_execution_that_nobody_waits_for_any_more_is_killed() {
    let _turn = TURN.lock().await;
    let cache = tempfile::tempdir().unwrap();
    let executor = executor(cache.path());
    let artifact = module(ENDLESS);
    executor.warm(&artifact).await.unwrap();
    let mut running = Box::pin(executor.execute(&artifact, run(Duration::from_secs(60))));
    tokio::select! {
        _ = &mut running => panic!("it ended by itself"),
        () = until("no guest runs", || busy().is_some()) => {}
    }

    drop(running);

    until("the guest stays", || busy().is_none()).await;
}

#[tokio::test]
async fn a_guest_that_is_killed_by_another_hand_is_run_again_and_one_that_always_falls_has_trapped()
{
    let _turn = TURN.lock().await;
    let cache = tempfile::tempdir().unwrap();
    let executor = executor(cache.path());
    let artifact = module(ENDLESS);
    executor.warm(&artifact).await.unwrap();
    let running = executor.execute(&artifact, run(Duration::from_secs(60)));

    let killing = async {
        let mut last = None;
        for _ in 0..2 {
            let mut found = None;
            until("no guest runs", || {
                found = busy().filter(|pid| Some(*pid) != last);
                found.is_some()
            })
            .await;
            kill(found.unwrap());
            last = found;
        }
    };
    let (execution, ()) = tokio::join!(running, killing);

    let execution = execution.unwrap();
    let limits = run(Duration::from_secs(60)).limits;
    assert_eq!(execution.instructions, limits.instructions);
    assert!(
        matches!(
            execution.outcome,
            Outcome::Trapped {
                kind: TrapKind::Crash,
                ..
            }
        ),
        "{:?}",
        execution.outcome
    );
}

#[tokio::test]
async fn when_its_servers_are_killed_an_executor_starts_others() {
    let _turn = TURN.lock().await;
    let cache = tempfile::tempdir().unwrap();
    let executor = executor(cache.path());
    let artifact = module(NOTHING);
    for _ in 0..5 {
        let execution = executor.execute(&artifact, run(Duration::from_secs(60)));
        assert_eq!(execution.await.unwrap().outcome, Outcome::Returned);
    }

    until("a process lives on", || {
        // One that was just being started is not there the first time.
        let living = descendants().into_iter().filter(|(_, it)| !it.is_zombie);
        living.map(|(pid, _)| kill(pid)).count() == 0
    })
    .await;
    let execution = executor.execute(&artifact, run(Duration::from_secs(60)));

    assert_eq!(execution.await.unwrap().outcome, Outcome::Returned);
}

#[tokio::test]
async fn an_executor_that_is_gone_leaves_no_process() {
    let _turn = TURN.lock().await;
    let cache = tempfile::tempdir().unwrap();
    let executor = executor(cache.path());
    let artifact = module(NOTHING);
    for _ in 0..5 {
        let execution = executor.execute(&artifact, run(Duration::from_secs(60)));
        assert_eq!(execution.await.unwrap().outcome, Outcome::Returned);
    }

    drop(executor);

    until("a process stays", || descendants().is_empty()).await;
}
