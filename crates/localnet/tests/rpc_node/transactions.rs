//! Sending transactions, waiting for them, and asking after them.

use std::time::Duration;

use serde_json::json;

use super::node::{Node, encode, function_call, nowhere, transfer};

#[tokio::test]
async fn a_transaction_that_is_waited_for_comes_back_with_its_outcomes() {
    let node = Node::with_contract().await;

    let outcome = node
        .send("test", "app.test", vec![function_call("hello", b"")])
        .await;

    assert_eq!(outcome["final_execution_status"], "FINAL");
    assert_eq!(outcome["status"], json!({ "SuccessValue": "aGVsbG8=" }));
    assert_eq!(
        outcome["receipts_outcome"][0]["outcome"]["logs"],
        json!(["hello"])
    );
    assert!(outcome.get("receipts").is_none());
}

#[tokio::test]
async fn broadcast_tx_commit_waits_until_the_receipts_have_run() {
    let node = Node::with_contract().await;
    let tx = node
        .sign("test", "app.test", vec![function_call("fail", b"")])
        .await;

    let outcome = node
        .result("broadcast_tx_commit", json!([encode(&tx)]))
        .await;

    let failure =
        &outcome["status"]["Failure"]["ActionError"]["kind"]["FunctionCallError"]["ExecutionError"];
    assert_eq!(failure, "Smart contract panicked: boom");
}

#[tokio::test]
async fn broadcast_tx_async_returns_the_hash_even_of_a_bad_transaction() {
    let node = Node::start().await;
    let tx = node.sign("nobody.test", "test", vec![transfer(1)]).await;

    let hash = node
        .result("broadcast_tx_async", json!([encode(&tx)]))
        .await;
    let (_, later) = node
        .error(
            "tx",
            json!({ "tx_hash": hash, "sender_account_id": "nobody.test", "wait_until": "NONE" }),
        )
        .await;

    assert_eq!(hash, tx.get_hash().to_string());
    assert_eq!(later["cause"]["name"], "UNKNOWN_TRANSACTION");
}

#[tokio::test]
async fn send_tx_that_does_not_wait_says_only_that_it_does_not_know() {
    let node = Node::manual().await;
    let tx = node.sign("test", "near", vec![transfer(1)]).await;

    let answer = node
        .result(
            "send_tx",
            json!({ "signed_tx_base64": encode(&tx), "wait_until": "NONE" }),
        )
        .await;

    assert_eq!(answer, json!({ "final_execution_status": "NONE" }));
}

#[tokio::test]
async fn a_bad_transaction_gets_the_nodes_own_error() {
    let node = Node::start().await;
    let tx = node
        .sign("test", "near", vec![transfer(1_000_000_000)])
        .await;

    let (status, error) = node.error("send_tx", json!([encode(&tx)])).await;

    assert_eq!(status, 200);
    assert_eq!(error["cause"]["name"], "INVALID_TRANSACTION");
    assert!(
        error["data"]["TxExecutionError"]["InvalidTxError"]["NotEnoughBalance"].is_object(),
        "{error}"
    );
}

#[tokio::test]
async fn a_transaction_that_does_not_decode_is_a_parse_error() {
    let node = Node::start().await;

    let (status, error) = node
        .error("send_tx", json!(["bm90IGEgdHJhbnNhY3Rpb24="]))
        .await;
    let (_, many) = node.error("send_tx", json!(["a", "b"])).await;

    assert_eq!(status, 400);
    assert_eq!(error["cause"]["name"], "PARSE_ERROR");
    assert_eq!(
        many["cause"]["info"]["error_message"],
        "Unable to parse send request: too many params passed"
    );
}

#[tokio::test]
async fn sending_the_same_transaction_twice_runs_it_once() {
    let node = Node::with_contract().await;
    let tx = node
        .sign("test", "app.test", vec![function_call("hello", b"")])
        .await;

    let first = node.result("send_tx", json!([encode(&tx)])).await;
    let again = node.result("send_tx", json!([encode(&tx)])).await;

    assert_eq!(first["transaction_outcome"], again["transaction_outcome"]);
}

