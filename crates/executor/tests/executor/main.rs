//! The executor from outside: real child processes, guests written by hand.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on stops"
)]

mod compiled;
mod components;
mod gas;
mod hostile;
mod lines;
mod outcomes;
mod rustc;
mod wasi;

use std::path::Path;
use std::time::Duration;

use executor::{
    Artifact, Clock, Engine, Execution, Executor, Limits, Outcome, Program, Run, Seed, Settings,
};

/// An executor with a cache of its own.
struct Bench {
    executor: Executor,
    cache: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let cache = tempfile::tempdir().unwrap();
        Self {
            executor: Executor::new(&settings(cache.path())).unwrap(),
            cache,
        }
    }

    async fn run(&self, text: &str, run: Run) -> Execution {
        self.executor.execute(&module(text), run).await.unwrap()
    }
}

fn settings(cache: &Path) -> Settings {
    let child = Program {
        path: env!("CARGO_BIN_EXE_outlayer-compiler").into(),
        args: Vec::new(),
    };
    Settings {
        // One form of each module, so that a test knows what is in the cache.
        engine: Engine::Cranelift,
        ..Settings::new(child, cache)
    }
}

fn module(text: &str) -> Artifact {
    Artifact::from_bytes(wat::parse_str(text).unwrap())
}

/// A run that repeats itself, under limits that no well-behaved guest here meets.
fn fixed() -> Run {
    Run {
        clock: Clock::Fixed(1_700_000_000_000_000_000),
        ..Run::new(
            Vec::new(),
            Limits {
                instructions: 1_000_000,
                memory_bytes: 4 << 20,
                wall: Duration::from_secs(60),
                stdout_bytes: 1_000,
                stderr_bytes: 100,
            },
            Seed([7; 32]),
        )
    }
}

/// A module whose `_start` is `body`, with a page of memory and what most guests import.
fn guest(body: &str) -> String {
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (func $print (param $fd i32) (param $at i32) (param $length i32)
                (i32.store (i32.const 0) (local.get $at))
                (i32.store (i32.const 4) (local.get $length))
                (if (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))
                    (then (unreachable))))
            {body})"#
    )
}

/// The kind of a trap, or a panic that names what came instead.
fn trap(execution: &Execution) -> executor::TrapKind {
    match &execution.outcome {
        Outcome::Trapped { kind, .. } => *kind,
        other => panic!("not a trap: {other:?}"),
    }
}
