//! A node over a [`Chain`] that fails as it is told to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use base64::Engine as _;
use near_primitives::hash::CryptoHash;
use near_primitives::transaction::SignedTransaction;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::chain::{Chain, Refusal, hash_of};

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is answered as it should be.
    None,
    /// It is lost on the way there.
    LostBefore,
    /// It is done, and the answer is lost.
    LostAfter,
    /// It is done, but the transaction takes these many blocks more to land, and the node's wait times out.
    Delayed(u64),
    /// It is done twice, and the second answer comes back.
    Twice,
}

/// What a node does and has been asked.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) chain: Chain,
    /// The faults of the next requests that carry a transaction.
    pub(crate) next: VecDeque<Fault>,
    /// Faults by chance, when none is told.
    pub(crate) chance: Option<(StdRng, f64)>,
    /// Whether a repeated transaction that has landed is answered with its outcome, as nearcore does.
    pub(crate) is_idempotent: bool,
    /// Every method that was asked for.
    pub(crate) asked: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct FakeNode {
    inner: Arc<Mutex<Inner>>,
    pub(crate) url: reqwest::Url,
}

impl FakeNode {
    pub(crate) async fn start() -> Self {
        Self::over(Arc::new(Mutex::new(Inner {
            chain: Chain::new(),
            next: VecDeque::new(),
            chance: None,
            is_idempotent: true,
            asked: Vec::new(),
        })))
        .await
    }

    /// A node that fails by chance, from a seed, with no mercy for repetitions.
    pub(crate) async fn unreliable(seed: u64, share: f64) -> Self {
        let node = Self::start().await;
        let mut inner = node.lock();
        inner.chance = Some((StdRng::seed_from_u64(seed), share));
        inner.is_idempotent = seed.is_multiple_of(2);
        inner.chain.validity = if seed.is_multiple_of(3) { 40 } else { 10_000 };
        drop(inner);
        node
    }

    /// A node that nobody listens for, with an address that must not be shown.
    pub(crate) async fn down() -> Self {
        let url = "http://127.0.0.1:1/secret?apiKey=secret".parse().unwrap();
        Self {
            url,
            ..Self::start().await
        }
    }

