//! `outlayer run`: a guest on this machine, with a worker's engine, metering and limits.

mod build;

use std::io::Read as _;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use executor::{Artifact, Execution, Executor, Limits, Outcome, Run};
use protocol::limits::{Caps, ResourceLimits};
use serde_json::json;

use crate::args;
use crate::guest_process;
use crate::say::Voice;

/// Runs the guest; whether it succeeded.
pub(crate) async fn run(args: &args::Run, voice: Voice) -> Result<bool> {
    let module = match &args.guest {
        folder if folder.is_dir() => build::build(folder).await?,
        file => file.clone(),
    };
    let wasm =
        std::fs::read(&module).with_context(|| format!("cannot read {}", module.display()))?;
    let folder = tempfile::tempdir().context("make a temporary folder")?;
    let executor = Executor::new(guest_process::settings(
        guest_process::this_program()?,
        folder.path(),
    ))?;
    let execution = executor
        .execute(&Artifact::from_bytes(wasm), what_to_run(args)?)
        .await
        .context("the guest could not be started; this is not its fault")?;
    tell(&execution, voice);
    Ok(execution.outcome.is_success())
}

fn what_to_run(args: &args::Run) -> Result<Run> {
    let asked = ResourceLimits::from(args.limits);
    let limits = asked.settle(&Caps::HIGHEST)?;
    let mut run = Run::new(
        input(&args.input)?,
        Limits {
            instructions: limits.max_instructions,
            memory_bytes: u64::from(limits.max_memory_mb).saturating_mul(1 << 20),
            wall: Duration::from_secs(limits.max_execution_seconds),
            ..Limits::default()
        },
    );
    run.args = vec!["guest.wasm".into()];
    for variable in &args.env {
        let Some((name, value)) = variable.split_once('=') else {
            bail!("--env takes NAME=VALUE, not {variable}");
        };
        run.env.insert(name.to_owned(), value.to_owned());
    }
    Ok(run)
}

fn input(given: &str) -> Result<Vec<u8>> {
    if given != "-" {
        return Ok(given.as_bytes().to_vec());
    }
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn tell(execution: &Execution, voice: Voice) {
    let backtrace = match &execution.outcome {
        Outcome::Trapped { backtrace, .. } => backtrace.as_str(),
        _ => "",
    };
    let stdout = String::from_utf8_lossy(&execution.stdout);
    let stderr = String::from_utf8_lossy(&execution.stderr);
    let wall_ms = u64::try_from(execution.wall.as_millis()).unwrap_or(u64::MAX);
    voice.result(
        [
            stdout.trim_end(),
            stderr.trim_end(),
            &format!("the guest {}", execution.outcome),
            backtrace.trim_end(),
            &format!(
                "{} instructions, {wall_ms} ms, {} KiB of memory",
                execution.instructions,
                execution.memory_peak_bytes >> 10
            ),
        ]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("\n"),
        &json!({
            "success": execution.outcome.is_success(),
            "outcome": execution.outcome.to_string(),
            "backtrace": backtrace,
            "stdout": stdout,
            "stderr": stderr,
            "instructions": execution.instructions,
            "time_ms": wall_ms,
            "memory_peak_bytes": execution.memory_peak_bytes,
        }),
    );
}
