//! Requests are given up.

use serde_json::{Value, json};

use super::town::{
    ALICE, BOB, CLIENT, DEPOSIT, OUTLAYER, OWNER, Town, WORKER, ask, call, id, success,
};

/// Fast-forwarded blocks take 0.3 s of the chain's time.
const TEN_MINUTES_OF_BLOCKS: u64 = 2_000;

/// A hundredth of a NEAR is more than any gas here costs.
const GAS_ALLOWANCE: u128 = 10u128.pow(22);

#[test]
fn an_owner_gives_a_request_up_and_its_caller_learns_of_it_at_once() {
    let mut town = Town::new();
    let (plain_id, plain) = town.ask(json!({"payer_account_id": BOB}));
    let params = json!({"full_result": true});
    let (full_id, full) = town.ask(json!({"payer_account_id": BOB, "params": params}));
    let before = town.balance(BOB);

    for request_id in [plain_id, full_id] {
        let cancelled = town.call(
            OWNER,
            "emergency_cancel_execution",
            json!({"request_id": request_id}),
        );
        let completed = cancelled.completed();
        assert_eq!(completed.error_type.unwrap().as_str(), "cancelled");
    }

    assert_eq!(town.sent(plain.hash).value(), Value::Null);
    let value = town.sent(full.hash).value();
    assert_eq!(value["Error"]["error_type"], json!("cancelled"));
    assert_eq!(town.balance(BOB), before + 2 * DEPOSIT);
    assert_eq!(town.owed(), [0, 0, 0]);
    town.time_out();
    town.check_money();
}

#[test]
fn a_batch_is_given_up_ten_at_a_time() {
    let mut town = Town::new();
    let mut ids: Vec<u64> = (0..12).map(|_| town.ask(json!({})).0).collect();

    let first = town
        .call(OWNER, "cancel_pending_requests", json!({}))
        .value();
    let named = json!({"request_ids": [99, ids[10], ids[11]]});
    let second = town.call(OWNER, "cancel_pending_requests", named).value();

    let mut cancelled: Vec<u64> = serde_json::from_value(first).unwrap();
    assert_eq!(cancelled.len(), 10);
    cancelled.extend(serde_json::from_value::<Vec<u64>>(second).unwrap());
    cancelled.sort_unstable();
    ids.retain(|id| town.request(*id).is_some());
    assert_eq!((cancelled.len(), ids.len()), (12, 0));
    assert_eq!(town.view("get_pending_request_ids", json!({})), json!([]));
    town.check_money();
}

#[test]
fn a_requester_waits_ten_minutes_and_is_nobody_else() {
    let mut town = Town::new();
    let (request_id, _) = town.ask_as(BOB, json!({}), DEPOSIT);
    let cancel = json!({"request_id": request_id});

    let early = town.call(BOB, "cancel_stale_execution", cancel.clone());
    let strangers = town.call(ALICE, "cancel_stale_execution", cancel);
    let unknown = town.call(BOB, "cancel_stale_execution", json!({"request_id": 99}));

    assert!(early.failure().contains("too_early: "));
    assert!(strangers.failure().contains("not_allowed: "));
    assert!(unknown.failure().contains("no_such_request: "));
    assert!(town.request(request_id).is_some());
}

#[test]
fn what_a_failed_callback_leaves_behind_goes_back_after_ten_minutes() {
    let mut town = Town::new();
    let (request_id, asked) = town.ask_as(BOB, json!({}), DEPOSIT);
    // An account without money cannot pay a refund, so the callback fails: no other way was found to make it.
    let balance = town.set_balance(OUTLAYER, 0);
    town.time_out();
    town.set_balance(OUTLAYER, balance);
    let failed = town.sent(asked.hash).failure();
    let left_behind = town.request(request_id);
    let before = town.balance(BOB);

    town.chain.fast_forward(TEN_MINUTES_OF_BLOCKS);
    let cancel = json!({"request_id": request_id});
    let cancelled = town.call(BOB, "cancel_stale_execution", cancel);

    assert!(!failed.is_empty());
    assert!(left_behind.is_some());
    assert_eq!(cancelled.value(), Value::Null);
    let gained = town.balance(BOB) + GAS_ALLOWANCE - before;
    assert!((DEPOSIT..=DEPOSIT + GAS_ALLOWANCE).contains(&gained));
    assert_eq!(town.owed(), [0, 0, 0]);
    town.check_money();
}

#[test]
fn a_cancel_between_resolve_and_callback_settles_once() {
    let mut town = Town::new();
    let (request_id, asked) = town.ask(json!({"payer_account_id": BOB}));
    let before = town.balance(BOB);
    let response = success(json!({"Text": "4"}));
    let resolve = json!({"request_id": request_id, "response": response});
    let cancel = json!({"request_id": request_id});

    let resolve = call("resolve_execution", &resolve, 0, 100);
    let cancel = call("emergency_cancel_execution", &cancel, 0, 100);
    town.post(WORKER, OUTLAYER, vec![resolve]);
    let cancelled = town.post(OWNER, OUTLAYER, vec![cancel]);
    town.chain.settle();

    let paid = town.balance(BOB) - before;
    let charged = DEPOSIT - paid;
    assert_eq!(town.owed(), [0, charged, 0]);
    if charged == 0 {
        assert_eq!(town.sent(cancelled).value(), Value::Null);
        assert_eq!(town.sent(asked.hash).value(), Value::Null);
    }
    town.check_money();
}

#[test]
fn a_client_contract_whose_request_is_given_up_goes_on() {
    let mut town = Town::new();
    let action = call("ask", &ask(json!({})), DEPOSIT, 250);
    let asked = town.send(ALICE, CLIENT, vec![action]);
    let request_id = asked.notice().request_id.0;

    town.call(
        OWNER,
        "emergency_cancel_execution",
        json!({"request_id": request_id}),
    );

    let stored = town
        .chain
        .view(&id(CLIENT), "answer", b"")
        .unwrap()
        .return_data;
    assert_eq!(stored.as_value().unwrap(), b"null");
}
