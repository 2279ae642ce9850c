//! For which code secrets open, and what owners and requesters are told.

use clients::coordinator::Public;
use coordinator::queue;
use outlayer::platform::{Ending, Settings};
use protocol::keystore::{GenerateAsk, NewSecret};
use protocol::{AccountId, FailureCode, NearToken};
use serde_json::{Value, json};
use town::{DEPOSIT, Guest, Town, YOCTO};

use crate::PROGRAM;

/// The repository of the echoing guest.
const REPO: &str = "acme/echo-ark";

fn repo(branch: Option<&str>) -> Value {
    match branch {
        None => json!({"Repo": {"repo": REPO}}),
        Some(branch) => json!({"Repo": {"repo": REPO, "branch": branch}}),
    }
}

/// A request for what the environment says of `API_KEY`, with an owner's secrets of a profile.
fn request(source: &Value, owner: &AccountId, profile: &str) -> Value {
    json!({
        "source": source,
        "input_data": r#"{"env": ["API_KEY"]}"#,
        "response_format": "Json",
        "secrets_ref": {"profile": profile, "account_id": owner},
    })
}

/// A town with an owner of secrets, and the echoing guest.
async fn town() -> (Town, AccountId, Value) {
    let town = Town::new(PROGRAM).await.unwrap();
    let carol = town.settle("carol").await.unwrap();
    let source = town.publish(Guest::Echo).await.unwrap();
    (town, carol, source)
}

async fn store(town: &Town, owner: &AccountId, accessor: &Value, profile: &str, key: &str) {
    let secrets = json!({"API_KEY": key});
    town.store_secrets(owner, accessor, profile, &secrets, &json!("AllowAll"))
        .await
        .unwrap();
}

/// What the guest saw.
async fn key_seen(town: &Town, request: Value) -> Value {
    let answer = town.ask(request).await.unwrap();
    let value = answer.value.unwrap();
    assert!(!value.is_null(), "{:?}", answer.completed);
    value["env"]["API_KEY"].clone()
}

/// Why the request failed.
async fn failure(town: &Town, request: Value) -> Option<FailureCode> {
    let answer = town.ask(request).await.unwrap();
    assert_eq!(answer.value, Ok(Value::Null));
    assert_eq!(answer.settlements, 1);
    answer.failure()
}

