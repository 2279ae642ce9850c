//! What a fresh process for every execution costs, against a bare new process measured in the same run.
//!
//! `cargo run --release -p executor --example processes`; see `cargo xtask bench exec`.
#![expect(clippy::print_stdout, reason = "a bench speaks to its caller")]
#![expect(
    clippy::float_arithmetic,
    clippy::arithmetic_side_effects,
    reason = "ratios of times"
)]

mod large;
mod times;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use executor::{Artifact, Clock, Engine, Executor, Limits, Outcome, Program, Run, Seed, Settings};
use times::Times;
use tokio::time::Instant;

/// Executions that are not counted: they warm the caches and make the guest hot.
const WARM_UP: usize = 200;

/// Executions of each kind.
const RUNS: usize = 4_000;

/// Executions at the same time, where throughput is measured.
const LANES: usize = 8;

/// Guests that are killed after their deadline.
const KILLS: usize = 300;

/// Modules that were never seen before.
const NEVER_SEEN: usize = 7;

type Outcomes<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Outcomes<ExitCode> {
    // An executor starts this program to compile a module.
    if std::env::args().nth(1).as_deref() == Some("compile") {
        return Ok(executor::child::main());
    }
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(measure())?;
    Ok(ExitCode::SUCCESS)
}

async fn measure() -> Outcomes<()> {
    let folder = tempfile::tempdir()?;
    let bare = bare(folder.path())?;
    println!("bare fork, exec and wait of a static program: {bare}");
    let hot = one_after_another(&executor(folder.path(), 8)?).await?;
    row("hot guest, fresh process", &hot, Some(&bare), "<= 1.5 / 4");
    let cold = one_after_another(&executor(folder.path(), 0)?).await?;
    row(
        "artifact in the cache, not loaded",
        &cold,
        Some(&bare),
        "<= 5",
    );
    let rate = side_by_side(&executor(folder.path(), 8)?).await?;
    println!("executions of a hot guest that does nothing: {rate:.0}/s (>= 5000)");
    let late = kills(&executor(folder.path(), 8)?).await?;
    println!("killed after its deadline with 64 MB touched: {late} (p99 <= 8 ms)");
    let first = large::first_results(folder.path(), NEVER_SEEN).await?;
    println!("{first}");
    Ok(())
}

fn row(what: &str, times: &Times, bare: Option<&Times>, target: &str) {
    let ratios = bare.map_or_else(String::new, |bare| {
        format!(
            "; p50 {:.2}, p99 {:.2} times a bare process ({target})",
            times.at(0.5).as_secs_f64() / bare.at(0.5).as_secs_f64(),
            times.at(0.99).as_secs_f64() / bare.at(0.5).as_secs_f64(),
        )
    });
    println!("{what}: {times}{ratios}");
}

fn executor(folder: &Path, hot: usize) -> Outcomes<Executor> {
    Ok(Executor::new(&Settings {
        hot,
        ..settings(folder, Engine::Cranelift)?
    })?)
}

fn settings(folder: &Path, engine: Engine) -> Outcomes<Settings> {
    let compiler = Program {
        path: std::env::current_exe()?,
        args: vec!["compile".into()],
    };
    Ok(Settings {
        engine,
        ..Settings::new(compiler, folder.join("compiled"))
    })
}

fn run(wall: Duration) -> Run {
    let limits = Limits {
        instructions: u64::MAX,
        wall,
        ..Limits::default()
    };
    Run {
        clock: Clock::Fixed(0),
        ..Run::new(*b"input", limits, Seed([7; 32]))
    }
}

/// Reads its input and returns.
fn nothing() -> Outcomes<Artifact> {
    Ok(Artifact::from_bytes(wat::parse_str(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (func (export "_start")
                (i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (i32.const 100))
                (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))))"#,
    )?))
}

/// A new process of the program that guests run in, told to end at once.
fn bare(folder: &Path) -> Outcomes<Times> {
    let program: PathBuf = folder.join("program");
    fs::write(&program, executor::GUEST_PROGRAM)?;
    fs::set_permissions(
        &program,
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )?;
    let mut times = Times::default();
    for _ in 0..RUNS / 2 {
        let started = Instant::now();
        let status = Command::new(&program).arg("nothing").env_clear().status()?;
        times.push(started.elapsed());
        if !status.success() {
            return Err("the bare program fails".into());
        }
    }
    Ok(times)
}

async fn one_after_another(executor: &Executor) -> Outcomes<Times> {
    let artifact = nothing()?;
    let mut times = Times::default();
    for number in 0..WARM_UP + RUNS {
        let started = Instant::now();
        let execution = executor
            .execute(&artifact, run(Duration::from_secs(10)))
            .await?;
        if number >= WARM_UP {
            times.push(started.elapsed());
        }
        if execution.outcome != Outcome::Returned {
            return Err(execution.outcome.to_string().into());
        }
    }
    Ok(times)
}

async fn side_by_side(executor: &Executor) -> Outcomes<f64> {
    let artifact = nothing()?;
    for _ in 0..WARM_UP {
        executor
            .execute(&artifact, run(Duration::from_secs(10)))
            .await?;
    }
    let started = Instant::now();
    let lanes: Vec<_> = (0..LANES)
        .map(|_| {
            let (executor, artifact) = (executor.clone(), artifact.clone());
            tokio::spawn(async move {
                for _ in 0..RUNS / LANES * 4 {
                    executor
                        .execute(&artifact, run(Duration::from_secs(10)))
                        .await?;
                }
                Ok::<_, executor::Error>(())
            })
        })
        .collect();
    for lane in lanes {
        lane.await??;
    }
    let runs = u32::try_from(RUNS / LANES * LANES * 4)?;
    Ok(f64::from(runs) / started.elapsed().as_secs_f64())
}

/// How long after its deadline a guest is gone that has touched 64 MB.
async fn kills(executor: &Executor) -> Outcomes<Times> {
    let artifact = Artifact::from_bytes(wat::parse_str(
        r#"(module (memory (export "memory") 1024)
            (func (export "_start")
                (memory.fill (i32.const 0) (i32.const 1) (i32.const 67108864))
                (loop $for_ever (br $for_ever))))"#,
    )?);
    let wall = Duration::from_millis(120);
    let mut times = Times::default();
    for number in 0..KILLS + 5 {
        let started = Instant::now();
        let execution = executor.execute(&artifact, run(wall)).await?;
        let late = started.elapsed().saturating_sub(wall);
        if execution.outcome != Outcome::OutOfTime {
            return Err(execution.outcome.to_string().into());
        }
        if number >= 5 {
            times.push(late);
        }
    }
    Ok(times)
}
