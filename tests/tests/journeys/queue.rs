//! Several workers, several requests, and what the coordinator shows of them.

use std::collections::BTreeSet;
use std::process::Stdio;

use serde_json::json;
use tokio::process::Command;
use town::{Guest, Town};

use crate::PROGRAM;

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_share_the_jobs_and_answer_each_once() {
    let town = Town::new(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();
    let _second = Command::new(PROGRAM)
        .args(town.platform.worker_command())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();

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
