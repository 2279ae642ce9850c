//! One signed transaction on its way: sent again until it is known what became of it.

use base64::Engine as _;
use near_crypto::PublicKey;
use near_primitives::errors::InvalidTxError;
use near_primitives::hash::CryptoHash;
use near_primitives::transaction::SignedTransaction;
use protocol::AccountId;
use serde_json::{Value, json};

use super::key::Key;
use super::recent_block::NamedBlock;
use super::{Reason, Sender, Until};
use crate::near::error::{Error, Reached, is_unknown};
use crate::near::node::At;
use crate::near::outcome::{Answer, Outcome, Status};
use crate::near::transport::Node;

/// One signed transaction on its way.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) hash: CryptoHash,
    pub(super) public_key: PublicKey,
    signer: AccountId,
    nonce: u64,
    block_height: u64,
    base64: String,
    /// The node that is asked; another after a failure.
    endpoint: usize,
    /// Whether any node may have taken it in.
    may_be_accepted: bool,
    /// Whether it was seen in a block.
    is_included: bool,
}

/// What became of a transaction, as far as it is known.
#[derive(Debug)]
pub(super) enum Landing {
    /// It landed.
    Landed(Outcome),
    /// It has not landed and never will, but one like it may.
    Lost(Flight, Reason),
    /// It has not landed and never will, and one like it would fare no better.
    Refused(Flight, Reason),
    /// It is not known.
    InDoubt(Flight, Reason),
}

/// What can be proven of a transaction.
enum Proof {
    Landed(Outcome),
    Lost,
    Open,
}

/// What a refusal says about the transaction itself.
enum Refusal {
    /// Its nonce is used: by itself or by another.
    Nonce(u64),
    /// The block it names is too old, or not the node's.
    Block,
    /// The node is short of room for the time being.
    Later,
    /// It can never be right.
    Never,
    /// The account or the key does not allow it as they are now.
    State,
}

impl Refusal {
    const fn of(reason: &InvalidTxError) -> Self {
        use InvalidTxError as Tx;
        match reason {
            Tx::InvalidNonce { ak_nonce, .. } => Self::Nonce(*ak_nonce),
            Tx::Expired | Tx::InvalidChain => Self::Block,
            Tx::NonceTooLarge { .. }
            | Tx::StorageError(_)
            | Tx::ShardCongested { .. }
            | Tx::ShardStuck { .. } => Self::Later,
            Tx::InvalidSignerId { .. }
            | Tx::InvalidReceiverId { .. }
            | Tx::InvalidSignature
            | Tx::CostOverflow
            | Tx::ActionsValidation(_)
            | Tx::TransactionSizeExceeded { .. }
            | Tx::InvalidTransactionVersion => Self::Never,
            _ => Self::State,
        }
    }
}

impl Until {
    const fn wait_until(self) -> &'static str {
        match self {
            Self::Included => "INCLUDED",
            Self::ExecutedOptimistic => "EXECUTED_OPTIMISTIC",
            Self::Executed => "EXECUTED",
            Self::Final => "FINAL",
        }
    }

    /// Whether a transaction that has come to `level` has come far enough. The levels are no ladder: a transaction can be in
    /// a final block before its receipts have run, and the other way round.
    fn is_reached(self, level: &str) -> bool {
        match self {
            Self::Included => level != "NONE",
            Self::ExecutedOptimistic => {
                matches!(level, "EXECUTED_OPTIMISTIC" | "EXECUTED" | "FINAL")
            }
            Self::Executed => matches!(level, "EXECUTED" | "FINAL"),
            Self::Final => level == "FINAL",
        }
    }
}

impl Flight {
    pub(super) fn new(
        transaction: &SignedTransaction,
        nonce: u64,
        block: NamedBlock,
        endpoint: usize,
    ) -> Result<Self, Error> {
        use serde::ser::Error as _;
        let bytes = borsh::to_vec(transaction)
            .map_err(|error| Error::Arguments(serde_json::Error::custom(error)))?;
        Ok(Self {
            hash: transaction.get_hash(),
            public_key: transaction.transaction.public_key().clone(),
            signer: transaction.transaction.signer_id().clone(),
            nonce,
            block_height: block.height,
            base64: base64::engine::general_purpose::STANDARD.encode(bytes),
            endpoint,
            may_be_accepted: false,
            is_included: false,
        })
    }

