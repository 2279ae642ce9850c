//! What secrets cost: questions to the keystore per second, beside plain views of the node, and what they add to a request.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clients::coordinator::Public;
use clients::near::Call;
use clients::outlayer::Contract;
use protocol::clock::SystemClock;
use protocol::keystore::{DEFAULT_PROFILE, PubkeyAsk};
use protocol::request::SecretsReference;
use protocol::secrets::Accessor;
use protocol::{ArtifactHash, NearToken, RequestId};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;
use worker::{Asker, Notary, Vault};

use super::load::{Load, median_ms};
use crate::platform::{Ending, Platform, Settings};
use crate::say::Voice;

/// Requests with secrets, and as many without, one after the other.
const REQUESTS: u32 = 200;

/// Requests that are sent before the measurement, so that the guest is built and compiled.
const WARM_UP: u32 = 8;

/// Questions to the keystore.
const QUESTIONS: u32 = 2_000;

/// How many wait for their answer at the same time.
const CLIENTS: u32 = 8;

/// The most that secrets may add to a request, at the median. Unit: milliseconds.
const TARGET_MS: f64 = 5.0;

/// What the repository of the load's guest is called.
const REPOSITORY: &str = "outlayer-bench/noop-ark";

pub(super) async fn measure(voice: Voice) -> Result<()> {
    let mut platform = Platform::start(Settings {
        keystore: keystore::Limits {
            per_worker: u32::MAX,
            strangers: u32::MAX,
            per_caller: u32::MAX,
            per_owner: u32::MAX,
        },
        ..Settings::default()
    })
    .await?;
    let secrets_ref = store(&platform).await?;
    let plain = Load::on(&platform).await?;
    let secret = plain.with_secrets(&secrets_ref);
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for turn in 0..WARM_UP.saturating_add(REQUESTS) {
        // One beside the other, so that both see the same machine.
        let (one, other) = (plain.one().await?, secret.one().await?);
        for answered in [&one, &other] {
            let value: Value = answered.outcome.value()?;
            ensure!(value == json!(""), "a request ended with {value}");
        }
        if turn >= WARM_UP {
            without.push(one.took);
            with.push(other.took);
        }
    }
    platform.stop_worker(Ending::Graceful).await;
    let pending = pending(&platform, &secret).await?;
    let (questions, views) = (
        questions_per_second(&platform, &secrets_ref, pending).await?,
        views_per_second(&platform, pending).await?,
    );
    platform.stop().await;
    let (without, with) = (median_ms(&mut without), median_ms(&mut with));
    let adds = with - without;
    voice.result(
        format!(
            "request without secrets, p50   {without:>8.2} ms
request with secrets, p50      {with:>8.2} ms   {adds:+.2} ms (target {TARGET_MS} ms), {:.2} x
views of the node/s            {views:>8.0}
secrets opened/s               {questions:>8.0}      1 per {:.1} views",
            with / without,
            views / questions,
        ),
        &json!({
            "without_ms": without,
            "with_ms": with,
            "adds_ms": adds,
            "views_per_second": views,
            "opened_per_second": questions,
        }),
    );
    Ok(())
}

/// Alice's secrets for the guest, under a condition that has to be read from the chain.
async fn store(platform: &Platform) -> Result<SecretsReference> {
    let accessor = Accessor::repo(REPOSITORY, None)?;
    let owner = &platform.accounts.alice;
    let ask = PubkeyAsk {
        accessor: accessor.typed(),
        owner: owner.to_string(),
        profile: None,
        secrets_json: None,
    };
    let coordinator = Public::new(&platform.coordinator_url().parse()?)?;
    let key = coordinator.pubkey(&ask).await?.pubkey.parse()?;
    let sealed = sealing::seal(&key, br#"{"API_KEY":"hush"}"#, &mut StdRng::from_os_rng())?;
    let args = json!({
        "accessor": accessor,
        "profile": DEFAULT_PROFILE,
        "encrypted_secrets_base64": sealed.to_base64(),
        "access": {"NearBalance": {"operator": "Gte", "value": "1"}},
    });
    let contract = &platform.accounts.outlayer;
    let cost: NearToken = platform
        .node
        .view(contract, "estimate_storage_cost", &args)
        .await?;
    let call = Call::new(contract, "store_secrets", &args)?.with_deposit(cost);
    let stored = platform.sender(owner)?.call(call).await?;
    let _: Value = stored.value().context("store the secrets")?;
    Ok(SecretsReference {
        profile: DEFAULT_PROFILE.to_owned(),
        account_id: owner.clone(),
    })
}

/// A request that nobody answers.
async fn pending(platform: &Platform, load: &Load) -> Result<RequestId> {
    let load = load.clone();
    tokio::spawn(async move { load.one().await });
    loop {
        let contract = &platform.accounts.outlayer;
        let ids: Vec<RequestId> = platform
            .node
            .view(contract, "get_pending_request_ids", &json!({}))
            .await?;
        if let Some(id) = ids.first() {
            return Ok(*id);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn questions_per_second(
    platform: &Platform,
    secrets_ref: &SecretsReference,
    request_id: RequestId,
) -> Result<f64> {
    let line = Public::new(&platform.coordinator_url().parse()?)?;
    let keystore = platform.keystore_key().parse()?;
    let vault = Vault::of_the_machine(line, keystore, SystemClock::shared());
    let operator = platform.accounts.operator.clone();
    let key = localnet::secret_key(&operator);
    let notary = Notary::new(key, operator, platform.node.clone());
    let contract_id = platform.accounts.outlayer.clone();
    let parts = Arc::new((vault, notary, contract_id, secrets_ref.clone()));
    per_second(move || {
        let parts = parts.clone();
        async move {
            let (vault, notary, contract_id, secrets_ref) = &*parts;
            let asker = Asker {
                contract_id,
                notary,
                request_id,
                artifact: ArtifactHash::of(b""),
            };
            let accessor = Accessor::repo(REPOSITORY, None)?;
            let secrets = vault.unlock(&asker, secrets_ref, &accessor).await?;
            ensure!(
                secrets.len() == 1,
                "the secrets are not those that were stored"
            );
            Ok(())
        }
    })
    .await
}

async fn views_per_second(platform: &Platform, request_id: RequestId) -> Result<f64> {
    let contract: Contract = platform.contract();
    per_second(move || {
        let contract = contract.clone();
        async move {
            let found = contract.get_request(request_id).await?;
            ensure!(found.is_some(), "the request is gone");
            Ok(())
        }
    })
    .await
}

async fn per_second<F>(work: impl Fn() -> F + Clone + Send + Sync + 'static) -> Result<f64>
where
    F: Future<Output = Result<()>> + Send,
{
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let work = work.clone();
        clients.spawn(async move {
            for _ in 0..QUESTIONS / CLIENTS {
                work().await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = clients.join_next().await {
        ended.context("a client stopped")??;
    }
    Ok(f64::from(QUESTIONS) / began.elapsed().as_secs_f64())
}
