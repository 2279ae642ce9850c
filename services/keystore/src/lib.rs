//! The keystore: opens secrets for the right caller, and seals them to the one worker that may have them.
//!
//! It has one secret of its own, the master key. Everything else it needs it reads from the chain at a final block: the request on
//! whose behalf a worker asks, the sealed secrets, and what their owner's condition asks about. It runs no guest and has no
//! database.
//!
//! ```no_run
//! # async fn example(parts: keystore::Parts) -> Result<(), keystore::Error> {
//! use keystore::{Config, Keystore, Master};
//!
//! let master = Master::File("master.key".into());
//! let config = Config::new("outlayer.near".parse().unwrap(), master, "data".as_ref());
//! let keystore = Keystore::start(config, parts).await?;
//! println!("{} {}", keystore.url(), keystore.identity().public_key);
//! keystore.stop().await;
//! # Ok(())
//! # }
//! ```

mod api;
mod audit;
mod chain;
mod config;
pub mod core_dumps;
mod error;
mod limiter;
pub mod master;
mod nonces;
pub mod parts;
mod policy;
mod revise;
mod running;
mod sessions;
mod signer;
mod unlock;

pub use config::{Config, Limits};
pub use error::Error;
pub use master::Master;
pub use parts::{Chance, KnowWorkers, Parts, ReadChain};
pub use running::Keystore;

/// An error and all its causes, in one line.
fn chain_of(err: &dyn std::error::Error) -> String {
    let mut text = err.to_string();
    let mut next = err.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
