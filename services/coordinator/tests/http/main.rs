//! The coordinator over real HTTP on loopback, with a chain that the test writes.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "what goes wrong here fails a test"
)]

mod admin;
mod artifacts;
mod branches;
mod chain;
mod claims;
mod description;
mod git_hosts;
mod ingest;
mod jobs;
mod refusals;
mod secrets;
mod town;
