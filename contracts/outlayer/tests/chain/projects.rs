//! Projects and versions: what they take, what runs, and what follows to another owner.

use serde_json::{Value, json};

use super::secrets::{blob, named, with};
use super::town::{ALICE, BOB, DEPOSIT, OUTLAYER, Town, ask, yocto};

/// More than any project here takes: 1 NEAR.
const PLENTY: u128 = 10u128.pow(24);

const HASH: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn git(commit: &str) -> Value {
    json!({"GitHub": {"repo": "https://github.com/acme/ark", "commit": commit}})
}

fn url() -> Value {
    json!({"WasmUrl": {"url": "https://acme.test/ark.wasm", "hash": HASH}})
}

fn key(commit: &str) -> String {
    format!("https://github.com/acme/ark@{commit}")
}

fn version(source: &Value, set_active: bool) -> Value {
    json!({"project_name": "app", "source": source, "set_active": set_active})
}

/// A town in which Alice has the project `app`.
fn town_with_app() -> Town {
    let mut town = Town::new();
    let app = json!({"name": "app", "source": git("v1")});
    let uuid = town.pay(ALICE, "create_project", &app, PLENTY).value();
    assert_eq!(uuid, json!("p0000000000000001"));
    town
}

fn project(town: &Town, id: &str) -> Value {
    town.view("get_project", json!({"project_id": id}))
}

fn choose(version_key: &str) -> Value {
    json!({"project_name": "app", "version_key": version_key})
}

fn ask_for(more: Value) -> Value {
    ask(json!({"source": {"Project": with(json!({"project_id": "alice.test/app"}), more)}}))
}

#[test]
fn a_project_is_shown_with_its_versions() {
    let mut town = town_with_app();
    town.pay(ALICE, "add_version", &version(&url(), true), PLENTY)
        .value();
    town.pay(ALICE, "add_version", &version(&git("v2"), false), PLENTY)
        .value();

    let view = project(&town, "alice.test/app");

    assert_eq!(view, project(&town, "p0000000000000001"));
    assert_eq!(view["uuid"], json!("p0000000000000001"));
    assert_eq!(
        (&view["owner"], &view["name"]),
        (&json!(ALICE), &json!("app"))
    );
    assert_eq!(view["project_id"], json!("alice.test/app"));
    assert_eq!(view["active_version"], json!(HASH));
    assert_eq!(yocto(&view["storage_deposit"]), town.held());
    let id = json!({"project_id": "alice.test/app"});
    let versions = town.view("list_versions", id.clone());
    let keys = versions.as_array().unwrap().iter();
    let keys: Vec<_> = keys
        .map(|it| (it["wasm_hash"].clone(), it["is_active"].clone()))
        .collect();
    assert_eq!(
        keys,
        [
            (json!(key("v1")), json!(false)),
            (json!(HASH), json!(true)),
            (json!(key("v2")), json!(false)),
        ]
    );
    assert_eq!(town.view("get_version_count", id.clone()), json!(3));
    let page = with(id.clone(), json!({"from_index": 2, "limit": 5}));
    assert_eq!(town.view("list_versions", page), json!([versions[2]]));
    let one = with(id, json!({"version_key": key("v2")}));
    assert_eq!(town.view("get_version", one), versions[2]);
    let listed = town.view("list_user_projects", json!({"account_id": ALICE}));
    assert_eq!(listed, json!([view]));
    town.check_money();
}

#[test]
fn a_request_for_a_project_runs_its_active_or_the_named_version() {
    let mut town = town_with_app();
    town.pay(ALICE, "add_version", &version(&url(), false), PLENTY)
        .value();
    let secrets = json!({"profile": "default", "account_id": ALICE});
    let mut asked = |arguments: Value| {
        let arguments = with(arguments, json!({"secrets_ref": secrets}));
        let sent = town.pay(BOB, "request_execution", &arguments, DEPOSIT);
        sent.notice()
    };

    let active = asked(ask_for(json!({})));
    let pinned = asked(ask_for(json!({"version_key": HASH})));
    let by_uuid = asked(ask(
        json!({"source": {"Project": {"project_id": "p0000000000000001"}}}),
    ));

    assert_eq!(active.code_source.version_key(), key("v1"));
    assert_eq!(pinned.code_source.version_key(), HASH);
    assert_eq!(by_uuid.code_source, active.code_source);
    for notice in [&active, &pinned, &by_uuid] {
        assert_eq!(notice.project_id.as_deref(), Some("alice.test/app"));
        assert_eq!(notice.project_uuid.as_deref(), Some("p0000000000000001"));
        assert_eq!(json!(notice.secrets_ref), secrets);
    }
    let pending = json!(town.request(pinned.request_id.0).unwrap());
    let named = json!({"Project": {"project_id": "alice.test/app", "version_key": HASH}});
    assert_eq!(pending["execution_source"], named);
    assert_eq!(pending["resolved_source"]["WasmUrl"]["hash"], json!(HASH));
    assert_eq!(
        pending["params"]["project_uuid"],
        json!("p0000000000000001")
    );
    town.check_money();
    town.time_out();
    town.check_money();
}

