//! The contract `outlayer`: ask, yield, resolve, settle, call back.
//!
//! A contract calls `request_execution` with a deposit. The request is kept, the deposit held in escrow, the receipt yields, and
//! an event announces it. The operator's worker runs the code and calls `resolve_execution`, which resumes the receipt. The
//! yield's callback, `on_execution_response`, settles: it charges what was used at the rates in force when the request was made,
//! sends the rest back, and returns the answer to whoever called. When nobody answers, the protocol resumes the receipt
//! after 200 blocks, and all goes back.
//!
//! # Money
//! `ledger` says whose money the account holds. In short: `balance = escrow + fees + unclaimed + storage deposits + own`, to the
//! yocto, after every receipt. The account's bytes are staked by the escrow of the request or the deposit of the secrets and
//! projects that they belong to, and by a *reserve* that the owner provides by a transfer to the account; the view `get_reserve`
//! shows it. A refund whose receiver is gone waits in `unclaimed`, and `claim` sends it once the account is there again.
//!
//! # Secrets and projects
//! An owner keeps sealed secrets for a repository, an artifact, a project or the platform, and versions of code under a project's
//! name. Whoever stores leaves just what the bytes cost, and gets just that back with them. The contract opens no secrets and
//! decides no condition: the keystore does, from what it reads here.
//!
//! # Failing
//! A refused request fails the receipt with `<code>: <sentence>`, so that the protocol returns the deposit; a caller that sets
//! `params.full_result` gets the refusal as a value and the deposit by a transfer. A late resolve is a value too. The callback
//! does not fail: what it cannot read counts as our failure. Should its gas not suffice nevertheless, `cancel_stale_execution` and
//! `emergency_cancel_execution` still return the escrow.
//!
//! # Files
//! `entry` talks to the chain and decides nothing; it is built for wasm alone. The other modules decide. They are built
//! everywhere and cannot reach the chain, so plain tests drive them.

#![cfg_attr(
    not(target_family = "wasm"),
    expect(
        dead_code,
        reason = "all of it is used by `entry`, which is built for wasm alone"
    )
)]

mod announce;
mod answer;
mod ask;
mod gas;
mod ledger;
mod pending;
mod projects;
mod refusal;
mod resolution;
mod secrets;
mod settings;
mod settlement;
mod storage;
mod tally;

#[cfg(target_family = "wasm")]
pub mod entry;

pub use refusal::Refusal;
pub use resolution::{Receipt, Verdict};
