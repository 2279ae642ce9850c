//! Keys to seal to, and bodies that are none.

use clients::near::{PublicKey, Signature};
use protocol::keystore::{Identity, PubkeyAnswer, Target};
use serde_json::{Value, json};

use crate::town::{Town, code, refusal, repo};

#[tokio::test]
async fn both_spellings_of_an_accessor_have_one_key() {
    let town = Town::start().await;
    let spellings = [
        json!({"Repo": {"repo": "https://github.com/alice/app.git", "branch": "main"}}),
        json!({"type": "Repo", "repo": "alice/app", "branch": "main"}),
    ];
    let url = format!(
        "{}/pubkey?repo=alice/app&owner=alice.near&branch=main",
        town.keystore.url()
    );

    let by_query: PubkeyAnswer = town
        .http
        .get(url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();

    for accessor in spellings {
        let ask =
            json!({"accessor": accessor, "owner": "alice.near", "secrets_json": "{\"A\":\"\"}"});
        let answer: PubkeyAnswer = town.ask("pubkey", &ask).await;
        assert_eq!(answer, by_query);
        let typed = json!({"type": "Repo", "repo": "github.com/alice/app", "branch": "main"});
        assert_eq!(answer.accessor, typed);
    }
}

#[tokio::test]
async fn a_key_is_signed_by_the_keystore_for_its_owner_code_and_profile() {
    let town = Town::start().await;
    let ask = json!({"accessor": repo(), "owner": "alice.near", "profile": "prod"});

    let answer: PubkeyAnswer = town.ask("pubkey", &ask).await;

    let (contract_id, owner) = (
        "outlayer.near".parse().unwrap(),
        "alice.near".parse().unwrap(),
    );
    let target = |profile| {
        Target {
            contract_id: &contract_id,
            accessor: &repo(),
            owner: &owner,
            profile: &profile,
        }
        .key_to_be_signed(&answer.pubkey)
    };
    let identity = town.keystore.identity().public_key;
    let key: PublicKey = identity.parse().unwrap();
    let signature: Signature = answer.vouched.signature.parse().unwrap();
    assert_eq!(answer.vouched.public_key, identity);
    assert!(signature.verify(&target("prod".parse().unwrap()), &key));
    assert!(!signature.verify(&target("default".parse().unwrap()), &key));
}

#[tokio::test]
async fn a_payment_keys_profile_is_its_number() {
    let town = Town::start().await;
    let ask = |profile: Value| json!({"accessor": {"type": "System", "PaymentKey": {}}, "owner": "alice.near", "profile": profile});

    let one: PubkeyAnswer = town.ask("pubkey", &ask(json!("1"))).await;
    let two: PubkeyAnswer = town.ask("pubkey", &ask(json!("2"))).await;
    let none = town.refused("pubkey", &ask(Value::Null)).await;

    assert_ne!(one.pubkey, two.pubkey);
    assert_eq!(none, code(400, "invalid_profile"));
}

#[tokio::test]
async fn names_that_no_user_may_give_are_refused_before_they_are_sealed() {
    let town = Town::start().await;
    let cases = [
        (json!({"NEAR_SENDER_ID": ""}), "reserved_name"),
        (json!({"PROTECTED_KEY": ""}), "protected_name"),
        (json!({"": ""}), "empty_name"),
        (json!({"A=B": ""}), "bad_name"),
        (json!({"A": 1}), "value_not_a_string"),
        (json!("{\"A\":\"\",\"A\":\"\"}"), "duplicate_name"),
        (json!([]), "malformed_secrets"),
    ];

    for (names, expected) in cases {
        let accessor = json!({"Repo": {"repo": "alice/app"}});
        let ask = json!({"accessor": accessor, "owner": "alice.near", "secrets_json": names});
        assert_eq!(
            town.refused("pubkey", &ask).await,
            code(400, expected),
            "{names}"
        );
    }
}

#[tokio::test]
async fn what_is_no_question_is_refused_without_telling_what_stood_in_it() {
    let town = Town::start().await;
    let url = format!("{}/pubkey", town.keystore.url());
    let cases = [
        ("", "malformed_json"),
        ("{", "malformed_json"),
        ("{}", "invalid_body"),
        (r#"{"accessor":{},"owner":["s3cret"]}"#, "invalid_body"),
        (
            r#"{"accessor":{},"owner":"alice.near"}"#,
            "invalid_accessor",
        ),
        (
            r#"{"accessor":{"Repo":{"repo":"x"}},"owner":"alice.near"}"#,
            "invalid_accessor",
        ),
        (
            r#"{"accessor":{"Repo":{"repo":"a/b"}},"owner":"s3cret!"}"#,
            "invalid_owner",
        ),
        (
            r#"{"accessor":{"Repo":{"repo":"a/b"}},"owner":"alice.near","profile":""}"#,
            "invalid_profile",
        ),
    ];

    for (body, expected) in cases {
        let response = town.http.post(&url).body(body).send().await.unwrap();
        assert_eq!(response.status(), 400, "{body}");
        let text = response.text().await.unwrap();
        assert!(
            text.contains(expected) && !text.contains("s3cret"),
            "{body}: {text}"
        );
    }
}

#[tokio::test]
async fn ten_megabytes_and_a_byte_are_too_much() {
    let town = Town::start().await;
    let ask = |length: usize| {
        let accessor = json!({"Repo": {"repo": "alice/app"}});
        json!({"accessor": accessor, "owner": "alice.near", "encrypted_secrets_base64": "A".repeat(length), "new_secrets": []})
    };
    let most = sealing::envelope::MAX_SEALED_TEXT;

    let within = town.refused("add_generated_secret", &ask(most - 4)).await;
    let above = town.refused("add_generated_secret", &ask(most + 4)).await;
    let far_above = town
        .refused("add_generated_secret", &ask(most + (1 << 20)))
        .await;

    assert_eq!(within, code(400, "unknown_version"));
    assert_eq!(above, code(400, "secrets_too_large"));
    assert_eq!(far_above, code(413, "body_too_large"));
}

#[tokio::test]
async fn a_query_names_each_thing_once() {
    let town = Town::start().await;
    let cases = [
        ("owner=alice.near", "invalid_query"),
        ("repo=alice/app", "invalid_query"),
        (
            "repo=alice/app&repo=bob/app&owner=alice.near",
            "invalid_query",
        ),
        ("repo=alice&owner=alice.near", "invalid_accessor"),
    ];

    for (query, expected) in cases {
        let url = format!("{}/pubkey?{query}", town.keystore.url());
        let response = town.http.get(url).send().await.unwrap();
        assert_eq!(refusal(response).await, code(400, expected), "{query}");
    }
}

#[tokio::test]
async fn it_says_that_it_is_well_and_who_it_is() {
    let town = Town::start().await;
    let get = |path: &str| {
        town.http
            .get(format!("{}{path}", town.keystore.url()))
            .send()
    };

    let health = get("/health").await.unwrap().text().await.unwrap();
    let identity: Identity = get("/identity").await.unwrap().json().await.unwrap();
    let unknown = refusal(get("/seal").await.unwrap()).await;
    let method = refusal(get("/decrypt").await.unwrap()).await;

    assert_eq!(health, "OK");
    assert_eq!(identity, town.keystore.identity());
    assert_eq!(unknown, code(404, "not_found"));
    assert_eq!(method, code(405, "method_not_allowed"));
}