    /// Hands the transaction in without waiting for what becomes of it.
    pub(super) async fn hand_in(&mut self, node: &Node) {
        let handed: Result<CryptoHash, Error> = node
            .ask(self.endpoint, "broadcast_tx_async", &[&self.base64])
            .await;
        match handed {
            Ok(_) => self.may_be_accepted = true,
            Err(error) => self.note(&error),
        }
    }

    /// Sends the transaction, or asks for it once it was seen, and waits at the node.
    async fn wait(&mut self, node: &Node, until: Until) -> Result<Answer, Error> {
        let wait_until = until.wait_until();
        let answered = if self.is_included {
            let mut params = self.named();
            params["wait_until"] = json!(wait_until);
            node.ask(self.endpoint, "tx", &params).await
        } else {
            let params = json!({"signed_tx_base64": self.base64, "wait_until": wait_until});
            node.ask(self.endpoint, "send_tx", &params).await
        };
        match &answered {
            Ok(_) => self.may_be_accepted = true,
            Err(error) => self.note(error),
        }
        answered
    }

    /// Keeps what an error says about where the transaction may be, and turns to another node if this one is down.
    fn note(&mut self, error: &Error) {
        match error {
            Error::Unavailable { reached, .. } => {
                self.may_be_accepted |= *reached == Reached::Maybe;
                self.endpoint = self.endpoint.wrapping_add(1);
            }
            Error::TimedOut { .. } | Error::Malformed { .. } => self.may_be_accepted = true,
            // It was in a block that has been undone.
            Error::UnknownTransaction => {
                self.may_be_accepted = true;
                self.is_included = false;
            }
            _ => {}
        }
    }

    fn named(&self) -> Value {
        json!({"tx_hash": self.hash, "sender_account_id": self.signer, "wait_until": "NONE"})
    }
}

impl Sender {
    /// Follows one transaction until it is known what became of it or patience is at its end.
    pub(super) async fn see_through(
        &self,
        key: &Key,
        mut flight: Flight,
        deadline: u64,
    ) -> Landing {
        let mut attempt: u32 = 0;
        loop {
            attempt = attempt.saturating_add(1);
            let last = match flight.wait(&self.node, self.settings.until).await {
                Ok(answer) => match self.landed(&mut flight, answer) {
                    Ok(outcome) => return Landing::Landed(outcome),
                    Err(error) => error,
                },
                Err(Error::InvalidTransaction(reason)) => {
                    match self.judge(key, flight, *reason).await {
                        Ok(landing) => return landing,
                        Err((back, error)) => {
                            flight = back;
                            error
                        }
                    }
                }
                Err(error) if !error.is_transient() && !flight.may_be_accepted => {
                    return Landing::Refused(flight, error);
                }
                Err(error) => error,
            };
            if self.parts.now_ms() >= deadline {
                return self.give_up(flight, last).await;
            }
            tracing::debug!(transaction = %flight.hash, attempt, error = %last, "sending again");
            self.parts.back_off(&self.settings.backoff, attempt).await;
        }
    }

    /// The outcome, if the transaction has come far enough.
    fn landed(&self, flight: &mut Flight, answer: Answer) -> Result<Outcome, Error> {
        flight.is_included |= answer.is_included();
        let level = answer.final_execution_status.clone();
        let outcome = answer.into_outcome(flight.hash)?;
        let reached = match &level {
            Some(level) => self.settings.until.is_reached(level),
            // Older nodes answer only when it is reached.
            None => outcome.status != Status::Pending,
        };
        if reached {
            return Ok(outcome);
        }
        Err(Error::TimedOut {
            cause: level.unwrap_or_else(|| "UNKNOWN".to_owned()),
        })
    }

