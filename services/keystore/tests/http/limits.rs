//! How often one may ask.

use clients::near::{KeyType, SecretKey};
use serde_json::json;

use crate::town::{Town, code, repo};
use crate::worker::{Worker, question};

#[tokio::test]
async fn strangers_together_cost_few_calls_to_the_chain() {
    let town = Town::start_with(|config| config.limits.strangers = 3).await;
    let mut refusals = Vec::new();

    for number in 0..5 {
        let key = SecretKey::from_seed(KeyType::ED25519, &format!("stranger {number}"));
        let stranger = Worker { key };
        refusals.push(stranger.refused(&town, question(&town, &repo())).await);
    }

    assert_eq!(refusals[2], code(401, "not_a_worker"));
    assert_eq!(refusals[3], code(429, "rate_limited"));
    assert_eq!(town.chain.facts().asked, 9);
}

#[tokio::test]
async fn questions_about_one_owner_are_limited_and_anothers_are_not() {
    let town = Town::start_with(|config| config.limits.per_owner = 1).await;
    let ask = |owner: &str| json!({"accessor": {"Repo": {"repo": "alice/app"}}, "owner": owner});

    let first = town.post("pubkey", &ask("alice.near")).await.status();
    let second = town.refused("pubkey", &ask("alice.near")).await;
    let others = town.post("pubkey", &ask("bob.near")).await.status();
    town.clock.advance_ms(60_000);
    let later = town.post("pubkey", &ask("alice.near")).await.status();

    assert_eq!(first, 200);
    assert_eq!(second, code(429, "rate_limited"));
    assert_eq!((others.as_u16(), later.as_u16()), (200, 200));
}

#[tokio::test]
async fn one_worker_is_limited() {
    let town = Town::start_with(|config| config.limits.per_worker = 1).await;
    let worker = town.worker();

    let first = worker.refused(&town, question(&town, &repo())).await;
    let second = worker.refused(&town, question(&town, &repo())).await;

    assert_eq!(first, code(404, "no_such_request"));
    assert_eq!(second, code(429, "rate_limited"));
}
