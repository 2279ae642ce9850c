//! The parameters of the protocol and the contract VM; what a block gives to everything that runs in it.

mod compiled;
mod failures;
mod vm;

use compiled::Compiled;
use near_parameters::{RuntimeConfig, RuntimeConfigStore};
use near_primitives::hash::CryptoHash;
use near_primitives::types::{AccountId, Balance};
use near_primitives::version::PROTOCOL_VERSION;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

pub use failures::convert_error;
pub(crate) use vm::EPOCH_HEIGHT;

/// What a block gives to everything that runs in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockContext {
    /// How many blocks there are, this one included.
    pub height: u64,
    /// When it was made, in nanoseconds since 1970.
    pub timestamp: u64,
    /// At what price gas is burnt.
    pub gas_price: Balance,
    /// What contracts' random numbers are made from.
    pub random_seed: CryptoHash,
}

/// Runs transactions and receipts; knows nothing of blocks and keeps no state but compiled contracts.
pub struct Runtime {
    /// Mainnet's parameters.
    pub config: Arc<RuntimeConfig>,
    /// What contracts and clients are told the chain is called.
    pub chain_id: String,
    /// What all validators have at stake.
    pub total_stake: Balance,
    compiled: Compiled,
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("chain_id", &self.chain_id)
            .finish_non_exhaustive()
    }
}

impl Runtime {
    /// A runtime that keeps compiled contracts in a folder, or in one that goes with the process.
    pub fn new(
        chain_id: &str,
        total_stake: Balance,
        folder: Option<&Path>,
    ) -> std::io::Result<Self> {
        let compiled = Compiled::open(folder)?;
        Ok(Self {
            config: mainnet_parameters(),
            chain_id: chain_id.to_owned(),
            total_stake,
            compiled,
        })
    }

    /// Who may create short top-level accounts.
    pub fn registrar(&self) -> &AccountId {
        &self.config.account_creation_config.registrar_account_id
    }
}

/// The parameters of mainnet under the newest stable protocol.
pub fn mainnet_parameters() -> Arc<RuntimeConfig> {
    Arc::clone(RuntimeConfigStore::new(None).get_config(PROTOCOL_VERSION))
}
