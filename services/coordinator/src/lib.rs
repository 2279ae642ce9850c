//! The coordinator: reads the chain, keeps the queue, the artifact cache and the hidden logs, and answers over HTTP.
//!
//! It holds no secrets and runs no guest. What it says is a hint to workers, who confirm each request on the chain.
//!
//! ```no_run
//! # async fn example(parts: coordinator::parts::Parts) -> Result<(), coordinator::Error> {
//! use coordinator::{Config, Coordinator};
//!
//! let config = Config::new("outlayer.near".parse().unwrap(), "data".as_ref());
//! let coordinator = Coordinator::start(config, parts).await?;
//! let token = coordinator.tokens().replace("worker-1").await?;
//! println!("{} {}", coordinator.url(), token.reveal());
//! coordinator.stop().await;
//! # Ok(())
//! # }
//! ```

mod api;
pub mod artifacts;
pub mod branches;
mod config;
mod error;
pub mod ingest;
mod keystore;
pub mod logs;
#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "an overflow fails a test")]
mod model;
pub mod parts;
mod pricing;
pub mod queue;
mod running;
mod store;
mod tokens;
mod upkeep;
mod views;

pub use config::Config;
pub use error::Error;
pub use running::Coordinator;
pub use store::Database;
pub use tokens::{Token, Tokens};

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
