//! A request is answered, and the caller gets the answer.

use serde_json::{Value, json};

use super::town::{
    ALICE, BOB, CLIENT, DEPOSIT, OUTLAYER, SUCCESS_COST, Town, WORKER, ask, call, id, success,
};

#[test]
fn a_request_is_kept_announced_answered_and_settled() {
    let mut town = Town::new();

    let (request_id, asked) = town.ask(json!({"input_data": "2+2"}));
    let shown = town.request(request_id).unwrap();
    let resolved = town.resolve(request_id, success(json!({"Text": "4"})));

    let notice = asked.notice();
    assert_eq!(notice.input_data, "2+2");
    assert_eq!(notice.sender_id.as_str(), ALICE);
    assert_eq!(shown.input_data.as_deref(), Some("2+2"));
    assert_eq!(shown.payment.as_yoctonear(), DEPOSIT);
    assert_eq!(resolved, json!({"resolved": true}));
    let ended = town.sent(asked.hash);
    assert_eq!(ended.value(), json!("4"));
    let completed = ended.completed();
    assert!(completed.success);
    assert_eq!(completed.payment_charged.as_yoctonear(), SUCCESS_COST);
    assert_eq!(
        completed.payment_refunded.as_yoctonear(),
        DEPOSIT - SUCCESS_COST
    );
    assert_eq!(town.request(request_id), None);
    assert_eq!(town.owed(), [0, SUCCESS_COST, 0]);
    town.check_money();
}