#[test]
fn a_request_keeps_the_code_it_asked_for_whatever_becomes_of_the_project() {
    let mut town = town_with_app();
    let stake = town.stake();
    let asked = town.pay(BOB, "request_execution", &ask_for(json!({})), DEPOSIT);
    let id = asked.notice().request_id.0;
    let staked = yocto(&town.view("get_reserve", json!({}))["staked_escrow"]);
    assert_eq!(town.stake() - stake, staked);

    town.call(ALICE, "delete_project", json!({"project_name": "app"}))
        .value();

    let pending = town.request(id).unwrap();
    assert_eq!(pending.resolved_source.version_key(), key("v1"));
    let again = town.pay(BOB, "request_execution", &ask_for(json!({})), DEPOSIT);
    assert!(again.failure().contains("project_not_found: "));
    town.check_money();
}

#[test]
fn versions_are_added_chosen_and_removed_for_just_what_they_take() {
    let mut town = town_with_app();
    let (stake, balance) = (town.stake(), town.balance(OUTLAYER));
    town.pay(ALICE, "add_version", &version(&url(), false), PLENTY)
        .value();
    let taken = town.balance(OUTLAYER) - balance;
    assert_eq!(town.stake() - stake, taken);

    let active = town.call(ALICE, "remove_version", choose(&key("v1")));
    town.pay(ALICE, "set_active_version", &choose(HASH), 1)
        .value();
    town.pay(ALICE, "remove_version", &choose(&key("v1")), 1)
        .value();

    assert!(active.failure().contains("version_active: "));
    assert_eq!(
        project(&town, "alice.test/app")["active_version"],
        json!(HASH)
    );
    assert_eq!(
        yocto(&project(&town, "alice.test/app")["storage_deposit"]),
        town.held()
    );
    assert_eq!(
        town.view("get_version_count", json!({"project_id": "alice.test/app"})),
        json!(1)
    );
    town.check_money();
}

#[test]
fn deleting_a_project_with_as_many_versions_as_it_may_have_returns_every_yocto() {
    let mut town = Town::new();
    let (stake, balance) = (town.stake(), town.balance(OUTLAYER));
    let app = json!({"name": "app", "source": git("v0")});
    town.pay(ALICE, "create_project", &app, PLENTY).value();
    for i in 1..100 {
        let one = version(&git(&format!("{i:0>40}")), i % 2 == 0);
        town.pay(ALICE, "add_version", &one, PLENTY).value();
    }
    let more = town.pay(ALICE, "add_version", &version(&url(), true), PLENTY);
    assert_eq!(town.stake() - stake, town.held());

    let deleted = town.pay(ALICE, "delete_project", &json!({"project_name": "app"}), 1);

    assert!(more.failure().contains("too_many_versions: "));
    assert!(deleted.burnt()["delete_project"] < 200 * 10u64.pow(12));
    let cleanup = json!({"project_id": "alice.test/app", "project_uuid": "p0000000000000001"});
    let logs = deleted.logs();
    let event: Value = serde_json::from_str(logs[0].split_once(':').unwrap().1).unwrap();
    let data = &event["data"][0]["ProjectStorageCleanup"];
    assert_eq!(event["event"], json!("system_event"));
    assert_eq!(data["project_id"], cleanup["project_id"]);
    assert_eq!(data["project_uuid"], cleanup["project_uuid"]);
    assert_eq!((town.stake(), town.balance(OUTLAYER)), (stake, balance));
    assert_eq!(project(&town, "alice.test/app"), Value::Null);
    town.check_money();
}

