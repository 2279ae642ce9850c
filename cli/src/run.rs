//! `outlayer run`: a guest on this machine, with a worker's engine, metering and limits.

mod build;
mod profile;

use std::io::Read as _;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use executor::{Artifact, Clock, Execution, Executor, Limits, Outcome, Record, Run, Seed};
use protocol::limits::{Caps, ResourceLimits};
use rand::RngCore as _;
use serde_json::json;

use crate::args;
use crate::compiling_process;
use crate::say::Voice;

/// Runs the guest; whether it succeeded.
pub(crate) async fn run(args: &args::Run, voice: Voice) -> Result<bool> {
    let module = match &args.guest {
        folder if folder.is_dir() => build::build(folder).await?,
        file => file.clone(),
    };
    let wasm =
        std::fs::read(&module).with_context(|| format!("cannot read {}", module.display()))?;
    let bench = Bench::new(args.engine, args.jail)?;
    let run = what_to_run(args)?;
    let artifact = Artifact::from_bytes(wasm.clone());
    let execution = match &args.profile {
        None => bench.executor.execute(&artifact, run.clone()).await,
        Some(_) => bench.executor.profile(&artifact, run.clone()).await,
    };
    let execution = execution.context(OURS)?;
    tell(&execution, voice);
    if let Some(file) = &args.profile {
        profile::draw(&execution.profile, &wasm, file)?;
    }
    if let Some(file) = &args.record {
        let record = Record::of(wasm, run, &execution).context(
            "the guest looked at the machine's clock too often to be run again; give it a --seed",
        )?;
        std::fs::write(file, record.to_bytes()?)
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(execution.outcome.is_success())
}

/// Runs a recorded execution again; whether it came to the same.
pub(crate) async fn replay(args: &args::Replay, voice: Voice) -> Result<bool> {
    let file = &args.record;
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let record = Record::from_bytes(&bytes)?;
    let bench = Bench::new(args.engine, args.jail)?;
    let artifact = Artifact::from_bytes(record.wasm.clone());
    let execution = bench.executor.execute(&artifact, record.run.clone()).await;
    let execution = execution.context(OURS)?;
    tell(&execution, voice);
    let same = record.is_repeated_by(&execution);
    if !same {
        eprintln!(
            "the first time, the guest {} after {} instructions",
            record.outcome, record.instructions
        );
    }
    Ok(same)
}

const OURS: &str = "the guest could not be started; this is not its fault";

/// An executor with a cache that goes with it.
struct Bench {
    executor: Executor,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new(engine: args::Engine, jail: args::Jail) -> Result<Self> {
        let folder = tempfile::tempdir().context("make a temporary folder")?;
        let program = compiling_process::this_program()?;
        let settings = compiling_process::settings(program, folder.path(), engine, jail);
        Ok(Self {
            executor: Executor::new(&settings)?,
            _folder: folder,
        })
    }
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
        seed(args.seed.as_deref())?,
    );
    if args.seed.is_some() {
        run.clock = Clock::Fixed(0);
    }
    run.args = vec!["guest.wasm".into()];
    for variable in &args.env {
        let Some((name, value)) = variable.split_once('=') else {
            bail!("--env takes NAME=VALUE, not {variable}");
        };
        run.env.insert(name.to_owned(), value.to_owned());
    }
    // As a worker does it: what the guest is told was attached is what it may give back of.
    if let Some(attached) = run.env.get("ATTACHED_USD") {
        run.attached_usd = attached
            .parse()
            .context("ATTACHED_USD takes whole millionths of a dollar")?;
    }
    Ok(run)
}

/// The seed that is given, or one of the machine's.
fn seed(given: Option<&str>) -> Result<Seed> {
    let mut seed = [0; 32];
    match given {
        Some(digits) => {
            hex::decode_to_slice(digits, &mut seed)
                .context("--seed takes 64 hexadecimal digits")?;
        }
        None => rand::rng().fill_bytes(&mut seed),
    }
    Ok(Seed(seed))
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
    let refund = execution.refund_usd.map_or_else(String::new, |amount| {
        format!("{amount} millionths of a dollar given back")
    });
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
            &refund,
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
            "refund_usd": execution.refund_usd,
        }),
    );
}
