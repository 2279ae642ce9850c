//! Several workers, several requests, and what the coordinator shows of them.

use std::collections::BTreeSet;

use outlayer::platform::Ending;
use protocol::artifact::{Build, SignedBuild};
use protocol::source::BuildTarget;
use serde_json::json;
use town::{Answer, Guest, Town};

use crate::PROGRAM;

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_share_the_jobs_and_answer_each_once() {
    let town = Town::new(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();
    let _second = town.worker("worker-2", &[]).unwrap();

    let asked: Vec<_> = (0..20)
        .map(|number| {
            let input = format!("say {number}");
            town.ask_meanwhile(json!({"source": source, "input_data": input}))
        })
        .collect();
    let mut said = BTreeSet::new();
    for asked in asked {
        let answer = town.answer_of(&asked.await.unwrap().unwrap()).unwrap();
        assert_eq!(answer.settlements, 1);
        said.insert(answer.value.unwrap().as_str().unwrap().to_owned());
    }

    assert_eq!(said.len(), 20);
    let jobs = town.until_ended(20).await.unwrap();
    assert_eq!(jobs.len(), 20);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_coordinator_shows_a_job_as_the_chain_settled_it() {
    let town = Town::new(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();

    let answer = town
        .ask(json!({"source": source, "input_data": "warn hidden\nsay hi"}))
        .await
        .unwrap();
    let jobs = town.until_ended(1).await.unwrap();

    let job = &jobs[0];
    assert_eq!(job["stage"], json!("resolved"));
    assert_eq!(job["success"], json!(true));
    assert_eq!(job["user_account_id"], json!("alice.test"));
    assert_eq!(job["transaction_hash"], json!(answer.transaction));
    let charged = answer.charged().as_yoctonear().to_string();
    assert_eq!(job["payment_charged"], json!(charged));
    let stats = town.get("/public/stats").await.unwrap();
    assert_eq!(stats["succeeded"], json!(1));
    assert!(
        !jobs[0].to_string().contains("hidden"),
        "what a guest writes is for operators only"
    );
    let logs = town
        .get_admin(&format!("/admin/system-logs/{}", job["request_id"]))
        .await
        .unwrap();
    assert!(logs.to_string().contains("hidden"), "{logs}");
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_takes_over_what_another_has_built_and_signed() {
    let mut town = Town::new(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();
    let request = json!({"source": source, "input_data": "say hi"});

    let built = town.ask(request.clone()).await.unwrap();
    town.platform.stop_worker(Ending::Graceful).await;
    let _newcomer = town.worker("newcomer", &[]).unwrap();
    let taken_over = town.ask(request).await.unwrap();

    let build_time = |answer: &Answer| {
        answer
            .completed
            .as_ref()
            .unwrap()
            .resources_used
            .compile_time_ms
    };
    assert!(build_time(&built).is_some());
    assert_eq!(taken_over.value, Ok(json!("hi")));
    assert_eq!(build_time(&taken_over), None);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_does_not_believe_a_build_that_a_stranger_signed() {
    let mut town = Town::new(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();
    let request = json!({"source": source, "input_data": "say hi"});
    let built = town
        .ask(json!({"source": source, "params": {"compile_only": true}}))
        .await
        .unwrap();
    town.platform.stop_worker(Ending::Graceful).await;
    let stranger = localnet::secret_key(&town.platform.accounts.alice);
    let build = Build {
        repo: "github.com/acme/probe-ark".into(),
        commit: source["GitHub"]["commit"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap(),
        build_target: BuildTarget::Wasip1,
        artifact: built.value.unwrap().as_str().unwrap().parse().unwrap(),
        recipe: None,
    };
    let forged = SignedBuild {
        public_key: stranger.public_key().to_string(),
        signature: stranger.sign(&build.to_be_signed()).to_string(),
        build,
    };
    let url = format!("{}/worker/builds", town.platform.coordinator_url());
    let put = reqwest::Client::new()
        .put(url)
        .bearer_auth(town.platform.worker_token());
    put.json(&forged)
        .send()
        .await
        .unwrap()
        .error_for_status()
        .unwrap();

    let _newcomer = town.worker("newcomer", &[]).unwrap();
    let answer = town.ask(request).await.unwrap();

    assert_eq!(answer.value, Ok(json!("hi")));
    let built_again = answer.completed.unwrap().resources_used.compile_time_ms;
    assert!(built_again.is_some(), "the newcomer builds for itself");
    town.close().await;
}
