//! What the owner sets and everyone reads.

use serde_json::json;

use super::town::{ALICE, OUTLAYER, OWNER, Town, WORKER};

#[test]
fn nobody_but_the_owner_sets_anything() {
    let mut town = Town::new();
    let methods = [
        ("set_owner", json!({"owner_id": ALICE})),
        ("set_operator", json!({"operator_id": ALICE})),
        ("set_paused", json!({"paused": true})),
        ("set_pricing", json!({"base_fee": "1"})),
        ("set_max_limits", json!({"max_memory_mb": 1})),
        ("set_event_metadata", json!({"event_version": "2"})),
        ("emergency_cancel_execution", json!({"request_id": 1})),
        ("cancel_pending_requests", json!({})),
    ];
    for who in [ALICE, WORKER, OUTLAYER] {
        for (method, arguments) in &methods {
            let refused = town.call(who, method, arguments.clone());

            assert!(refused.failure().contains("not_allowed: "), "{method}");
        }
    }
}

#[test]
fn every_setting_is_announced_and_shown() {
    let mut town = Town::new();
    let settings = [
        (
            "set_pricing",
            json!({"base_fee": "1", "usd_per_second_fee": 2}),
        ),
        (
            "set_max_limits",
            json!({"max_execution_seconds": 180, "max_instructions": 500_000_000_000_u64}),
        ),
        ("set_event_metadata", json!({"event_version": "2.0.0"})),
        ("set_operator", json!({"operator_id": ALICE})),
        ("set_owner", json!({"owner_id": ALICE})),
    ];
    for (method, arguments) in settings {
        let set = town.call(OWNER, method, arguments);

        set.value();
        assert!(
            set.logs()
                .iter()
                .any(|line| line.contains("settings_changed")),
            "{method}"
        );
    }
    assert_eq!(town.view("get_pricing", json!({}))["base_fee"], json!("1"));
    let full = town.view("get_pricing_full", json!({}));
    assert_eq!(
        (&full["usd_per_second_fee"], &full["per_ms_fee"]),
        (&json!(2), &json!("100000000000000000"))
    );
    assert_eq!(
        town.view("get_max_limits", json!({}))["max_execution_seconds"],
        json!(180)
    );
    let config = town.view("get_config", json!({}));
    assert_eq!(
        (&config["owner_id"], &config["operator_id"]),
        (&json!(ALICE), &json!(ALICE))
    );
    assert_eq!(
        town.view("get_event_metadata", json!({})),
        json!({"event_standard": "near-outlayer", "event_version": "2.0.0"})
    );
    assert!(
        town.call(OWNER, "set_paused", json!({"paused": true}))
            .failure()
            .contains("not_allowed: ")
    );
}

#[test]
fn a_contract_is_made_once() {
    let mut town = Town::new();

    let again = town.call(ALICE, "new", json!({"owner_id": ALICE}));

    assert!(again.failure().contains("already been initialized"));
}

#[test]
fn stats_count_how_requests_ended() {
    let mut town = Town::new();
    let success = super::town::success(json!({"Text": ""}));
    let failure = json!({"success": false, "resources_used": {"instructions": 1, "time_ms": 1}});
    let ids: Vec<u64> = (0..4).map(|_| town.ask(json!({})).0).collect();

    town.resolve(ids[0], success);
    town.resolve(ids[1], failure);
    town.call(
        OWNER,
        "emergency_cancel_execution",
        json!({"request_id": ids[2]}),
    )
    .value();
    let pending = town.view("get_stats", json!({}))["pending_requests"].clone();
    town.time_out();

    let stats = town.view("get_stats", json!({}));
    let count = |field: &str| stats[field].clone();
    assert_eq!(pending, json!(1));
    assert_eq!(count("total_executions"), json!(4));
    for ended in ["successful", "failed", "cancelled", "timed_out"] {
        assert_eq!(count(&format!("{ended}_executions")), json!(1), "{ended}");
    }
    assert_eq!(count("pending_requests"), json!(0));
    assert_eq!(town.view("get_pending_request_ids", json!({})), json!([]));
}