#[test]
fn a_client_contract_gets_the_answer_in_its_callback_and_the_rest_of_its_deposit() {
    let mut town = Town::new();
    let before = town.balance(CLIENT);
    let action = call(
        "ask",
        &ask(json!({"response_format": "Json"})),
        DEPOSIT,
        250,
    );

    let asked = town.send(ALICE, CLIENT, vec![action]);
    let request_id = asked.notice().request_id.0;
    town.resolve(request_id, success(json!({"Json": {"n": [1, null]}})));

    assert!(asked.is_pending());
    assert_eq!(town.sent(asked.hash).value(), json!({"n": [1, null]}));
    let stored = town
        .chain
        .view(&id(CLIENT), "answer", b"")
        .unwrap()
        .return_data;
    assert_eq!(stored.as_value().unwrap(), br#"{"n":[1,null]}"#);
    assert_eq!(asked.notice().sender_id.as_str(), ALICE);
    assert_eq!(asked.notice().predecessor_id.as_str(), CLIENT);
    assert_eq!(town.balance(CLIENT), before + DEPOSIT - SUCCESS_COST);
    town.check_money();
}

#[test]
fn the_payer_gets_the_rest_if_one_is_named() {
    let mut town = Town::new();
    let before = town.balance(BOB);

    let (request_id, _) = town.ask(json!({"payer_account_id": BOB}));
    town.resolve(request_id, success(json!({"Text": ""})));

    assert_eq!(town.balance(BOB), before + DEPOSIT - SUCCESS_COST);
    town.check_money();
}

#[test]
fn nobody_answers_and_all_goes_back() {
    let mut town = Town::new();
    let (plain_id, plain) = town.ask(json!({"payer_account_id": BOB}));
    let (_, full) = town.ask(json!({"payer_account_id": BOB, "params": {"full_result": true}}));
    let before = town.balance(BOB);

    town.time_out();

    assert_eq!(town.sent(plain.hash).value(), Value::Null);
    assert!(town.sent(full.hash).value()["Timeout"].is_object());
    let completed = town.sent(plain.hash).completed();
    assert_eq!(completed.error_type.unwrap().as_str(), "timed_out");
    assert_eq!(completed.request_id.unwrap().0, plain_id);
    assert_eq!(town.balance(BOB), before + 2 * DEPOSIT);
    assert_eq!(town.owed(), [0, 0, 0]);
    assert_eq!(
        town.resolve(plain_id, success(json!({"Text": "late"}))),
        json!({"resolved": false, "code": "no_such_request"})
    );
    town.check_money();
}

#[test]
fn large_outputs_wait_in_state_until_the_callback_returns_them() {
    let mut town = Town::new();
    let text = "\u{1}é".repeat(20_000);
    for full_result in [false, true] {
        let (request_id, asked) = town.ask(json!({"params": {"full_result": full_result}}));

        let resolved = town.resolve(request_id, success(json!({"Text": text})));

        assert_eq!(resolved, json!({"resolved": true}));
        let value = town.sent(asked.hash).value();
        let value = if full_result {
            value["Success"]["return_value"].clone()
        } else {
            value
        };
        assert_eq!(value, json!(text));
        town.check_money();
    }
    assert_eq!(town.owed()[0], 0);
}

#[test]
fn an_output_can_be_submitted_before_its_request_is_resolved() {
    let mut town = Town::new();
    let (request_id, asked) = town.ask(json!({"response_format": "Bytes"}));
    let output = json!({"Bytes": vec![255; 3_000]});

    let arguments = json!({"request_id": request_id, "output": output});
    let submitted = town
        .call(WORKER, "submit_execution_output", arguments)
        .value();
    let shown = town.request(request_id).unwrap();
    let resolved = town.resolve(request_id, success(Value::Null));

    assert_eq!(submitted, json!({"stored": true}));
    assert!(shown.output_submitted);
    assert_eq!(serde_json::to_value(shown.pending_output).unwrap(), output);
    assert_eq!(resolved, json!({"resolved": true}));
    assert_eq!(town.sent(asked.hash).value(), json!("////".repeat(1_000)));
    town.check_money();
}

#[test]
fn a_submitted_output_goes_when_nobody_resolves() {
    let mut town = Town::new();
    let bytes = |town: &Town| town.view("get_reserve", json!({}))["storage_stake"].clone();
    let before = bytes(&town);
    let (request_id, asked) = town.ask(json!({}));
    let output = json!({"Text": "x".repeat(3_000)});
    town.call(
        WORKER,
        "submit_execution_output",
        json!({"request_id": request_id, "output": output}),
    );

    town.time_out();

    assert_eq!(town.sent(asked.hash).value(), Value::Null);
    assert_eq!(bytes(&town), before);
    town.check_money();
}

#[test]
fn output_and_resolve_come_in_one_transaction_in_the_flat_spelling() {
    let mut town = Town::new();
    let (request_id, asked) = town.ask(json!({}));
    let mut arguments = success(json!({"Text": "y".repeat(5_000)}));
    arguments["request_id"] = request_id.into();

    let method = "submit_execution_output_and_resolve";
    let resolved = town.call(WORKER, method, arguments).value();

    assert_eq!(resolved, json!({"resolved": true}));
    assert_eq!(town.sent(asked.hash).value(), json!("y".repeat(5_000)));
    town.check_money();
}

#[test]
fn an_answer_that_the_callers_gas_does_not_carry_is_a_failure_that_says_so() {
    let mut town = Town::new();
    let arguments = ask(json!({"params": {"full_result": true}}));
    let action = call("request_execution", &arguments, DEPOSIT, 50);
    let asked = town.send(ALICE, OUTLAYER, vec![action]);
    let request_id = asked.notice().request_id.0;

    let resolved = town.resolve(request_id, success(json!({"Text": "z".repeat(400_000)})));

    assert_eq!(
        resolved,
        json!({"resolved": true, "code": "output_too_large"})
    );
    let value = town.sent(asked.hash).value();
    assert_eq!(value["Error"]["error_type"], json!("output_too_large"));
    assert_eq!(town.owed(), [0, SUCCESS_COST, 0]);
    town.check_money();
}

#[test]
fn a_second_resolve_changes_nothing() {
    let mut town = Town::new();
    let (request_id, asked) = town.ask(json!({}));
    let resolve = |text: &str| {
        let response = success(json!({"Text": text.repeat(2_000)}));
        let arguments = json!({"request_id": request_id, "response": response});
        call("resolve_execution", &arguments, 0, 100)
    };

    // Both run in one block, before the callback.
    let first = town.post(WORKER, OUTLAYER, vec![resolve("1")]);
    let second = town.post(WORKER, OUTLAYER, vec![resolve("2")]);
    town.chain.settle();

    assert_eq!(town.sent(first).value(), json!({"resolved": true}));
    assert_eq!(
        town.sent(second).value(),
        json!({"resolved": false, "code": "no_such_request"})
    );
    assert_eq!(town.sent(asked.hash).value(), json!("1".repeat(2_000)));
    town.check_money();
}

#[test]
fn the_guests_failure_is_charged_and_ours_is_not() {
    let mut town = Town::new();
    let failure = |code: &str| {
        json!({
            "success": false,
            "error": "x".repeat(20_000),
            "error_type": code,
            "resources_used": {"instructions": 1_000_000, "time_ms": 2},
        })
    };
    let (guests, _) = town.ask(json!({}));
    let (ours, asked) = town.ask(json!({}));

    town.resolve(guests, failure("out_of_memory"));
    assert_eq!(town.owed(), [DEPOSIT, SUCCESS_COST, 0]);
    town.resolve(ours, failure("platform_failure"));

    assert_eq!(town.owed(), [0, SUCCESS_COST, 0]);
    assert_eq!(town.sent(asked.hash).value(), Value::Null);
    assert_eq!(
        town.sent(asked.hash)
            .completed()
            .payment_charged
            .as_yoctonear(),
        0
    );
    town.check_money();
}

#[test]
fn a_large_input_stays_in_state_and_is_shown_whole() {
    let mut town = Town::new();
    let input = "\"\\é".repeat(10_000);

    let (request_id, asked) = town.ask_as(ALICE, json!({"input_data": input}), 10 * DEPOSIT);

    let notice = asked.notice();
    assert!(notice.input_data_in_state);
    assert_eq!(notice.input_data, "");
    assert_eq!(town.request(request_id).unwrap().input_data, Some(input));
    town.resolve(request_id, success(json!({"Text": ""})));
    assert_eq!(town.owed()[0], 0);
    town.check_money();
}

#[test]
fn a_request_is_charged_at_the_rates_of_its_day() {
    let mut town = Town::new();
    let (request_id, _) = town.ask(json!({}));

    town.call("owner.test", "set_pricing", json!({"base_fee": "5"}))
        .value();
    town.resolve(request_id, success(json!({"Text": ""})));

    assert_eq!(town.owed(), [0, SUCCESS_COST, 0]);
}
