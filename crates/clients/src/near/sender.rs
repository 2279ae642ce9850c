//! Sends transactions from one account so that each lands exactly once, many at a time from one key.
//!
//! The rules that make it so:
//! - A transaction is signed once and the same bytes are sent again after every time-out: a chain takes a hash once.
//! - A new one is signed in its place only when it is proven that the old one can land no more: the final block shows its
//!   nonce used (or the block that it names too old) and the same node knows no such transaction.
//! - Whatever can be neither found nor ruled out in time is reported as [`SendError::InDoubt`], and can be taken up again.
//! - Nonces are handed out in order, and one key's transactions are handed to the node in that order: a nonce that
//!   overtakes another makes the other worthless.
//!
//! Nothing polls: `send_tx` waits at the node and may be repeated, which a node answers with what became of the first.

mod error;
mod flight;
mod key;
mod proof;
mod recent_block;

use std::time::Duration;

use near_primitives::action::{Action, FunctionCallAction};
use near_primitives::types::Gas;
use protocol::{AccountId, NearToken};
use serde::Serialize;

pub use error::{Doubt, SendError};
use flight::{Flight, Landing};
use key::Key;
use recent_block::RecentBlock;

use super::error::Error;
use super::outcome::Outcome;
use super::transport::Node;
use super::{PublicKey, SecretKey};
use crate::parts::{Backoff, Parts};

/// How far a transaction must have come before its outcome is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Until {
    /// It is in a block.
    Included,
    /// Its receipts have run, all but refunds. The blocks may yet be undone, which is rare.
    #[default]
    ExecutedOptimistic,
    /// As before, and the transaction's own block is final.
    Executed,
    /// All its receipts have run in final blocks.
    Final,
}

/// How a sender behaves.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How far a transaction must have come.
    pub until: Until,
    /// How long one may take before it is given up as in doubt.
    pub patience: Duration,
    /// Between tries.
    pub backoff: Backoff,
    /// How many transactions of one key may be on their way to the node at once. More than one is faster over a long line
    /// and risks that they overtake each other, which costs a new signature and never a second landing.
    pub unacknowledged: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            until: Until::default(),
            patience: Duration::from_secs(120),
            backoff: Backoff::default(),
            unacknowledged: 1,
        }
    }
}

/// A call of one method.
#[derive(Clone, Debug)]
pub struct Call {
    /// The contract.
    pub receiver: AccountId,
    /// The method.
    pub method: String,
    /// Its arguments, usually JSON.
    pub args: Vec<u8>,
    /// Gas to attach.
    pub gas: Gas,
    /// Deposit to attach.
    pub deposit: NearToken,
}

/// What a call carries unless the caller says otherwise. Unit: teragas. As much as fits before 2026's higher limits.
const DEFAULT_TGAS: u64 = 300;

impl Call {
    /// A call with JSON arguments, 300 Tgas and no deposit.
    pub fn new<A: Serialize>(
        receiver: &AccountId,
        method: &str,
        args: &A,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            receiver: receiver.clone(),
            method: method.to_owned(),
            args: serde_json::to_vec(args)?,
            gas: Gas::from_teragas(DEFAULT_TGAS),
            deposit: NearToken::from_yoctonear(0),
        })
    }

    /// The same with other gas.
    #[must_use]
    pub fn with_gas(self, gas: Gas) -> Self {
        Self { gas, ..self }
    }

    /// The same with a deposit.
    #[must_use]
    pub fn with_deposit(self, deposit: NearToken) -> Self {
        Self { deposit, ..self }
    }
}

/// Sends transactions from one account. Share it behind an `Arc`: two senders with the same key fight over nonces.
#[derive(Debug)]
pub struct Sender {
    node: Node,
    account: AccountId,
    keys: Vec<Key>,
    recent: RecentBlock,
    parts: Parts,
    settings: Settings,
}

impl Sender {
    /// A sender for `account` with one or more of its keys.
    pub fn new(
        node: Node,
        account: AccountId,
        keys: Vec<SecretKey>,
        parts: Parts,
        settings: Settings,
    ) -> Result<Self, SendError> {
        if keys.is_empty() {
            return Err(SendError::NoKey);
        }
        let keys = keys
            .into_iter()
            .map(|secret| Key::new(&account, secret, settings.unacknowledged))
            .collect();
        Ok(Self {
            recent: RecentBlock::new(node.clone(), parts.clone()),
            node,
            account,
            keys,
            parts,
            settings,
        })
    }

    /// The account that signs.
    pub const fn account(&self) -> &AccountId {
        &self.account
    }

