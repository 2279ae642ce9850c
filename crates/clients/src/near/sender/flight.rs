//! One signed transaction on its way: sent again until it is known what became of it.

use base64::Engine as _;
use near_crypto::PublicKey;
use near_primitives::hash::CryptoHash;
use near_primitives::transaction::SignedTransaction;
use protocol::AccountId;
use serde_json::{Value, json};

use super::key::Key;
use super::recent_block::NamedBlock;
use super::{Reason, Sender, Until};
use crate::near::error::{Error, Reached};
use crate::near::outcome::{Answer, Outcome, Status};
use crate::near::transport::Node;

/// One signed transaction on its way.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) hash: CryptoHash,
    pub(super) public_key: PublicKey,
    pub(super) signer: AccountId,
    pub(super) nonce: u64,
    /// The height of the block that it names.
    pub(super) block_height: u64,
    base64: String,
    /// The node that is asked; another after a failure.
    pub(super) endpoint: usize,
    /// Whether any node may have taken it in.
    pub(super) may_be_accepted: bool,
    /// Whether it was seen in a block.
    pub(super) is_included: bool,
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
            node.ask(self.endpoint, "tx", &self.named(wait_until)).await
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

    pub(super) fn named(&self, wait_until: &str) -> Value {
        json!({"tx_hash": self.hash, "sender_account_id": self.signer, "wait_until": wait_until})
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
    pub(super) fn landed(&self, flight: &mut Flight, answer: Answer) -> Result<Outcome, Error> {
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
}
