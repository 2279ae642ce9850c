//! The guest fails, and the caller learns how and pays for what was used.

use std::time::Duration;

use localnet::Pace;
use outlayer::platform::Settings;
use protocol::{FailureCode, NearToken};
use serde_json::{Value, json};
use town::{Answer, DEPOSIT, Guest, Town};

use crate::PROGRAM;

/// Asks the probe for something that goes wrong.
async fn ask(input: &str, limits: Value) -> Answer {
    let town = Town::new(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();
    let request = json!({"source": source, "input_data": input, "resource_limits": limits});
    let answer = town.ask(request).await.unwrap();
    town.close().await;
    answer
}

fn assert_charged_for_what_was_used(answer: &Answer) {
    assert_eq!(answer.value, Ok(Value::Null));
    assert_eq!(answer.settlements, 1);
    assert!(
        answer.charged() >= NearToken::from_millinear(1),
        "the base fee at least"
    );
    assert_eq!(
        answer.charged().checked_add(answer.refunded()),
        Some(DEPOSIT)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_traps_is_charged_for_what_it_used() {
    let answer = ask("trap", json!({})).await;

    assert_eq!(answer.failure(), Some(FailureCode::Trapped));
    assert_charged_for_what_was_used(&answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_exits_with_a_code_says_so() {
    let answer = ask("exit 3", json!({})).await;

    assert_eq!(answer.failure(), Some(FailureCode::Exited));
    let message = answer.completed.as_ref().unwrap().error_message.clone();
    assert_eq!(message.as_deref(), Some("the guest exited with code 3"));
    assert_charged_for_what_was_used(&answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_uses_up_its_instructions_is_charged_for_all_of_them() {
    let answer = ask("spin", json!({"max_instructions": 50_000_000})).await;

    assert_eq!(answer.failure(), Some(FailureCode::OutOfInstructions));
    let used = answer
        .completed
        .as_ref()
        .unwrap()
        .resources_used
        .instructions;
    assert!((49_000_000..=50_000_000).contains(&used), "{used}");
    assert_charged_for_what_was_used(&answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_outstays_its_time_is_stopped() {
    // Its clock stands still, so only computing takes time.
    let limits = json!({"max_execution_seconds": 1, "max_instructions": 100_000_000_000_u64});
    let answer = ask("spin", limits).await;

    assert_eq!(answer.failure(), Some(FailureCode::OutOfTime));
    assert!(answer.completed.as_ref().unwrap().resources_used.time_ms >= 1_000);
    assert_charged_for_what_was_used(&answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_outgrows_its_memory_is_stopped() {
    let answer = ask("allocate 64", json!({"max_memory_mb": 16})).await;

    assert_eq!(answer.failure(), Some(FailureCode::OutOfMemory));
    assert_charged_for_what_was_used(&answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_writes_too_much_is_stopped() {
    let answer = ask("repeat 5000000", json!({})).await;

    assert_eq!(answer.failure(), Some(FailureCode::OutputTooLarge));
    assert_charged_for_what_was_used(&answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn output_that_is_not_of_its_format_is_the_guests_failure() {
    let town = Town::new(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();
    let ask = |input: &str, format: &str| {
        town.ask(json!({"source": source, "input_data": input, "response_format": format}))
    };

    let not_utf8 = ask("bytes 3", "Text").await.unwrap();
    let not_json = ask("say {", "Json").await.unwrap();

    for answer in [not_utf8, not_json] {
        assert_eq!(answer.failure(), Some(FailureCode::BadOutput));
        assert_charged_for_what_was_used(&answer);
    }
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_comes_back_when_nobody_answers_before_the_yield_runs_out() {
    let town = Town::without_workers(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();

    let asked = town.ask_meanwhile(json!({"source": source, "input_data": "say hi"}));
    town.until_pending(1).await.unwrap();
    town.platform.localnet.fast_forward(260).await.unwrap();
    let answer = town.answer_of(&asked.await.unwrap().unwrap()).unwrap();

    assert_eq!(answer.value, Ok(Value::Null));
    assert_eq!(answer.failure(), Some(FailureCode::TimedOut));
    assert_eq!(answer.refunded(), DEPOSIT);
    let jobs = town.until_ended(1).await.unwrap();
    assert_eq!(jobs[0]["stage"], json!("expired"));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_takes_too_long_is_answered_before_it_ends() {
    let town = Town::with(
        PROGRAM,
        Settings {
            build_patience: Duration::ZERO,
            pace: Pace::OnDemand,
            ..Settings::default()
        },
    )
    .await
    .unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();
    let request =
        json!({"source": source, "input_data": "say hi", "params": {"full_result": true}});

    let first = town.ask(request.clone()).await.unwrap();
    let later = loop {
        let again = town.ask(request.clone()).await.unwrap();
        if again.failure() != Some(FailureCode::CompilationInProgress) {
            break again;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    };

    let in_progress = &first.value.unwrap()["CompilationInProgress"];
    assert_eq!(in_progress["estimated_seconds"], json!(30));
    assert_eq!(in_progress["retry_after_blocks"], json!(50));
    assert_eq!(later.value.unwrap()["Success"]["return_value"], json!("hi"));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_that_miss_an_artifact_build_it_once_and_one_request_pays() {
    let town = Town::without_workers(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();
    let request = json!({"source": source, "input_data": "say hi"});
    let asked = [0, 1].map(|_| town.ask_meanwhile(request.clone()));
    town.until_pending(2).await.unwrap();

    let _workers = [
        town.another_worker("one", &["--concurrency=1"])
            .await
            .unwrap(),
        town.another_worker("other", &["--concurrency=1"])
            .await
            .unwrap(),
    ];
    let mut answers = Vec::new();
    for asked in asked {
        let outcome = asked.await.unwrap().unwrap();
        answers.push(town.answer_of(&outcome).unwrap());
    }

    for answer in answers {
        assert_eq!(answer.value, Ok(json!("hi")));
    }
    let jobs = town.until_ended(2).await.unwrap();
    let built = jobs
        .iter()
        .filter(|job| job["compile_time_ms"].as_u64().is_some_and(|ms| ms > 0));
    assert_eq!(built.count(), 1, "{jobs:?}");
    town.close().await;
}
