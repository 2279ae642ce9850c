//! A NEAR node: what it shows, and transactions that land exactly once.
//!
//! The transport is our own, a few lines over the node's JSON: the published client throws away the body of a 408 (whether
//! the node has seen the transaction) and of a 400, and reads every action of every stranger's transaction strictly, so
//! that one new kind of action would stop a reader.

pub mod error;
pub mod limits;
pub mod node;
pub mod outcome;
pub mod sender;
mod transport;

pub use error::Error;
pub use limits::ChainLimits;
pub use near_crypto::{InMemorySigner, KeyType, PublicKey, SecretKey, Signature, Signer};
pub use near_primitives::hash::CryptoHash;
pub use near_primitives::types::Gas;
pub use node::{At, BlockHeader};
pub use outcome::{Failure, Outcome, Status};
pub use sender::{Call, SendError, Sender, Until};
pub use transport::{Node, Settings};
