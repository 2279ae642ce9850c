//! The life of a job.

use std::collections::BTreeSet;

use protocol::job::{Fail, Finish, Retry, Stage};
use protocol::public::{StatsView, WorkerView};
use protocol::{FailureCode, NearToken};

use crate::chain::{completed, requested};
use crate::town::{Town, refusal};

#[tokio::test]
async fn a_request_on_the_chain_becomes_a_job_that_is_leased_finished_and_settled() {
    let town = Town::start().await;
    let worker = town.worker("worker-1").await;

    town.block(vec![requested(1, 10)]).await;
    let lease = worker.lease().await.unwrap();
    let finished = worker.finish(&lease).await;
    town.block(vec![completed(1, None)]).await;

    assert_eq!(finished.status(), 204);
    assert_eq!((lease.fence, lease.attempt), (1, 1));
    assert_eq!(lease.job.data_id, [1; 32]);
    assert_eq!(lease.job.origin.block_height, 101);
    let job = town.job(1).await;
    assert_eq!(job.stage, Stage::Resolved);
    assert_eq!(job.worker.as_deref(), Some("worker-1"));
    assert_eq!(job.payment_charged, Some(NearToken::from_yoctonear(7)));
    assert_eq!(job.resolve_transaction.as_deref(), Some("resolved by"));
    assert_eq!(job.compile_time_ms, Some(40));
    assert_eq!(job.instructions, Some(1_000)); // the chain's word stands over the worker's
}

#[tokio::test]
async fn the_highest_payment_goes_first_and_then_the_oldest() {
    let town = Town::start().await;
    let worker = town.worker("w").await;
    let lines = [(1, 5), (2, u128::MAX), (3, 5), (4, 100)];
    town.block(lines.map(|(id, pays)| requested(id, pays)).into())
        .await;

    let mut order = Vec::new();
    while let Some(lease) = worker.lease().await {
        order.push(lease.job.notice.request_id.0);
    }

    assert_eq!(order, [2, 4, 1, 3]);
}

#[tokio::test]
async fn a_waiting_call_is_answered_when_a_job_comes() {
    let town = Town::start().await;
    let worker = town.worker("w").await;
    let waiting = tokio::spawn(async move { worker.lease_within(30_000).await });

    town.block(vec![requested(1, 1)]).await;

    assert_eq!(waiting.await.unwrap().unwrap().job.id.0, 1);
}

#[tokio::test]
async fn waiting_calls_get_nothing_when_the_coordinator_stops() {
    let town = Town::start().await;
    let worker = town.worker("w").await;
    let waiting = tokio::spawn(async move { worker.lease_within(30_000).await });
    let seen = async || {
        let [worker] = town
            .get::<Vec<WorkerView>>("/public/workers")
            .await
            .try_into()
            .unwrap();
        worker.last_seen_ms.is_some()
    };
    while !seen().await {}

    town.coordinator.stop().await;

    assert_eq!(waiting.await.unwrap(), None);
}

#[tokio::test]
async fn a_late_worker_is_told_that_its_lease_is_lost() {
    let town = Town::start().await;
    let (late, prompt) = (town.worker("late").await, town.worker("prompt").await);
    town.block(vec![requested(1, 1)]).await;
    let lost = late.lease().await.unwrap();
    town.clock.advance_ms(lost.expires_in_ms);

    let lease = prompt.lease().await.unwrap();

    assert_eq!((lease.fence, lease.attempt), (2, 2));
    for what in ["heartbeat", "release"] {
        let refused = refusal(late.say(&lost, what).await).await;
        assert_eq!(refused, (409, "lease_lost".into()), "{what}");
    }
    let refused = refusal(late.finish(&lost).await).await;
    assert_eq!(refused, (409, "lease_lost".into()));
    assert_eq!(prompt.finish(&lease).await.status(), 204);
    assert_eq!(prompt.finish(&lease).await.status(), 204); // twice is as once
}

#[tokio::test]
async fn a_heartbeat_keeps_a_lease_and_a_release_gives_the_attempt_back() {
    let town = Town::start().await;
    let worker = town.worker("w").await;
    town.block(vec![requested(1, 1)]).await;
    let lease = worker.lease().await.unwrap();

    town.clock.advance_ms(lease.expires_in_ms - 1);
    let beat = worker.say(&lease, "heartbeat").await;
    town.clock.advance_ms(lease.expires_in_ms - 1);
    let nothing = worker.lease().await;
    let released = worker.say(&lease, "release").await;
    let again = worker.lease().await.unwrap();

    assert_eq!(beat.status(), 200);
    assert_eq!(nothing, None);
    assert_eq!(released.status(), 204);
    assert_eq!((again.fence, again.attempt), (2, 1));
}

#[tokio::test]
async fn a_job_that_keeps_failing_rests_longer_each_time_and_is_given_up_with_a_reason() {
    let town = Town::start_with(|config| config.queue.max_attempts = 3).await;
    let worker = town.worker("w").await;
    town.block(vec![requested(1, 1)]).await;

    let mut rests = Vec::new();
    while let Some(lease) = worker.lease().await {
        let fail = Fail {
            fence: lease.fence,
            code: FailureCode::NetworkError,
            reason: "github.com did not answer".into(),
        };
        let path = format!("jobs/{}/fail", lease.job.id);
        let retry: Retry = worker.post(&path, &fail).await.json().await.unwrap();
        assert_eq!(worker.lease().await, None); // it rests
        rests.push(retry.retry_in_ms);
        town.clock
            .advance_ms(retry.retry_in_ms.unwrap_or(1_000_000));
    }

    assert_eq!(rests, [Some(1_000), Some(2_000), None]);
    let job = town.job(1).await;
    assert_eq!(job.stage, Stage::Dead);
    assert_eq!(job.error_type, Some(FailureCode::NetworkError));
    let dead = town.fetch_admin("/admin/dead-jobs").await;
    let dead: serde_json::Value = dead.json().await.unwrap();
    assert_eq!(
        dead[0]["reason"],
        "network_error: github.com did not answer"
    );
}

