//! A node under test, an HTTP client that hides nothing, and a tiny contract.

use std::sync::atomic::{AtomicU64, Ordering};

use localnet::{Config as ChainConfig, Genesis, Pace, Server, ServerConfig as Config, signer};
use near_primitives::account::AccessKey;
use near_primitives::action::{
    Action, AddKeyAction, CreateAccountAction, DeployContractAction, FunctionCallAction,
    TransferAction,
};
use near_primitives::hash::CryptoHash;
use near_primitives::transaction::SignedTransaction;
use near_primitives::types::{AccountId, Balance, Gas};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

/// `hello` logs and returns, `put` and `get` keep the input, `fail` panics, `fill` stores 60,000 bytes, `wait` yields.
const CONTRACT: &str = r#"(module
  (import "env" "value_return" (func $value_return (param i64 i64)))
  (import "env" "log_utf8" (func $log (param i64 i64)))
  (import "env" "panic_utf8" (func $panic (param i64 i64)))
  (import "env" "storage_write" (func $write (param i64 i64 i64 i64 i64) (result i64)))
  (import "env" "storage_read" (func $read (param i64 i64 i64) (result i64)))
  (import "env" "input" (func $input (param i64)))
  (import "env" "promise_yield_create" (func $yield (param i64 i64 i64 i64 i64 i64 i64) (result i64)))
  (import "env" "promise_return" (func $promise_return (param i64)))
  (memory (export "memory") 1)
  (data (i32.const 0) "hello")
  (data (i32.const 16) "boom")
  (data (i32.const 32) "key")
  (func (export "hello")
    (call $log (i64.const 5) (i64.const 0))
    (call $value_return (i64.const 5) (i64.const 0)))
  (func (export "fail") (call $panic (i64.const 4) (i64.const 16)))
  (func (export "put")
    (call $input (i64.const 0))
    (drop (call $write (i64.const 3) (i64.const 32) (i64.const -1) (i64.const 0) (i64.const 1))))
  (func (export "get")
    (drop (call $read (i64.const 3) (i64.const 32) (i64.const 0)))
    (call $value_return (i64.const -1) (i64.const 0)))
  (func (export "fill")
    (drop (call $write (i64.const 3) (i64.const 32) (i64.const 60000) (i64.const 0) (i64.const 1))))
  (func (export "wait")
    (call $promise_return
      (call $yield (i64.const 5) (i64.const 0) (i64.const 0) (i64.const 0)
        (i64.const 5000000000000) (i64.const 0) (i64.const 0)))))"#;

/// A node with its client.
pub(crate) struct Node {
    pub(crate) server: Server,
    http: reqwest::Client,
    nonce: AtomicU64,
}

impl Node {
    /// Blocks on demand, everything final at once.
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// Blocks only when asked for.
    pub(crate) async fn manual() -> Self {
        Self::with(|config| config.pace = Pace::Manual).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::over(ChainConfig::in_memory(Genesis::sandbox(
            1_700_000_000_000_000_000,
        )));
        change(&mut config);
        let server = Server::start(config).await.unwrap();
        Self {
            server,
            http: reqwest::Client::new(),
            nonce: AtomicU64::new(1),
        }
    }

    /// A node with the contract at `app.test`.
    pub(crate) async fn with_contract() -> Self {
        let node = Self::start().await;
        node.deploy("app.test").await;
        node
    }

