//! For whom secrets open: every kind of condition, asked of real contracts.

use localnet::Pace;
use outlayer::platform::Settings;
use protocol::{AccountId, FailureCode, NearToken};
use serde_json::{Value, json};
use town::{DEPOSIT, Guest, Town};

use crate::PROGRAM;

/// What alice has of the token.
const SUPPLY: u128 = 1_000;

/// Who is there.
struct People {
    /// Owns secrets.
    carol: AccountId,
    /// Meets the conditions.
    alice: AccountId,
    /// Does not.
    dora: AccountId,
}

/// Contracts that conditions ask about: alice has of all of them, dora of none.
struct Contracts {
    token: AccountId,
    collection: AccountId,
    dao: AccountId,
}

async fn people(town: &Town) -> People {
    People {
        carol: town.settle("carol").await.unwrap(),
        alice: town.platform.accounts.alice.clone(),
        dora: town.settle("dora").await.unwrap(),
    }
}

async fn contracts(town: &Town) -> Contracts {
    let alice = town.platform.accounts.alice.clone();
    let contracts = Contracts {
        token: town.found_token(SUPPLY).await.unwrap(),
        collection: town.found_collection().await.unwrap(),
        dao: town.found_dao().await.unwrap(),
    };
    let nothing = NearToken::from_yoctonear(0);
    let calls = [
        (
            &contracts.collection,
            "nft_mint",
            json!({"token_id": "7", "receiver_id": alice}),
            NearToken::from_millinear(100),
        ),
        (
            &contracts.dao,
            "set_role",
            json!({"name": "council", "kind": {"Group": [alice]}}),
            nothing,
        ),
        (
            &contracts.dao,
            "set_role",
            json!({"name": "voters", "kind": {"Member": "10"}}),
            nothing,
        ),
        (
            &contracts.dao,
            "delegate",
            json!({"account_id": alice, "amount": "10"}),
            nothing,
        ),
    ];
    for (contract, method, args, deposit) in calls {
        town.pay(&alice, contract, method, args, deposit)
            .await
            .unwrap();
    }
    contracts
}

/// A request for what the environment says of `API_KEY`, with carol's secrets of this profile.
fn request(source: &Value, people: &People, profile: &str) -> Value {
    json!({
        "source": source,
        "input_data": r#"{"env": ["API_KEY"]}"#,
        "response_format": "Json",
        "secrets_ref": {"profile": profile, "account_id": people.carol},
    })
}

/// Conditions that alice meets and dora does not.
fn conditions(of: &Contracts, people: &People) -> Vec<Value> {
    let (alice, dora) = (&people.alice, &people.dora);
    let (token, collection, dao) = (&of.token, &of.collection, &of.dao);
    let whitelist = |account: &AccountId| json!({"Whitelist": {"accounts": [account]}});
    let has_token =
        json!({"FtBalance": {"contract": token, "operator": "Gte", "value": SUPPLY.to_string()}});
    let has_collectible = json!({"NftOwned": {"contract": collection, "token_id": null}});
    let logic = |operator: &str, conditions: Value| json!({"Logic": {"operator": operator, "conditions": conditions}});
    vec![
        whitelist(alice),
        json!({"AccountPattern": {"pattern": "al.ce\\.test"}}),
        json!({"NearBalance": {"operator": "Gt", "value": NearToken::from_near(100)}}),
        has_token.clone(),
        has_collectible.clone(),
        json!({"NftOwned": {"contract": collection, "token_id": "7"}}),
        json!({"DaoMember": {"dao_contract": dao, "role": "council"}}),
        json!({"DaoMember": {"dao_contract": dao, "role": "voters"}}),
        json!({"Not": {"condition": whitelist(dora)}}),
        logic("And", json!(["AllowAll", has_token])),
        logic("Or", json!([whitelist(&people.carol), has_collectible])),
        // Both of them, or a member who is not dora.
        logic(
            "Or",
            json!([
                logic("And", json!([whitelist(alice), whitelist(dora)])),
                logic(
                    "And",
                    json!([
                        {"DaoMember": {"dao_contract": dao, "role": "council"}},
                        {"Not": {"condition": {"AccountPattern": {"pattern": "dora.*"}}}},
                    ])
                ),
            ]),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_open_for_a_caller_who_meets_their_condition_and_for_no_other() {
    let town = Town::new(PROGRAM).await.unwrap();
    let source = town.publish(Guest::Echo).await.unwrap();
    let people = people(&town).await;
    let contracts = contracts(&town).await;
    let accessor = json!({"Repo": {"repo": "acme/echo-ark"}});

    for (number, condition) in conditions(&contracts, &people).iter().enumerate() {
        let profile = format!("p{number}");
        let secrets = json!({"API_KEY": format!("key {number}")});
        town.store_secrets(&people.carol, &accessor, &profile, &secrets, condition)
            .await
            .unwrap();

        let request = request(&source, &people, &profile);
        let granted = town.ask_as(&people.alice, &request).await.unwrap();
        let denied = town.ask_as(&people.dora, &request).await.unwrap();

        let seen = granted.value.clone().unwrap();
        assert_eq!(
            seen["env"],
            secrets,
            "{condition}: {:?}",
            granted.completed.and_then(|it| it.error_message)
        );
        assert_eq!(denied.value, Ok(Value::Null), "{condition}");
        assert_eq!(
            denied.failure(),
            Some(FailureCode::SecretsDenied),
            "{condition}"
        );
    }
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_is_decided_as_it_is_when_the_request_runs() {
    let settings = Settings {
        concurrency: 0,
        pace: Pace::OnDemand,
        ..Settings::default()
    };
    let mut town = Town::with(PROGRAM, settings).await.unwrap();
    let source = town.publish(Guest::Echo).await.unwrap();
    let people = people(&town).await;
    let accessor = json!({"Repo": {"repo": "acme/echo-ark"}});
    let whitelist = json!({"Whitelist": {"accounts": [people.alice]}});
    let secrets = json!({"API_KEY": "k"});
    for profile in ["closes", "opens"] {
        town.store_secrets(&people.carol, &accessor, profile, &secrets, &whitelist)
            .await
            .unwrap();
    }
    let nobody = json!({"Not": {"condition": "AllowAll"}});
    let contract = town.platform.accounts.outlayer.clone();
    let change = async |profile: &str, access: &Value| {
        let args = json!({"accessor": accessor, "profile": profile, "new_access": access});
        // What a larger condition does not need comes back.
        town.pay(&people.carol, &contract, "update_access", args, DEPOSIT)
            .await
            .unwrap();
    };
    change("opens", &nobody).await;
    let closes = town.ask_meanwhile(request(&source, &people, "closes"));
    town.until_pending(1).await.unwrap();
    let opens = town.ask_meanwhile(request(&source, &people, "opens"));
    town.until_pending(2).await.unwrap();

    change("closes", &nobody).await;
    change("opens", &whitelist).await;
    town.platform.start_worker().await.unwrap();
    let closed = town.answer_of(&closes.await.unwrap().unwrap()).unwrap();
    let opened = town.answer_of(&opens.await.unwrap().unwrap()).unwrap();

    assert_eq!(closed.failure(), Some(FailureCode::SecretsDenied));
    assert_eq!(opened.value.unwrap()["env"], secrets);
    town.close().await;
}
