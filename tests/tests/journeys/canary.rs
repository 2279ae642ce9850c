//! A secret is used a thousand times while everything breaks, and is then looked for everywhere: in every log, database, cache and
//! folder, in what passed between the services, in the processes, in core files.
//!
//! Two secrets are planted. The *canary* is only used; nobody may find it. The *beacon* is printed by a guest, as its own output, so that
//! the same scan must find it: one that cannot find anything proves nothing.

mod cases;
mod faults;
mod log;
mod profiles;
mod stage;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rand::rngs::StdRng;
use rand::{RngCore as _, SeedableRng as _};
use serde_json::json;
use tokio::task::JoinSet;
use town::{Answer, DEPOSIT, Scan};

use cases::Case;
use faults::Fault;
use profiles::Profiles;
use stage::Stage;

/// How many executions there are.
const EXECUTIONS: usize = 1_000;

/// How many wait at the same time.
const AT_ONCE: usize = 64;

/// How many end between one failure and the next: the last of them strikes while there is still something to ask.
const APART: usize = 70;

/// How long something may break and be mended.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came of each request.
type Ended = Vec<(Case, Answer)>;

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_found_nowhere_after_a_thousand_executions_among_failures() {
    let seed = rand::random();
    eprintln!("the dice are StdRng::seed_from_u64({seed})");
    let mut dice = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let (canary, beacon) = (new_secret(), new_secret());
    let scan = Scan::of(&canary).unwrap();
    let mut stage = Stage::set_up(folder.path()).await.unwrap();
    let profiles = Profiles::store(&stage, &canary, &beacon).await.unwrap();

    let shown = stage.town.ask(profiles.show_beacon()).await.unwrap();
    // The one thing about which the coordinator asks the chain.
    stage.town.get("/public/pricing").await.unwrap();
    let ended = play(&mut stage, &profiles, &scan, &mut dice).await.unwrap();
    assert_eq!(stage.pending().await.unwrap(), json!([]));
    stage.strike_the_set().await.unwrap();

    assert_eq!(shown.value, Ok(json!(beacon)), "guests get their secrets");
    assert_each_ended_once_and_as_it_should(&ended, &cases::digest(&canary));
    let findings = scan.folder(folder.path()).unwrap();
    eprintln!("scanned {} files, {} bytes", findings.files, findings.bytes);
    assert_eq!(findings.finds, [], "the canary is where it must not be");
    assert_eq!(faults::cores(folder.path(), &scan).unwrap(), []);
    assert_the_scan_can_find(folder.path(), &beacon);
    assert_the_master_key_is_in_its_file_only(folder.path());
}

/// A secret that stands nowhere yet.
fn new_secret() -> String {
    let mut bytes = [0; 32];
    StdRng::from_os_rng().fill_bytes(&mut bytes);
    hex::encode(bytes)
}

/// Asks and breaks until all is asked and answered.
async fn play(
    stage: &mut Stage,
    profiles: &Profiles,
    scan: &Scan,
    dice: &mut StdRng,
) -> Result<Ended> {
    let mut cases = Case::deal(EXECUTIONS, dice).into_iter();
    let mut faults = Fault::deal(dice);
    let mut asked = JoinSet::new();
    let mut ended = Vec::new();
    loop {
        for case in cases.by_ref().take(AT_ONCE.saturating_sub(asked.len())) {
            let answer = stage.town.ask_meanwhile(profiles.request(case));
            asked.spawn(async move { (case, answer.await) });
        }
        let Some(joined) = asked.join_next().await else {
            assert_eq!(faults, [], "too few executions for all that breaks");
            return Ok(ended);
        };
        let (case, outcome) = joined?;
        ended.push((case, stage.town.answer_of(&outcome??)?));
        if ended.len().is_multiple_of(APART)
            && let Some(fault) = faults.pop()
        {
            assert_eq!(scan.processes()?, [], "a process shows the canary");
            let struck = tokio::time::timeout(PATIENCE, fault.strike(stage)).await;
            struck.with_context(|| format!("{fault:?} lasts"))??;
        }
    }
}

fn assert_each_ended_once_and_as_it_should(ended: &Ended, digest: &str) {
    let mut requests = BTreeSet::new();
    for (case, answer) in ended {
        let failure = answer.failure();
        assert_eq!(answer.settlements, 1, "{case:?}: {answer:?}");
        assert_eq!(failure, case.failure(), "{case:?}: {answer:?}");
        if failure.is_none() {
            assert_eq!(answer.value, Ok(case.output(digest)), "{case:?}");
        }
        let settled = answer.charged().checked_add(answer.refunded());
        assert_eq!(settled, Some(DEPOSIT), "{case:?}");
        requests.insert(answer.completed.as_ref().and_then(|it| it.request_id));
    }
    assert_eq!(ended.len(), EXECUTIONS);
    assert_eq!(requests.len(), EXECUTIONS);
}

/// What a guest printed is public, so it is on the chain and in what passed on its way there, and the scan sees it there.
fn assert_the_scan_can_find(folder: &Path, beacon: &str) {
    let scan = Scan::of(beacon).unwrap();
    for place in ["town/chain", "taps/worker-chain", "taps/coordinator-blocks"] {
        let findings = scan.folder(&folder.join(place)).unwrap();
        assert!(!findings.finds.is_empty(), "{place} holds a guest's output");
    }
    // Secrets came this way, sealed; and this is where they would be written of.
    for place in [
        "taps/worker-coordinator",
        "taps/coordinator-keystore",
        "taps/coordinator-chain",
        "taps/keystore-chain",
        "logs",
        "town/coordinator",
        "town/worker",
        "runs",
    ] {
        let findings = scan.folder(&folder.join(place)).unwrap();
        assert!(findings.bytes > 0, "{place} is empty");
    }
}

fn assert_the_master_key_is_in_its_file_only(folder: &Path) {
    let file = folder.join("town/keystore/master.key");
    let master = hex::encode(std::fs::read(&file).unwrap());
    let findings = Scan::of(&master).unwrap().folder(folder).unwrap();
    let places: Vec<_> = findings.finds.into_iter().map(|find| find.place).collect();
    assert_eq!(places, [file]);
}