    /// Makes so many blocks, one at each height.
    pub(crate) async fn blocks(&self, count: u64) {
        for _ in 0..count {
            self.server.produce_block().await.unwrap();
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.http
            .get(format!("{}{path}", self.server.rpc_url()))
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn request(&self, method: reqwest::Method, path: &str) -> Response {
        self.http
            .request(method, format!("{}{path}", self.server.rpc_url()))
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn post(&self, body: &Value) -> (StatusCode, Value) {
        let response = self
            .http
            .post(self.server.rpc_url())
            .json(body)
            .send()
            .await
            .unwrap();
        (response.status(), response.json().await.unwrap())
    }

    pub(crate) async fn call(&self, method: &str, params: Value) -> (StatusCode, Value) {
        self.post(
            &json!({ "jsonrpc": "2.0", "id": "dontcare", "method": method, "params": params }),
        )
        .await
    }

    pub(crate) async fn result(&self, method: &str, params: Value) -> Value {
        let (status, mut reply) = self.call(method, params).await;
        assert!(reply.get("error").is_none(), "{method} failed: {reply}");
        assert_eq!(status, StatusCode::OK);
        reply["result"].take()
    }

    pub(crate) async fn error(&self, method: &str, params: Value) -> (StatusCode, Value) {
        let (status, mut reply) = self.call(method, params).await;
        assert!(reply.get("result").is_none(), "{method} succeeded: {reply}");
        (status, reply["error"].take())
    }

    /// Calls `query` on the newest block.
    pub(crate) async fn query(&self, mut params: Value) -> Value {
        params["finality"] = json!("optimistic");
        self.result("query", params).await
    }

    /// A signed transaction, newer than all before.
    pub(crate) async fn sign(
        &self,
        from: &str,
        to: &str,
        actions: Vec<Action>,
    ) -> SignedTransaction {
        let (from, to): (AccountId, AccountId) = (from.parse().unwrap(), to.parse().unwrap());
        let key = signer(&from).public_key();
        let id = from.clone();
        let (known, block_hash) = self
            .server
            .with_chain(move |chain| {
                (
                    chain
                        .state()
                        .access_key(&id, &key)
                        .map_or(0, |key| key.nonce),
                    chain.head().hash,
                )
            })
            .await
            .unwrap();
        let nonce = known.saturating_add(self.nonce.fetch_add(1, Ordering::Relaxed));
        SignedTransaction::from_actions(
            nonce,
            from.clone(),
            to,
            &signer(&from),
            actions,
            block_hash,
        )
    }

    /// Sends a transaction and waits until everything in it is final.
    pub(crate) async fn send(&self, from: &str, to: &str, actions: Vec<Action>) -> Value {
        let tx = self.sign(from, to, actions).await;
        self.result(
            "send_tx",
            json!({ "signed_tx_base64": encode(&tx), "wait_until": "FINAL" }),
        )
        .await
    }

    async fn deploy(&self, id: &str) {
        let outcome = self.send(parent(id), id, deployment(id)).await;
        assert!(outcome["status"].get("SuccessValue").is_some(), "{outcome}");
    }

    /// The same on a node that lets nobody wait.
    pub(crate) async fn deploy_unawaited(&self, id: &str) {
        let tx = self.sign(parent(id), id, deployment(id)).await;
        self.result("broadcast_tx_async", json!([encode(&tx)]))
            .await;
        self.blocks(4).await;
    }
}

fn parent(id: &str) -> &str {
    id.split_once('.').unwrap().1
}

fn deployment(id: &str) -> Vec<Action> {
    let code = wat::parse_str(CONTRACT).unwrap();
    let mut actions = creation(id);
    actions.push(Action::DeployContract(DeployContractAction { code }));
    actions
}

/// What makes an account whose key is the one [`signer`] gives it.
pub(crate) fn creation(id: &str) -> Vec<Action> {
    let id: AccountId = id.parse().unwrap();
    vec![
        Action::CreateAccount(CreateAccountAction {}),
        transfer(100),
        add_key(&signer(&id).public_key()),
    ]
}

pub(crate) fn add_key(public_key: &near_crypto::PublicKey) -> Action {
    Action::AddKey(Box::new(AddKeyAction {
        public_key: public_key.clone(),
        access_key: AccessKey::full_access(),
    }))
}

pub(crate) fn transfer(near: u128) -> Action {
    Action::Transfer(TransferAction {
        deposit: Balance::from_near(near),
    })
}

pub(crate) fn function_call(method: &str, args: &[u8]) -> Action {
    Action::FunctionCall(Box::new(FunctionCallAction {
        method_name: method.to_owned(),
        args: args.to_vec(),
        gas: Gas::from_teragas(50),
        deposit: Balance::ZERO,
    }))
}

pub(crate) fn encode(tx: &SignedTransaction) -> String {
    near_primitives::serialize::to_base64(&borsh::to_vec(tx).unwrap())
}

/// The hash of nothing that was ever made.
pub(crate) fn nowhere() -> CryptoHash {
    CryptoHash::hash_bytes(b"nowhere")
}
