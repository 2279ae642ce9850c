//! Parts die at the worst moment, and every request is still answered once.

use std::time::Duration;

use coordinator::queue;
use localnet::Pace;
use outlayer::platform::{Ending, Settings};
use serde_json::{Value, json};
use tokio::process::Command;
use town::{DEPOSIT, Guest, Town};
use worker::Step;

use crate::PROGRAM;

/// A town whose dead workers are soon given up, with no worker of its own.
async fn town() -> Town {
    let settings = Settings {
        concurrency: 0,
        // A yield lives 200 blocks, here 100 s: blocks that come as fast as there is work would end it too soon.
        pace: Pace::Every(Duration::from_millis(500)),
        queue: queue::Settings {
            lease_ms: 600,
            backoff_ms: 50,
            // However often a worker is killed.
            max_attempts: 100,
            ..Default::default()
        },
        ..Settings::default()
    };
    Town::with(PROGRAM, settings).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_at_any_step_leaves_a_job_that_is_answered_once() {
    let town = town().await;
    let source = town.publish(Guest::Probe).await.unwrap();

    for step in Step::ALL {
        let asked = town.ask_meanwhile(json!({"source": source, "input_data": "say hi"}));
        let died = town
            .worker("worker", &["--die-at", step.as_str()])
            .unwrap()
            .wait()
            .await
            .unwrap();
        let mut successor = town.worker("worker", &[]).unwrap();
        let answer = town.answer_of(&asked.await.unwrap().unwrap()).unwrap();
        successor.kill().await.unwrap();

        assert!(!died.success(), "killed at {}", step.as_str());
        assert_eq!(answer.value, Ok(json!("hi")), "killed at {}", step.as_str());
        assert_eq!(answer.settlements, 1, "killed at {}", step.as_str());
        assert_eq!(
            answer.charged().checked_add(answer.refunded()),
            Some(DEPOSIT)
        );
    }
    let jobs = town.until_ended(Step::ALL.len()).await.unwrap();
    assert!(
        jobs.iter().all(|job| job["stage"] == json!("resolved")),
        "{jobs:?}"
    );
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_told_to_stop_finishes_what_it_has() {
    let town = town().await;
    let source = town.publish(Guest::Probe).await.unwrap();
    let mut worker = town.worker("worker", &[]).unwrap();
    let asked = town.ask_meanwhile(json!({"source": source, "input_data": "say hi"}));
    town.until_stage("leased").await.unwrap();

    let pid = worker.id().unwrap().to_string();
    Command::new("kill")
        .args(["-TERM", &pid])
        .status()
        .await
        .unwrap();
    let ended = worker.wait().await.unwrap();

    assert!(ended.success(), "{ended}");
    let answer = town.answer_of(&asked.await.unwrap().unwrap()).unwrap();
    assert_eq!(answer.value, Ok(json!("hi")));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_that_is_killed_and_comes_back_goes_on_where_it_was() {
    let mut town = town().await;
    let source = town.publish(Guest::Probe).await.unwrap();

    let before = town.ask_meanwhile(json!({"source": source, "input_data": "say before"}));
    town.until_stage("queued").await.unwrap();
    town.platform.stop_coordinator(Ending::Sudden).await;
    let during = town.ask_meanwhile(json!({"source": source, "input_data": "say during"}));
    town.until_pending(2).await.unwrap();
    town.platform.start_coordinator().await.unwrap();
    let _worker = town.worker("worker", &[]).unwrap();

    for (asked, said) in [(before, "before"), (during, "during")] {
        let answer = town.answer_of(&asked.await.unwrap().unwrap()).unwrap();
        assert_eq!(answer.value, Ok(json!(said)));
        assert_eq!(answer.settlements, 1);
    }
    let jobs = town.until_ended(2).await.unwrap();
    assert_eq!(jobs.len(), 2);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_outlives_a_coordinator_that_is_away_for_a_while() {
    let mut town = town().await;
    let source = town.publish(Guest::Probe).await.unwrap();
    let _worker = town.worker("worker", &[]).unwrap();

    town.platform.stop_coordinator(Ending::Graceful).await;
    let asked = town.ask_meanwhile(json!({"source": source, "input_data": "say hi"}));
    town.until_pending(1).await.unwrap();
    town.platform.start_coordinator().await.unwrap();

    let answer = town.answer_of(&asked.await.unwrap().unwrap()).unwrap();
    assert_eq!(answer.value, Ok(json!("hi")));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resolve_that_is_repeated_changes_nothing() {
    let town = Town::new(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();
    let answer = town
        .ask(json!({"source": source, "input_data": "say hi"}))
        .await
        .unwrap();
    let contract = town.platform.accounts.outlayer.clone();
    let operator = town.platform.accounts.operator.clone();
    let id = answer.completed.as_ref().unwrap().request_id.unwrap();
    let before = town.balance(&contract).await.unwrap();

    let repeated = town
        .as_account(
            &operator,
            "resolve_execution",
            json!({"request_id": id, "response": {
                "success": true,
                "output": {"Text": "something else"},
                "resources_used": {"instructions": 1, "time_ms": 1},
            }}),
        )
        .await
        .unwrap();

    assert_eq!(repeated["resolved"], json!(false));
    assert_eq!(repeated["code"], json!("no_such_request"));
    assert_eq!(town.balance(&contract).await.unwrap(), before);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_requests_survive_a_worker_that_is_killed_again_and_again() {
    let town = town().await;
    let source = town.publish(Guest::Probe).await.unwrap();
    let mut asked: Vec<_> = (0..100)
        .map(|number| {
            let input = format!("say {number}");
            town.ask_meanwhile(json!({"source": source, "input_data": input}))
        })
        .collect();

    // Each worker lives a little longer than the one before, so that the run ends however slow the machine is.
    let mut life = Duration::from_millis(400);
    while asked.iter().any(|asked| !asked.is_finished()) {
        let mut worker = town.worker("worker", &[]).unwrap();
        let all_done = async {
            while asked.iter().any(|asked| !asked.is_finished()) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(life, all_done).await;
        worker.kill().await.unwrap();
        life = life.saturating_mul(3) / 2;
    }

    for (number, asked) in asked.drain(..).enumerate() {
        let answer = town.answer_of(&asked.await.unwrap().unwrap()).unwrap();
        assert_eq!(
            answer.value,
            Ok(json!(number.to_string())),
            "{:?}",
            answer.failure()
        );
        assert_eq!(answer.settlements, 1);
        assert_eq!(
            answer.charged().checked_add(answer.refunded()),
            Some(DEPOSIT)
        );
    }
    let contract = town.platform.accounts.outlayer.clone();
    let pending = town
        .view(&contract, "get_pending_request_ids", json!({}))
        .await
        .unwrap();
    assert_eq!(pending, Value::Array(vec![]));
    town.close().await;
}
