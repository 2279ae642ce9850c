//! What a person, or a script, does with the `outlayer` command.

use std::process::{Output, Stdio};
use std::time::Duration;

use outlayer::platform::Settings;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use town::{Guest, Town};

use crate::PROGRAM;

async fn outlayer(args: &[&str]) -> Output {
    Command::new(PROGRAM).args(args).output().await.unwrap()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_from_the_command_line_is_answered_and_shown_by_status() {
    let town = Town::new(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();
    let rpc = town.platform.localnet.rpc_url();
    let key = localnet::secret_key(&town.platform.accounts.alice).to_string();
    let source = format!("{}@main", source["GitHub"]["repo"].as_str().unwrap());
    let base = ["--json", "request", "--rpc", &rpc, "--secret-key", &key];

    let good = outlayer(&[&base[..], &["--input", "say hi", &source]].concat()).await;
    let trap = outlayer(&[&base[..], &["--input", "trap", &source]].concat()).await;
    town.until_ended(2).await.unwrap();
    let url = town.platform.coordinator_url().to_owned();
    let all = outlayer(&["--json", "status", "--coordinator", &url]).await;
    let one = outlayer(&["status", "--coordinator", &url, "1"]).await;

    assert!(good.status.success());
    assert_eq!(json_of(&good)["answer"], json!("hi"));
    assert_eq!(
        trap.status.code(),
        Some(1),
        "a guest that fails is a failure of the command"
    );
    assert_eq!(json_of(&trap)["error_type"], json!("trapped"));
    assert_eq!(json_of(&all)["stats"]["resolved"], json!(2));
    assert!(String::from_utf8_lossy(&one.stdout).starts_with("request 1: resolved, "));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_watches_a_request_sees_a_long_build_to_its_end_and_then_the_answer() {
    let settings = Settings {
        build_patience: Duration::ZERO,
        ..Settings::default()
    };
    let town = Town::with(PROGRAM, settings).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();
    let rpc = town.platform.localnet.rpc_url();
    let key = localnet::secret_key(&town.platform.accounts.alice).to_string();
    let source = source.to_string();
    let url = town.platform.coordinator_url().to_owned();
    let words = [
        "--json",
        "request",
        "--rpc",
        &rpc,
        "--secret-key",
        &key,
        "--watch",
        "--coordinator",
        &url,
        "--input",
        "say hi",
        &source,
    ];

    let watched = outlayer(&words).await;

    let said: Vec<Value> = String::from_utf8_lossy(&watched.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let phases: Vec<&str> = said
        .iter()
        .filter_map(|line| line["error_type"].as_str())
        .collect();
    assert_eq!(phases, ["compilation_in_progress"], "{watched:?}");
    let stages = said
        .iter()
        .filter_map(|line| line["build"]["progress"]["stage"].as_str());
    assert!(stages.count() > 0, "{said:?}");
    assert_eq!(said.last().unwrap()["answer"], json!("hi"));
    assert!(watched.status.success());
    town.close().await;
}

/// The sources of the probe in a folder.
fn probe() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in Guest::Probe.files().unwrap() {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_run_comes_to_the_same_under_every_engine() {
    let folder = probe();
    let guest = folder.path().to_str().unwrap();
    let kept = folder.path().join("run.bin");
    let record = kept.to_str().unwrap();

    let run = outlayer(&[
        "--json", "run", guest, "--input", "trap", "--record", record,
    ])
    .await;
    let first = json_of(&run);

    assert_eq!(run.status.code(), Some(1));
    for engine in ["tiered", "cranelift", "winch", "wasmi"] {
        let again = outlayer(&["--json", "replay", record, "--engine", engine]).await;
        assert!(again.status.success(), "{engine}: {again:?}");
        let again = json_of(&again);
        assert_eq!(again["instructions"], first["instructions"], "{engine}");
        assert_eq!(again["outcome"], first["outcome"], "{engine}");
    }
    std::fs::write(&kept, "something else").unwrap();
    let strange = outlayer(&["replay", record]).await;
    assert!(String::from_utf8_lossy(&strange.stderr).contains("no record of an execution"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_builds_to_the_same_bytes_here_and_on_a_worker() {
    let town = Town::new(PROGRAM).await.unwrap();
    let repositories = town
        .platform
        .repositories
        .folder()
        .to_str()
        .unwrap()
        .to_owned();
    for guest in Guest::EXAMPLES {
        let source = town.publish(guest).await.unwrap();
        let asked = json!({"source": source, "params": {"compile_only": true}});
        let answer = town.ask(asked).await.unwrap();
        let made = answer.value.unwrap();
        let made = made.as_str().unwrap();
        let named = source.to_string();
        let build = [
            "--json",
            "build",
            &named,
            "--repositories",
            &repositories,
            "--verify",
        ];

        let yes = outlayer(&[&build[..], &[made]].concat()).await;
        let no = outlayer(&[&build[..], &[&"0".repeat(64)]].concat()).await;

        assert!(yes.status.success(), "{yes:?}");
        assert_eq!(json_of(&yes)["artifact"], json!(made));
        let recipe = &json_of(&yes)["recipe"];
        assert!(
            recipe["command"]
                .as_str()
                .is_some_and(|line| !line.is_empty())
        );
        assert_eq!(town.recipe_of(guest, &source).await.unwrap(), *recipe);
        assert_eq!(no.status.code(), Some(1), "{no:?}");
        assert_eq!(json_of(&no)["artifact"], json!(made));
    }
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_worker_ran_is_run_again_by_an_operator() {
    let town = Town::without_workers(PROGRAM).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().to_str().unwrap();
    let _worker = town.worker("worker", &["--keep-runs", kept]).unwrap();
    let source = town.publish(Guest::Random).await.unwrap();

    let answer = town
        .ask(json!({
            "source": source,
            "input_data": "{\"min\": 1, \"max\": 1000000}",
            "response_format": "Json",
        }))
        .await
        .unwrap();
    let record = folder.path().join("1.run");
    let again = outlayer(&["--json", "replay", record.to_str().unwrap()]).await;

    assert!(again.status.success(), "{again:?}");
    let said: serde_json::Value =
        serde_json::from_str(json_of(&again)["stdout"].as_str().unwrap()).unwrap();
    assert_eq!(answer.value, Ok(said));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_shows_where_the_gas_goes() {
    let folder = probe();
    let guest = folder.path().to_str().unwrap();
    let graph = folder.path().join("gas.svg");

    let run = outlayer(&[
        "run",
        guest,
        "--input",
        "say hi",
        "--profile",
        graph.to_str().unwrap(),
    ])
    .await;

    assert!(run.status.success(), "{run:?}");
    let graph = std::fs::read_to_string(graph).unwrap();
    assert!(graph.contains("Gas by function"));
    assert!(graph.contains("probe_ark::main"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_runs_locally_from_its_folder_as_it_would_on_a_worker() {
    let folder = probe();
    let guest = folder.path().to_str().unwrap();

    let good = outlayer(&[
        "--json", "run", guest, "--env", "WHO=me", "--input", "env WHO",
    ])
    .await;
    let spin = outlayer(&[
        "--json",
        "run",
        guest,
        "--instructions",
        "1000000",
        "--input",
        "spin",
    ])
    .await;

    assert!(
        good.status.success(),
        "{}",
        String::from_utf8_lossy(&good.stderr)
    );
    assert_eq!(json_of(&good)["stdout"], json!("me"));
    assert!(!spin.status.success());
    assert_eq!(json_of(&spin)["outcome"], json!("ran out of instructions"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_is_answered_with_what_to_do() {
    let cases: [(&[&str], &str); 4] = [
        (
            &["run", "no-such-file.wasm"],
            "cannot read no-such-file.wasm",
        ),
        (
            &[
                "request",
                "--rpc",
                "http://127.0.0.1:9",
                "--secret-key",
                "x",
                "https://github.com/a/b",
            ],
            "names no commit; write https://github.com/owner/repo@commit",
        ),
        (
            &["status", "--coordinator", "http://127.0.0.1:9"],
            "is a coordinator running there?",
        ),
        (
            &["run", "Cargo.toml", "--env", "NAME"],
            "--env takes NAME=VALUE",
        ),
    ];

    for (args, advice) in cases {
        let output = outlayer(args).await;

        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(said.contains(advice), "{args:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dev_keeps_its_chain_and_its_jobs_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();

    let first = dev(data).await;
    let key = first["alice"]["secret_key"].as_str().unwrap().to_owned();
    let request = outlayer(&[
        "--json",
        "request",
        "--rpc",
        first["rpc"].as_str().unwrap(),
        "--secret-key",
        &key,
        "https://github.com/outlayer-examples/random-ark@main",
    ])
    .await;
    let second = dev_again(data, first["pid"].as_u64().unwrap()).await;
    let status = outlayer(&[
        "--json",
        "status",
        "--coordinator",
        second["coordinator"].as_str().unwrap(),
    ])
    .await;

    assert!(
        request.status.success(),
        "{}",
        String::from_utf8_lossy(&request.stderr)
    );
    assert_eq!(json_of(&status)["stats"]["jobs"], json!(1));
    stop(second["pid"].as_u64().unwrap()).await;
}

/// Starts `outlayer dev`; what it says of itself, and its process id.
async fn dev(data: &str) -> Value {
    let mut child = Command::new(PROGRAM)
        .args(["--json", "dev", "--data", data])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines
        .next_line()
        .await
        .unwrap()
        .expect("dev says where it is");
    let mut said: Value = serde_json::from_str(&line).unwrap();
    said["pid"] = json!(child.id().unwrap());
    // The child is stopped by its id, and reaped here.
    tokio::spawn(async move { child.wait().await });
    said
}

async fn dev_again(data: &str, pid: u64) -> Value {
    stop(pid).await;
    dev(data).await
}

/// Ctrl-C, and the wait until the process is gone.
async fn stop(pid: u64) {
    let pid = pid.to_string();
    Command::new("kill")
        .args(["-INT", &pid])
        .status()
        .await
        .unwrap();
    while Command::new("kill")
        .args(["-0", &pid])
        .stderr(Stdio::null())
        .status()
        .await
        .unwrap()
        .success()
    {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
