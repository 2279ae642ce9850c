//! `outlayer demo`: the journey of a request, told as it happens.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clients::coordinator::Public;
use clients::near::{Call, Gas};
use localnet::Pace;
use protocol::clock::{SystemClock, TellTime as _};
use protocol::progress::{BuildProgress, BuildStage};
use protocol::{FailureCode, JobId, NearToken};
use serde_json::{Value, json};
use worker::{Step, WatchSteps};

use crate::args;
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

/// Shows the journey twice: once with everything to build, once with the artifact there. In a window that is too short for the build, a
/// request before them hears that the build goes on.
pub(crate) async fn demo(args: &args::Demo, voice: Voice) -> Result<()> {
    let story = Arc::new(Story::begin(voice));
    story.tell("starting a NEAR chain in this process, with the contract VM of nearcore");
    let usual = Settings::default();
    let platform = Platform::start(Settings {
        pace: Pace::Every(BLOCK),
        watch: story.clone(),
        build_patience: args
            .build_window
            .map_or(usual.build_patience, Duration::from_secs),
        ..usual
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
    let mut cold = ask(
        &platform,
        &story,
        &commit,
        "first request: the guest has to be built",
    )
    .await?;
    let mut first_phase = None;
    if cold.journey.completed.error_type == Some(FailureCode::CompilationInProgress) {
        story.until_built(platform.coordinator_url()).await?;
        let title = "the same request again: the build that the first one caused has ended";
        first_phase = Some(cold);
        cold = ask(&platform, &story, &commit, title).await?;
    }
    cold.must_have_succeeded()?;
    let warm = ask(
        &platform,
        &story,
        &commit,
        "second request: the artifact is there",
    )
    .await?;
    warm.must_have_succeeded()?;
    platform.stop().await;
    voice.result(
        format!(
            "\nthe client contract stored {}; the second request took {} blocks, was charged {} and got {} back",
            warm.answer,
            warm.journey.blocks(),
            near(warm.journey.completed.payment_charged),
            near(warm.journey.completed.payment_refunded),
        ),
        &json!({
            "first_phase": first_phase.map(|told| told.to_json()),
            "cold": cold.to_json(),
            "warm": warm.to_json(),
        }),
    );
    Ok(())
}

/// A request that has ended.
struct Told {
    answer: Value,
    transaction: String,
    journey: Journey,
}

impl Told {
    fn must_have_succeeded(&self) -> Result<()> {
        let completed = &self.journey.completed;
        ensure!(
            completed.success && !self.answer.is_null(),
            "the request failed: {}",
            completed
                .error_message
                .as_deref()
                .unwrap_or("the client contract stored no answer")
        );
        Ok(())
    }

    fn to_json(&self) -> Value {
        let completed = &self.journey.completed;
        json!({
            "answer": self.answer,
            "error_type": completed.error_type,
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
    story.tell(&format!(
        "settled    {} instructions, {} ms: charged {}, {} back to alice",
        completed.resources_used.instructions,
        completed.resources_used.time_ms,
        near(completed.payment_charged),
        near(completed.payment_refunded)
    ));
    let view = if completed.success {
        "last_answer"
    } else {
        "last_failure"
    };
    let answer: Value = platform
        .node
        .view(&accounts.client, view, &json!({}))
        .await?;
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
    /// What was last said of a build.
    stage: Mutex<Option<BuildStage>>,
}

impl Story {
    fn begin(voice: Voice) -> Self {
        Self {
            voice,
            began_ms: SystemClock.now_ms(),
            stage: Mutex::default(),
        }
    }

    /// Waits for the builds that go on.
    async fn until_built(&self, coordinator: &str) -> Result<()> {
        let coordinator = Public::new(&coordinator.parse()?)?;
        while !coordinator.builds(REPOSITORY).await?.is_empty() {
            tokio::time::sleep(BLOCK).await;
        }
        self.tell("built      the build that went on has ended");
        Ok(())
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

    fn building(&self, _job: JobId, progress: &BuildProgress) {
        let mut last = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        if last.replace(progress.stage) != Some(progress.stage) {
            self.tell(&format!("building   {progress}"));
        }
    }
}
