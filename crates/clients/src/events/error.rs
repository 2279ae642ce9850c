//! Why a block is not given.

use near_primitives::hash::CryptoHash;

use crate::near;

/// Why a block is not given.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The node did not say.
    #[error(transparent)]
    Node(#[from] near::Error),
    /// The feed could not be reached, or stalled.
    #[error("the block feed at {address} is unavailable: {reason}")]
    Unavailable {
        /// Where it should be.
        address: String,
        /// Why.
        reason: String,
    },
    /// A block is not of the documented shape.
    #[error("{what} is not of the documented shape: {reason}")]
    Malformed {
        /// Which block, of which source.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A block is missing between two, or the source is on another chain.
    #[error("block {height} follows block {found}, but the last block read is {expected}")]
    Gap {
        /// The height of the block that does not follow.
        height: u64,
        /// The hash of the last block read.
        expected: CryptoHash,
        /// The hash that the new block names as the block before it.
        found: CryptoHash,
    },
    /// A receipt ran on the contract and its transaction cannot be found, so that what it logged cannot be read.
    #[error("the transaction of receipt {receipt_id} cannot be found")]
    UnknownOrigin {
        /// The receipt.
        receipt_id: CryptoHash,
    },
}

impl Error {
    /// Whether the same question may be answered later: by a node that is behind, short of time or of room.
    pub const fn is_transient(&self) -> bool {
        use near::Error as Node;
        match self {
            Self::Node(error) => !matches!(
                error,
                Node::NoEndpoint
                    | Node::NoSuchMethod { .. }
                    | Node::Malformed { .. }
                    | Node::Arguments(_)
            ),
            Self::Unavailable { .. } => true,
            Self::Malformed { .. } | Self::Gap { .. } | Self::UnknownOrigin { .. } => false,
        }
    }
}
