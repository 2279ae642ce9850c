//! What a chain starts from: its accounts, its time, and how it is run.

use near_crypto::{InMemorySigner, KeyType, SecretKey, Signer};
use near_primitives::account::{AccessKey, Account, AccountContract};
use near_primitives::state_record::StateRecord;
use near_primitives::types::{AccountId, Balance};
use protocol::clock::Clock;
use std::path::PathBuf;
use std::time::Duration;

/// Storage of an account record with one full-access key, in bytes, as near-sandbox writes it into its genesis.
const GENESIS_ACCOUNT_BYTES: u64 = 182;

/// The account that validates; its key is that of a sandbox's `validator_key.json`.
pub const VALIDATOR: &str = "test.near";

/// What each account of [`Genesis::sandbox`] starts with: enough that nobody runs out, so little that a wallet can show it.
pub const GENESIS_BALANCE: Balance = Balance::from_near(1_000_000);

/// What the validator has at stake. Unit: yoctoNEAR. Source: the genesis that `neard init` makes for a localnet.
pub const VALIDATOR_STAKE: Balance = Balance::from_near(50_000_000);

/// The chain's first state.
#[derive(Clone, Debug)]
pub struct Genesis {
    /// The name of the chain, which contracts and clients can ask for.
    pub chain_id: String,
    /// The time of the first block, in nanoseconds since 1970.
    pub time_ns: u64,
    /// Accounts, keys, code and data.
    pub records: Vec<StateRecord>,
}

impl Genesis {
    /// No accounts at all.
    pub fn empty(chain_id: &str, time_ns: u64) -> Self {
        Self {
            chain_id: chain_id.to_owned(),
            time_ns,
            records: Vec::new(),
        }
    }

    /// What a sandbox has: the validator `test.near`, `near`, `registrar`, `sandbox`; and `test`, so that `alice.test` can be
    /// made. Every account's key is [`secret_key`] of its name.
    pub fn sandbox(time_ns: u64) -> Self {
        let names = ["near", "registrar", "sandbox", "test"];
        let mut genesis = Self::empty("localnet", time_ns);
        if let Ok(validator) = VALIDATOR.parse() {
            genesis = genesis.with_staked_account(
                &validator,
                Balance::from_near(1_000_000_000),
                VALIDATOR_STAKE,
            );
        }
        let ids = names.into_iter().filter_map(|name| name.parse().ok());
        ids.fold(genesis, |genesis, id: AccountId| {
            genesis.with_account(&id, GENESIS_BALANCE)
        })
    }

    /// Adds an account whose full-access key is [`secret_key`] of its name.
    #[must_use]
    pub fn with_account(self, id: &AccountId, balance: Balance) -> Self {
        self.with_staked_account(id, balance, Balance::ZERO)
    }

    fn with_staked_account(mut self, id: &AccountId, balance: Balance, locked: Balance) -> Self {
        let account = Account::new(
            balance,
            locked,
            AccountContract::None,
            GENESIS_ACCOUNT_BYTES,
        );
        let public_key = secret_key(id).public_key().into();
        let access_key = AccessKey::full_access();
        self.records.push(StateRecord::Account {
            account_id: id.clone(),
            account,
        });
        self.records.push(StateRecord::AccessKey {
            account_id: id.clone(),
            public_key,
            access_key,
        });
        self
    }
}

/// The key of a genesis account: made from its name, so that nobody has to be told it.
pub fn secret_key(id: &AccountId) -> SecretKey {
    SecretKey::from_seed(KeyType::ED25519, id.as_str())
}

/// Signs with [`secret_key`].
pub fn signer(id: &AccountId) -> Signer {
    InMemorySigner::from_secret_key(id.clone(), secret_key(id))
}

/// How a chain is run.
#[derive(Clone, Debug)]
pub struct Config {
    /// What it starts from, unless [`Config::folder`] holds a chain already.
    pub genesis: Genesis,
    /// Where its blocks are kept; `None` keeps them in memory only.
    pub folder: Option<PathBuf>,
    /// How many blocks below the head the final block is. Mainnet: 2.
    pub finality_lag: u64,
    /// How many of the latest blocks, with their transactions and states, stay available.
    pub keep_blocks: u64,
    /// What the time of a block is.
    pub time: ChainTime,
}

/// Default of [`Config::keep_blocks`]: about a day of mainnet; an empty block costs some 2,200 bytes.
pub const KEEP_BLOCKS: u64 = 100_000;

impl Config {
    /// In memory, everything final at once, time moving by [`BLOCK_STEP`]: the same run again gives the same blocks.
    pub const fn in_memory(genesis: Genesis) -> Self {
        Self {
            genesis,
            folder: None,
            finality_lag: 0,
            keep_blocks: KEEP_BLOCKS,
            time: ChainTime::Steps(BLOCK_STEP),
        }
    }
}

/// What a block takes when no clock says otherwise. Source: mainnet's mean in 2026.
pub const BLOCK_STEP: Duration = Duration::from_millis(600);

/// What a height takes while fast-forwarding. Source: measured on a sandbox node.
pub const FAST_FORWARD_STEP: Duration = Duration::from_millis(300);

/// Where the time of a block comes from.
#[derive(Clone, Debug)]
pub enum ChainTime {
    /// So long after the block before.
    Steps(Duration),
    /// A clock, put forward by what was fast-forwarded. Never going back.
    Clock(Clock),
}

impl ChainTime {
    /// The time that a clock shows.
    pub const fn of(clock: Clock) -> Self {
        Self::Clock(clock)
    }

    /// The time of the block after one of this time, with a clock put forward so far. All in nanoseconds.
    pub(crate) fn next(&self, last_ns: u64, forward_ns: u64) -> u64 {
        match self {
            Self::Steps(step) => last_ns.saturating_add(nanos(*step)),
            Self::Clock(clock) => {
                let now = clock
                    .now_ms()
                    .saturating_mul(1_000_000)
                    .saturating_add(forward_ns);
                now.max(last_ns.saturating_add(1))
            }
        }
    }
}

pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
