//! What is certain about a transaction that may be anywhere.

use near_primitives::errors::InvalidTxError;

use super::Sender;
use super::flight::{Flight, Landing};
use super::key::Key;
use crate::near::error::Error;
use crate::near::node::At;
use crate::near::outcome::{Answer, Outcome};

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

/// What a node knows of a transaction.
enum Found {
    /// It is in a block and has come far enough.
    Landed(Outcome),
    /// It is in no block of this node.
    Absent,
    /// The node does not say, or it has not come far enough.
    Unknown,
}

impl Sender {
    /// What a refusal means for a transaction that some node may have taken in before.
    pub(super) async fn judge(
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
    pub(super) async fn give_up(&self, mut flight: Flight, last: Error) -> Landing {
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
        let answered: Result<Answer, Error> =
            self.node.ask(endpoint, "tx", &flight.named("NONE")).await;
        match answered {
            Ok(answer) if answer.is_included() => match self.landed(flight, answer) {
                Ok(outcome) => Found::Landed(outcome),
                Err(_) => Found::Unknown,
            },
            Ok(_) | Err(Error::InvalidTransaction(_) | Error::UnknownTransaction) => Found::Absent,
            Err(Error::TimedOut { cause }) if cause == "NOT_OBSERVED" => Found::Absent,
            Err(_) => Found::Unknown,
        }
    }
}
