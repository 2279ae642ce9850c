//! The listener that only this machine reaches.

use coordinator::logs::{Keeping, StoredLog};
use coordinator::{Config, Coordinator, Error};
use protocol::job::{HiddenLog, LogType};
use protocol::public::WorkerView;
use serde_json::{Value, json};

use crate::chain::{contract, requested};
use crate::town::{Town, Worker, refusal};

async fn leave_log(town: &Town, worker: &Worker, stderr: &str) -> u16 {
    town.block(vec![requested(186, 1)]).await;
    let log = HiddenLog {
        log_type: LogType::Compilation,
        stderr: stderr.into(),
        stdout: String::new(),
        exit_code: Some(-1),
        execution_error: None,
    };
    worker.post("jobs/1/logs", &log).await.status().as_u16()
}

#[tokio::test]
async fn hidden_logs_are_shown_on_the_loopback_listener_and_nowhere_else() {
    let town = Town::start().await;
    let worker = town.worker("w").await;

    let left = leave_log(&town, &worker, "root:x:0:0").await;
    let shown = town.fetch_admin("/admin/system-logs/186").await;
    let of_job = town.fetch_admin("/admin/compile-logs/1").await;
    let open = refusal(town.fetch("/admin/system-logs/186").await).await;

    assert_eq!(left, 204);
    let shown: Value = shown.json().await.unwrap();
    assert_eq!(
        shown,
        json!([{
            "id": 1,
            "request_id": 186,
            "job_id": 1,
            "log_type": "compilation",
            "stderr": "root:x:0:0",
            "stdout": "",
            "exit_code": -1,
            "execution_error": null,
            "created_at": "2025-10-27T12:00:00Z",
        }])
    );
    assert_eq!(of_job.json::<Value>().await.unwrap(), shown);
    assert_eq!(open, (404, "not_found".into()));
}

#[tokio::test]
async fn hidden_logs_are_capped_and_can_be_turned_off() {
    let capped = Town::start_with(|config| config.logs.max_text_bytes = 10).await;
    let off = Town::start_with(|config| config.logs.keeping = Keeping::Off).await;

    let mut shown = Vec::new();
    for town in [&capped, &off] {
        let worker = town.worker("w").await;
        assert_eq!(leave_log(town, &worker, "0123456789abcdef").await, 204);
        let logs = town.fetch_admin("/admin/system-logs/186").await;
        shown.push(logs.json::<Vec<StoredLog>>().await.unwrap());
    }

    assert_eq!(shown[0][0].stderr, "[6 bytes left out]\n6789abcdef");
    assert_eq!(shown[1], []);
}

#[tokio::test]
async fn a_job_keeps_only_so_many_logs() {
    let town = Town::start_with(|config| config.logs.max_logs_a_job = 2).await;
    let worker = town.worker("w").await;

    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(leave_log(&town, &worker, "x").await);
    }

    assert_eq!(statuses, [204, 204, 409]);
}

#[tokio::test]
async fn an_operator_makes_and_revokes_worker_tokens() {
    let town = Town::start().await;
    let url = format!("{}/admin/worker-tokens", town.coordinator.admin_url());
    let create = async |name: &str| {
        let body = json!({"worker_name": name});
        town.http.post(&url).json(&body).send().await.unwrap()
    };

    let made = create("worker-1").await;
    let again = refusal(create("worker-1").await).await;
    let odd = refusal(create("worker 1").await).await;
    let listed = town.fetch_admin("/admin/worker-tokens").await;
    let revoke = || town.http.delete(format!("{url}/worker-1")).send();
    let revoked = revoke().await.unwrap().status();
    let revoked_again = refusal(revoke().await.unwrap()).await;

    assert_eq!(made.status(), 201);
    let token = made.json::<Value>().await.unwrap()["token"].clone();
    assert_eq!(token.as_str().unwrap().len(), 64);
    assert_eq!(again, (409, "worker_exists".into()));
    assert_eq!(odd, (400, "bad_worker_name".into()));
    let listed: Vec<WorkerView> = listed.json().await.unwrap();
    assert_eq!(listed[0].worker_name, "worker-1");
    assert_eq!(revoked, 204);
    assert_eq!(revoked_again, (404, "no_such_worker".into()));
}

#[tokio::test]
async fn an_operator_throws_an_artifact_out() {
    let town = Town::start().await;
    let worker = town.worker("w").await;
    let artifact = protocol::ArtifactHash::of(b"bad");
    worker
        .put(&format!("artifacts/{artifact}"), b"bad".into())
        .await;
    let url = format!(
        "{}/admin/artifacts/{artifact}",
        town.coordinator.admin_url()
    );

    let thrown = town.http.delete(&url).send().await.unwrap();
    let again = refusal(town.http.delete(&url).send().await.unwrap()).await;

    assert_eq!(thrown.status(), 204);
    assert_eq!(again, (404, "no_such_artifact".into()));
    let gone = worker.get(&format!("artifacts/{artifact}")).await;
    assert_eq!(gone.status(), 404);
}

#[tokio::test]
async fn a_banned_artifact_is_gone_comes_no_more_and_is_named_to_workers() {
    let town = Town::start().await;
    let worker = town.worker("w1").await;
    let artifact = protocol::ArtifactHash::of(b"bad");
    let path = format!("artifacts/{artifact}");
    worker.put(&path, b"bad".into()).await;
    let url = format!("{}/admin/banned-artifacts", town.coordinator.admin_url());
    let ban = json!({"sha256": artifact});

    let banned = town.http.post(&url).json(&ban).send().await.unwrap();
    let all = town.fetch_admin("/admin/banned-artifacts").await;
    let all: Value = all.json().await.unwrap();
    let gone = worker.get(&path).await;
    let again = refusal(worker.put(&path, b"bad".into()).await).await;
    let one = format!("{url}/{artifact}");
    let lifted = town.http.delete(&one).send().await.unwrap();
    let twice = refusal(town.http.delete(&one).send().await.unwrap()).await;

    assert_eq!(banned.status(), 204);
    assert_eq!(all, json!([artifact]));
    assert_eq!(gone.status(), 404);
    assert_eq!(again, (403, "artifact_banned".into()));
    assert_eq!(lifted.status(), 204);
    assert_eq!(twice, (404, "no_such_artifact".into()));
    assert_eq!(worker.put(&path, b"bad".into()).await.status(), 204);
}

#[tokio::test]
async fn a_page_in_a_browser_cannot_reach_the_listener_under_a_name_of_its_own() {
    let town = Town::start().await;
    let url = format!("{}/admin/worker-tokens", town.coordinator.admin_url());
    let call = |host: &str| town.http.get(&url).header("host", host.to_owned()).send();

    assert_eq!(call("evil.example:80").await.unwrap().status(), 404);
    assert_eq!(call("localhost:1").await.unwrap().status(), 200);
    assert_eq!(call("[::1]:1").await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_admin_listener_refuses_an_address_that_others_reach() {
    let town = Town::start().await;
    let mut config = Config::new(contract(), town.folder());
    config.admin_listen = "0.0.0.0:0".parse().unwrap();

    let refused = Coordinator::start(config, town.parts()).await;

    assert!(matches!(refused, Err(Error::AdminNotLoopback(_))));
}
