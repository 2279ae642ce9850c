//! Every setting of the keystore. Whoever starts it fills this in; nothing else reads the environment.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use protocol::AccountId;

use crate::master::Master;

/// The settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the coordinator calls; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The contract that keeps the secrets and the requests.
    pub contract_id: AccountId,
    /// To whom an owner's signature must be addressed: usually the contract.
    pub recipient: String,
    /// Where the master key comes from.
    pub master: Master,
    /// Where used nonces are kept.
    pub nonces: PathBuf,
    /// How often one may ask.
    pub limits: Limits,
}

/// How often one may ask, each in calls a minute; as many may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// One worker, for secrets.
    pub per_worker: u32,
    /// All who are not yet known as workers, together.
    pub strangers: u32,
    /// One caller's requests, for secrets.
    pub per_caller: u32,
    /// About one owner's secrets: keys, generated secrets and updates, each.
    pub per_owner: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_worker: 6_000,
            strangers: 120,
            per_caller: 1_200,
            per_owner: 60,
        }
    }
}

impl Config {
    /// The usual settings, with what is kept under `data_dir` and a free loopback port.
    pub fn new(contract_id: AccountId, master: Master, data_dir: &Path) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            recipient: contract_id.to_string(),
            contract_id,
            master,
            nonces: data_dir.join("keystore-nonces"),
            limits: Limits::default(),
        }
    }
}