#[test]
fn secrets_follow_a_project_to_its_next_owner_and_outlive_it() {
    let mut town = town_with_app();
    let before = json!({"Project": {"project_id": "alice.test/app"}});
    let after = json!({"Project": {"project_id": "bob.test/app"}});
    let gone = json!({"Project": {"project_id": "p0000000000000001"}});
    let sealed = json!({"encrypted_secrets_base64": blob(61), "access": "AllowAll"});
    let store = with(named(&before), sealed.clone());
    town.pay(ALICE, "store_secrets", &store, PLENTY).value();
    let get = |town: &Town, accessor: &Value| {
        town.view(
            "get_secrets",
            with(named(accessor), json!({"owner": ALICE})),
        )
    };
    let transfer = json!({"project_name": "app", "new_owner": BOB});

    town.pay(ALICE, "transfer_project", &transfer, PLENTY)
        .value();
    let (lost, followed) = (get(&town, &before), get(&town, &after));
    let by_uuid = get(&town, &gone);
    let again = json!({"name": "app", "source": git("v1")});
    town.pay(ALICE, "create_project", &again, PLENTY).value();
    let new_one = get(&town, &before);
    town.call(BOB, "delete_project", json!({"project_name": "app"}))
        .value();
    let orphan = town.view("list_user_secrets", json!({"account_id": ALICE}));

    assert_eq!((lost, new_one), (Value::Null, Value::Null));
    assert_eq!(
        (&followed["accessor"], &followed["sealed_for"]),
        (&after, &before)
    );
    assert_eq!(by_uuid, followed);
    assert_eq!(orphan[0]["accessor"], gone);
    let store = with(named(&gone), sealed);
    let refused = town.pay(ALICE, "store_secrets", &store, PLENTY);
    assert!(refused.failure().contains("project_not_found: "));
    town.call(ALICE, "delete_secrets", named(&gone)).value();
    assert_eq!(
        town.held(),
        yocto(&project(&town, "alice.test/app")["storage_deposit"])
    );
    town.check_money();
}

#[test]
fn a_project_is_handed_over_for_the_difference_of_its_owners_names() {
    let mut town = town_with_app();
    let longer = "owner.test";
    let (stake, held) = (town.stake(), town.held());
    let to = |new_owner: &str| json!({"project_name": "app", "new_owner": new_owner});

    let short = town.pay(
        ALICE,
        "transfer_project",
        &to("worker.test"),
        10u128.pow(19) - 1,
    );
    let same = town.pay(ALICE, "transfer_project", &to(longer), 0);
    let shorter = town.pay(longer, "transfer_project", &to(BOB), 0);

    assert!(short.failure().contains("deposit_too_small: "));
    assert!(!same.is_refused() && !shorter.is_refused());
    assert_eq!(held - town.held(), 2 * 10u128.pow(19)); // bob.test is two shorter than alice.test
    assert_eq!(stake - town.stake(), 2 * 10u128.pow(19));
    assert_eq!(project(&town, "bob.test/app")["owner"], json!(BOB));
    assert_eq!(
        town.view("list_user_projects", json!({"account_id": ALICE})),
        json!([])
    );
    assert_eq!(project(&town, "alice.test/app"), Value::Null);
    town.check_money();
}

#[test]
fn every_mistake_is_refused_by_its_code_and_costs_nothing() {
    let mut town = town_with_app();
    let bobs = json!({"name": "app", "source": git("v1")});
    town.pay(BOB, "create_project", &bobs, PLENTY).value();
    let held = town.held();
    let whole = json!({"project_name": "app"});
    let to_bob = json!({"project_name": "app", "new_owner": BOB});
    let named = |name: &str| json!({"name": name, "source": git("v1")});
    let unknown = |method| (method, json!({"project_name": "none"}), "project_not_found");
    let cases = [
        ("create_project", named("app"), "project_exists"),
        ("create_project", named("a\u{0}"), "invalid_project_name"),
        ("create_project", named("a/b"), "invalid_project_name"),
        (
            "create_project",
            json!({"name": "b", "source": {}}),
            "invalid_source",
        ),
        ("create_project", json!({"name": "b"}), "invalid_arguments"),
        ("add_version", version(&git("v1"), true), "version_exists"),
        (
            "add_version",
            version(&json!({"repo": "r", "commit": "a b"}), true),
            "invalid_source",
        ),
        ("set_active_version", choose("none"), "project_not_found"),
        ("remove_version", choose("none"), "project_not_found"),
        unknown("delete_project"),
        ("transfer_project", whole.clone(), "invalid_arguments"),
        ("transfer_project", to_bob, "project_exists"),
        (
            "transfer_project",
            json!({"project_name": "app", "new_owner": "NO"}),
            "invalid_arguments",
        ),
    ];
    for (method, arguments, code) in cases {
        let refused = town.pay(ALICE, method, &arguments, PLENTY);

        let failure = refused.failure();
        assert!(
            failure.contains(&format!("{code}: ")),
            "{method}: {failure}"
        );
        town.check_money();
    }
    let poor = town.pay(ALICE, "create_project", &named("b"), 7);
    assert!(poor.failure().contains("deposit_too_small: "));
    for method in [
        "add_version",
        "set_active_version",
        "remove_version",
        "delete_project",
    ] {
        let arguments = with(choose(&key("v1")), json!({"source": url()}));
        let arguments = with(arguments, whole.clone());
        let others = town.call("client.test", method, arguments);
        assert!(others.failure().contains("project_not_found: "), "{method}");
    }
    assert_eq!(town.held(), held);
}
