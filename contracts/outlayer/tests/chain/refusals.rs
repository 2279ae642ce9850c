//! What is refused, with which code, and that the deposit comes back.

use serde_json::{Value, json};

use super::town::{ALICE, DEPOSIT, OWNER, Town, WORKER, ask, success};

/// A tenth of a NEAR is more than any gas here costs.
const GAS_ALLOWANCE: u128 = 10u128.pow(23);

#[test]
fn a_refused_request_fails_with_its_code_and_the_deposit_comes_back() {
    let mut town = Town::new();
    let deposit = 10 * DEPOSIT;
    let limits = |limits: Value| ask(json!({"resource_limits": limits}));
    let cases = [
        (json!({}), "invalid_source: "),
        (json!({"source": {"repo": "r"}}), "invalid_source: "),
        (ask(json!({"code_source": {}})), "invalid_source: "),
        (ask(json!({"input_data": 7})), "invalid_arguments: "),
        (
            ask(json!({"payer_account_id": "NO"})),
            "invalid_arguments: ",
        ),
        (limits(json!({"max_instructions": 0})), "invalid_limits: "),
        (limits(json!({"max_memory_mb": 513})), "limits_above_cap: "),
        (
            json!({"source": {"Project": {"project_id": "a/b"}}}),
            "project_not_found: ",
        ),
        (
            ask(json!({"params": {"attached_usd": "1"}})),
            "insufficient_usd_balance: ",
        ),
        (
            ask(json!({"input_data": "a".repeat(1_048_577)})),
            "input_too_large: ",
        ),
        (
            ask(json!({"input_data": "a".repeat(110_000)})),
            "deposit_too_small: ",
        ),
    ];
    for (arguments, code) in cases {
        let before = town.balance(ALICE);

        let refused = town.ask_raw(&serde_json::to_vec(&arguments).unwrap(), deposit);

        assert!(refused.failure().contains(code), "{}", refused.failure());
        assert!(before - town.balance(ALICE) < GAS_ALLOWANCE);
        town.check_money();
    }
    let malformed = town.ask_raw(b"{\"source\"", deposit);
    assert!(malformed.failure().contains("invalid_arguments: "));
    assert_eq!(town.owed(), [0, 0, 0]);
}

#[test]
fn a_caller_that_asked_for_the_full_result_gets_a_refusal_as_a_value() {
    let mut town = Town::new();
    let cases = [
        (
            json!({"source": 7, "params": {"full_result": true}}),
            DEPOSIT,
            "invalid_source",
        ),
        (
            ask(json!({"input_data": 7, "params": {"full_result": true}})),
            DEPOSIT,
            "invalid_arguments",
        ),
        (
            ask(json!({"params": {"full_result": true}})),
            7,
            "deposit_too_small",
        ),
        (
            ask(json!({"params": {"full_result": true}})),
            0,
            "deposit_too_small",
        ),
    ];
    for (arguments, deposit, code) in cases {
        let before = town.balance(ALICE);

        let refused = town.ask_raw(&serde_json::to_vec(&arguments).unwrap(), deposit);

        assert_eq!(refused.value()["Error"]["error_type"], json!(code));
        assert!(before - town.balance(ALICE) < GAS_ALLOWANCE);
        town.check_money();
    }
}

#[test]
fn the_deposit_must_cover_the_estimate_to_the_yocto() {
    let mut town = Town::new();
    let estimate = town.view("estimate_execution_cost", json!({}));
    let estimate: u128 = estimate.as_str().unwrap().parse().unwrap();
    let arguments = serde_json::to_vec(&ask(json!({}))).unwrap();

    let short = town.ask_raw(&arguments, estimate - 1);
    let enough = town.ask_raw(&arguments, estimate);

    assert_eq!(estimate, 7_000_100_000_000_000_000_000);
    assert!(short.failure().contains("deposit_too_small: "));
    assert!(enough.is_pending());
    town.check_money();
}

#[test]
fn a_paused_contract_takes_no_requests_but_ends_those_it_has() {
    let mut town = Town::new();
    let (request_id, asked) = town.ask(json!({}));

    town.call(OWNER, "set_paused", json!({"paused": true}))
        .value();
    let refused = town.ask_raw(&serde_json::to_vec(&ask(json!({}))).unwrap(), DEPOSIT);
    town.resolve(request_id, success(json!({"Text": "4"})));

    assert!(refused.failure().contains("paused: "));
    assert_eq!(town.view("is_paused", json!({})), json!(true));
    assert_eq!(town.sent(asked.hash).value(), json!("4"));
}

#[test]
fn only_the_operator_answers_and_only_the_contract_calls_itself_back() {
    let mut town = Town::new();
    let (request_id, _) = town.ask(json!({}));
    let response = success(json!({"Text": "4"}));
    let whole = json!({"request_id": request_id, "response": response});
    let settled = json!({"account_id": ALICE, "amount": "5", "purpose": "refund"});
    let cases = [
        (ALICE, "resolve_execution", &whole),
        (OWNER, "resolve_execution", &whole),
        (ALICE, "submit_execution_output", &whole),
        (ALICE, "submit_execution_output_and_resolve", &whole),
        (WORKER, "on_execution_response", &whole),
        (OWNER, "on_transfer_settled", &settled),
    ];
    for (who, method, arguments) in cases {
        let refused = town.call(who, method, arguments.clone());

        assert!(refused.failure().contains("not_allowed: "), "{method}");
    }
    assert!(town.request(request_id).is_some());
    town.check_money();
}

#[test]
fn an_operators_malformed_arguments_change_nothing() {
    let mut town = Town::new();
    let (request_id, _) = town.ask(json!({}));

    for arguments in [
        json!({}),
        json!({"request_id": request_id}),
        json!({"request_id": "x"}),
    ] {
        let refused = town.call(WORKER, "resolve_execution", arguments);

        assert!(refused.failure().contains("invalid_arguments: "));
    }
    assert!(town.request(request_id).is_some());
}
