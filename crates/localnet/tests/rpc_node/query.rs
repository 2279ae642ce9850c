//! `query`, in all its kinds and forms.

use localnet::signer;
use near_crypto::{InMemorySigner, KeyType, SecretKey};
use near_primitives::serialize::{from_base64, to_base64};
use serde_json::{Value, json};

use super::node::{Node, add_key, function_call, nowhere};

fn bytes(value: &Value) -> String {
    String::from_utf8(
        value
            .as_array()
            .unwrap()
            .iter()
            .map(|b| u8::try_from(b.as_u64().unwrap()).unwrap())
            .collect(),
    )
    .unwrap()
}

#[tokio::test]
async fn an_account_is_shown_with_its_balance_and_block() {
    let node = Node::start().await;

    let account = node
        .query(json!({ "request_type": "view_account", "account_id": "test" }))
        .await;

    assert_eq!(account["amount"], "1000000000000000000000000000000");
    assert_eq!(account["code_hash"], "11111111111111111111111111111111");
    assert_eq!(account["block_height"], 1);
}

#[tokio::test]
async fn a_view_call_returns_bytes_and_logs() {
    let node = Node::with_contract().await;

    let answer = node
        .query(json!({ "request_type": "call_function", "account_id": "app.test", "method_name": "hello",
            "args_base64": "" }))
        .await;

    assert_eq!(bytes(&answer["result"]), "hello");
    assert_eq!(answer["logs"], json!(["hello"]));
}

