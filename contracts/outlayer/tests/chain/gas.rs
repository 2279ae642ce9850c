//! What each method burns and how large the module is, against ceilings.
//!
//! `gas.json` holds, for each method, what was measured in whole Tgas and what it may become. A measurement that moves by more
//! than one or a twentieth is to be recorded anew.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::town::{ALICE, CLIENT, DEPOSIT, OWNER, Town, WORKER, ask, call, success};
use super::wasm;

/// What was measured and what it may become.
const TABLE: &str = include_str!("gas.json");

fn measure() -> BTreeMap<String, u64> {
    let mut town = Town::new();
    let mut table = BTreeMap::new();
    let mut note = |name: &str, gas: u64| {
        table.insert(name.to_owned(), gas.div_ceil(10u64.pow(12)));
    };
    let small = ask(json!({"input_data": "2+2"}));
    let asked = town.send(ALICE, CLIENT, vec![call("ask", &small, DEPOSIT, 250)]);
    note("request_execution", asked.burnt()["request_execution"]);
    let response = json!({"request_id": 1, "response": success(json!({"Text": "4"}))});
    let resolved = town.call(WORKER, "resolve_execution", response);
    note("resolve_execution", resolved.burnt()["resolve_execution"]);
    let ended = town.sent(asked.hash).burnt();
    note("on_execution_response", ended["on_execution_response"]);
    note("on_transfer_settled", ended["on_transfer_settled"]);

    let large = json!({"input_data": "x".repeat(100_000)});
    let (id, asked) = town.ask_as(ALICE, large, 11 * DEPOSIT);
    note(
        "request_execution, 100 kB of input",
        asked.burnt()["request_execution"],
    );
    let response =
        json!({"request_id": id, "response": success(json!({"Text": "o".repeat(100_000)}))});
    let resolved = town.call(WORKER, "resolve_execution", response);
    note(
        "resolve_execution, 100 kB of output",
        resolved.burnt()["resolve_execution"],
    );
    let ended = town.sent(asked.hash).burnt();
    note(
        "on_execution_response, 100 kB each way",
        ended["on_execution_response"],
    );

    let (id, _) = town.ask(json!({}));
    let cancelled = town.call(
        OWNER,
        "emergency_cancel_execution",
        json!({"request_id": id}),
    );
    note(
        "emergency_cancel_execution",
        cancelled.burnt()["emergency_cancel_execution"],
    );
    let withdrawn = town.call(OWNER, "withdraw_fees", json!({}));
    note("withdraw_fees", withdrawn.burnt()["withdraw_fees"]);
    let set = town.call(OWNER, "set_paused", json!({"paused": false}));
    note("set_paused", set.burnt()["set_paused"]);
    table
}

#[test]
fn no_method_burns_more_than_its_ceiling_and_the_module_stays_small() {
    let recorded: BTreeMap<String, Value> = serde_json::from_str(TABLE).unwrap();

    let mut measured = measure();
    let kilobytes = u64::try_from(wasm::outlayer().len())
        .unwrap()
        .div_ceil(1_000);
    measured.insert("module, kB".to_owned(), kilobytes);

    let names = |table: &mut dyn Iterator<Item = &String>| table.cloned().collect::<Vec<_>>();
    assert_eq!(
        names(&mut recorded.keys()),
        names(&mut measured.keys()),
        "{measured:#?}"
    );
    for (name, now) in &measured {
        let ceiling = recorded[name]["ceiling"].as_u64();
        assert!(
            ceiling >= Some(*now),
            "{name} is {now}; measured: {measured:#?}"
        );
        let before = recorded[name]["measured"].as_u64().unwrap();
        let moved = now.abs_diff(before);
        assert!(moved <= 1.max(before / 20), "record anew: {measured:#?}");
    }
}
