//! How the chain is read.

use std::sync::Arc;

use coordinator::ingest::Start;
use protocol::job::Stage;
use protocol::public::{HealthView, JobView, StatsView};
use serde_json::Value;

use crate::chain::{Chain, completed, requested};
use crate::town::Town;

#[tokio::test]
async fn a_source_that_fails_for_a_while_loses_no_block() {
    let town = Town::start().await;
    town.chain.fail(3);

    town.block(vec![requested(1, 1)]).await;

    assert_eq!(town.job(1).await.stage, Stage::Queued);
}

#[tokio::test]
async fn a_missing_block_stops_the_cursor_until_it_is_there() {
    let town = Town::start().await;
    town.block(vec![requested(1, 1)]).await;

    town.chain.stray_block();
    let report = town.coordinator.ingest().stopped_for().await;
    let health: HealthView = town.get("/health/detailed").await;
    town.chain.mend();
    town.block(vec![requested(2, 1)]).await;

    assert!(report.contains("block 102 follows block"), "{report}");
    assert_eq!(health.status, "degraded");
    assert_eq!(health.ingest.state, "stopped");
    assert_eq!(health.ingest.block_height, 101);
    assert_eq!(
        town.get::<HealthView>("/health/detailed").await.status,
        "ok"
    );
    assert_eq!(town.job(2).await.stage, Stage::Queued);
}

#[tokio::test]
async fn an_event_of_ours_that_makes_no_sense_is_set_aside_and_shown() {
    let town = Town::start().await;
    let frame = |event: &str, data: &str| {
        format!(
            r#"EVENT_JSON:{{"standard":"near-outlayer","version":"1.0.0","event":"{event}","data":[{data}]}}"#
        )
    };
    let data_id = serde_json::to_string(&[0; 32]).unwrap();
    let lines = vec![
        frame(
            "execution_requested",
            &format!(r#"{{"request_data":"{{","data_id":{data_id},"timestamp":1}}"#),
        ),
        frame("execution_requested", "{}"),
        "EVENT_JSON:{".to_owned(),
        // These are not the queue's.
        frame("system_event", "{}"),
        frame("settings_changed", "{}"),
        r#"EVENT_JSON:{"standard":"nep141","version":"1.0.0","event":"ft_mint","data":[]}"#
            .to_owned(),
        "hello".to_owned(),
        requested(1, 1),
    ];

    town.block(lines).await;

    let rejected = town.fetch_admin("/admin/rejected-events").await;
    let rejected: Vec<Value> = rejected.json().await.unwrap();
    assert_eq!(rejected.len(), 3);
    let reason = rejected[2]["reason"].as_str().unwrap();
    assert!(reason.starts_with("request_data: EOF"), "{reason}");
    assert_eq!(town.job(1).await.stage, Stage::Queued);
    let health: HealthView = town.get("/health/detailed").await;
    assert_eq!(health.ingest.rejected_events, 3);
}

#[tokio::test]
async fn events_of_other_contracts_are_none_of_ours() {
    let town = Town::start().await;
    let other = "other.test".parse().unwrap();

    town.chain.block_of(&other, vec![requested(1, 1)]);
    town.block(Vec::new()).await;

    assert_eq!(town.get::<StatsView>("/public/stats").await.jobs, 0);
}

#[tokio::test]
async fn a_first_start_begins_where_it_is_told() {
    let chain = Arc::<Chain>::default();
    chain.block(vec![requested(1, 1)]);
    chain.block(vec![requested(2, 1)]);

    let latest = Town::start_on(chain.clone(), |config| config.ingest.start = Start::Latest).await;
    let second = Town::start_on(chain.clone(), |config| {
        config.ingest.start = Start::Height(102);
    })
    .await;
    second.coordinator.ingest().reached(102).await;
    latest.coordinator.ingest().reached(102).await;
    let third = chain.block(vec![requested(3, 1), completed(1, None)]);

    for (town, expected) in [(latest, vec![3]), (second, vec![3, 2])] {
        town.coordinator.ingest().reached(third).await;
        let jobs: Vec<JobView> = town.get("/public/jobs").await;
        let ids: Vec<_> = jobs.iter().map(|job| job.request_id.0).collect();
        assert_eq!(ids, expected);
    }
}

#[tokio::test]
async fn a_request_that_is_asked_and_ended_in_one_block_is_resolved() {
    let town = Town::start().await;

    town.block(vec![requested(1, 1), completed(1, None)]).await;

    assert_eq!(town.job(1).await.stage, Stage::Resolved);
}