#[tokio::test]
async fn a_view_call_that_fails_is_a_result_with_an_error_in_it() {
    let node = Node::with_contract().await;
    let call = |account: &str, method: &str| json!({ "request_type": "call_function", "account_id": account, "method_name": method, "args_base64": "" });

    let panicked = node.query(call("app.test", "fail")).await;
    let missing = node.query(call("app.test", "nope")).await;
    let no_code = node.query(call("test", "hello")).await;
    let prohibited = node.query(call("app.test", "put")).await;

    let head = "wasm execution failed with error: ";
    assert_eq!(
        panicked["error"],
        format!(r#"{head}HostError(GuestPanic {{ panic_msg: "boom" }})"#)
    );
    assert_eq!(panicked["logs"], json!([]));
    assert_eq!(
        missing["error"],
        format!("{head}MethodResolveError(MethodNotFound)")
    );
    assert!(
        no_code["error"]
            .as_str()
            .unwrap()
            .starts_with(&format!("{head}CompilationError(CodeDoesNotExist"))
    );
    assert!(
        prohibited["error"]
            .as_str()
            .unwrap()
            .contains("ProhibitedInView"),
        "{prohibited}"
    );
    assert!(panicked["block_hash"].is_string() && panicked["block_height"].is_u64());
}

#[tokio::test]
async fn a_missing_access_key_is_a_result_with_an_error_in_it() {
    let node = Node::start().await;
    let key = SecretKey::from_seed(KeyType::ED25519, "nobody")
        .public_key()
        .to_string();

    let answer =
        node.query(json!({ "request_type": "view_access_key", "account_id": "nobody.test", "public_key": key })).await;

    assert_eq!(
        answer["error"],
        format!("access key {key} does not exist while viewing")
    );
    assert_eq!(answer["logs"], json!([]));
}

#[tokio::test]
async fn an_access_key_is_shown_with_its_nonce_and_permission() {
    let node = Node::start().await;
    let key = signer(&"test".parse().unwrap()).public_key().to_string();

    let answer = node
        .query(
            json!({ "request_type": "view_access_key", "account_id": "test", "public_key": key }),
        )
        .await;

    assert_eq!(answer["permission"], "FullAccess");
    assert_eq!(answer["nonce"], 0);
}

#[tokio::test]
async fn an_unknown_account_has_no_keys() {
    let node = Node::start().await;

    let answer = node
        .query(json!({ "request_type": "view_access_key_list", "account_id": "nobody.test" }))
        .await;

    assert_eq!(answer["keys"], json!([]));
}

#[tokio::test]
async fn keys_come_in_pages_and_too_many_only_in_pages() {
    let node = Node::start().await;
    for batch in 0..2 {
        let keys = (0..60).map(|n| {
            InMemorySigner::from_seed(
                "test".parse().unwrap(),
                KeyType::ED25519,
                &format!("{batch}-{n}"),
            )
        });
        node.send(
            "test",
            "test",
            keys.map(|key| add_key(&key.public_key())).collect(),
        )
        .await;
    }
    let list = json!({ "request_type": "view_access_key_list", "account_id": "test", "finality": "final" });

    let (_, refused) = node.error("query", list.clone()).await;
    let mut all = Vec::new();
    let mut page = list.clone();
    page["limit"] = json!(50);
    loop {
        let answer = node.result("query", page.clone()).await;
        all.extend(
            answer["keys"]
                .as_array()
                .unwrap()
                .iter()
                .map(|key| key["public_key"].clone()),
        );
        match answer.get("last_key") {
            Some(last) => page["after_key"] = last.clone(),
            None => break,
        }
    }

    assert_eq!(refused["cause"]["name"], "TOO_MANY_ACCESS_KEYS");
    assert_eq!(refused["cause"]["info"]["limit"], 100);
    assert_eq!(all.len(), 121);
    all.sort_by_key(ToString::to_string);
    all.dedup();
    assert_eq!(all.len(), 121);
}

#[tokio::test]
async fn storage_is_shown_whole_by_prefix_and_in_pages() {
    let node = Node::with_contract().await;
    node.send("test", "app.test", vec![function_call("put", b"value")])
        .await;
    node.result("sandbox_patch_state", json!({ "records": [
        { "Data": { "account_id": "app.test", "data_key": to_base64(b"kind"), "value": to_base64(b"x") } },
        { "Data": { "account_id": "app.test", "data_key": to_base64(b"other"), "value": to_base64(b"y") } },
    ] })).await;
    let view = |prefix: &[u8]| json!({ "request_type": "view_state", "account_id": "app.test", "prefix_base64": to_base64(prefix) });

    let all = node.query(view(b"")).await;
    let by_prefix = node.query(view(b"k")).await;
    let mut paged = view(b"");
    paged["limit"] = json!(2);
    let first = node.query(paged.clone()).await;
    paged["after_key_base64"] = first["last_key"].clone();
    let second = node.query(paged).await;

    let keys = |answer: &Value| -> Vec<String> {
        let values = answer["values"].as_array().unwrap();
        values
            .iter()
            .map(|v| String::from_utf8(from_base64(v["key"].as_str().unwrap()).unwrap()).unwrap())
            .collect()
    };
    assert_eq!(keys(&all), ["key", "kind", "other"]);
    assert_eq!(all["values"][0]["value"], to_base64(b"value"));
    assert_eq!(keys(&by_prefix), ["key", "kind"]);
    assert_eq!(keys(&first), ["key", "kind"]);
    assert_eq!(keys(&second), ["other"]);
    assert!(second.get("last_key").is_none());
}

#[tokio::test]
async fn a_large_state_is_shown_only_in_pages() {
    let node = Node::with_contract().await;
    node.send("test", "app.test", vec![function_call("fill", b"")])
        .await;
    let mut view = json!({ "request_type": "view_state", "account_id": "app.test", "prefix_base64": "", "finality": "final" });

    let (status, error) = node.error("query", view.clone()).await;
    view["limit"] = json!(1);
    let page = node.result("query", view).await;

    assert_eq!(status, 200);
    assert_eq!(error["cause"]["name"], "TOO_LARGE_CONTRACT_STATE");
    assert_eq!(
        error["data"],
        "State of contract app.test is too large to be viewed"
    );
    assert_eq!(page["values"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_page_takes_no_further_entry_after_50_000_bytes() {
    let node = Node::with_contract().await;
    node.send("test", "app.test", vec![function_call("fill", b"")])
        .await;
    node.result("sandbox_patch_state", json!({ "records": [
        { "Data": { "account_id": "app.test", "data_key": to_base64(b"kind"), "value": to_base64(b"x") } },
    ] })).await;

    let page = node
        .query(json!({ "request_type": "view_state", "account_id": "app.test", "prefix_base64": "", "limit": 10 }))
        .await;

    assert_eq!(page["values"].as_array().unwrap().len(), 1);
    assert_eq!(page["last_key"], to_base64(b"key"));
}

#[tokio::test]
async fn code_is_shown_and_its_absence_is_named() {
    let node = Node::with_contract().await;

    let code = node
        .query(json!({ "request_type": "view_code", "account_id": "app.test" }))
        .await;
    let (_, error) = node
        .error(
            "query",
            json!({ "request_type": "view_code", "account_id": "test", "finality": "final" }),
        )
        .await;

    assert!(
        from_base64(code["code_base64"].as_str().unwrap())
            .unwrap()
            .starts_with(b"\0asm")
    );
    assert_eq!(error["cause"]["name"], "NO_CONTRACT_CODE");
}

#[tokio::test]
async fn global_code_is_shown_and_its_absence_is_named() {
    use near_primitives::action::{Action, DeployGlobalContractAction, GlobalContractDeployMode};
    let node = Node::start().await;
    let code = wat::parse_str("(module)").unwrap();
    let deploy = DeployGlobalContractAction {
        code: code.clone().into(),
        deploy_mode: GlobalContractDeployMode::AccountId,
    };
    node.send("test", "test", vec![Action::DeployGlobalContract(deploy)])
        .await;

    let by_account =
        node.query(json!({ "request_type": "view_global_contract_code_by_account_id", "account_id": "test" })).await;
    let (_, unknown) = node
        .error("query", json!({ "request_type": "view_global_contract_code", "code_hash": nowhere(), "finality": "final" }))
        .await;

    assert_eq!(by_account["code_base64"], to_base64(&code));
    assert_eq!(unknown["cause"]["name"], "NO_GLOBAL_CONTRACT_CODE");
}

#[tokio::test]
async fn a_block_that_is_not_there_is_named_by_height_or_header() {
    let node = Node::start().await;
    let at = |block: Value| json!({ "request_type": "view_account", "account_id": "test", "block_id": block });

    let (_, by_height) = node.error("query", at(json!(999))).await;
    let (_, by_hash) = node.error("query", at(json!(nowhere()))).await;

    assert_eq!(by_height["cause"]["name"], "UNKNOWN_BLOCK");
    assert_eq!(
        by_height["data"],
        "DB Not Found Error: BLOCK HEIGHT: 999 \n Cause: Unknown"
    );
    assert_eq!(
        by_hash["data"],
        format!("DB Not Found Error: BLOCK HEADER: {}", nowhere())
    );
}

#[tokio::test]
async fn old_blocks_answer_with_the_state_they_left() {
    let node = Node::start().await;
    let view = |height: u64| json!({ "request_type": "view_account", "account_id": "alice.test", "block_id": height });
    node.send("test", "alice.test", super::node::creation("alice.test"))
        .await;

    let (_, before) = node.error("query", view(1)).await;
    let after = node.result("query", view(node.server.height())).await;

    assert_eq!(before["cause"]["name"], "UNKNOWN_ACCOUNT");
    assert_eq!(after["amount"], "100000000000000000000000000");
}

#[tokio::test]
async fn a_query_by_path_is_the_same_query() {
    let node = Node::with_contract().await;

    let account = node.result("query", json!(["account/test", ""])).await;
    let keys = node.result("query", json!(["access_key/test", ""])).await;
    let call = node
        .result("query", json!(["call/app.test/hello", ""]))
        .await;
    let (status, unknown) = node.error("query", json!(["nonsense/test", ""])).await;
    let (_, short) = node.error("query", json!(["account", ""])).await;

    assert!(account["amount"].is_string());
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    assert_eq!(bytes(&call["result"]), "hello");
    assert_eq!(
        (status.as_u16(), &unknown["data"]),
        (400, &json!("Unknown path nonsense"))
    );
    assert_eq!(short["data"], "Not enough query parameters provided");
}

#[tokio::test]
async fn the_typed_views_answer_as_query_does_and_fail_with_types() {
    let node = Node::with_contract().await;
    let call = |method: &str| json!({ "account_id": "app.test", "method_name": method, "args_base64": "", "finality": "final" });

    let account = node
        .result(
            "EXPERIMENTAL_view_account",
            json!({ "account_id": "test", "finality": "final" }),
        )
        .await;
    let answer = node
        .result("EXPERIMENTAL_call_function", call("hello"))
        .await;
    let (_, failed) = node.error("EXPERIMENTAL_call_function", call("fail")).await;

    assert!(account["amount"].is_string());
    assert_eq!(bytes(&answer["result"]), "hello");
    assert_eq!(failed["cause"]["name"], "CONTRACT_EXECUTION_ERROR");
    assert!(failed["cause"]["info"]["vm_error"].is_object(), "{failed}");
}