    async fn over(inner: Arc<Mutex<Inner>>) -> Self {
        let router = axum::Router::new()
            .route("/", post(answer))
            .with_state(inner.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { inner, url }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub(crate) fn asked(&self, method: &str) -> usize {
        self.lock()
            .asked
            .iter()
            .filter(|asked| *asked == method)
            .count()
    }
}

async fn answer(State(inner): State<Arc<Mutex<Inner>>>, Json(question): Json<Value>) -> Response {
    let mut inner = inner.lock().unwrap();
    let method = question["method"].as_str().unwrap().to_owned();
    inner.asked.push(method.clone());
    inner.chain.make_blocks(1);
    let params = &question["params"];
    let carries = matches!(method.as_str(), "send_tx" | "broadcast_tx_async" | "tx");
    let fault = if carries { inner.fault() } else { Fault::None };
    if fault == Fault::LostBefore {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let mut answered = inner.handle(&method, params, fault);
    if fault == Fault::Twice {
        inner.chain.make_blocks(1);
        answered = inner.handle(&method, params, Fault::None);
    }
    if fault == Fault::LostAfter {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    match answered {
        Ok(result) => Json(json!({"jsonrpc": "2.0", "id": "x", "result": result})).into_response(),
        Err((status, error)) => (
            status,
            Json(json!({"jsonrpc": "2.0", "id": "x", "error": error})),
        )
            .into_response(),
    }
}

type Answered = Result<Value, (StatusCode, Value)>;

fn fault(status: StatusCode, name: &str, info: &Value, data: &Value) -> (StatusCode, Value) {
    let cause = json!({"name": name, "info": info});
    (
        status,
        json!({"name": "HANDLER_ERROR", "cause": cause, "code": -32000, "message": "Server error", "data": data}),
    )
}

impl Inner {
    fn fault(&mut self) -> Fault {
        if let Some(told) = self.next.pop_front() {
            return told;
        }
        let Some((dice, share)) = &mut self.chance else {
            return Fault::None;
        };
        if !dice.random_bool(*share) {
            return Fault::None;
        }
        match dice.random_range(0..4) {
            0 => Fault::LostBefore,
            1 => Fault::LostAfter,
            2 => Fault::Delayed(dice.random_range(1..30)),
            _ => Fault::Twice,
        }
    }

    fn handle(&mut self, method: &str, params: &Value, fault: Fault) -> Answered {
        match method {
            "block" => Ok(json!({"header": {"height": self.chain.final_height(),
                "hash": hash_of(self.chain.final_height()), "prev_hash": hash_of(self.chain.final_height() - 1),
                "timestamp_nanosec": "1"}, "chunks": []})),
            "query" => {
                let is_final = params["finality"] == "final";
                let (nonce, height) = if is_final {
                    (self.chain.final_nonce(), self.chain.final_height())
                } else {
                    (self.chain.nonce(), self.chain.height)
                };
                Ok(
                    json!({"nonce": nonce, "permission": "FullAccess", "block_height": height, "block_hash": hash_of(height)}),
                )
            }
            "EXPERIMENTAL_protocol_config" => {
                Ok(json!({"transaction_validity_period": self.chain.validity,
                "runtime_config": {"wasm_config": {"limit_config": {"max_yield_payload_size": 1024,
                "yield_timeout_length_in_blocks": 200}}}}))
            }
            "broadcast_tx_async" => {
                let tx = read(&params[0]);
                let hash = tx.get_hash();
                let delay = if let Fault::Delayed(blocks) = fault {
                    blocks
                } else {
                    0
                };
                let _ = self.chain.submit(tx, delay);
                Ok(json!(hash))
            }
            "send_tx" => self.send(read(&params["signed_tx_base64"]), fault),
            "tx" => self.status(&serde_json::from_value(params["tx_hash"].clone()).unwrap()),
            other => panic!("{other} is not a method of the fake node"),
        }
    }

    fn send(&mut self, tx: SignedTransaction, told: Fault) -> Answered {
        let hash = tx.get_hash();
        if self.is_idempotent
            && let Some(outcome) = self.chain.outcome(&hash)
        {
            return Ok(outcome);
        }
        let delay = if let Fault::Delayed(blocks) = told {
            blocks
        } else {
            0
        };
        if let Err(refusal) = self.chain.submit(tx, delay) {
            let reason = match refusal {
                Refusal::Nonce { tx, key } => {
                    json!({"InvalidNonce": {"tx_nonce": tx, "ak_nonce": key}})
                }
                Refusal::Expired => json!("Expired"),
                Refusal::Balance => {
                    json!({"NotEnoughBalance": {"signer_id": "alice.test", "balance": "1", "cost": "2"}})
                }
            };
            let data = json!({"TxExecutionError": {"InvalidTxError": reason}});
            return Err(fault(
                StatusCode::OK,
                "INVALID_TRANSACTION",
                &json!({}),
                &data,
            ));
        }
        self.chain.make_blocks(1);
        self.chain.outcome(&hash).ok_or_else(|| {
            fault(
                StatusCode::REQUEST_TIMEOUT,
                "TIMEOUT_ERROR",
                &json!({"cause": "NOT_OBSERVED"}),
                &json!("Timeout"),
            )
        })
    }

    fn status(&self, hash: &CryptoHash) -> Answered {
        self.chain.outcome(hash).ok_or_else(|| {
            let info = json!({"requested_transaction_hash": hash});
            fault(
                StatusCode::OK,
                "UNKNOWN_TRANSACTION",
                &info,
                &json!("unknown"),
            )
        })
    }
}

fn read(base64: &Value) -> SignedTransaction {
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(base64.as_str().unwrap())
        .unwrap();
    borsh::from_slice(&bytes).unwrap()
}
