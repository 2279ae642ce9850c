//! Refunds that cannot be paid, fees, and the reserve.

use near_primitives::types::Balance;
use serde_json::json;

use super::town::{ALICE, BOB, DEPOSIT, OWNER, SUCCESS_COST, Town, ask, id, success, yocto};

/// Makes `name` anew, as its own subaccount's parent would.
fn revive(town: &mut Town, name: &str) {
    use near_primitives::account::{Account, AccountContract};
    use near_primitives::state_record::StateRecord;
    let account = Account::new(
        Balance::from_near(1),
        Balance::ZERO,
        AccountContract::None,
        182,
    );
    let account_id = id(name);
    town.chain.patch(vec![StateRecord::Account {
        account_id,
        account,
    }]);
}

#[test]
fn a_refund_whose_receiver_is_gone_waits_to_be_claimed() {
    let mut town = Town::new();
    let (request_id, asked) = town.ask(json!({"payer_account_id": BOB}));
    town.delete(BOB, ALICE);
    let unclaimed = |town: &Town| yocto(&town.view("get_unclaimed", json!({"account_id": BOB})));

    town.resolve(request_id, success(json!({"Text": "4"})));
    let waiting = unclaimed(&town);
    town.check_money();
    town.call(ALICE, "claim", json!({"account_id": BOB}));
    let still_waiting = unclaimed(&town);
    town.check_money();
    revive(&mut town, BOB);
    let before = town.balance(BOB);
    town.call(ALICE, "claim", json!({"account_id": BOB}))
        .value();

    assert_eq!(town.sent(asked.hash).value(), json!("4"));
    assert_eq!(waiting, DEPOSIT - SUCCESS_COST);
    assert_eq!(still_waiting, waiting);
    assert_eq!(town.balance(BOB), before + waiting);
    assert_eq!(town.owed(), [0, SUCCESS_COST, 0]);
    let again = town.call(ALICE, "claim", json!({"account_id": BOB}));
    assert!(again.failure().contains("no_such_request: "));
    town.check_money();
}

#[test]
fn an_owner_takes_the_fees_and_not_a_yocto_more() {
    let mut town = Town::new();
    for _ in 0..2 {
        let (request_id, _) = town.ask(json!({}));
        town.resolve(request_id, success(json!({"Text": ""})));
    }
    town.ask(json!({}));
    let before = town.balance(BOB);
    let fees = 2 * SUCCESS_COST;

    let more = json!({"amount": (fees + 1).to_string(), "receiver_id": BOB});
    let refused = town.call(OWNER, "withdraw_fees", more);
    let some = json!({"amount": "7", "receiver_id": BOB});
    let seven = town.call(OWNER, "withdraw_fees", some).value();
    let rest = town
        .call(OWNER, "withdraw_fees", json!({"receiver_id": BOB}))
        .value();
    let others = town.call(ALICE, "withdraw_fees", json!({}));

    assert!(refused.failure().contains("not_allowed: at most "));
    assert!(others.failure().contains("not_allowed: "));
    assert_eq!(seven, json!("7"));
    assert_eq!(yocto(&rest), fees - 7);
    assert_eq!(town.balance(BOB), before + fees);
    assert_eq!(town.owed(), [DEPOSIT, 0, 0]);
    town.check_money();
}

#[test]
fn fees_that_cannot_be_paid_stay_fees() {
    let mut town = Town::new();
    let (request_id, _) = town.ask(json!({}));
    town.resolve(request_id, success(json!({"Text": ""})));

    town.call(
        OWNER,
        "withdraw_fees",
        json!({"receiver_id": "nobody.test"}),
    );

    assert_eq!(town.owed(), [0, SUCCESS_COST, 0]);
    town.check_money();
}

#[test]
fn a_request_takes_just_the_bytes_it_is_said_to_take() {
    let mut town = Town::new();
    let stake = |town: &Town| yocto(&town.view("get_reserve", json!({}))["storage_stake"]);
    let staked = |town: &Town| yocto(&town.view("get_reserve", json!({}))["staked_escrow"]);
    for more in [
        json!({}),
        json!({"input_data": "x".repeat(2_000), "payer_account_id": BOB}),
        json!({"secrets_ref": {"profile": "p", "account_id": BOB}, "params": {"attached_usd": "0"}}),
    ] {
        let (bytes_before, staked_before) = (stake(&town), staked(&town));

        town.ask(more);

        assert_eq!(stake(&town) - bytes_before, staked(&town) - staked_before);
        town.check_money();
    }
}

#[test]
fn an_account_without_a_reserve_takes_no_requests_until_it_is_topped_up() {
    let code = u128::try_from(super::wasm::outlayer().len()).unwrap();
    let barely = (code + 3_000) * 10u128.pow(19) + 2 * 10u128.pow(22);
    let mut town = Town::with_balance(Balance::from_yoctonear(barely));
    let arguments = serde_json::to_vec(&ask(json!({}))).unwrap();

    let refused = town.ask_raw(&arguments, DEPOSIT);
    town.transfer(ALICE, "outlayer.test", 10u128.pow(24));
    let taken = town.ask_raw(&arguments, DEPOSIT);

    assert!(
        refused.failure().contains("paused: "),
        "{}",
        refused.failure()
    );
    assert!(taken.is_pending());
    town.check_money();
}
