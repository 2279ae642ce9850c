//! Typed talk to a NEAR node, to the `OutLayer` contract and to the coordinator.
//!
//! | module | what it talks to |
//! |---|---|
//! | [`near`] | a node's JSON-RPC: views, and transactions that land exactly once |
//! | [`events`] | the chain, block by block: what a contract logged, with no block left out |
//! | [`fastfs`] | files in the arguments of transactions |
//! | [`outlayer`] | the contract `outlayer` |
//! | [`coordinator`] | the coordinator's HTTP interface |
//!
//! Time, waiting and chance come in as [`parts`], so that tests neither sleep nor guess.

pub mod coordinator;
pub mod events;
pub mod fastfs;
pub mod near;
pub mod outlayer;
pub mod parts;
mod redact;