    /// The keys it signs with.
    pub fn public_keys(&self) -> Vec<PublicKey> {
        self.keys.iter().map(Key::public_key).collect()
    }

    /// The node it talks to.
    pub const fn node(&self) -> &Node {
        &self.node
    }

    /// Calls a method, and waits as the settings say.
    pub async fn call(&self, call: Call) -> Result<Outcome, SendError> {
        let action = FunctionCallAction {
            method_name: call.method,
            args: call.args,
            gas: call.gas,
            deposit: call.deposit,
        };
        let actions = vec![Action::FunctionCall(Box::new(action))];
        self.send(call.receiver, actions).await
    }

    /// Sends any actions, and waits as the settings say.
    ///
    /// Dropping the future forgets a transaction that may still land.
    pub async fn send(
        &self,
        receiver: AccountId,
        actions: Vec<Action>,
    ) -> Result<Outcome, SendError> {
        let deadline = self.deadline();
        let key = self.idlest_key()?;
        let _in_flight = key.board();
        let mut failures: u32 = 0;
        loop {
            let reason = match self.try_send(key, &receiver, &actions, deadline).await {
                Err(SendError::NotSent(reason)) if reason.is_transient() => {
                    SendError::NotSent(reason)
                }
                Ok(Landing::Lost(flight, reason)) => SendError::refused(&flight, reason),
                Ok(Landing::Landed(outcome)) => return Ok(outcome),
                Ok(Landing::Refused(flight, reason)) => {
                    return Err(SendError::refused(&flight, reason));
                }
                Ok(Landing::InDoubt(flight, last)) => {
                    return Err(SendError::in_doubt(flight, last));
                }
                Err(error) => return Err(error),
            };
            if self.parts.now_ms() >= deadline {
                return Err(reason);
            }
            failures = failures.saturating_add(1);
            tracing::debug!(error = %reason, failures, "signing anew");
            self.parts.back_off(&self.settings.backoff, failures).await;
        }
    }

    /// Signs one transaction and follows it to its end.
    async fn try_send(
        &self,
        key: &Key,
        receiver: &AccountId,
        actions: &[Action],
        deadline: u64,
    ) -> Result<Landing, SendError> {
        let flight = self.take_off(key, receiver, actions).await?;
        Ok(self.see_through(key, flight, deadline).await)
    }

    /// Takes up a transaction that was in doubt. If it is now proven lost it is reported so, and not signed anew.
    pub async fn resume(&self, doubt: Doubt) -> Result<Outcome, SendError> {
        let key = self.key_of(&doubt.flight)?;
        let _in_flight = key.board();
        match self.see_through(key, doubt.flight, self.deadline()).await {
            Landing::Landed(outcome) => Ok(outcome),
            Landing::Refused(flight, reason) | Landing::Lost(flight, reason) => {
                Err(SendError::refused(&flight, reason))
            }
            Landing::InDoubt(flight, last) => Err(SendError::in_doubt(flight, last)),
        }
    }

    /// Signs the next transaction of a key and, when others of that key are under way, hands it to the node in its turn.
    async fn take_off(
        &self,
        key: &Key,
        receiver: &AccountId,
        actions: &[Action],
    ) -> Result<Flight, SendError> {
        let turn = key.turn().await;
        let block = self.recent.get().await.map_err(SendError::NotSent)?;
        let next = key.next_nonce(&self.node, &self.account).await;
        let nonce = next.map_err(SendError::NotSent)?;
        let transaction = key.sign(nonce, receiver, actions, block.hash);
        let mut flight = Flight::new(&transaction, nonce, block, self.node.preferred())
            .map_err(SendError::NotSent)?;
        // Alone, one request does both: hand it in and wait. Its refusal is then the end of it, with nothing to prove.
        if !key.is_alone() {
            flight.hand_in(&self.node).await;
        }
        drop(turn);
        Ok(flight)
    }

    fn idlest_key(&self) -> Result<&Key, SendError> {
        let idlest = self.keys.iter().min_by_key(|key| key.in_flight());
        idlest.ok_or(SendError::NoKey)
    }

    fn key_of(&self, flight: &Flight) -> Result<&Key, SendError> {
        let key = self
            .keys
            .iter()
            .find(|key| key.public_key() == flight.public_key);
        key.ok_or(SendError::NoKey)
    }

    fn deadline(&self) -> u64 {
        let patience = u64::try_from(self.settings.patience.as_millis()).unwrap_or(u64::MAX);
        self.parts.now_ms().saturating_add(patience)
    }
}

/// Why a transaction is gone, for a reader of logs.
type Reason = Error;
