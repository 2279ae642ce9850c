//! How long a request takes whose guest has to be built: from nothing, when the commit before it was built, and when it is built already.
//! The guest has 74 crates in its lockfile; what it takes to download them is paid before.

use std::time::Duration;

use anyhow::{Result, ensure};
use clients::near::sender::SendError;
use clients::near::{Call, Gas};
use protocol::NearToken;
use serde_json::json;
use tokio::time::Instant;

use crate::contracts::MANY_ARK;
use crate::journey::Journey;
use crate::platform::{Platform, Settings};
use crate::say::Voice;

/// What the second commit adds to the guest's code.
const CHANGE: &str = "\n// The next commit.\n";

/// The source that is changed.
const CHANGED: &str = "src/main.rs";

const REPOSITORY: &str = "outlayer-tests/many-ark";

/// More than any build takes; blocks come when there is something to do, so that no yield runs out.
const PATIENCE: Duration = Duration::from_mins(5);

const DEPOSIT: NearToken = NearToken::from_near(1);

/// How much faster the second commit has to be answered.
const TARGET: f64 = 5.0;

pub(super) async fn measure(voice: Voice) -> Result<()> {
    let platform = Platform::start(Settings {
        build_patience: PATIENCE,
        ..Settings::default()
    })
    .await?;
    download(&platform).await?;
    let first = commit(&platform, REPOSITORY, "").await?;
    let cold = seconds(&platform, REPOSITORY, &first).await?;
    let second = commit(&platform, REPOSITORY, CHANGE).await?;
    let warm = seconds(&platform, REPOSITORY, &second).await?;
    let cached = seconds(&platform, REPOSITORY, &second).await?;
    platform.stop().await;
    voice.result(
        format!(
            "first commit, everything to build   {cold:>8.2} s
second commit, same dependencies    {warm:>8.2} s   {:>6.1} x faster (target {TARGET})
second commit again, built already  {cached:>8.3} s   {:>6.0} x faster",
            cold / warm,
            cold / cached,
        ),
        &json!({"cold_s": cold, "warm_s": warm, "cached_s": cached}),
    );
    Ok(())
}

/// Has the dependencies downloaded, by a build of another repository that has the same and does not compile.
async fn download(platform: &Platform) -> Result<()> {
    let other = "outlayer-tests/download";
    let commit = commit(platform, other, "this does not compile").await?;
    let journey = ask(platform, other, &commit).await?;
    ensure!(!journey.completed.success, "what does not compile was run");
    let kept = platform.folder().join("worker/compiler/prebuilt");
    for entry in std::fs::read_dir(kept)? {
        std::fs::remove_dir_all(entry?.path())?;
    }
    Ok(())
}

async fn commit(platform: &Platform, repository: &str, change: &str) -> Result<String> {
    let files: Vec<(&str, Vec<u8>)> = MANY_ARK
        .iter()
        .map(|(path, text)| match *path {
            CHANGED => (*path, [text.as_bytes(), change.as_bytes()].concat()),
            _ => (*path, text.as_bytes().to_vec()),
        })
        .collect();
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (*path, text.as_slice()))
        .collect();
    platform.repositories.commit(repository, &files).await
}

async fn seconds(platform: &Platform, repository: &str, commit: &str) -> Result<f64> {
    let began = Instant::now();
    let journey = ask(platform, repository, commit).await?;
    ensure!(
        journey.completed.success,
        "the request failed: {:?}",
        journey.completed.error_message
    );
    Ok(began.elapsed().as_secs_f64())
}

async fn ask(platform: &Platform, repository: &str, commit: &str) -> Result<Journey> {
    let request = json!({
        "source": {"GitHub": {"repo": format!("https://github.com/{repository}"), "commit": commit}},
        "input_data": "{\"text\": \"2026-01-02 https://near.org/\"}",
    });
    let contract = &platform.accounts.outlayer;
    let call = Call::new(contract, "request_execution", &request)?
        .with_gas(Gas::from_teragas(300))
        .with_deposit(DEPOSIT);
    let sender = platform.sender(&platform.accounts.alice)?;
    let outcome = match sender.call(call).await {
        // It is followed for two minutes at most, and the build may take longer.
        Err(SendError::InDoubt(doubt)) => sender.resume(*doubt).await?,
        ended => ended?,
    };
    Journey::read(&platform.node, &outcome).await
}
