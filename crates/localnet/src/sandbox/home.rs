//! The folder of a node, in neard's layout: `config.json`, `genesis.json`, keys, and the blocks under `data`.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use near_chain_configs::GenesisConfig;
use near_crypto::KeyFile;
use near_primitives::state_record::StateRecord;
use near_primitives::types::{AccountId, Balance};
use near_primitives::version::PROTOCOL_VERSION;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::chain::EPOCH_LENGTH;
use crate::folder::Error;
use crate::genesis::{BLOCK_STEP, Config as ChainConfig, Genesis, VALIDATOR, secret_key};
use crate::server::{BODY_LIMIT, Config, Pace, STATE_VIEW_LIMIT, WAIT_LIMIT};

/// A node's folder.
#[derive(Debug)]
pub struct Home;

impl Home {
    /// Makes the folder: [`Genesis::sandbox`], with key files for the validator and the registrar.
    pub fn init(home: &Path, chain_id: &str, now_ms: u64) -> Result<(), Error> {
        fs::create_dir_all(home).map_err(Error::of(home))?;
        let now_ns = now_ms.saturating_mul(1_000_000);
        let genesis = Genesis {
            chain_id: chain_id.to_owned(),
            ..Genesis::sandbox(now_ns)
        };
        write(home, "config.json", &settings())?;
        write(home, "genesis.json", &genesis_file(&genesis))?;
        for (file, id) in [
            ("validator_key.json", VALIDATOR),
            ("node_key.json", "node"),
            ("registrar.json", "registrar"),
        ] {
            if let Ok(id) = id.parse() {
                write_key(home, file, id)?;
            }
        }
        Ok(())
    }

    /// How to run the node whose folder this is.
    pub fn open(home: &Path) -> Result<Config, Error> {
        let settings: Settings = read(home, "config.json")?;
        let GenesisFile {
            chain_id,
            genesis_time,
            records,
        } = read(home, "genesis.json")?;
        let time_ns = genesis_time
            .timestamp_nanos_opt()
            .and_then(|ns| u64::try_from(ns).ok())
            .unwrap_or_default();
        let mut chain = ChainConfig::in_memory(Genesis {
            chain_id,
            time_ns,
            records,
        });
        chain.folder = Some(home.join("data"));
        Ok(settings.over(chain))
    }
}

fn settings() -> Value {
    json!({
        "rpc": {
            "addr": "127.0.0.1:3030",
            "polling_config": { "polling_timeout": { "secs": WAIT_LIMIT.as_secs(), "nanos": 0 } },
            "limits_config": { "json_payload_max_size": BODY_LIMIT },
        },
        "consensus": {
            "min_block_production_delay": { "secs": BLOCK_STEP.as_secs(), "nanos": BLOCK_STEP.subsec_nanos() },
        },
        "trie_viewer_state_size_limit": STATE_VIEW_LIMIT,
    })
}

/// The part of a node's `config.json` that means something here; callers add much more.
#[derive(Debug, Deserialize)]
#[serde(default)]
struct Settings {
    rpc: RpcSettings,
    consensus: Consensus,
    trie_viewer_state_size_limit: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rpc: RpcSettings::default(),
            consensus: Consensus::default(),
            trie_viewer_state_size_limit: Some(STATE_VIEW_LIMIT),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RpcSettings {
    addr: Option<SocketAddr>,
    polling_config: Polling,
    limits_config: Limits,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
struct Polling {
    polling_timeout: Duration,
}

impl Default for Polling {
    fn default() -> Self {
        Self {
            polling_timeout: WAIT_LIMIT,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default)]
struct Limits {
    json_payload_max_size: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            json_payload_max_size: BODY_LIMIT,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default)]
struct Consensus {
    min_block_production_delay: Duration,
}

impl Default for Consensus {
    fn default() -> Self {
        Self {
            min_block_production_delay: BLOCK_STEP,
        }
    }
}

impl Settings {
    fn over(self, chain: ChainConfig) -> Config {
        let config = Config::over(chain);
        Config {
            rpc_addr: self.rpc.addr.unwrap_or(config.rpc_addr),
            pace: Pace::OnDemandAndEvery(self.consensus.min_block_production_delay),
            wait_limit: self.rpc.polling_config.polling_timeout,
            body_limit: self.rpc.limits_config.json_payload_max_size,
            state_view_limit: self.trie_viewer_state_size_limit.unwrap_or(u64::MAX),
            ..config
        }
    }
}

/// The part of a `genesis.json` that means something here.
#[derive(Debug, Deserialize)]
struct GenesisFile {
    chain_id: String,
    genesis_time: chrono::DateTime<chrono::Utc>,
    records: Vec<StateRecord>,
}

/// The whole file, as callers expect it: they add accounts to `records` and their money to `total_supply`.
fn genesis_file(genesis: &Genesis) -> Value {
    let genesis_time = i64::try_from(genesis.time_ns).unwrap_or(i64::MAX);
    let config = GenesisConfig {
        protocol_version: PROTOCOL_VERSION,
        genesis_time: chrono::DateTime::from_timestamp_nanos(genesis_time),
        chain_id: genesis.chain_id.clone(),
        total_supply: total(&genesis.records),
        epoch_length: EPOCH_LENGTH,
        ..GenesisConfig::default()
    };
    let mut file = json!(config);
    if let Some(file) = file.as_object_mut() {
        file.insert("records".to_owned(), json!(genesis.records));
    }
    file
}

fn total(records: &[StateRecord]) -> Balance {
    records
        .iter()
        .fold(Balance::ZERO, |sum, record| match record {
            StateRecord::Account { account, .. } => sum
                .saturating_add(account.amount())
                .saturating_add(account.locked()),
            _ => sum,
        })
}

fn write_key(home: &Path, file: &str, account_id: AccountId) -> Result<(), Error> {
    let secret_key = secret_key(&account_id);
    let key = KeyFile {
        public_key: secret_key.public_key(),
        account_id,
        secret_key,
    };
    let path = home.join(file);
    key.write_to_file(&path).map_err(Error::of(&path))
}

fn write(home: &Path, file: &str, content: &Value) -> Result<(), Error> {
    let path = home.join(file);
    fs::write(&path, format!("{content:#}\n")).map_err(Error::of(&path))
}

fn read<T: DeserializeOwned>(home: &Path, file: &str) -> Result<T, Error> {
    let path = home.join(file);
    let text = fs::read(&path).map_err(Error::of(&path))?;
    serde_json::from_slice(&text).map_err(|source| Error::Json { path, source })
}
