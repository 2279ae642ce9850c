//! Profiles of secrets: what is stored, what it takes to the yocto, and who is refused.

use serde_json::{Value, json};

use super::town::{ALICE, BOB, OUTLAYER, Sent, Town, yocto};

/// More than any profile here takes: 1 NEAR.
const PLENTY: u128 = 10u128.pow(24);

/// A sealed blob of `length` bytes, at least 61, in base64.
pub(crate) fn blob(length: usize) -> String {
    use base64::Engine;
    let mut bytes = vec![7; length];
    bytes[0] = 1;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// The arguments that name the profile `default` of an accessor.
pub(crate) fn named(accessor: &Value) -> Value {
    json!({"accessor": accessor, "profile": "default"})
}

pub(crate) fn with(mut arguments: Value, more: Value) -> Value {
    let fields = arguments.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    arguments
}

fn repo() -> Value {
    json!({"Repo": {"repo": "github.com/acme/ark", "branch": null}})
}

/// The arguments that store a profile of `length` bytes, open to all.
fn store(accessor: &Value, length: usize) -> Value {
    let sealed = json!({"encrypted_secrets_base64": blob(length), "access": "AllowAll"});
    with(named(accessor), sealed)
}

fn estimate(town: &Town, arguments: &Value) -> u128 {
    yocto(&town.view("estimate_storage_cost", arguments.clone()))
}

fn get(town: &Town, accessor: &Value, owner: &str) -> Value {
    let owner = json!({"owner": owner});
    town.view("get_secrets", with(named(accessor), owner))
}

fn every_accessor(town: &mut Town) -> Vec<Value> {
    let source = json!({"repo": "https://github.com/acme/ark", "commit": "main"});
    let project = json!({"name": "app", "source": source});
    town.pay(ALICE, "create_project", &project, PLENTY).value();
    vec![
        repo(),
        json!({"Repo": {"repo": "github.com/acme/ark", "branch": "main"}}),
        json!({"WasmHash": {"hash": "00".repeat(32)}}),
        json!({"Project": {"project_id": "alice.test/app"}}),
    ]
}

#[test]
fn what_is_stored_is_shown_and_takes_just_what_the_estimate_says() {
    let mut town = Town::new();
    for accessor in every_accessor(&mut town) {
        let arguments = store(&accessor, 100);
        let (balance, stake) = (town.balance(OUTLAYER), town.stake());
        let estimate = estimate(&town, &arguments);

        town.pay(ALICE, "store_secrets", &arguments, PLENTY).value();

        assert_eq!(town.balance(OUTLAYER) - balance, estimate, "{accessor}");
        assert_eq!(town.stake() - stake, estimate, "{accessor}");
        let view = get(&town, &accessor, ALICE);
        assert_eq!(view["encrypted_secrets"], json!(blob(100)));
        assert_eq!(view["access"], json!("AllowAll"));
        assert_eq!(yocto(&view["storage_deposit"]), estimate);
        assert_eq!(
            (&view["accessor"], &view["sealed_for"]),
            (&accessor, &accessor)
        );
        assert_eq!(view["created_at"], view["updated_at"]);
        town.check_money();
    }
    let key = json!({"accessor": {"System": "PaymentKey"}, "profile": "7"});
    let sealed = json!({"encrypted_secrets_base64": blob(61), "access": "AllowAll"});
    let arguments = with(key.clone(), sealed);
    town.pay(ALICE, "store_secrets", &arguments, PLENTY).value();
    let exists = town.view("secrets_exist", with(key, json!({"owner": ALICE})));
    assert_eq!(exists, json!(true));
}

#[test]
fn the_deposit_must_cover_the_estimate_to_the_yocto() {
    let mut town = Town::new();
    let arguments = store(&repo(), 61);
    let estimate = estimate(&town, &arguments);

    let short = town.pay(ALICE, "store_secrets", &arguments, estimate - 1);
    let enough = town.pay(ALICE, "store_secrets", &arguments, estimate);

    assert!(short.failure().contains("deposit_too_small: "));
    assert!(!enough.is_refused());
    assert_eq!(town.held(), estimate);
    town.check_money();
}

#[test]
fn replacing_takes_or_returns_the_difference_and_deleting_returns_every_yocto() {
    let mut town = Town::new();
    let (empty_stake, empty_balance) = (town.stake(), town.balance(OUTLAYER));
    let mut held = 0;
    for length in [100, 1_000, 61, 61] {
        let arguments = with(store(&repo(), length), json!({"owner": ALICE}));
        let estimate = estimate(&town, &arguments);
        let before = town.balance(OUTLAYER);

        town.pay(ALICE, "store_secrets", &arguments, estimate)
            .value();

        assert_eq!(town.balance(OUTLAYER).saturating_sub(before), estimate);
        held = yocto(&get(&town, &repo(), ALICE)["storage_deposit"]);
        assert_eq!(town.held(), held);
        assert_eq!(town.stake() - empty_stake, held);
        town.check_money();
    }
    assert!(held < estimate(&town, &store(&repo(), 62)));

    town.pay(ALICE, "delete_secrets", &named(&repo()), 1)
        .value();

    assert_eq!(town.stake(), empty_stake);
    assert_eq!(town.balance(OUTLAYER), empty_balance);
    assert_eq!(town.held(), 0);
    assert_eq!(get(&town, &repo(), ALICE), Value::Null);
    town.check_money();
}

#[test]
fn a_replaced_profile_keeps_its_birth_and_a_changed_condition_its_secrets() {
    let mut town = Town::new();
    town.pay(ALICE, "store_secrets", &store(&repo(), 100), PLENTY)
        .value();
    let first = get(&town, &repo(), ALICE);
    let whitelist = json!({"Whitelist": {"accounts": [BOB]}});
    let update = with(named(&repo()), json!({"new_access": whitelist}));

    let short = town.call(ALICE, "update_access", update.clone());
    town.pay(ALICE, "update_access", &update, PLENTY).value();
    let second = get(&town, &repo(), ALICE);
    let back = with(named(&repo()), json!({"new_access": "AllowAll"}));
    town.call(ALICE, "update_access", back).value();

    assert!(short.failure().contains("deposit_too_small: "));
    assert_eq!(second["access"], whitelist);
    assert_eq!(second["encrypted_secrets"], first["encrypted_secrets"]);
    assert_eq!(second["created_at"], first["created_at"]);
    assert!(second["updated_at"].as_u64() > first["updated_at"].as_u64());
    // The account's name and its length: what the condition grew by.
    let grown = yocto(&second["storage_deposit"]) - yocto(&first["storage_deposit"]);
    assert_eq!(grown, (4 + 4 + 8) * 10u128.pow(19));
    assert_eq!(town.held(), yocto(&first["storage_deposit"]));
    town.check_money();
}

#[test]
fn both_spellings_reach_the_same_profile() {
    let mut town = Town::new();
    let names =
        json!({"repo": "https://github.com/acme/ark.git", "branch": "main", "profile": "default"});
    let sealed = json!({"encrypted_secrets_base64": blob(61), "access": "AllowAll"});
    let typed = json!({"type": "Repo", "repo": "acme/ark", "branch": "main"});

    town.pay(ALICE, "store_secrets", &with(names.clone(), sealed), PLENTY)
        .value();

    let by_repo = town.view("get_secrets", with(names.clone(), json!({"owner": ALICE})));
    assert_eq!(by_repo, get(&town, &typed, ALICE));
    assert!(!by_repo.is_null());
    town.call(ALICE, "delete_secrets", names).value();
    assert_eq!(get(&town, &typed, ALICE), Value::Null);
}

#[test]
fn a_branch_without_secrets_of_its_own_has_its_repositorys() {
    let mut town = Town::new();
    let branch = json!({"Repo": {"repo": "github.com/acme/ark", "branch": "dev"}});
    let exists = |town: &Town| {
        town.view(
            "secrets_exist",
            with(named(&branch), json!({"owner": ALICE})),
        )
    };
    town.pay(ALICE, "store_secrets", &store(&repo(), 100), PLENTY)
        .value();

    let fallen_back = get(&town, &branch, ALICE);
    let before = exists(&town);
    town.pay(ALICE, "store_secrets", &store(&branch, 61), PLENTY)
        .value();

    assert_eq!(fallen_back["accessor"], repo());
    assert_eq!(fallen_back["sealed_for"], repo());
    assert_eq!(before, json!(false));
    assert_eq!(exists(&town), json!(true));
    assert_eq!(get(&town, &branch, ALICE)["accessor"], branch);
    assert_eq!(
        get(&town, &repo(), ALICE)["encrypted_secrets"],
        json!(blob(100))
    );
}

#[test]
fn an_owners_profiles_are_listed_page_by_page_and_nobody_elses() {
    let mut town = Town::new();
    let accessor =
        |i: usize| json!({"Repo": {"repo": format!("github.com/acme/ark{i}"), "branch": null}});
    for i in 0..7 {
        town.pay(ALICE, "store_secrets", &store(&accessor(i), 61), PLENTY)
            .value();
    }
    town.pay(BOB, "store_secrets", &store(&accessor(0), 61), PLENTY)
        .value();
    for i in [0, 3, 6] {
        town.call(ALICE, "delete_secrets", named(&accessor(i)))
            .value();
    }

    let page = |from: u64, limit: Value| {
        let arguments = json!({"account_id": ALICE, "from_index": from, "limit": limit});
        let page = town.view("list_user_secrets", arguments);
        page.as_array().unwrap().clone()
    };

    let mut all = page(0, json!(3));
    all.extend(page(3, Value::Null));
    let mut accessors: Vec<String> = all.iter().map(|it| it["accessor"].to_string()).collect();
    accessors.sort();
    let expected = [1, 2, 4, 5].map(|i| accessor(i).to_string());
    assert_eq!(accessors, expected);
    assert_eq!(page(4, Value::Null).len(), 0);
    assert_eq!(page(u64::MAX, json!(u64::MAX)).len(), 0);
    assert!(
        all.iter()
            .all(|it| it["encrypted_secrets"].is_null() && it["profile"] == "default")
    );
    let others = town.view("list_user_secrets", json!({"account_id": BOB}));
    assert_eq!(others.as_array().unwrap().len(), 1);
    town.check_money();
}

#[test]
fn a_profile_of_anothers_is_out_of_reach() {
    let mut town = Town::new();
    town.pay(ALICE, "store_secrets", &store(&repo(), 61), PLENTY)
        .value();
    let update = with(named(&repo()), json!({"new_access": "AllowAll"}));

    let deleted = town.call(BOB, "delete_secrets", named(&repo()));
    let updated = town.call(BOB, "update_access", update);
    town.pay(BOB, "store_secrets", &store(&repo(), 90), PLENTY)
        .value();

    assert!(deleted.failure().contains("secrets_not_found: "));
    assert!(updated.failure().contains("secrets_not_found: "));
    assert_eq!(
        get(&town, &repo(), ALICE)["encrypted_secrets"],
        json!(blob(61))
    );
    assert_eq!(
        get(&town, &repo(), BOB)["encrypted_secrets"],
        json!(blob(90))
    );
}

#[test]
fn every_mistake_is_refused_by_its_code_and_costs_nothing() {
    let mut town = Town::new();
    let deep = (0..100).fold(
        json!("AllowAll"),
        |inner, _| json!({"Logic": {"operator": "And", "conditions": [inner]}}),
    );
    let cases = [
        (json!({"accessor": {}}), "invalid_accessor"),
        (
            json!({"accessor": {"Repo": {"repo": "a\u{0}/b"}}}),
            "invalid_accessor",
        ),
        (json!({"repo": "a/b"}), "invalid_accessor"),
        (
            json!({"accessor": {"WasmHash": {"hash": "ff"}}}),
            "invalid_accessor",
        ),
        (
            json!({"accessor": {"Project": {"project_id": "alice.test/none"}}}),
            "project_not_found",
        ),
        (
            json!({"accessor": {"Project": {"project_id": "p00000000000000ff"}}}),
            "project_not_found",
        ),
        (json!({"profile": "a\u{0}b"}), "invalid_profile"),
        (json!({"profile": ""}), "invalid_profile"),
        (
            json!({"accessor": {"System": "PaymentKey"}}),
            "invalid_profile",
        ),
        (json!({"profile": 7}), "invalid_arguments"),
        (
            json!({"encrypted_secrets_base64": "%"}),
            "invalid_ciphertext",
        ),
        (
            json!({"encrypted_secrets_base64": "AQ=="}),
            "invalid_ciphertext",
        ),
        (
            json!({"encrypted_secrets_base64": "A".repeat(1_398_105)}),
            "secrets_too_large",
        ),
        (json!({"access": "Nobody"}), "invalid_condition"),
        (
            json!({"access": {"AccountPattern": {"pattern": "a".repeat(10_240)}}}),
            "invalid_condition",
        ),
        (json!({"access": deep}), "condition_too_large"),
        (
            json!({"access": {"Whitelist": {"accounts": vec!["a".repeat(64); 300]}}}),
            "condition_too_large",
        ),
    ];
    for (changed, code) in cases {
        let arguments = with(store(&repo(), 61), changed);

        let refused = town.pay(ALICE, "store_secrets", &arguments, PLENTY);

        let failure = refused.failure();
        assert!(failure.contains(&format!("{code}: ")), "{code}: {failure}");
        town.check_money();
    }
    assert_eq!(town.held(), 0);
}

#[test]
fn the_largest_blob_is_stored_replaced_shown_and_deleted() {
    let mut town = Town::new();
    let largest = store(&repo(), 1_048_576);
    let deposit = 11 * PLENTY;
    let tgas = |sent: &Sent, method: &str| sent.burnt()[method] / 10u64.pow(12);

    let stored = town.pay(ALICE, "store_secrets", &largest, deposit);
    let replaced = town.pay(ALICE, "store_secrets", &largest, 0);
    let shown = get(&town, &repo(), ALICE);
    let deleted = town.call(ALICE, "delete_secrets", named(&repo()));

    assert_eq!(
        shown["encrypted_secrets"].as_str().unwrap().len(),
        1_398_104
    );
    assert!(tgas(&stored, "store_secrets") < 250);
    assert!(tgas(&replaced, "store_secrets") < 250);
    assert!(tgas(&deleted, "delete_secrets") < 50);
    town.check_money();
}

#[test]
fn each_change_is_announced() {
    let mut town = Town::new();
    let update = with(named(&repo()), json!({"new_access": "AllowAll"}));

    let changes = [
        (
            town.pay(ALICE, "store_secrets", &store(&repo(), 61), PLENTY),
            "secrets_stored",
        ),
        (
            town.call(ALICE, "update_access", update),
            "secrets_access_updated",
        ),
        (
            town.call(ALICE, "delete_secrets", named(&repo())),
            "secrets_deleted",
        ),
    ];

    for (sent, event) in changes {
        let logs = sent.logs();
        assert_eq!(logs.len(), 1, "{logs:?}");
        let (_, json) = logs[0].split_once("EVENT_JSON:").unwrap();
        let line: Value = serde_json::from_str(json).unwrap();
        assert_eq!(line["event"], json!(event));
        let data = &line["data"][0];
        assert_eq!(
            (&data["owner"], &data["accessor"]),
            (&json!(ALICE), &repo())
        );
        assert!(!json.contains(&blob(61)));
    }
}
