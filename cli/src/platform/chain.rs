//! The chain of a platform.

use std::path::PathBuf;

use anyhow::Result;
use localnet::genesis::GENESIS_BALANCE;
use localnet::{ChainTime, Config, Genesis, Server, ServerConfig};
use protocol::clock::{SystemClock, TellTime as _};

use super::{Accounts, Settings};

/// Starts a chain on which the platform's accounts have money.
pub(super) async fn start(
    settings: &Settings,
    folder: Option<PathBuf>,
    accounts: &Accounts,
) -> Result<Server> {
    let now_ns = SystemClock.now_ms().saturating_mul(1_000_000);
    let genesis = accounts
        .all()
        .into_iter()
        .fold(Genesis::sandbox(now_ns), |genesis, account| {
            genesis.with_account(account, GENESIS_BALANCE)
        });
    let mut chain = Config::in_memory(genesis);
    chain.folder = folder;
    chain.finality_lag = settings.finality_lag;
    chain.time = ChainTime::of(SystemClock::shared());
    let mut config = ServerConfig::over(chain);
    config.pace = settings.pace;
    Ok(Server::start(config).await?)
}
