//! How many executions of a guest that does nothing fit into a second: `cargo run --release --example throughput`.
//!
//! Build the child first: `cargo build --release --bin outlayer-guest`.
#![expect(clippy::print_stdout, reason = "it is there to print")]

use std::sync::Arc;
use std::time::Duration;

use executor::{Artifact, Executor, Limits, Program, Run, Settings};
use tokio::time::Instant;

/// Executions that are measured, and how many run at once.
const EXECUTIONS: usize = 2_000;
const AT_ONCE: usize = 4;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cache = tempfile::tempdir()?;
    let child = Program {
        path: std::env::current_exe()?
            .with_file_name("../outlayer-guest")
            .canonicalize()?,
        args: Vec::new(),
    };
    let executor = Arc::new(Executor::new(Settings::new(child, cache.path()))?);
    let wasm = wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start")))"#)?;
    let artifact = Artifact::from_bytes(wasm);
    let compile = executor.warm(&artifact).await?;

    let started = Instant::now();
    let lanes = (0..AT_ONCE).map(|_| {
        let (executor, artifact) = (Arc::clone(&executor), artifact.clone());
        tokio::spawn(async move {
            let mut walls = Vec::new();
            for _ in 0..EXECUTIONS / AT_ONCE {
                let run = Run::new("input", Limits::default());
                walls.push(executor.execute(&artifact, run).await?.wall);
            }
            Ok::<_, executor::Error>(walls)
        })
    });
    let mut walls: Vec<Duration> = Vec::new();
    for lane in lanes.collect::<Vec<_>>() {
        walls.extend(lane.await??);
    }
    let rate = f64::from(u32::try_from(walls.len())?) / started.elapsed().as_secs_f64();

    walls.sort();
    let half = walls.get(EXECUTIONS / 2).copied().unwrap_or_default();
    let last = walls
        .get(EXECUTIONS / 100 * 99)
        .copied()
        .unwrap_or_default();
    println!("compile {compile:?}, {rate:.0} executions/s, p50 {half:?}, p99 {last:?}");
    Ok(())
}
