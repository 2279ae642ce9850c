//! Where the code comes from, and what is wrong with it.

use clients::fastfs::Upload;
use protocol::{ArtifactHash, FailureCode};
use serde_json::{Value, json};
use town::{Answer, Guest, Town};

use crate::PROGRAM;

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_moves_gives_the_commit_it_is_at() {
    let town = Town::new(PROGRAM).await.unwrap();
    let says = |text: &str| {
        [
            (
                "Cargo.toml",
                "[package]\nname = \"moving-ark\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n"
                    .to_owned(),
            ),
            (
                "Cargo.lock",
                "version = 4\n\n[[package]]\nname = \"moving-ark\"\nversion = \"0.1.0\"\n".to_owned(),
            ),
            ("src/main.rs", format!("fn main() {{ print!(\"{text}\"); }}\n")),
        ]
    };
    let publish = async |text: &str| {
        let files = says(text);
        let files: Vec<_> = files
            .iter()
            .map(|(path, text)| (*path, text.as_bytes()))
            .collect();
        town.platform
            .repositories
            .commit("acme/moving-ark", &files)
            .await
            .unwrap()
    };
    let request =
        json!({"source": {"repo": "https://github.com/acme/moving-ark", "commit": "main"}});

    publish("first").await;
    let first = town.ask(request.clone()).await.unwrap();
    publish("second").await;
    let second = town.ask(request).await.unwrap();

    assert_eq!(first.value, Ok(json!("first")));
    assert_eq!(second.value, Ok(json!("second")));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_cannot_be_had_is_named_by_its_code() {
    let town = Town::new(PROGRAM).await.unwrap();
    let probe = town.publish(Guest::Probe).await.unwrap();
    let broken = town.publish(Guest::Broken).await.unwrap();
    let repo = probe["GitHub"]["repo"].clone();
    let cases: [(Value, FailureCode); 5] = [
        (
            json!({"repo": "https://github.com/acme/nothing-here", "commit": "main"}),
            FailureCode::RepositoryNotFound,
        ),
        (
            json!({"repo": repo, "commit": "no-such-branch"}),
            FailureCode::CommitNotFound,
        ),
        (
            json!({"repo": "git@github.com:acme/x.git", "commit": "main"}),
            FailureCode::InvalidRepositoryUrl,
        ),
        (
            json!({"repo": "https://example.com/acme/x", "commit": "main"}),
            FailureCode::InvalidRepositoryUrl,
        ),
        (broken, FailureCode::RustCompilationError),
    ];

    for (source, code) in cases {
        let answer = town.ask(json!({"source": source})).await.unwrap();

        assert_eq!(answer.failure(), Some(code), "{source}");
        assert_eq!(answer.value, Ok(Value::Null));
    }
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_that_the_operator_banned_is_not_run() {
    let town = Town::new(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();
    let request = json!({"source": source, "input_data": "say hi"});
    let build = json!({"source": source, "params": {"compile_only": true}});
    let artifact = town.ask(build).await.unwrap().value.unwrap();
    let url = format!(
        "{}/admin/banned-artifacts",
        town.platform.admin_url().unwrap()
    );
    let admin = reqwest::Client::new();

    let ban = admin.post(&url).json(&json!({"sha256": artifact}));
    ban.send().await.unwrap().error_for_status().unwrap();
    let banned = town.ask(request.clone()).await.unwrap();
    let lift = admin.delete(format!("{url}/{}", artifact.as_str().unwrap()));
    lift.send().await.unwrap().error_for_status().unwrap();
    let lifted = town.ask(request).await.unwrap();

    assert_eq!(banned.failure(), Some(FailureCode::ArtifactBanned));
    assert_eq!(lifted.value, Ok(json!("hi")));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_two_wait_for_is_paid_by_the_one_who_caused_it() {
    let town = Town::new(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();
    let request = json!({"source": source, "input_data": "say hi"});

    let asked = [(); 2].map(|()| town.ask_meanwhile(request.clone()));
    let mut compiled = Vec::new();
    for asked in asked {
        let answer = town.answer_of(&asked.await.unwrap().unwrap()).unwrap();
        assert_eq!(answer.value, Ok(json!("hi")));
        let used = answer.completed.unwrap().resources_used;
        compiled.push(used.compile_time_ms.is_some_and(|ms| ms > 0));
    }

    compiled.sort_unstable();
    assert_eq!(compiled, [false, true]);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_build_is_paid_once_unless_it_is_wanted_again() {
    let town = Town::new(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Broken).await.unwrap();
    let again = json!({"source": source, "params": {"force_rebuild": true}});

    let first = town.ask(json!({"source": source})).await.unwrap();
    let second = town.ask(json!({"source": source})).await.unwrap();
    let forced = town.ask(again).await.unwrap();

    let code = Some(FailureCode::RustCompilationError);
    assert_eq!([&first, &second, &forced].map(Answer::failure), [code; 3]);
    assert!(second.charged() < first.charged());
    assert!(second.charged() < forced.charged());
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_module_runs_only_if_its_bytes_have_the_hash() {
    let town = Town::new(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();
    let built = town
        .ask(json!({"source": source, "params": {"compile_only": true}}))
        .await
        .unwrap();
    let hash = built.value.unwrap();
    let file = town
        .platform
        .folder()
        .join(format!("worker/artifacts/{}.wasm", hash.as_str().unwrap()));
    let url = town.serve(std::fs::read(file).unwrap()).await.unwrap();
    let garbage = town.serve(b"not wasm".to_vec()).await.unwrap();
    let garbage_hash = ArtifactHash::of(b"not wasm").to_string();
    let ask = |url: &str, hash: &str| {
        town.ask(json!({"source": {"WasmUrl": {"url": url, "hash": hash}}, "input_data": "say hi"}))
    };

    let good = ask(&url, hash.as_str().unwrap()).await.unwrap();
    let wrong = ask(&url, &"00".repeat(32)).await.unwrap();
    let no_module = ask(&garbage, &garbage_hash).await.unwrap();

    assert_eq!(good.value, Ok(json!("hi")));
    assert_eq!(wrong.failure(), Some(FailureCode::HashMismatch));
    assert_eq!(no_module.failure(), Some(FailureCode::BadModule));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_that_should_be_on_the_chain_can_be_read_from_there() {
    let town = Town::new(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Probe).await.unwrap();
    let params = json!({"compile_only": true, "store_on_fastfs": true});
    let request = json!({"source": source, "params": params});

    let answers = [
        town.ask(request.clone()).await.unwrap(),
        town.ask(request).await.unwrap(),
    ];

    let [first, second] = answers;
    let artifact: ArtifactHash = first.value.unwrap().as_str().unwrap().parse().unwrap();
    let owner = &town.platform.accounts.operator;
    let contract = &town.platform.accounts.outlayer;
    let url = format!("https://{owner}.fastfs.io/{contract}/{artifact}.wasm");
    for completed in [first.completed, second.completed] {
        let note = completed.unwrap().compilation_note.unwrap();
        assert!(note.ends_with(&format!("published at {url}")), "{note}");
    }
    let uploads = town.uploads_of(owner).await.unwrap();
    let [
        Upload::Whole {
            relative_path,
            content: Some(content),
        },
    ] = &uploads[..]
    else {
        panic!("{uploads:?}");
    };
    assert_eq!(*relative_path, format!("{artifact}.wasm"));
    assert_eq!(ArtifactHash::of(&content.content), artifact);
    let commit = &source["GitHub"]["commit"].as_str().unwrap();
    let path = format!("/public/wasm/info?repo_url=acme/probe-ark&commit_hash={commit}");
    assert_eq!(town.get(&path).await.unwrap()["published_url"], json!(url));
    town.close().await;
}