#[tokio::test]
async fn a_finished_transaction_is_shown_whole_to_one_who_does_not_wait() {
    let node = Node::start().await;
    let sent = node.send("test", "near", vec![transfer(1)]).await;
    let hash = &sent["transaction"]["hash"];

    let answer = node
        .result(
            "tx",
            json!({ "tx_hash": hash, "sender_account_id": "test", "wait_until": "NONE" }),
        )
        .await;

    assert_eq!(answer["final_execution_status"], "FINAL");
    assert_eq!(answer["status"], json!({ "SuccessValue": "" }));
    assert_eq!(answer["receipts_outcome"], sent["receipts_outcome"]);
}

#[tokio::test]
async fn a_transaction_is_found_by_name_by_position_and_by_itself() {
    let node = Node::start().await;
    let tx = node.sign("test", "near", vec![transfer(1)]).await;
    let sent = node.result("send_tx", json!([encode(&tx)])).await;

    let by_position = node.result("tx", json!([tx.get_hash(), "test"])).await;
    let by_itself = node.result("tx", json!([encode(&tx)])).await;

    assert_eq!(by_position["transaction"], sent["transaction"]);
    assert_eq!(by_itself["transaction"], sent["transaction"]);
}

#[tokio::test]
async fn included_final_comes_with_the_receipts_outcome() {
    let node = Node::with_contract().await;
    let tx = node
        .sign("test", "app.test", vec![function_call("wait", b"")])
        .await;

    let answer = node
        .result(
            "send_tx",
            json!({ "signed_tx_base64": encode(&tx), "wait_until": "INCLUDED_FINAL" }),
        )
        .await;

    assert_eq!(answer["final_execution_status"], "INCLUDED_FINAL");
    assert_eq!(
        answer["receipts_outcome"][0]["outcome"]["executor_id"],
        "app.test"
    );
}

#[tokio::test]
async fn waiting_for_execution_is_not_satisfied_by_finality() {
    let node = Node::with(|config| config.wait_limit = Duration::ZERO).await;
    node.deploy_unawaited("app.test").await;
    let tx = node
        .sign("test", "app.test", vec![function_call("wait", b"")])
        .await;
    node.result("broadcast_tx_async", json!([encode(&tx)]))
        .await;
    node.blocks(5).await;
    let ask = |wait: &str| json!({ "tx_hash": tx.get_hash(), "sender_account_id": "test", "wait_until": wait });

    let included = node.result("tx", ask("INCLUDED_FINAL")).await;
    let (status, executed) = node.error("tx", ask("EXECUTED_OPTIMISTIC")).await;

    assert_eq!(included["final_execution_status"], "INCLUDED_FINAL");
    assert_eq!(status, 408);
    assert_eq!(executed["cause"]["name"], "TIMEOUT_ERROR");
    assert_eq!(executed["cause"]["info"]["cause"], "PENDING");
    assert_eq!(
        executed["cause"]["info"]["status"]["final_execution_status"],
        "INCLUDED_FINAL"
    );
}

#[tokio::test]
async fn a_transaction_nobody_sent_times_out_with_408() {
    let node = Node::with(|config| config.wait_limit = Duration::ZERO).await;

    let (status, error) = node.error("tx", json!([nowhere(), "test"])).await;

    assert_eq!(status, 408);
    assert_eq!(
        error["cause"],
        json!({ "name": "TIMEOUT_ERROR", "info": { "cause": "NOT_OBSERVED" } })
    );
}

#[tokio::test]
async fn finality_lags_behind_execution_by_the_configured_blocks() {
    let node = Node::with(|config| {
        config.pace = localnet::Pace::Manual;
        config.chain.finality_lag = 2;
    })
    .await;
    let tx = node.sign("test", "near", vec![transfer(1)]).await;
    node.result("broadcast_tx_async", json!([encode(&tx)]))
        .await;
    let ask =
        json!({ "tx_hash": tx.get_hash(), "sender_account_id": "test", "wait_until": "NONE" });

    let mut levels = Vec::new();
    for _ in 0..6 {
        levels.push(node.result("tx", ask.clone()).await["final_execution_status"].clone());
        node.server.produce_block().await.unwrap();
    }

    // The receipt runs a block after the transaction and the gas refund one after that; each is final two blocks later.
    assert_eq!(
        levels,
        [
            "NONE",
            "INCLUDED",
            "EXECUTED_OPTIMISTIC",
            "EXECUTED",
            "EXECUTED",
            "FINAL"
        ]
    );
}

