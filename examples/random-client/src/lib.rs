//! A contract that asks OutLayer and keeps the answer.
//!
//! [`RandomClient::ask`] forwards a request, with the caller's deposit, to `request_execution` of the OutLayer contract and
//! chains [`RandomClient::on_answer`] to it. With `random-ark` as the source the answer is a random number; any other source, input,
//! limits or format works as well, as the request is handed on as it is.
//!
//! # Where the deposit goes
//! What an execution does not use goes to the request's `payer_account_id`, which `ask` sets to its caller when it is left
//! out: otherwise it would come here, to the contract that made the request. A request that is refused fails, and then the
//! protocol returns its deposit here, so that `on_answer` hands it back.

mod answer;
mod question;
mod request;

use near_sdk::serde_json::{Value, json};
use near_sdk::store::LookupMap;
use near_sdk::{
    AccountId, Gas, GasWeight, NearToken, PanicOnDefault, Promise, PromiseOrValue, env, log, near,
};

pub use answer::Answer;
pub use question::{Ask, Ending};

/// For the request, on top of which it gets all gas that is left over.
const REQUEST: Gas = Gas::from_tgas(40);

/// For reading and keeping the answer.
const ON_ANSWER: Gas = Gas::from_tgas(25);

/// An answer as JSON is kept whole up to this size, in bytes; storage is paid by this contract's account.
const KEPT_BYTES: usize = 4096;

/// The contract.
#[near(contract_state)]
#[derive(PanicOnDefault)]
pub struct RandomClient {
    outlayer: AccountId,
    asks: u64,
    callbacks: u64,
    kept: LookupMap<u64, Ask>,
    last_answer: Option<String>,
    last_failure: Option<String>,
}

/// How many questions there were.
#[near(serializers = [json])]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Questions asked.
    pub asks: u64,
    /// Answers, failures and refusals that came.
    pub callbacks: u64,
}

#[near]
impl RandomClient {
    /// A client of the OutLayer contract `outlayer`.
    #[init]
    pub fn new(outlayer: AccountId) -> Self {
        Self {
            outlayer,
            asks: 0,
            callbacks: 0,
            kept: LookupMap::new(b"a"),
            last_answer: None,
            last_failure: None,
        }
    }

    /// Asks. `request` holds the arguments of `request_execution`, of which only `source` must be there; the whole deposit is
    /// forwarded. The result is the answer, or `null` when there is none.
    #[payable]
    pub fn ask(&mut self, request: Value) -> Promise {
        let asker = env::predecessor_account_id();
        let deposit = env::attached_deposit();
        let full_result = request::wants_full_result(&request);
        let arguments =
            request::with_payer(request, &asker).unwrap_or_else(|why| env::panic_str(why));
        let id = self.keep(asker, deposit);
        log!("ask {id} goes to {}", self.outlayer);
        let callback = json!({ "id": id, "full_result": full_result });
        Promise::new(self.outlayer.clone())
            .function_call_weight(
                "request_execution",
                arguments.to_string(),
                deposit,
                REQUEST,
                GasWeight(1),
            )
            .then(
                Promise::new(env::current_account_id()).function_call_weight(
                    "on_answer",
                    callback.to_string(),
                    NearToken::ZERO,
                    ON_ANSWER,
                    GasWeight(0),
                ),
            )
    }

    /// Keeps the answer to question `id`. Never fails, whatever came.
    #[private]
    pub fn on_answer(&mut self, id: u64, full_result: bool) -> PromiseOrValue<Value> {
        let answer = Answer::read(env::promise_result_checked(0, usize::MAX), full_result);
        let ending = answer.ending();
        let Some((asker, refund)) = self.close(id, ending) else {
            log!("nobody asked {id}");
            return PromiseOrValue::Value(Value::Null);
        };
        log!("ask {id} ended: {ending:?}");
        if !refund.is_zero() {
            Promise::new(asker).transfer(refund).detach();
        }
        match answer {
            Answer::Value(value) => {
                self.last_answer = Some(to_be_kept(&value));
                PromiseOrValue::Value(value)
            }
            Answer::Failure(reason) | Answer::Refusal(reason) => {
                self.last_failure = Some(reason);
                PromiseOrValue::Value(Value::Null)
            }
        }
    }

    /// The newest answer; one that is too large to be kept is told by its size and hash.
    pub fn last_answer(&self) -> Option<Value> {
        let json = self.last_answer.as_ref()?;
        near_sdk::serde_json::from_str(json).ok()
    }

    /// Why the newest question without an answer has none.
    pub fn last_failure(&self) -> Option<String> {
        self.last_failure.clone()
    }

    /// Question `id`, from 0 on, in the order in which they were asked.
    pub fn get_ask(&self, id: u64) -> Option<Ask> {
        self.kept.get(&id).cloned()
    }

    /// Questions `from_index` and up to `limit` after it.
    pub fn list_asks(&self, from_index: u64, limit: u64) -> Vec<Ask> {
        let end = from_index.saturating_add(limit).min(self.asks);
        (from_index..end)
            .filter_map(|id| self.get_ask(id))
            .collect()
    }

    /// How many questions and answers there were.
    pub fn stats(&self) -> Stats {
        Stats {
            asks: self.asks,
            callbacks: self.callbacks,
        }
    }
}

impl RandomClient {
    fn keep(&mut self, asker: AccountId, deposit: NearToken) -> u64 {
        let id = self.asks;
        self.kept.insert(id, Ask::new(asker, deposit));
        self.asks = self.asks.saturating_add(1);
        id
    }

    /// Notes that an answer came; who asked, and what they get back.
    fn close(&mut self, id: u64, ending: Ending) -> Option<(AccountId, NearToken)> {
        let ask = self.kept.get_mut(&id)?;
        self.callbacks = self.callbacks.saturating_add(1);
        let refund = ask.close(ending);
        Some((ask.asker.clone(), refund))
    }
}

/// The answer as JSON, or its size and hash if it is large.
fn to_be_kept(answer: &Value) -> String {
    let json = answer.to_string();
    if json.len() <= KEPT_BYTES {
        return json;
    }
    let sha256: String = env::sha256_array(json.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    json!({ "bytes": json.len(), "sha256": sha256 }).to_string()
}