#[tokio::test]
async fn a_job_whose_yield_has_run_out_is_not_leased_and_expires_when_the_chain_says_so() {
    let town = Town::start_with(|config| config.queue.yield_timeout_blocks = 3).await;
    let worker = town.worker("w").await;
    town.block(vec![requested(1, 1)]).await;

    for _ in 0..3 {
        town.block(Vec::new()).await;
    }
    let lease = worker.lease().await;
    let before = town.job(1).await.stage;
    town.block(vec![completed(1, Some(FailureCode::TimedOut))])
        .await;

    assert_eq!(lease, None);
    assert_eq!(before, Stage::Queued);
    assert_eq!(town.job(1).await.stage, Stage::Expired);
}

#[tokio::test]
async fn a_worker_that_found_the_request_answered_waits_for_the_chains_word() {
    let town = Town::start().await;
    let worker = town.worker("w").await;
    town.block(vec![requested(1, 1)]).await;
    let lease = worker.lease().await.unwrap();
    let answered = Finish {
        fence: lease.fence,
        report: None,
    };

    let path = format!("jobs/{}/finish", lease.job.id);
    let finished = worker.post(&path, &answered).await;
    let before = town.job(1).await.stage;
    town.block(vec![completed(1, Some(FailureCode::TimedOut))])
        .await;

    assert_eq!(finished.status(), 204);
    assert_eq!(before, Stage::Leased);
    assert_eq!(town.job(1).await.stage, Stage::Expired);
    assert_eq!(worker.post(&path, &answered).await.status(), 204);
}

#[tokio::test]
async fn many_calls_at_once_never_get_the_same_job() {
    let town = Town::start().await;
    let lines = (1..=60).map(|id| requested(id, 1)).collect();
    town.block(lines).await;

    let mut calls = tokio::task::JoinSet::new();
    for name in ["a", "b", "c", "d"] {
        let worker = town.worker(name).await;
        calls.spawn(async move {
            let mut got = Vec::new();
            while let Some(lease) = worker.lease().await {
                got.push(lease.job.id.0);
                assert_eq!(worker.finish(&lease).await.status(), 204);
            }
            got
        });
    }
    let got = calls.join_all().await.concat();

    assert_eq!(got.len(), 60);
    assert_eq!(got.iter().collect::<BTreeSet<_>>().len(), 60);
}

#[tokio::test]
async fn a_crash_loses_nothing_and_repeats_nothing() {
    let town = Town::start().await;
    let worker = town.worker("w").await;
    town.block((1..=3).map(|id| requested(id, 1)).collect())
        .await;
    let done = worker.lease().await.unwrap();
    let held = worker.lease().await.unwrap();
    assert_eq!(worker.finish(&done).await.status(), 204);

    let town = town.crash().await;
    let worker = town.worker("w").await;
    town.block(vec![requested(3, 1), requested(4, 1)]).await; // 3 is a repetition

    let mut rest = BTreeSet::new();
    while let Some(lease) = worker.lease().await {
        rest.insert(lease.job.notice.request_id.0);
    }
    assert_eq!(rest, BTreeSet::from([3, 4]));
    assert_eq!(worker.say(&held, "heartbeat").await.status(), 200);
    let stats: StatsView = town.get("/public/stats").await;
    assert_eq!((stats.jobs, stats.resolved, stats.leased), (4, 1, 3));
}

#[tokio::test]
async fn the_public_pages_sum_up_what_happened() {
    let town = Town::start().await;
    let worker = town.worker("w").await;
    town.block((1..=4).map(|id| requested(id, 1)).collect())
        .await;
    let lease = worker.lease().await.unwrap();
    worker.finish(&lease).await;
    town.block(vec![completed(2, Some(FailureCode::Trapped))])
        .await;

    let stats: StatsView = town.get("/public/stats").await;
    let [seen] = town
        .get::<Vec<WorkerView>>("/public/workers")
        .await
        .try_into()
        .unwrap();
    let page: Vec<serde_json::Value> = town.get("/public/jobs?limit=2&offset=1").await;
    let repos: serde_json::Value = town.get("/public/repos/popular").await;

    assert_eq!((stats.jobs, stats.queued, stats.resolved), (4, 2, 2));
    assert_eq!((stats.succeeded, stats.unique_users), (1, 1));
    assert_eq!(stats.charged_yocto, NearToken::from_yoctonear(7));
    assert_eq!(stats.block_height, 102);
    assert!(seen.online);
    assert_eq!(seen.finished, 1);
    let ids = page.iter().map(|job| job["request_id"].as_u64().unwrap());
    assert_eq!(ids.collect::<Vec<_>>(), [3, 2]);
    assert_eq!(repos[0]["jobs"], 4);
    for (filter, found) in [
        ("user_account_id=alice.test", 4),
        ("user_account_id=bob.test", 0),
        ("source=https://github.com/alice/random-ark", 4),
        ("source=near", 4),
        ("source=https", 0),
    ] {
        let jobs: Vec<serde_json::Value> = town.get(&format!("/public/jobs?{filter}")).await;
        assert_eq!(jobs.len(), found, "{filter}");
    }
}
