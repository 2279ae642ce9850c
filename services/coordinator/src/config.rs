//! Every setting of the coordinator. Whoever starts it fills this in; nothing else reads the environment.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use protocol::{AccountId, event};
use reqwest::Url;

use crate::store::Database;
use crate::{artifacts, branches, ingest, logs, queue};

/// The settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where anyone and the workers call; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where only this machine calls; port 0 takes a free one.
    pub admin_listen: SocketAddr,
    /// Where the tables are.
    pub database: Database,
    /// How the chain is read.
    pub ingest: ingest::Settings,
    /// How the queue behaves.
    pub queue: queue::Settings,
    /// How artifacts are kept.
    pub artifacts: artifacts::Settings,
    /// How hidden logs are kept.
    pub logs: logs::Settings,
    /// How long it is known of which branch a commit is.
    pub branches: branches::Settings,
    /// Where the keystore is, if there is one: `/secrets/*` is passed on to it.
    pub keystore: Option<Url>,
}

impl Config {
    /// The usual settings for `contract_id`, with everything under `data_dir` and both listeners on free loopback ports.
    pub fn new(contract_id: AccountId, data_dir: &Path) -> Self {
        let free_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            listen: free_port,
            admin_listen: free_port,
            database: Database::File(data_dir.join("coordinator.sqlite")),
            ingest: ingest::Settings {
                contract_id,
                event_standard: event::STANDARD.to_owned(),
                start: ingest::Start::Latest,
                poll_ms: 100,
                retry_ms: 250,
            },
            queue: queue::Settings::default(),
            artifacts: artifacts::Settings::in_dir(data_dir.join("artifacts")),
            logs: logs::Settings::default(),
            branches: branches::Settings::default(),
            keystore: None,
        }
    }
}
