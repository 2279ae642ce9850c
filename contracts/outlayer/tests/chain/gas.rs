//! What each method burns and how large the module is, against ceilings.
//!
//! `gas.json` holds, for each method, what was measured in whole Tgas and what it may become. A measurement that moves by more
//! than one or a twentieth is to be recorded anew.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::secrets::{blob, with};
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

/// What owners of secrets and projects burn.
fn measure_owners() -> BTreeMap<String, u64> {
    let mut town = Town::new();
    let mut table = BTreeMap::new();
    let mut measured = |name: &str, method: &str, arguments: Value| {
        let sent = town.pay(ALICE, method, &arguments, 20 * DEPOSIT);
        let gas = sent.burnt()[method].div_ceil(10u64.pow(12));
        table.insert(name.to_owned(), gas);
    };
    let named = json!({"repo": "acme/ark", "profile": "default"});
    let store = |length| {
        let sealed = json!({"encrypted_secrets_base64": blob(length), "access": "AllowAll"});
        with(named.clone(), sealed)
    };
    let access = json!({"Whitelist": {"accounts": vec![OWNER; 500]}});
    let update = with(named.clone(), json!({"new_access": access}));
    measured("store_secrets", "store_secrets", store(200));
    measured("store_secrets, 100 kB", "store_secrets", store(100_000));
    measured("update_access, 500 accounts", "update_access", update);
    measured("delete_secrets, 100 kB", "delete_secrets", named.clone());

    let code = |i: usize| json!({"repo": "https://github.com/a/b", "commit": format!("{i:0>40}")});
    let version = |i| json!({"project_name": "app", "source": code(i)});
    let chosen =
        json!({"project_name": "app", "version_key": format!("https://github.com/a/b@{:0>40}", 1)});
    let app = json!({"name": "app", "source": code(0)});
    measured("create_project", "create_project", app);
    measured("add_version", "add_version", version(1));
    measured("set_active_version", "set_active_version", chosen.clone());
    let first =
        json!({"project_name": "app", "version_key": format!("https://github.com/a/b@{:0>40}", 0)});
    measured("remove_version", "remove_version", first);
    for i in 2..101 {
        measured("add_version", "add_version", version(i));
    }
    let whole = json!({"project_name": "app"});
    measured("delete_project, 100 versions", "delete_project", whole);
    let again = json!({"name": "app", "source": code(0)});
    measured("create_project", "create_project", again);
    let over = json!({"project_name": "app", "new_owner": OWNER});
    measured("transfer_project", "transfer_project", over);
    table
}

#[test]
fn no_method_burns_more_than_its_ceiling_and_the_module_stays_small() {
    let recorded: BTreeMap<String, Value> = serde_json::from_str(TABLE).unwrap();

    let mut measured = measure();
    measured.append(&mut measure_owners());
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
