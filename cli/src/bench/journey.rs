//! Requests per second through the whole platform, beside calls per second of the chain alone.

use std::time::Duration;

use anyhow::{Result, ensure};
use clients::near::outcome::Status;
use localnet::Pace;
use serde_json::json;
use tokio::time::Instant;

use super::calls;
use super::load::{Answered, Load};
use crate::platform::{Platform, Settings};
use crate::say::Voice;

/// Calls by which the chain alone is measured.
const CALLS: u32 = 20_000;

/// Requests that are sent before the measurement, so that the guest is built and compiled.
const WARM_UP: u64 = 8;

/// Jobs that the worker does at the same time.
const CONCURRENCY: usize = 16;

/// A yield lives 200 blocks, here two seconds: blocks as fast as there is work would end it while the queue is long.
const BLOCK: Duration = Duration::from_millis(10);

pub(super) async fn measure(requests: u64, clients: u64, voice: Voice) -> Result<()> {
    let calls_per_second = tokio::task::spawn_blocking(|| calls::per_second(CALLS)).await??;
    let platform = Platform::start(Settings {
        concurrency: CONCURRENCY,
        pace: Pace::Every(BLOCK),
        ..Settings::default()
    })
    .await?;
    let load = Load::on(&platform).await?;
    check(&load.many(WARM_UP, 1).await?)?;
    let alone = percentiles(&load.many(requests.div_ceil(10).max(WARM_UP), 1).await?);
    let began = Instant::now();
    let answered = load.many(requests, clients).await?;
    let per_second = rate(requests, began.elapsed());
    check(&answered)?;
    let busy = percentiles(&answered);
    platform.stop().await;
    voice.result(
        format!(
            "localnet calls/s, in process      {calls_per_second:>10.0}   (target 5000)
requests/s, whole platform        {per_second:>10.1}   (target 100), 1 per {:.0} localnet calls
latency, 10 ms blocks, 1 client   p50 {:.1} ms, p99 {:.1} ms
latency, {clients} clients             p50 {:.1} ms, p99 {:.1} ms, p50 {:.1} x that of one client",
            calls_per_second / per_second,
            alone.0,
            alone.1,
            busy.0,
            busy.1,
            busy.0 / alone.0,
        ),
        &json!({
            "localnet_calls_per_second": calls_per_second,
            "requests_per_second": per_second,
            "one_client_ms": {"p50": alone.0, "p99": alone.1},
            "many_clients_ms": {"clients": clients, "p50": busy.0, "p99": busy.1},
        }),
    );
    Ok(())
}

fn check(answered: &[Answered]) -> Result<()> {
    for Answered { outcome, .. } in answered {
        let value: serde_json::Value = match &outcome.status {
            Status::Succeeded(bytes) => serde_json::from_slice(bytes)?,
            other => anyhow::bail!(
                "transaction {} ended with {other:?}",
                outcome.transaction_hash
            ),
        };
        ensure!(
            value == json!(""),
            "a guest that says nothing answered {value}; the last of the logs: {:?}",
            outcome.logs().last()
        );
    }
    Ok(())
}

fn rate(count: u64, time: Duration) -> f64 {
    // Counts here are far below 2^32, where the conversion is exact.
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / time.as_secs_f64()
}

/// The median and the 99th percentile, in milliseconds.
fn percentiles(answered: &[Answered]) -> (f64, f64) {
    let mut times: Vec<_> = answered.iter().map(|answered| answered.took).collect();
    times.sort();
    let at = |percent: usize| {
        let index = times.len().saturating_mul(percent) / 100;
        let time = times.get(index.min(times.len().saturating_sub(1)));
        time.copied().unwrap_or_default().as_secs_f64() * 1e3
    };
    (at(50), at(99))
}