/// Another commit of the echoing guest.
async fn commit_on(town: &Town, branch: &str, note: &str) -> Value {
    let repositories = &town.platform.repositories;
    repositories.switch(REPO, branch).await.unwrap();
    let files: [(&str, &[u8]); 1] = [("NOTE", note.as_bytes())];
    let commit = repositories.commit(REPO, &files).await.unwrap();
    json!({"GitHub": {"repo": format!("https://github.com/{REPO}"), "commit": commit}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branchs_own_profile_is_taken_before_the_repositorys() {
    let (town, carol, first) = town().await;
    store(&town, &carol, &repo(None), "default", "the repository's").await;
    store(&town, &carol, &repo(Some("main")), "default", "main's").await;
    let second = commit_on(&town, "main", "2").await;
    let experiment = commit_on(&town, "experiment", "3").await;
    let by_name = json!({"GitHub": {"repo": REPO, "commit": "main"}});
    let ask = async |source: &Value| key_seen(&town, request(source, &carol, "default")).await;

    assert_eq!(ask(&second).await, json!("main's"));
    assert_eq!(ask(&by_name).await, json!("main's"));
    assert_eq!(ask(&experiment).await, json!("the repository's"));
    // Nobody has asked for it while a branch was at it.
    assert_eq!(ask(&first).await, json!("the repository's"));
    commit_on(&town, "main", "4").await;
    assert_eq!(ask(&second).await, json!("main's"));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_of_a_project_follow_it_to_its_new_owner() {
    let (town, carol, source) = town().await;
    let dora = town.settle("dora").await.unwrap();
    let contract = town.platform.accounts.outlayer.clone();
    let much = NearToken::from_near(1);
    let create = json!({"name": "app", "source": source});
    town.pay(&carol, &contract, "create_project", create, much)
        .await
        .unwrap();
    let accessor = json!({"Project": {"project_id": format!("{carol}/app")}});
    store(&town, &carol, &accessor, "default", "the project's").await;
    let of = |owner: &AccountId| json!({"Project": {"project_id": format!("{owner}/app")}});

    let before = key_seen(&town, request(&of(&carol), &carol, "default")).await;
    let give = json!({"project_name": "app", "new_owner": dora});
    town.pay(&carol, &contract, "transfer_project", give, YOCTO)
        .await
        .unwrap();
    let after = key_seen(&town, request(&of(&dora), &carol, "default")).await;
    let elsewhere = failure(&town, request(&source, &carol, "default")).await;

    assert_eq!(before, json!("the project's"));
    assert_eq!(after, json!("the project's"));
    assert_eq!(elsewhere, Some(FailureCode::SecretsNotFound));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_bound_to_a_module_is_for_that_module_and_never_seen() {
    let town = Town::new(PROGRAM).await.unwrap();
    let carol = town.settle("carol").await.unwrap();
    let source = town.publish(Guest::Draw).await.unwrap();
    let built = town
        .ask(json!({"source": source, "params": {"compile_only": true}}))
        .await
        .unwrap();
    let hash = built.value.unwrap();
    let accessor = json!({"WasmHash": {"hash": hash}});
    let coordinator = Public::new(&town.platform.coordinator_url().parse().unwrap()).unwrap();
    let ask = GenerateAsk {
        accessor: accessor.clone(),
        owner: carol.to_string(),
        profile: None,
        encrypted_secrets_base64: None,
        new_secrets: vec![NewSecret {
            name: "PROTECTED_SEED".into(),
            generation_type: "hex32".into(),
        }],
    };
    let generated = coordinator.add_generated_secret(&ask).await.unwrap();
    let sealed = generated.encrypted_data_base64;
    town.store_sealed(&carol, &accessor, "default", &sealed, &json!("AllowAll"))
        .await
        .unwrap();
    let draw = |source: &Value| {
        json!({
            "source": source,
            "input_data": "summer/1000000",
            "secrets_ref": {"profile": "default", "account_id": carol},
        })
    };

    let lot = town.ask(draw(&source)).await.unwrap().value.unwrap();
    let again = town.ask(draw(&source)).await.unwrap().value.unwrap();
    let changed = Guest::Draw.files().unwrap();
    let changed: Vec<_> = changed
        .iter()
        .map(|(path, text)| {
            let text = String::from_utf8_lossy(text).replace("lots + 1", "lots + 2");
            (path.as_str(), text.into_bytes())
        })
        .collect();
    let changed: Vec<_> = changed
        .iter()
        .map(|(path, text)| (*path, text.as_slice()))
        .collect();
    let repositories = &town.platform.repositories;
    let commit = repositories
        .commit("acme/draw-ark", &changed)
        .await
        .unwrap();
    let changed = json!({"GitHub": {"repo": "acme/draw-ark", "commit": commit}});

    assert!((1..=1_000_000).contains(&lot.as_str().unwrap().parse::<u64>().unwrap()));
    assert_eq!(lot, again);
    assert_eq!(
        failure(&town, draw(&changed)).await,
        Some(FailureCode::SecretsNotFound)
    );
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_signed_with_a_key_that_nobody_sees() {
    let town = Town::new(PROGRAM).await.unwrap();
    let carol = town.settle("carol").await.unwrap();
    let source = town.publish(Guest::Signing).await.unwrap();
    let accessor = json!({"Repo": {"repo": "acme/signing-ark"}});
    let secrets = json!({"SIGNING_KEY": "Jefe"});
    town.store_secrets(&carol, &accessor, "default", &secrets, &json!("AllowAll"))
        .await
        .unwrap();

    let order = json!({
        "source": source,
        "input_data": "what do ya want for nothing?",
        "secrets_ref": {"profile": "default", "account_id": carol},
    });
    let signed = town.ask(order).await.unwrap();
    let unsigned = town.ask(json!({"source": source})).await.unwrap();

    // RFC 4231, test case 2.
    let signature = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert_eq!(signed.value, Ok(json!(signature)));
    assert_eq!(unsigned.failure(), Some(FailureCode::Exited));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_are_missing_or_do_not_open_are_an_error_and_nothing_runs_without_them() {
    let (town, carol, source) = town().await;
    let alice = town.platform.accounts.alice.clone();
    let all = json!("AllowAll");
    let sealed = town
        .seal(&carol, &repo(None), "default", br#"{"API_KEY":"k"}"#)
        .await
        .unwrap();
    // Another character in the middle: the tag no longer fits.
    let middle = sealed.len() / 2;
    let other = if &sealed[middle..=middle] == "A" {
        "B"
    } else {
        "A"
    };
    let altered = format!("{}{other}{}", &sealed[..middle], &sealed[middle + 1..]);
    let cases = [
        ("altered", altered),
        (
            "swapped",
            town.seal(&alice, &repo(None), "default", br#"{"API_KEY":"k"}"#)
                .await
                .unwrap(),
        ),
        (
            "list",
            town.seal(&carol, &repo(None), "list", b"[]").await.unwrap(),
        ),
        (
            "number",
            town.seal(&carol, &repo(None), "number", br#"{"API_KEY":1}"#)
                .await
                .unwrap(),
        ),
        (
            "twice",
            town.seal(&carol, &repo(None), "twice", br#"{"A":"1","A":"2"}"#)
                .await
                .unwrap(),
        ),
        (
            "ours",
            town.seal(&carol, &repo(None), "ours", br#"{"NEAR_SENDER_ID":"x"}"#)
                .await
                .unwrap(),
        ),
        (
            "made",
            town.seal(&carol, &repo(None), "made", br#"{"PROTECTED_X":"x"}"#)
                .await
                .unwrap(),
        ),
    ];
    for (profile, sealed) in &cases {
        town.store_sealed(&carol, &repo(None), profile, sealed, &all)
            .await
            .unwrap();
    }

    for (profile, _) in &cases {
        assert_eq!(
            failure(&town, request(&source, &carol, profile)).await,
            Some(FailureCode::InvalidCiphertext),
            "{profile}"
        );
    }
    for owner in [&carol, &alice] {
        assert_eq!(
            failure(&town, request(&source, owner, "nowhere")).await,
            Some(FailureCode::SecretsNotFound)
        );
    }
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keystore_that_is_down_costs_the_requester_nothing() {
    let settings = Settings {
        queue: queue::Settings {
            max_attempts: 3,
            backoff_ms: 20,
            ..Default::default()
        },
        ..Settings::default()
    };
    let mut town = Town::with(PROGRAM, settings).await.unwrap();
    let carol = town.settle("carol").await.unwrap();
    let source = town.publish(Guest::Echo).await.unwrap();
    store(&town, &carol, &repo(None), "default", "k").await;

    town.platform.stop_keystore(Ending::Sudden).await;
    let answer = town.ask(request(&source, &carol, "default")).await.unwrap();
    town.platform.start_keystore().await.unwrap();
    let later = key_seen(&town, request(&source, &carol, "default")).await;

    assert_eq!(answer.failure(), Some(FailureCode::SecretsUnavailable));
    assert_eq!(answer.refunded(), DEPOSIT);
    assert_eq!(later, json!("k"));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_owner_deletes_gives_back_all_that_it_took() {
    let (town, carol, _) = town().await;
    let contract = town.platform.accounts.outlayer.clone();
    let before = town.balance(&contract).await.unwrap();
    let secrets = json!({"API_KEY": "k"});
    let accessor = repo(Some("main"));
    let took = town
        .store_secrets(&carol, &accessor, "default", &secrets, &json!("AllowAll"))
        .await
        .unwrap();
    let between = town.balance(&contract).await.unwrap();
    let args = json!({"accessor": accessor, "profile": "default"});
    town.pay(&carol, &contract, "delete_secrets", args, YOCTO)
        .await
        .unwrap();
    let after = town.balance(&contract).await.unwrap();
    let left = town
        .view(&contract, "list_user_secrets", json!({"account_id": carol}))
        .await
        .unwrap();

    assert_eq!(between, before.saturating_add(took));
    assert_eq!(after, before);
    assert_eq!(left, json!([]));
    town.close().await;
}
