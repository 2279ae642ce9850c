//! What is sealed, opened and refused, against vectors that were made elsewhere and against chance.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "what goes wrong here fails a test"
)]

mod chance;
mod envelope;
mod generated;
mod secrets;
mod seeds;
mod vectors;
