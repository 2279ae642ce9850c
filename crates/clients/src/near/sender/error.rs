//! Why a transaction has no outcome.

use near_primitives::hash::CryptoHash;

use super::flight::Flight;
use crate::near::error::Error;

/// Why a transaction has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The sender has no key, or not the one that is asked for.
    #[error("the sender has no such key")]
    NoKey,
    /// Nothing was signed or sent.
    #[error("nothing was sent")]
    NotSent(#[source] Error),
    /// The transaction has not landed and never will.
    #[error("transaction {transaction_hash} is refused")]
    Refused {
        /// Its hash.
        transaction_hash: CryptoHash,
        /// Why.
        #[source]
        reason: Error,
    },
    /// The transaction may have landed or may yet land. Take it up again by [`super::Sender::resume`].
    #[error("it is not known whether transaction {} has landed", .0.transaction_hash())]
    InDoubt(Box<Doubt>),
}

/// A transaction of which it is not known whether it has landed.
#[derive(Debug)]
pub struct Doubt {
    pub(super) flight: Flight,
    /// What went wrong last.
    pub last: Error,
}

impl Doubt {
    /// The transaction's hash.
    pub const fn transaction_hash(&self) -> CryptoHash {
        self.flight.hash
    }
}

impl SendError {
    pub(super) const fn refused(flight: &Flight, reason: Error) -> Self {
        Self::Refused {
            transaction_hash: flight.hash,
            reason,
        }
    }

    pub(super) fn in_doubt(flight: Flight, last: Error) -> Self {
        Self::InDoubt(Box::new(Doubt { flight, last }))
    }

    /// Whether it is certain that nothing has landed or will.
    pub const fn is_certain(&self) -> bool {
        !matches!(self, Self::InDoubt(_))
    }
}
