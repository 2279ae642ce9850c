//! Requests while the worker's process is killed at random: every one is answered, none twice, and the money is exact.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clients::near::At;
use localnet::Pace;
use protocol::NearToken;
use protocol::RequestId;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::json;
use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::load::{Answered, DEPOSIT, Load};
use crate::journey::Journey;
use crate::platform::{Platform, Settings};
use crate::say::Voice;

/// Requests that wait at the same time.
const AT_ONCE: u64 = 64;

/// How long a worker lives, at least and at most. Unit: milliseconds.
const LIFE_MS: std::ops::Range<u64> = 500..4_000;

/// How long a dead worker's jobs wait for another. Unit: milliseconds.
const LEASE_MS: u64 = 1_000;

/// A yield lives 200 blocks, here a minute: a job must outlive a few dead workers.
const BLOCK: Duration = Duration::from_millis(300);

/// A job that is killed this often by chance would be one in many millions.
const MAX_ATTEMPTS: u32 = 20;

pub(super) async fn measure(requests: u64, seed: u64, voice: Voice) -> Result<()> {
    let platform = Platform::start(Settings {
        concurrency: 0,
        pace: Pace::Every(BLOCK),
        queue: coordinator::queue::Settings {
            lease_ms: LEASE_MS,
            max_attempts: MAX_ATTEMPTS,
            ..Default::default()
        },
        ..Settings::default()
    })
    .await?;
    let before = platform
        .node
        .view_account(At::Latest, &platform.accounts.outlayer)
        .await?
        .value
        .amount;
    let load = Load::on(&platform).await?;
    let began = Instant::now();
    let work = load.many(requests, AT_ONCE);
    tokio::pin!(work);
    let mut dice = StdRng::seed_from_u64(seed);
    let mut kills = 0_u64;
    let answered = loop {
        let mut worker = spawn_worker(&platform)?;
        let life = Duration::from_millis(dice.random_range(LIFE_MS));
        tokio::select! {
            answered = &mut work => {
                kill(&mut worker).await?;
                break answered?;
            }
            () = tokio::time::sleep(life) => {}
        }
        kill(&mut worker).await?;
        kills = kills.saturating_add(1);
    };
    let took = began.elapsed();
    let charged = check(&platform, &answered).await?;
    let after = platform
        .node
        .view_account(At::Latest, &platform.accounts.outlayer)
        .await?
        .value
        .amount;
    // The chain of protocol 88 gives contracts no share of the gas, so what the contract has more is what it charged.
    let kept = after.checked_sub(before);
    ensure!(
        kept == Some(charged),
        "the contract charged {charged} and has {kept:?} more"
    );
    platform.stop().await;
    voice.result(
        format!(
            "{requests} requests, {kills} kills in {:.1} s (seed {seed}): {} answers, none twice, {} charged, every deposit settled to the yocto",
            took.as_secs_f64(),
            answered.len(),
            crate::journey::near(charged),
        ),
        &json!({"requests": requests, "kills": kills, "seed": seed, "answers": answered.len(), "charged": charged}),
    );
    Ok(())
}

/// Checks that each request ended once and well, and that charge and refund make up its deposit; all that was charged.
async fn check(platform: &Platform, answered: &[Answered]) -> Result<NearToken> {
    let mut endings: BTreeMap<RequestId, u32> = BTreeMap::new();
    let mut charged = NearToken::from_yoctonear(0);
    for Answered { outcome, .. } in answered {
        let completed = Journey::read(&platform.node, outcome)
            .await
            .with_context(|| format!("transaction {}", outcome.transaction_hash))?
            .completed;
        ensure!(
            completed.success,
            "a request failed: {:?} {:?}",
            completed.error_type,
            completed.error_message
        );
        let id = completed
            .request_id
            .context("the event names its request")?;
        let count = endings.entry(id).or_default();
        *count = count.saturating_add(1);
        let settled = completed
            .payment_charged
            .checked_add(completed.payment_refunded);
        ensure!(
            settled == Some(DEPOSIT),
            "request {id} settled {settled:?} of {DEPOSIT}"
        );
        charged = charged.saturating_add(completed.payment_charged);
    }
    ensure!(
        endings.len() == answered.len(),
        "{} requests ended, {} were made",
        endings.len(),
        answered.len()
    );
    ensure!(
        endings.values().all(|count| *count == 1),
        "a request ended twice"
    );
    let pending: Vec<RequestId> = platform
        .node
        .view(
            &platform.accounts.outlayer,
            "get_pending_request_ids",
            &json!({}),
        )
        .await?;
    ensure!(
        pending.is_empty(),
        "{} requests are still pending",
        pending.len()
    );
    Ok(charged)
}

/// A worker in a process of its own.
fn spawn_worker(platform: &Platform) -> Result<Child> {
    Ok(Command::new(platform.program()?)
        .args(platform.worker_command("worker"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()?)
}

/// SIGKILL, and the wait that leaves no zombie.
async fn kill(worker: &mut Child) -> Result<()> {
    worker.kill().await.context("kill the worker")
}
