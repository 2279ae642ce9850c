//! What `docs/gas.md` promises, shown by running rewritten modules on four engines.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that goes wrong here has failed"
)]

mod agree;
mod components;
mod differential;
mod engines;
mod gas;
mod mutations;
mod naive;
mod profile;
mod spec;
