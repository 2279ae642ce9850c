//! NEAR in one process: nearcore's contract VM under mainnet's parameters; accounts, receipts and yields; blocks.
//!
//! [`Chain`] is the chain itself, made of layers that each know only those before them: [`state`] holds what there is,
//! [`runtime`] has the parameters and the VM, `fees` and [`verifier`] say what may run and at what price, `actions`, `receipts`
//! and `yields` run it, [`chain`] makes blocks of it and [`persist`] keeps them. State roots, headers and Merkle proofs are those
//! a real node would have for the same content, so that light clients and verifiers of state can be tried here.

pub mod chain;
pub mod folder;
pub mod genesis;
pub mod persist;
pub mod runtime;
pub mod sandbox;
pub mod server;
pub mod state;
pub mod verifier;

mod actions;
mod external;
mod feed;
mod fees;
mod receipts;
mod rpc;
mod yields;

pub use chain::{Block, Chain, TxStatus};
pub use genesis::{ChainTime, Config, Genesis, secret_key, signer};
pub use server::{Config as ServerConfig, Pace, Server};
