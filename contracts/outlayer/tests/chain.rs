//! The contract as wasm on a chain: real receipts, yields, time-outs and balances.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::needless_pass_by_value,
    reason = "a sum that overflows fails its test, and `json!` reads better without a borrow"
)]

#[cfg(test)]
mod chain {
    pub(crate) mod town;
    pub(crate) mod wasm;

    mod admin;
    mod answers;
    mod cancels;
    mod gas;
    mod histories;
    mod money;
    mod owners;
    mod projects;
    mod refusals;
    mod secrets;
}