    /// What a refusal means for a transaction that some node may have taken in before.
    async fn judge(
        &self,
        key: &Key,
        mut flight: Flight,
        reason: InvalidTxError,
    ) -> Result<Landing, (Flight, Error)> {
        let refusal = Refusal::of(&reason);
        let error = Error::InvalidTransaction(Box::new(reason));
        match refusal {
            Refusal::Later => return Err((flight, error)),
            Refusal::Never => return Ok(Landing::Refused(flight, error)),
            Refusal::State if !flight.may_be_accepted => {
                return Ok(Landing::Refused(flight, error));
            }
            Refusal::Nonce(seen) => key.catch_up(seen).await,
            Refusal::Block => {
                self.recent.forget().await;
                if !flight.may_be_accepted {
                    return Ok(Landing::Lost(flight, error));
                }
            }
            Refusal::State => {}
        }
        match self.prove(&mut flight).await {
            Proof::Landed(outcome) => Ok(Landing::Landed(outcome)),
            Proof::Open => Err((flight, error)),
            Proof::Lost if matches!(refusal, Refusal::State) => Ok(Landing::Refused(flight, error)),
            Proof::Lost => Ok(Landing::Lost(flight, error)),
        }
    }

    /// At the end of patience: one more look, so that what can be told for certain is.
    async fn give_up(&self, mut flight: Flight, last: Error) -> Landing {
        if !flight.may_be_accepted {
            return Landing::Lost(flight, last);
        }
        match self.prove(&mut flight).await {
            Proof::Landed(outcome) => Landing::Landed(outcome),
            Proof::Lost => Landing::Lost(flight, last),
            Proof::Open => Landing::InDoubt(flight, last),
        }
    }

    /// Finds the transaction, or proves that it can land no more.
    ///
    /// The order matters: first it is seen in a final block that the nonce is used, and then the same node is asked for the
    /// transaction. The other way round it could land between the two.
    async fn prove(&self, flight: &mut Flight) -> Proof {
        let spent = self.is_spent(flight).await;
        let endpoint = flight.endpoint;
        match self.find(flight, endpoint).await {
            Found::Landed(outcome) => return Proof::Landed(outcome),
            Found::Unknown => return Proof::Open,
            Found::Absent if !spent => return Proof::Open,
            Found::Absent => {}
        }
        // A node that is wrong here would make us send twice, so every other one has a say too.
        for other in 1..self.node.endpoint_count() {
            if let Found::Landed(outcome) = self.find(flight, endpoint.wrapping_add(other)).await {
                return Proof::Landed(outcome);
            }
        }
        if flight.is_included {
            Proof::Open
        } else {
            Proof::Lost
        }
    }

    /// Whether, as of a final block, no new transaction with this nonce or this block can land.
    async fn is_spent(&self, flight: &Flight) -> bool {
        let key = self
            .node
            .access_key_of(
                flight.endpoint,
                At::Final,
                &flight.signer,
                &flight.public_key,
            )
            .await;
        match key {
            Ok(seen) => {
                let validity = self.recent.validity_blocks().await;
                let last = flight.block_height.saturating_add(validity);
                seen.value.nonce >= flight.nonce || seen.block_height > last
            }
            // A key that is added again starts above all nonces of its past.
            Err(Error::UnknownKey { .. }) => true,
            Err(_) => false,
        }
    }

    async fn find(&self, flight: &mut Flight, endpoint: usize) -> Found {
        let answered: Result<Answer, Error> = self.node.ask(endpoint, "tx", &flight.named()).await;
        match answered {
            Ok(answer) if answer.is_included() => match self.landed(flight, answer) {
                Ok(outcome) => Found::Landed(outcome),
                Err(_) => Found::Unknown,
            },
            Ok(_) => Found::Absent,
            Err(Error::InvalidTransaction(_)) => Found::Absent,
            Err(Error::TimedOut { cause }) if cause == "NOT_OBSERVED" => Found::Absent,
            Err(error) if is_unknown(&error) => Found::Absent,
            Err(_) => Found::Unknown,
        }
    }
}

/// What a node knows of a transaction.
enum Found {
    /// It is in a block and has come far enough.
    Landed(Outcome),
    /// It is in no block of this node.
    Absent,
    /// The node does not say, or it has not come far enough.
    Unknown,
}
