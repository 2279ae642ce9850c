//! Any bytes: rewriting them to count gas does not panic, and what is taken is valid and counts the same in both ways.
//!
//! `tests/proof/mutations.rs` of the same crate does this over damaged modules in every test run.

#![no_main]

#[path = "../../crates/metering/tests/proof/agree.rs"]
mod agree;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    agree::rewritings_agree(bytes);
});
