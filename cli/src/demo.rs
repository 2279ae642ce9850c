//! `outlayer demo`: the journey of a request, told as it happens.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clients::near::{Call, Gas};
use localnet::Pace;
use protocol::clock::{SystemClock, TellTime as _};
use protocol::{JobId, NearToken};
use serde_json::{Value, json};
use worker::{Step, WatchSteps};

use crate::contracts;
use crate::journey::{Journey, near};
use crate::platform::{Platform, Settings};
use crate::say::Voice;

/// What alice attaches; what is not used comes back.
const DEPOSIT: NearToken = NearToken::from_millinear(100);

/// Blocks of the demo's chain, at mainnet's pace.
const BLOCK: Duration = Duration::from_millis(600);

/// Where the guest seems to be.
const REPOSITORY: &str = "outlayer-examples/random-ark";

/// Shows the journey twice: once with everything to build, once with the artifact there.
pub(crate) async fn demo(voice: Voice) -> Result<()> {
    let story = Arc::new(Story::begin(voice));
    story.tell("starting a NEAR chain in this process, with the contract VM of nearcore");
    let platform = Platform::start(Settings {
        pace: Pace::Every(BLOCK),
        watch: story.clone(),
        ..Settings::default()
    })
    .await?;
    story.tell(&format!("chain      {}", platform.localnet.rpc_url()));
    story.tell(&format!(
        "contracts  {} and {} deployed",
        platform.accounts.outlayer, platform.accounts.client
    ));
    story.tell(&format!("queue      {}", platform.coordinator_url()));
    let files: Vec<_> = contracts::RANDOM_ARK
        .iter()
        .map(|(path, text)| (*path, text.as_bytes()))
        .collect();
    let commit = platform.repositories.commit(REPOSITORY, &files).await?;
    story.tell(&format!(
        "guest      https://github.com/{REPOSITORY} at {commit}"
    ));
    let cold = ask(
        &platform,
        &story,
        &commit,
        "first request: the guest has to be built",
    )
    .await?;
    let warm = ask(
        &platform,
        &story,
        &commit,
        "second request: the artifact is there",
    )
    .await?;
    platform.stop().await;
    voice.result(
        format!(
            "\nthe client contract stored {}; the second request took {} blocks, was charged {} and got {} back",
            warm.answer,
            warm.journey.blocks(),
            near(warm.journey.completed.payment_charged),
            near(warm.journey.completed.payment_refunded),
        ),
        &json!({"cold": cold.to_json(), "warm": warm.to_json()}),
    );
    Ok(())
}

/// A request that was answered.
struct Told {
    answer: Value,
    transaction: String,
    journey: Journey,
}

impl Told {
    fn to_json(&self) -> Value {
        let completed = &self.journey.completed;
        json!({
            "answer": self.answer,
            "transaction": self.transaction,
            "blocks": self.journey.blocks(),
            "resources_used": completed.resources_used,
            "charged": completed.payment_charged,
            "refunded": completed.payment_refunded,
        })
    }
}

/// One request by alice, through the client contract.
async fn ask(platform: &Platform, story: &Story, commit: &str, title: &str) -> Result<Told> {
    let accounts = &platform.accounts;
    story.voice.line(format!("\n{title}"));
    story.tell(&format!(
        "alice asks {} for a number from 1 to 100, with {}",
        accounts.client,
        near(DEPOSIT)
    ));
    let args = json!({"request": {
        "source": {"GitHub": {"repo": format!("https://github.com/{REPOSITORY}"), "commit": commit}},
        "input_data": "{\"min\": 1, \"max\": 100}",
        "response_format": "Json",
        "payer_account_id": accounts.alice,
    }});
    let call = Call::new(&accounts.client, "ask", &args)?
        .with_gas(Gas::from_teragas(300))
        .with_deposit(DEPOSIT);
    let outcome = platform.sender(&accounts.alice)?.call(call).await?;
    let journey = Journey::read(&platform.node, &outcome)
        .await
        .with_context(|| {
            format!(
                "transaction {} ended with {:?}",
                outcome.transaction_hash, outcome.status
            )
        })?;
    let completed = &journey.completed;
    ensure!(
        completed.success,
        "the request failed: {}",
        completed
            .error_message
            .as_deref()
            .unwrap_or("no reason given")
    );
    story.tell(&format!(
        "settled    {} instructions, {} ms: charged {}, {} back to alice",
        completed.resources_used.instructions,
        completed.resources_used.time_ms,
        near(completed.payment_charged),
        near(completed.payment_refunded)
    ));
    let answer: Value = platform
        .node
        .view(&accounts.client, "last_answer", &json!({}))
        .await?;
    ensure!(!answer.is_null(), "the client contract stored no answer");
    story.tell(&format!(
        "answered   the client contract stored {answer}; {} blocks from the transaction to the callback ({})",
        journey.blocks(),
        outcome.transaction_hash
    ));
    Ok(Told {
        answer,
        transaction: outcome.transaction_hash.to_string(),
        journey,
    })
}

/// Tells what happens, each line with the time since the beginning.
#[derive(Debug)]
struct Story {
    voice: Voice,
    began_ms: u64,
}

impl Story {
    fn begin(voice: Voice) -> Self {
        Self {
            voice,
            began_ms: SystemClock.now_ms(),
        }
    }

    fn tell(&self, text: &str) {
        let ms = SystemClock.now_ms().saturating_sub(self.began_ms);
        self.voice
            .line(format!("{:>7}.{:03} s  {text}", ms / 1_000, ms % 1_000));
    }
}

impl WatchSteps for Story {
    fn reached(&self, _job: JobId, step: Step, detail: &str) {
        let text = match step {
            Step::Leased => "leased     the worker has the job".to_owned(),
            Step::Confirmed => "confirmed  the contract holds the request".to_owned(),
            Step::Compiled => format!("compiled   artifact {detail}"),
            Step::Executed => "executed   the guest has run in a process of its own".to_owned(),
            Step::Resolved => format!("resolved   transaction {detail}"),
            Step::Finished => return,
        };
        self.tell(&text);
    }
}
