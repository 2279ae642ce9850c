//! What the coordinator is given from outside: the time, the chain's blocks, the contract's prices and the branches of repositories.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use clients::events::ReadBlocks;
use clients::outlayer::Contract;
use protocol::clock::Clock;
use protocol::pricing::Pricing;
use protocol::secrets::Repo;

use crate::branches::Heads;

/// Why a source outside did not answer. Such an error is worth another try.
pub type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// What the coordinator needs of the world.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Tells the time.
    pub clock: Clock,
    /// The chain, block by block.
    pub blocks: Arc<dyn ReadBlocks>,
    /// The contract's prices.
    pub pricing: Arc<dyn ReadPricing>,
    /// The branches of repositories.
    pub branches: Arc<dyn ReadBranches>,
}

/// Reads a contract's prices.
#[async_trait]
pub trait ReadPricing: Send + Sync + Debug {
    /// What the contract charges now.
    async fn pricing(&self) -> Result<Pricing, SourceError>;
}

#[async_trait]
impl ReadPricing for Contract {
    async fn pricing(&self) -> Result<Pricing, SourceError> {
        Ok(self.get_pricing().await?)
    }
}

/// Reads where the branches of a repository are.
#[async_trait]
pub trait ReadBranches: Send + Sync + Debug {
    /// Where they are now.
    async fn heads(&self, repo: &Repo) -> Result<Heads, Unread>;
}

/// Why a repository was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// Repositories of its host are not read.
    #[error("its host is not one that is asked")]
    UnknownHost,
    /// It is not there, or not for everyone.
    #[error("it is not there, or not for everyone to read")]
    NoSuchRepository,
    /// Worth another try.
    #[error("{0}")]
    Unavailable(String),
}
