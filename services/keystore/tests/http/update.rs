//! New values, by their owner's signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clients::near::{KeyType, SecretKey};
use near_crypto::Signature;
use protocol::keystore::{RevisedAnswer, Update, UpdateAsk, UpdateMode};
use protocol::nep413::Payload;
use protocol::secrets::Accessor;
use serde_json::{Value, json};

use crate::town::{Town, branch, code, github, repo};

/// A town in which alice has stored `{"A":"1","B":"2"}` and a generated secret for her repository.
async fn town() -> Town {
    let town = Town::start().await;
    let sealed = town.seal(&repo(), r#"{"A":"1","B":"2"}"#).await;
    let ask = json!({
        "accessor": repo(),
        "owner": "alice.near",
        "encrypted_secrets_base64": sealed,
        "new_secrets": [{"name": "PROTECTED_KEY", "generation_type": "hex16"}],
    });
    let answer: RevisedAnswer = town.ask("add_generated_secret", &ask).await;
    {
        let mut facts = town.chain.facts();
        facts.store(&repo(), &answer.encrypted_data_base64, json!("AllowAll"));
        facts.request(7, &github());
        facts
            .owners
            .insert(("alice.near".parse().unwrap(), alice().public_key()));
    }
    town
}

fn alice() -> SecretKey {
    SecretKey::from_seed(KeyType::ED25519, "alice")
}

/// What alice asks for, before it is signed.
async fn draft(town: &Town, mode: UpdateMode, json: &str) -> UpdateAsk {
    UpdateAsk {
        accessor: json!(repo()),
        owner: "alice.near".to_owned(),
        profile: None,
        mode,
        encrypted_secrets_base64: town.seal(&repo(), json).await,
        expires_ms: town.now_ms() + 60_000,
        nonce: STANDARD.encode([7; 32]),
        callback_url: None,
        public_key: String::new(),
        signature: String::new(),
    }
}

fn signed(mut ask: UpdateAsk, key: &SecretKey, recipient: &str) -> UpdateAsk {
    let accessor: Accessor = serde_json::from_value(ask.accessor.clone()).unwrap();
    let update = Update {
        owner: &ask.owner.parse().unwrap(),
        accessor: &accessor,
        profile: &"default".parse().unwrap(),
        mode: ask.mode,
        encrypted_secrets_base64: &ask.encrypted_secrets_base64,
        expires_ms: ask.expires_ms,
    };
    let payload = Payload {
        message: &update.message(),
        nonce: STANDARD.decode(&ask.nonce).unwrap().try_into().unwrap(),
        recipient,
        callback_url: ask.callback_url.as_deref(),
    };
    let Signature::ED25519(signature) = key.sign(&payload.hash()) else {
        unreachable!("the key is of Ed25519")
    };
    ask.public_key = key.public_key().to_string();
    ask.signature = STANDARD.encode(signature.to_bytes());
    ask
}

async fn updated(town: &Town, mode: UpdateMode, json: &str) -> (RevisedAnswer, Value) {
    let ask = signed(draft(town, mode, json).await, &alice(), "outlayer.near");
    let answer: RevisedAnswer = town.ask("update_user_secrets", &ask).await;
    town.chain
        .facts()
        .store(&repo(), &answer.encrypted_data_base64, json!("AllowAll"));
    let secrets = town.worker().unlock(town, &repo()).await;
    (answer, secrets)
}

#[tokio::test]
async fn new_values_come_beside_the_old_ones() {
    let town = town().await;

    let (answer, secrets) = updated(&town, UpdateMode::Append, r#"{"B":"3","C":"4"}"#).await;

    assert_eq!(answer.all_keys, ["A", "B", "C", "PROTECTED_KEY"]);
    assert_eq!((&secrets["A"], &secrets["B"]), (&json!("1"), &json!("3")));
    assert_eq!(secrets["PROTECTED_KEY"].as_str().unwrap().len(), 32);
}

#[tokio::test]
async fn a_reset_leaves_what_was_generated() {
    let town = town().await;

    let (answer, secrets) = updated(&town, UpdateMode::Reset, r#"{"C":"4"}"#).await;

    assert_eq!(answer.all_keys, ["C", "PROTECTED_KEY"]);
    assert_eq!(secrets["C"], "4");
}

#[tokio::test]
async fn an_update_is_not_taken_twice_not_even_after_a_crash() {
    let town = town().await;
    let ask = draft(&town, UpdateMode::Append, r#"{"C":"4"}"#).await;
    let ask = signed(ask, &alice(), "outlayer.near");

    let first = town.post("update_user_secrets", &ask).await.status();
    let again = town.refused("update_user_secrets", &ask).await;
    let town = town.crash().await;
    let after_a_crash = town.refused("update_user_secrets", &ask).await;
    town.clock.advance_ms(60_001);
    let late = town.refused("update_user_secrets", &ask).await;

    assert_eq!(first, 200);
    assert_eq!(again, code(409, "nonce_used"));
    assert_eq!(after_a_crash, code(409, "nonce_used"));
    assert_eq!(late, code(401, "update_expired"));
}

#[tokio::test]
async fn whatever_is_altered_is_not_signed() {
    let town = town().await;
    let ask = draft(&town, UpdateMode::Append, r#"{"C":"4"}"#).await;
    let ask = signed(ask, &alice(), "outlayer.near");
    let changes = [
        ("mode", json!("reset")),
        (
            "encrypted_secrets_base64",
            json!(town.seal(&repo(), "{}").await),
        ),
        ("expires_ms", json!(town.now_ms() + 60_001)),
        ("nonce", json!(STANDARD.encode([8; 32]))),
        ("accessor", json!(branch("main"))),
        ("owner", json!("carol.near")),
        ("profile", json!("prod")),
        ("callback_url", json!("https://mallory.example")),
    ];

    for (field, value) in changes {
        let mut altered = serde_json::to_value(&ask).unwrap();
        altered[field] = value;
        let refused = town.refused("update_user_secrets", &altered).await;
        assert_eq!(refused, code(401, "bad_signature"), "{field}");
    }
    let elsewhere = signed(ask, &alice(), "mallory.near");
    let refused = town.refused("update_user_secrets", &elsewhere).await;
    assert_eq!(refused, code(401, "bad_signature"));
}

#[tokio::test]
async fn only_the_owner_updates_what_is_there() {
    let town = town().await;
    let mallory = SecretKey::from_seed(KeyType::ED25519, "mallory");
    let ask = draft(&town, UpdateMode::Append, "{}").await;
    let mut of_a_branch = ask.clone();
    of_a_branch.accessor = json!(branch("main"));

    let by_mallory = signed(ask, &mallory, "outlayer.near");
    let of_nothing = signed(of_a_branch, &alice(), "outlayer.near");

    assert_eq!(
        town.refused("update_user_secrets", &by_mallory).await,
        code(403, "not_the_owner")
    );
    assert_eq!(
        town.refused("update_user_secrets", &of_nothing).await,
        code(404, "secrets_not_found")
    );
}

#[tokio::test]
async fn a_signature_holds_for_a_quarter_of_an_hour_at_most() {
    let town = town().await;
    let mut ask = draft(&town, UpdateMode::Append, "{}").await;
    ask.expires_ms = town.now_ms() + 900_001;

    let refused = town
        .refused(
            "update_user_secrets",
            &signed(ask, &alice(), "outlayer.near"),
        )
        .await;

    assert_eq!(refused, code(401, "update_expired"));
}

#[tokio::test]
async fn an_owner_cannot_give_what_is_generated() {
    let town = town().await;
    let ask = draft(&town, UpdateMode::Append, r#"{"PROTECTED_KEY":"mine"}"#).await;

    let refused = town
        .refused(
            "update_user_secrets",
            &signed(ask, &alice(), "outlayer.near"),
        )
        .await;

    assert_eq!(refused, code(400, "protected_name"));
}
