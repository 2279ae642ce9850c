//! Claims to builds: one worker builds, the others wait, and anyone may watch.

use protocol::JobId;
use protocol::job::Extension;
use protocol::progress::{
    BuildName, BuildProgress, BuildStage, BuildView, Claim, ClaimAsk, ProgressReport,
};
use protocol::source::BuildTarget;

use crate::town::{Town, Worker, refusal};

fn build() -> BuildName {
    BuildName {
        repo: "github.com/alice/random-ark".into(),
        commit: "4b825dc642cb6eb9a060e54bf8d69288fbee4904".parse().unwrap(),
        build_target: BuildTarget::Wasip1,
    }
}

async fn claim(worker: &Worker, job: i64) -> Claim {
    let ask = ClaimAsk {
        build: build(),
        job_id: JobId(job),
    };
    let response = worker.post("builds/claim", &ask).await;
    response.json().await.unwrap()
}

fn report(done: u32) -> ProgressReport {
    ProgressReport {
        build: build(),
        progress: BuildProgress {
            stage: BuildStage::Building,
            done: Some(done),
            of: Some(42),
            what: Some("serde".into()),
        },
    }
}

#[tokio::test]
async fn one_worker_has_the_claim_until_it_lets_go() {
    let town = Town::start().await;
    let (one, other) = (town.worker("one").await, town.worker("other").await);

    let first = claim(&one, 1).await;
    let second = claim(&other, 2).await;
    let again = claim(&one, 3).await;
    let foreign = other.post("builds/release", &build()).await;
    let still = claim(&other, 2).await;
    one.post("builds/release", &build()).await;
    let at_last = claim(&other, 2).await;

    assert!(first.is_yours && again.is_yours && at_last.is_yours);
    assert!(!second.is_yours && !still.is_yours);
    assert_eq!(second.expires_in_ms, first.expires_in_ms);
    assert_eq!(foreign.status(), 204);
}

#[tokio::test]
async fn a_claim_ends_when_nothing_is_heard_of_its_worker() {
    let town = Town::start().await;
    let (one, other) = (town.worker("one").await, town.worker("other").await);
    let lasts = claim(&one, 1).await.expires_in_ms;

    town.clock.advance_ms(lasts - 1);
    let kept: Extension = one
        .post("builds/progress", &report(1))
        .await
        .json()
        .await
        .unwrap();
    town.clock.advance_ms(lasts - 1);
    let early = claim(&other, 2).await;
    town.clock.advance_ms(1);
    let late = refusal(one.post("builds/progress", &report(2)).await).await;
    let taken = claim(&other, 2).await;
    let lost = refusal(one.post("builds/progress", &report(3)).await).await;

    assert_eq!(kept.expires_in_ms, lasts);
    assert_eq!((early.is_yours, early.expires_in_ms), (false, 1));
    assert!(taken.is_yours);
    assert_eq!(
        [late, lost],
        [(409, "build_lost".into()), (409, "build_lost".into())]
    );
}

#[tokio::test]
async fn anyone_sees_how_far_a_build_is() {
    let town = Town::start().await;
    let worker = town.worker("one").await;
    let path = "/public/builds?repo_url=https://github.com/alice/random-ark";

    let before: Vec<BuildView> = town.get(path).await;
    claim(&worker, 7).await;
    town.clock.advance_ms(1_000);
    worker.post("builds/progress", &report(17)).await;
    let during: Vec<BuildView> = town.get(path).await;
    let others: Vec<BuildView> = town.get("/public/builds?repo_url=alice/other").await;
    town.clock.advance_ms(60_000);
    let after: Vec<BuildView> = town.get(path).await;

    let [view] = during.try_into().unwrap();
    assert_eq!(view.build, build());
    assert_eq!((view.worker.as_str(), view.job_id), ("one", JobId(7)));
    assert_eq!(view.progress, report(17).progress);
    assert_eq!(view.heard_at_ms - view.began_at_ms, 1_000);
    assert!(before.is_empty() && others.is_empty() && after.is_empty());
}
