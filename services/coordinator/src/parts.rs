//! What the coordinator is given from outside: the time, the chain's blocks and the contract's prices.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use clients::events::ReadBlocks;
use clients::outlayer::Contract;
use protocol::clock::Clock;
use protocol::pricing::Pricing;

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
