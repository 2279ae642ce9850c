//! Secrets that only the keystore has seen.

use protocol::keystore::RevisedAnswer;
use serde_json::{Value, json};

use crate::town::{Town, code, github, repo};

fn ask(sealed: Option<&str>, new: &Value) -> Value {
    json!({
        "accessor": {"type": "Repo", "repo": "alice/app"},
        "owner": "alice.near",
        "encrypted_secrets_base64": sealed,
        "new_secrets": new,
    })
}

#[tokio::test]
async fn generated_secrets_come_beside_the_users_own_and_reach_the_guest() {
    let town = Town::start().await;
    let worker = town.worker();
    let sealed = town.seal(&repo(), r#"{"A":"1"}"#).await;
    let new = json!([
        {"name": "PROTECTED_KEY", "generation_type": "hex32"},
        {"name": "PROTECTED_PASSWORD", "generation_type": "password:12"},
    ]);

    let answer: RevisedAnswer = town
        .ask("add_generated_secret", &ask(Some(&sealed), &new))
        .await;
    let blob = &answer.encrypted_data_base64;
    town.chain.facts().store(&repo(), blob, json!("AllowAll"));
    town.chain.facts().request(7, &github());
    let secrets = worker.unlock(&town, &repo()).await;

    assert_eq!(
        answer.all_keys,
        ["A", "PROTECTED_KEY", "PROTECTED_PASSWORD"]
    );
    assert_eq!(secrets.as_object().unwrap().len(), 3);
    assert_eq!(secrets["A"], "1");
    assert_eq!(secrets["PROTECTED_KEY"].as_str().unwrap().len(), 64);
    assert_eq!(secrets["PROTECTED_PASSWORD"].as_str().unwrap().len(), 12);
}

#[tokio::test]
async fn more_are_added_and_none_is_replaced() {
    let town = Town::start().await;
    let one = json!([{"name": "PROTECTED_A", "generation_type": "ed25519"}]);
    let other = json!([{"name": "PROTECTED_B", "generation_type": "ed25519_seed"}]);

    let first: RevisedAnswer = town.ask("add_generated_secret", &ask(None, &one)).await;
    let sealed = Some(first.encrypted_data_base64.as_str());
    let second: RevisedAnswer = town.ask("add_generated_secret", &ask(sealed, &other)).await;
    let again = town
        .refused("add_generated_secret", &ask(sealed, &one))
        .await;

    assert_eq!(second.all_keys, ["PROTECTED_A", "PROTECTED_B"]);
    assert_eq!(again, code(400, "name_taken"));
}

#[tokio::test]
async fn what_cannot_be_generated_is_refused() {
    let town = Town::start().await;
    let new = |name: &str, kind: &str| json!([{"name": name, "generation_type": kind}]);
    let seventeen: Vec<_> = (0..17)
        .map(|number| json!({"name": format!("PROTECTED_{number}"), "generation_type": "hex16"}))
        .collect();
    let forged = town.seal(&repo(), r#"{"PROTECTED_KEY":"mine"}"#).await;
    let cases = [
        (None, new("KEY", "hex32"), "not_protected_name"),
        (None, new("PROTECTED_KEY", "rsa"), "unknown_generation"),
        (
            None,
            new("PROTECTED_KEY", "password:4"),
            "unknown_generation",
        ),
        (None, json!(seventeen), "too_many_generated"),
        (Some(forged.as_str()), json!([]), "not_generated"),
        (Some("AQID"), json!([]), "secrets_cut_short"),
    ];

    for (sealed, new, expected) in cases {
        let refused = town
            .refused("add_generated_secret", &ask(sealed, &new))
            .await;
        assert_eq!(refused, code(400, expected));
    }
}
