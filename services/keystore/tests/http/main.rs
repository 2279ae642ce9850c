//! The keystore over real HTTP on loopback, with a chain that the test writes.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "what goes wrong here fails a test"
)]

mod chain;
mod generated;
mod limits;
mod pubkey;
mod secrecy;
mod town;
mod unlock;
mod update;
mod worker;
