//! Who gets secrets, and who does not.

use clients::near::{KeyType, SecretKey};
use protocol::ArtifactHash;
use protocol::keystore::Unlocked;
use protocol::secrets::Accessor;
use serde_json::{Value, json};

use crate::chain::HEIGHT;
use crate::town::{Town, branch, code, github, module, repo};
use crate::worker::{Worker, open, question, session};

fn allow_all() -> Value {
    json!("AllowAll")
}

#[tokio::test]
async fn a_worker_gets_the_secrets_that_a_request_names() {
    let (town, worker) = Town::with_request(allow_all()).await;
    let signed = worker.sign(question(&town, &repo()));

    let answer: Unlocked = town.ask("decrypt", &signed).await;

    let secrets = open(&town, &signed, &answer);
    assert_eq!(secrets.get("API_KEY"), Some("k"));
    assert_eq!(answer.block_height, HEIGHT);
}

#[tokio::test]
async fn only_the_session_that_asked_opens_the_answer() {
    let (town, worker) = Town::with_request(allow_all()).await;
    let signed = worker.sign(question(&town, &repo()));

    let answer: Unlocked = town.ask("decrypt", &signed).await;

    let sealed = sealing::Sealed::from_base64(&answer.sealed).unwrap();
    assert!(session(2).open(&sealed).is_err());
}

