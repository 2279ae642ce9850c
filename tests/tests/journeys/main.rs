//! Whole journeys: a real chain, real contracts, a real coordinator, real workers, real builds, guests in real processes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a journey that cannot go on has failed"
)]

mod answers;
mod canary;
mod commands;
mod conditions;
mod crashes;
mod failures;
mod inputs;
mod liars;
mod nodes;
mod owners;
mod queue;
mod secrets;
mod sources;

/// The `outlayer` that guests and workers run in.
const PROGRAM: &str = env!("CARGO_BIN_EXE_outlayer-of-town");
