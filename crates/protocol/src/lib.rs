//! The words that two `OutLayer` processes exchange, each defined once: ids, money, limits, requests, responses, events and
//! HTTP bodies.
//!
//! Nothing here does input or output, so that a contract, a worker and a coordinator can all use it. A type enters this
//! crate when two processes exchange it, not before.

pub mod artifact;
pub mod clock;
pub mod event;
pub mod failure;
pub mod id;
pub mod job;
pub mod keystore;
pub mod limits;
pub mod nep413;
pub mod pricing;
pub mod progress;
pub mod project;
pub mod public;
pub mod request;
pub mod response;
pub mod secrets;
pub mod source;

pub use failure::{FailureCode, Fault};
pub use id::{ArtifactHash, CommitHash, JobId, RequestId};
pub use near_account_id::AccountId;
pub use near_token::NearToken;
