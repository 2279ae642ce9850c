//! The numbers of a chain's configuration that we must know, read from the chain.

use serde::Deserialize;
use serde_json::json;

use super::error::Error;
use super::transport::Node;

/// What a chain allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainLimits {
    /// The most that a resume may carry, in bytes.
    pub yield_payload_bytes: u64,
    /// Blocks after which a yield runs out.
    pub yield_timeout_blocks: u64,
    /// Blocks after which a transaction cannot land any more, counted from the block that it names.
    pub transaction_validity_blocks: u64,
}

impl ChainLimits {
    /// Mainnet's, where a chain does not tell. Source: nearcore 2.14, protocol 88, and mainnet's genesis.
    pub const DEFAULT: Self = Self {
        yield_payload_bytes: 1_024,
        yield_timeout_blocks: 200,
        transaction_validity_blocks: 86_400,
    };
}

#[derive(Deserialize)]
struct ProtocolConfig {
    transaction_validity_period: u64,
    runtime_config: RuntimeConfig,
}

#[derive(Deserialize)]
struct RuntimeConfig {
    wasm_config: WasmConfig,
}

#[derive(Deserialize)]
struct WasmConfig {
    limit_config: LimitConfig,
}

#[derive(Deserialize)]
struct LimitConfig {
    max_yield_payload_size: u64,
    yield_timeout_length_in_blocks: u64,
}

impl Node {
    /// What the chain allows at its newest final block.
    pub async fn chain_limits(&self) -> Result<ChainLimits, Error> {
        let config: ProtocolConfig = self
            .call(
                "EXPERIMENTAL_protocol_config",
                &json!({"finality": "final"}),
            )
            .await?;
        let limits = config.runtime_config.wasm_config.limit_config;
        Ok(ChainLimits {
            yield_payload_bytes: limits.max_yield_payload_size,
            yield_timeout_blocks: limits.yield_timeout_length_in_blocks,
            transaction_validity_blocks: config.transaction_validity_period,
        })
    }
}
