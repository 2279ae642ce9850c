//! The chain by itself, against what a node was seen to do.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "chain/accounts.rs"]
mod accounts;
#[path = "chain/conservation.rs"]
mod conservation;
#[path = "chain/contracts.rs"]
mod contracts;
#[path = "chain/delegates.rs"]
mod delegates;
#[path = "chain/persistence.rs"]
mod persistence;
#[path = "chain/refusals.rs"]
mod refusals;
#[path = "chain/world.rs"]
mod world;
#[path = "chain/yields.rs"]
mod yields;
