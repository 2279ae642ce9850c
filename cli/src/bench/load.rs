//! Many requests at once, by one account, for a guest that does nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clients::near::{Outcome, Sender};
use clients::outlayer::Contract;
use protocol::NearToken;
use protocol::request::{RequestArgs, SecretsReference};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::platform::Platform;

/// What each request carries.
pub(super) const DEPOSIT: NearToken = NearToken::from_millinear(50);

/// The guest that does nothing.
const NOOP: [(&str, &[u8]); 3] = [
    (
        "Cargo.toml",
        b"[package]\nname = \"noop-ark\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n",
    ),
    (
        "Cargo.lock",
        b"version = 4\n\n[[package]]\nname = \"noop-ark\"\nversion = \"0.1.0\"\n",
    ),
    ("src/main.rs", b"fn main() {}\n"),
];

/// Requests that can be sent over and over.
#[derive(Clone, Debug)]
pub(super) struct Load {
    contract: Contract,
    sender: Arc<Sender>,
    args: Arc<RequestArgs>,
}

/// An answered request.
#[derive(Debug)]
pub(super) struct Answered {
    /// What became of its transaction.
    pub(super) outcome: Outcome,
    /// From sending it to knowing that.
    pub(super) took: Duration,
}

impl Load {
    /// Requests by alice for the guest that does nothing, whose repository is made here.
    pub(super) async fn on(platform: &Platform) -> Result<Self> {
        let commit = platform
            .repositories
            .commit("outlayer-bench/noop-ark", &NOOP)
            .await?;
        let args = json!({
            "source": {"GitHub": {"repo": "https://github.com/outlayer-bench/noop-ark", "commit": commit}},
        });
        Ok(Self {
            contract: platform.contract(),
            sender: Arc::new(platform.sender(&platform.accounts.alice)?),
            args: Arc::new(serde_json::from_value(args)?),
        })
    }

    /// The same requests, with secrets.
    pub(super) fn with_secrets(&self, secrets_ref: &SecretsReference) -> Self {
        let mut args = RequestArgs::clone(&self.args);
        args.secrets_ref = Some(secrets_ref.clone());
        Self {
            args: Arc::new(args),
            ..self.clone()
        }
    }

    /// Sends one request and waits until it has ended.
    pub(super) async fn one(&self) -> Result<Answered> {
        let began = Instant::now();
        let outcome = self
            .contract
            .request_execution(&self.sender, &self.args, DEPOSIT)
            .await?;
        Ok(Answered {
            outcome,
            took: began.elapsed(),
        })
    }

    /// Sends `requests`, of which `at_once` wait at the same time.
    pub(super) async fn many(&self, requests: u64, at_once: u64) -> Result<Vec<Answered>> {
        let left = Arc::new(AtomicU64::new(requests));
        let mut clients = JoinSet::new();
        for _ in 0..at_once.max(1) {
            let (load, left) = (self.clone(), left.clone());
            clients.spawn(async move {
                let mut answered = Vec::new();
                while take(&left) {
                    answered.push(load.one().await?);
                }
                anyhow::Ok(answered)
            });
        }
        let mut all = Vec::new();
        while let Some(answered) = clients.join_next().await {
            all.extend(answered.context("a client stopped")??);
        }
        ensure!(
            u64::try_from(all.len())? == requests,
            "{} of {requests} were answered",
            all.len()
        );
        Ok(all)
    }
}

fn take(left: &AtomicU64) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
        left.checked_sub(1)
    })
    .is_ok()
}

/// The median, in milliseconds.
pub(super) fn median_ms(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    let middle = times.get(times.len() / 2);
    middle.copied().unwrap_or_default().as_secs_f64() * 1e3
}
