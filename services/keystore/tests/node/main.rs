//! The keystore against nearcore's own contract VM, over a node's RPC: access keys, final blocks, and contracts whose views run.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "what goes wrong here fails a test"
)]

mod contracts;
mod town;

use serde_json::{Value, json};

use town::Town;

#[tokio::test]
async fn each_condition_is_decided_by_what_contracts_on_the_chain_answer() {
    let town = Town::start().await;
    let granted = [
        json!("AllowAll"),
        json!({"NearBalance": {"operator": "Gte", "value": "1"}}),
        json!({"FtBalance": {"contract": "token.test", "operator": "Eq", "value": "100"}}),
        json!({"NftOwned": {"contract": "token.test", "token_id": null}}),
        json!({"NftOwned": {"contract": "token.test", "token_id": "7"}}),
        json!({"DaoMember": {"dao_contract": "token.test", "role": "council"}}),
    ];

    for condition in granted {
        let negated = json!({"Not": {"condition": condition}});
        assert_eq!(
            town.unlock(&condition).await,
            Ok(json!({"API_KEY": "k"})),
            "{condition}"
        );
        assert_eq!(
            town.unlock(&negated).await,
            refused(403, "secrets_denied"),
            "{negated}"
        );
    }
}

#[tokio::test]
async fn a_contract_that_is_not_there_or_fails_is_an_error_also_under_not() {
    let town = Town::start().await;
    let unanswered = [
        json!({"FtBalance": {"contract": "nobody.test", "operator": "Gt", "value": "0"}}),
        json!({"FtBalance": {"contract": "caller.test", "operator": "Gt", "value": "0"}}),
        json!({"FtBalance": {"contract": "broken.test", "operator": "Gt", "value": "0"}}),
        json!({"DaoMember": {"dao_contract": "broken.test", "role": "council"}}),
    ];

    for condition in unanswered {
        let negated = json!({"Not": {"condition": condition}});
        for condition in [condition, negated] {
            let unlocked = town.unlock(&condition).await;
            assert_eq!(
                unlocked,
                refused(503, "condition_unanswered"),
                "{condition}"
            );
        }
    }
}

#[tokio::test]
async fn a_worker_is_who_has_a_key_of_the_operators_on_the_chain() {
    let town = Town::start().await;

    let workers = town.unlock_as("operator.test", &json!("AllowAll")).await;
    let anothers = town.unlock_as("caller.test", &json!("AllowAll")).await;
    let nobodys = town.unlock_as("nobody.test", &json!("AllowAll")).await;

    assert!(workers.is_ok());
    assert_eq!(anothers, refused(401, "not_a_worker"));
    assert_eq!(nobodys, refused(401, "not_a_worker"));
}

fn refused(status: u16, code: &str) -> Result<Value, (u16, String)> {
    Err((status, code.to_owned()))
}