#[tokio::test]
async fn a_branch_without_a_profile_of_its_own_gets_its_repositorys() {
    let (town, worker) = Town::with_request(allow_all()).await;
    let sealed = town.seal(&branch("dev"), r#"{"API_KEY":"dev"}"#).await;
    town.chain
        .facts()
        .store(&branch("dev"), &sealed, allow_all());
    let mut of_dev = question(&town, &branch("dev"));
    of_dev.session_key = session(2).public_key().to_string();

    let main = worker.unlock(&town, &branch("main")).await;
    let dev: Unlocked = town.ask("decrypt", &worker.sign(of_dev)).await;

    let dev = session(2).open(&sealing::Sealed::from_base64(&dev.sealed).unwrap());
    assert_eq!(main, json!({"API_KEY": "k"}));
    assert_eq!(**dev.unwrap(), *br#"{"API_KEY":"dev"}"#);
}

#[tokio::test]
async fn the_caller_is_the_contract_that_asked_and_not_who_signed() {
    let (contract, worker) =
        Town::with_request(json!({"Whitelist": {"accounts": ["caller.near"]}})).await;
    let (signer, other) =
        Town::with_request(json!({"Whitelist": {"accounts": ["bob.near"]}})).await;

    let granted = worker.unlock(&contract, &repo()).await;
    let denied = other.refused(&signer, question(&signer, &repo())).await;

    assert_eq!(granted, json!({"API_KEY": "k"}));
    assert_eq!(denied, code(403, "secrets_denied"));
}

#[tokio::test]
async fn a_stranger_gets_nothing() {
    let (town, _) = Town::with_request(allow_all()).await;
    let stranger = Worker {
        key: SecretKey::from_seed(KeyType::ED25519, "stranger"),
    };

    let refused = stranger.refused(&town, question(&town, &repo())).await;

    assert_eq!(refused, code(401, "not_a_worker"));
}

#[tokio::test]
async fn a_worker_that_is_none_any_more_gets_nothing() {
    let (town, worker) = Town::with_request(allow_all()).await;
    worker.unlock(&town, &repo()).await;
    town.chain.facts().workers.clear();
    let mut again = question(&town, &repo());
    again.session_key = session(2).public_key().to_string();

    let refused = worker.refused(&town, again).await;

    assert_eq!(refused, code(401, "not_a_worker"));
}

#[tokio::test]
async fn a_question_that_was_altered_on_the_way_is_refused() {
    let (town, worker) = Town::with_request(allow_all()).await;
    let signed = worker.sign(question(&town, &repo()));
    let mallory = session(66).public_key().to_string();
    let changes = [
        ("session_key", json!(mallory)),
        ("request_id", json!(8)),
        ("accessor", json!(branch("other"))),
        ("artifact", json!(ArtifactHash::of(b"other"))),
        ("issued_ms", json!(town.now_ms() + 1)),
        (
            "secrets_ref",
            json!({"profile": "default", "account_id": "carol.near"}),
        ),
    ];

    for (field, value) in changes {
        let mut altered = serde_json::to_value(&signed).unwrap();
        altered[field] = value;
        let refused = town.refused("decrypt", &altered).await;
        assert_eq!(refused, code(401, "bad_signature"), "{field}");
    }
}

#[tokio::test]
async fn a_question_for_another_contract_is_refused() {
    let (town, worker) = Town::with_request(allow_all()).await;
    let unlock = question(&town, &repo());
    let mut signed = worker.sign(unlock);
    let elsewhere = signed
        .unlock
        .to_be_signed(&"outlayer.testnet".parse().unwrap());
    signed.signature = worker.key.sign(&elsewhere).to_string();

    let refused = town.refused("decrypt", &signed).await;

    assert_eq!(refused, code(401, "bad_signature"));
}

#[tokio::test]
async fn a_question_is_asked_once_and_soon() {
    let (town, worker) = Town::with_request(allow_all()).await;
    let signed = worker.sign(question(&town, &repo()));
    let mut early = question(&town, &repo());
    early.issued_ms += 60_001;

    let first = town.post("decrypt", &signed).await.status();
    let again = town.refused("decrypt", &signed).await;
    let from_the_future = worker.refused(&town, early).await;
    town.clock.advance_ms(60_001);
    let late = town.refused("decrypt", &signed).await;

    assert_eq!(first, 200);
    assert_eq!(again, code(409, "session_used"));
    assert_eq!(from_the_future, code(401, "stale_question"));
    assert_eq!(late, code(401, "stale_question"));
}

#[tokio::test]
async fn a_session_key_under_which_everybody_could_read_is_refused() {
    let (town, worker) = Town::with_request(allow_all()).await;
    let mut weak = question(&town, &repo());
    weak.session_key = "00".repeat(32);

    let refused = worker.refused(&town, weak).await;

    assert_eq!(refused, code(400, "bad_public_key"));
}

#[tokio::test]
async fn what_is_not_pending_or_names_other_secrets_opens_nothing() {
    let (town, worker) = Town::with_request(allow_all()).await;
    let mut ended = question(&town, &repo());
    ended.request_id = protocol::RequestId(8);
    let mut others = question(&town, &repo());
    others.secrets_ref.account_id = "carol.near".parse().unwrap();
    others.session_key = session(2).public_key().to_string();
    let mut odd = question(&town, &repo());
    odd.secrets_ref.profile = "no profile".into();

    assert_eq!(
        worker.refused(&town, ended).await,
        code(404, "no_such_request")
    );
    assert_eq!(
        worker.refused(&town, others).await,
        code(403, "other_secrets")
    );
    assert_eq!(worker.refused(&town, odd).await, code(403, "other_secrets"));
}

#[tokio::test]
async fn secrets_of_other_code_stay_shut() {
    let (town, worker) = Town::with_request(allow_all()).await;
    let other = Accessor::repo("mallory/app", None).unwrap();
    let key = serde_json::from_value(json!({"System": "PaymentKey"})).unwrap();
    let mut for_key = question(&town, &key);
    for_key.session_key = session(2).public_key().to_string();

    assert_eq!(
        worker.refused(&town, question(&town, &other)).await,
        code(403, "other_code")
    );
    assert_eq!(
        worker.refused(&town, for_key).await,
        code(403, "not_for_guests")
    );
}

#[tokio::test]
async fn secrets_of_a_module_open_for_it_and_for_no_other() {
    let (town, worker) = Town::with_request(allow_all()).await;
    let sealed = town.seal(&module(), r#"{"BOUND":"1"}"#).await;
    town.chain.facts().store(&module(), &sealed, allow_all());
    let mut other = question(&town, &module());
    other.artifact = ArtifactHash::of(b"another module");
    other.session_key = session(2).public_key().to_string();

    let granted = worker.unlock(&town, &module()).await;
    let refused = worker.refused(&town, other).await;

    assert_eq!(granted, json!({"BOUND": "1"}));
    assert_eq!(refused, code(403, "other_artifact"));
}

#[tokio::test]
async fn secrets_of_a_project_that_changed_hands_open_as_they_were_sealed() {
    let town = Town::start().await;
    let worker = town.worker();
    let of = |id: &str| Accessor::Project {
        project_id: id.parse().unwrap(),
    };
    let sealed = town.seal(&of("alice.near/app"), r#"{"A":"1"}"#).await;
    {
        let mut facts = town.chain.facts();
        facts.store_sealed_for(
            &of("bob.near/app"),
            &of("alice.near/app"),
            &sealed,
            allow_all(),
        );
        facts.request(7, &json!({"Project": {"project_id": "bob.near/app"}}));
    }

    let granted = worker.unlock(&town, &of("bob.near/app")).await;

    assert_eq!(granted, json!({"A": "1"}));
}

#[tokio::test]
async fn a_profile_that_is_not_there_is_told() {
    let town = Town::start().await;
    let worker = town.worker();
    town.chain.facts().request(7, &github());

    let refused = worker.refused(&town, question(&town, &repo())).await;

    assert_eq!(refused, code(404, "secrets_not_found"));
}

#[tokio::test]
async fn a_condition_that_cannot_be_read_is_an_error_also_under_not() {
    let owns = json!({"NftOwned": {"contract": "nft.near", "token_id": null}});
    let (plain, worker) = Town::with_request(owns.clone()).await;
    let (negated, other) = Town::with_request(json!({"Not": {"condition": owns}})).await;

    let undecided = worker.refused(&plain, question(&plain, &repo())).await;
    let not_granted = other.refused(&negated, question(&negated, &repo())).await;
    let view = "nft.near nft_tokens_for_owner".to_owned();
    negated.chain.facts().views.insert(view, json!([]));
    let mut again = question(&negated, &repo());
    again.session_key = session(2).public_key().to_string();
    let granted = negated.post("decrypt", &other.sign(again)).await.status();

    assert_eq!(undecided, code(503, "condition_unanswered"));
    assert_eq!(not_granted, code(503, "condition_unanswered"));
    assert_eq!(granted, 200);
}

#[tokio::test]
async fn nothing_opens_while_the_chain_cannot_be_read() {
    let (town, worker) = Town::with_request(allow_all()).await;
    town.chain.facts().down = true;

    let refused = worker.refused(&town, question(&town, &repo())).await;

    assert_eq!(refused, code(503, "chain_unavailable"));
}

#[tokio::test]
async fn stored_secrets_that_are_none_are_told_with_their_code() {
    let (town, worker) = Town::with_request(allow_all()).await;
    let good = town.seal(&repo(), r#"{"API_KEY":"k"}"#).await;
    let mut altered = good.clone().into_bytes();
    altered[80] ^= 1;
    let cases = [
        ("@@@@".to_owned(), "bad_base64"),
        (String::from_utf8(altered).unwrap(), "does_not_open"),
        (good[..40].to_owned(), "secrets_cut_short"),
        (format!("Ag{}", &good[2..]), "unknown_version"),
        (
            town.seal(&branch("main"), r#"{"A":"1"}"#).await,
            "does_not_open",
        ),
        (town.seal(&repo(), r#"{"A":1}"#).await, "value_not_a_string"),
        (
            town.seal(&repo(), r#"{"A":"1","A":"2"}"#).await,
            "duplicate_name",
        ),
        (town.seal(&repo(), r#"{"A=":"1"}"#).await, "bad_name"),
        (
            town.seal(&repo(), r#"{"NEAR_SENDER_ID":"x"}"#).await,
            "reserved_name",
        ),
        (
            town.seal(&repo(), r#"{"PROTECTED_A":"mine"}"#).await,
            "not_generated",
        ),
    ];

    for (number, (sealed, expected)) in (10..).zip(cases) {
        town.chain.facts().store(&repo(), &sealed, allow_all());
        let mut unlock = question(&town, &repo());
        unlock.session_key = session(number).public_key().to_string();
        let refused = worker.refused(&town, unlock).await;
        assert_eq!(refused, code(422, expected));
    }
}
