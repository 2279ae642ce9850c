//! The cache and the index of builds.

use protocol::ArtifactHash;
use protocol::artifact::{Build, SignedBuild};
use protocol::public::WasmView;
use protocol::source::BuildTarget;
use serde_json::Value;

use crate::chain::requested;
use crate::town::{Town, refusal};

#[tokio::test]
async fn an_artifact_comes_back_as_it_went_in() {
    let town = Town::start().await;
    let worker = town.worker("w").await;
    let wasm = vec![7; 100_000];
    let path = format!("artifacts/{}", ArtifactHash::of(&wasm));

    let missing = refusal(worker.get(&path).await).await;
    let put = worker.put(&path, wasm.clone()).await;
    let got = worker.get(&path).await;
    let exists: Value = town
        .get(&format!("/public/wasm/exists/{}", ArtifactHash::of(&wasm)))
        .await;

    assert_eq!(missing, (404, "no_such_artifact".into()));
    assert_eq!(put.status(), 204);
    assert_eq!(got.headers()["content-type"], "application/wasm");
    assert_eq!(got.bytes().await.unwrap(), wasm);
    assert_eq!(exists["exists"], true);
}

#[tokio::test]
async fn bytes_that_are_not_what_they_are_called_leave_no_trace() {
    let town = Town::start_with(|config| config.artifacts.max_artifact_bytes = 1_000).await;
    let worker = town.worker("w").await;
    let named = ArtifactHash::of(b"one");
    let large = vec![1; 1_001];

    let path = format!("artifacts/{named}");
    let other = refusal(worker.put(&path, b"other".into()).await).await;
    let path = format!("artifacts/{}", ArtifactHash::of(&large));
    let large = refusal(worker.put(&path, large).await).await;

    assert_eq!(other, (400, "hash_mismatch".into()));
    assert_eq!(large, (413, "body_too_large".into()));
    let incoming = town.folder().join("artifacts/incoming");
    assert_eq!(std::fs::read_dir(incoming).unwrap().count(), 0);
    let exists: Value = town.get(&format!("/public/wasm/exists/{named}")).await;
    assert_eq!(exists["exists"], false);
}

#[tokio::test]
async fn the_least_recently_used_go_when_the_cache_is_four_fifths_full() {
    let town = Town::start_with(|config| config.artifacts.max_bytes = 1_000).await;
    let worker = town.worker("w").await;
    let wasms = [vec![1; 300], vec![2; 300], vec![3; 300]];
    let [first, second, third] = wasms.each_ref().map(|wasm| ArtifactHash::of(wasm));

    for wasm in &wasms {
        let path = format!("artifacts/{}", ArtifactHash::of(wasm));
        assert_eq!(worker.put(&path, wasm.clone()).await.status(), 204);
        town.clock.advance_ms(1_000);
        worker.get(&format!("artifacts/{first}")).await; // the first stays in use
    }

    assert_eq!(
        worker.get(&format!("artifacts/{first}")).await.status(),
        200
    );
    let gone = worker.get(&format!("artifacts/{second}")).await;
    assert_eq!(gone.status(), 404);
    assert_eq!(
        worker.get(&format!("artifacts/{third}")).await.status(),
        200
    );
    let file = town.folder().join(format!("artifacts/{second}.wasm"));
    assert!(!file.exists());
}

#[tokio::test]
async fn a_crash_leaves_no_half_artifact_and_no_row_without_a_file() {
    let town = Town::start().await;
    let worker = town.worker("w").await;
    let artifact = ArtifactHash::of(b"wasm");
    let path = format!("artifacts/{artifact}");
    worker.put(&path, b"wasm".into()).await;
    let folder = town.folder().join("artifacts");
    std::fs::remove_file(folder.join(format!("{artifact}.wasm"))).unwrap();
    std::fs::write(folder.join("incoming/half"), b"wa").unwrap();

    let town = town.crash().await;

    let worker = town.worker("w").await;
    assert_eq!(worker.get(&path).await.status(), 404);
    assert!(!folder.join("incoming/half").exists());
}

#[tokio::test]
async fn a_signed_build_comes_back_word_for_word() {
    let town = Town::start().await;
    let worker = town.worker("w").await;
    let signed = SignedBuild {
        build: Build {
            repo: "github.com/alice/random-ark".into(),
            commit: "4b825dc642cb6eb9a060e54bf8d69288fbee4904".parse().unwrap(),
            build_target: BuildTarget::Wasip1,
            artifact: ArtifactHash::of(b"wasm"),
            recipe: None,
        },
        public_key: "ed25519:a".into(),
        signature: "ed25519:b".into(),
    };
    let query = format!(
        "builds?repo={}&commit={}&build_target=wasm32-wasip1",
        signed.build.repo, signed.build.commit
    );

    let missing = refusal(worker.get(&query).await).await;
    let put = worker.put_json("builds", &signed).await;
    let got: SignedBuild = worker.get(&query).await.json().await.unwrap();

    assert_eq!(missing, (404, "no_such_build".into()));
    assert_eq!(put.status(), 204);
    assert_eq!(got, signed);
}

#[tokio::test]
async fn anyone_may_see_what_a_commit_was_built_to_and_how_often_it_ran() {
    let town = Town::start().await;
    let worker = town.worker("w").await;
    let artifact = ArtifactHash::of(b"wasm"); // what the worker reports that it ran
    let build = serde_json::json!({
        "repo": "github.com/alice/random-ark",
        "commit": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        "build_target": "wasm32-wasip1",
        "artifact": artifact,
        "public_key": "ed25519:a",
        "signature": "ed25519:b",
    });
    worker.put_json("builds", &build).await;
    worker
        .put(&format!("artifacts/{artifact}"), b"wasm".into())
        .await;
    town.block(vec![requested(1, 1)]).await;
    let lease = worker.lease().await.unwrap();
    worker.finish(&lease).await;

    let town = town.restart().await; // a graceful stop writes the tallies
    let view: WasmView = town
        .get("/public/wasm/info?repo_url=https://github.com/alice/random-ark.git&commit_hash=4b825dc642cb6eb9a060e54bf8d69288fbee4904")
        .await;

    assert!(view.exists);
    assert_eq!(view.sha256, Some(artifact));
    assert_eq!((view.size_bytes, view.executions), (Some(4), Some(1)));
}
