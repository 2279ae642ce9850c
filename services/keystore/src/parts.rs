//! What the keystore is given from outside: the time, chance, the chain, and who its workers are.

use std::fmt::{self, Debug};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use clients::near::{CryptoHash, PublicKey};
use protocol::clock::Clock;
use protocol::request::ExecutionRequest;
use protocol::secrets::{Accessor, Profile, SecretProfileView};
use protocol::{AccountId, NearToken, RequestId};
use rand::rngs::StdRng;
use rand::{CryptoRng, SeedableRng};
use serde_json::Value;

pub use crate::chain::{Chain, OperatorKeys};

/// Why a source outside gave no answer. It is never taken for one.
pub type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// What the keystore needs of the world.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Tells the time.
    pub clock: Clock,
    /// Random bytes.
    pub chance: Chance,
    /// The chain.
    pub chain: Arc<dyn ReadChain>,
    /// Who its workers are.
    pub workers: Arc<dyn KnowWorkers>,
}

/// What is seen at a final block, and which block it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight<T> {
    /// What is seen.
    pub value: T,
    /// The block's height.
    pub block_height: u64,
    /// The block's hash.
    pub block_hash: CryptoHash,
}

/// Reads the chain. An account, a contract or a view that does not answer is an error, whatever the reason.
#[async_trait]
pub trait ReadChain: Send + Sync + Debug {
    /// A pending request at the newest final block; none if there is none or it has ended.
    async fn request(&self, id: RequestId) -> Result<Option<ExecutionRequest>, SourceError>;

    /// A profile at the newest final block, by the contract's own rule of which one serves an accessor.
    async fn profile(
        &self,
        accessor: &Accessor,
        profile: &Profile,
        owner: &AccountId,
    ) -> Result<Sight<Option<SecretProfileView>>, SourceError>;

    /// Whether an account has a key that may do everything, at the newest final block.
    async fn has_full_key(&self, account: &AccountId, key: &PublicKey)
    -> Result<bool, SourceError>;

    /// A contract's view at a block.
    async fn view(
        &self,
        block: CryptoHash,
        contract: &AccountId,
        method: &str,
        args: Value,
    ) -> Result<Value, SourceError>;

    /// An account's balance at a block, without what it has staked.
    async fn balance(
        &self,
        block: CryptoHash,
        account: &AccountId,
    ) -> Result<NearToken, SourceError>;
}

/// Says which keys are workers'.
#[async_trait]
pub trait KnowWorkers: Send + Sync + Debug {
    /// Whether it is a worker's key now.
    async fn knows(&self, key: &PublicKey) -> Result<bool, SourceError>;
}

/// Random bytes, from the machine or, in tests, from a seed.
#[derive(Clone)]
pub struct Chance(Arc<Mutex<StdRng>>);

impl Chance {
    /// The machine's.
    pub fn of_the_machine() -> Self {
        Self(Arc::new(Mutex::new(StdRng::from_os_rng())))
    }

    /// The same each time, for tests.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// Lets `work` draw.
    pub(crate) fn draw<T>(&self, work: impl FnOnce(&mut dyn CryptoRng) -> T) -> T {
        let mut chance = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut *chance)
    }
}

impl Debug for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chance")
    }
}