#[tokio::test]
async fn on_demand_blocks_come_until_the_work_is_final() {
    let node = Node::with(|config| config.chain.finality_lag = 3).await;

    let sent = node.send("test", "near", vec![transfer(1)]).await;

    assert_eq!(sent["final_execution_status"], "FINAL");
}

#[tokio::test]
async fn receipts_are_listed_but_not_those_a_signer_sends_to_itself() {
    let node = Node::start().await;
    let away = node.send("test", "near", vec![transfer(1)]).await;
    let home = node.send("test", "test", vec![transfer(1)]).await;
    let ask = |sent: &serde_json::Value| json!([sent["transaction"]["hash"], "test"]);

    let away = node.result("EXPERIMENTAL_tx_status", ask(&away)).await;
    let home = node.result("EXPERIMENTAL_tx_status", ask(&home)).await;

    let count = |answer: &serde_json::Value, list: &str| answer[list].as_array().unwrap().len();
    assert_eq!(away["receipts"][0]["receiver_id"], "near");
    assert_eq!(count(&away, "receipts"), count(&away, "receipts_outcome"));
    assert_eq!(
        count(&home, "receipts"),
        count(&home, "receipts_outcome") - 1
    );
    let own = &home["transaction_outcome"]["outcome"]["receipt_ids"][0];
    assert!(
        home["receipts"]
            .as_array()
            .unwrap()
            .iter()
            .all(|receipt| receipt["receipt_id"] != *own)
    );
}

#[tokio::test]
async fn a_receipt_is_shown_and_leads_back_to_its_transaction() {
    let node = Node::start().await;
    let sent = node.send("test", "near", vec![transfer(1)]).await;
    let id = &sent["transaction_outcome"]["outcome"]["receipt_ids"][0];

    let receipt = node
        .result("EXPERIMENTAL_receipt", json!({ "receipt_id": id }))
        .await;
    let origin = node
        .result("EXPERIMENTAL_receipt_to_tx", json!({ "receipt_id": id }))
        .await;

    assert_eq!(receipt["predecessor_id"], "test");
    assert_eq!(receipt["receiver_id"], "near");
    assert_eq!(
        origin,
        json!({ "transaction_hash": sent["transaction"]["hash"], "sender_account_id": "test" })
    );
}

#[tokio::test]
async fn an_unknown_receipt_is_named() {
    let node = Node::start().await;
    let params = json!({ "receipt_id": nowhere() });

    let (status, receipt) = node.error("EXPERIMENTAL_receipt", params.clone()).await;
    let (_, origin) = node.error("EXPERIMENTAL_receipt_to_tx", params).await;

    let cause = json!({ "name": "UNKNOWN_RECEIPT", "info": { "receipt_id": nowhere() } });
    assert_eq!(status, 200);
    assert_eq!(receipt["cause"], cause);
    assert_eq!(origin["cause"], cause);
}

#[tokio::test]
async fn many_waiting_calls_are_all_woken() {
    let node = Node::start().await;
    let mut calls = tokio::task::JoinSet::new();
    // Each from an account of its own: nonces of one key must come in order, and these calls come in any.
    for from in ["near", "registrar", "sandbox", "test.near"] {
        let tx = node.sign(from, "test", vec![transfer(1)]).await;
        let (client, url) = (reqwest::Client::new(), node.server.rpc_url());
        calls.spawn(async move {
            let params = json!({ "signed_tx_base64": encode(&tx), "wait_until": "FINAL" });
            let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "send_tx", "params": params });
            client
                .post(url)
                .json(&body)
                .send()
                .await
                .unwrap()
                .json::<serde_json::Value>()
                .await
                .unwrap()
        });
    }

    let answers = calls.join_all().await;

    assert!(
        answers
            .iter()
            .all(|answer| answer["result"]["final_execution_status"] == "FINAL"),
        "{answers:?}"
    );
}
