//! `outlayer keystore`

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use protocol::AccountId;

use super::Chain;

/// `outlayer keystore`
#[derive(Debug, Args)]
pub struct Keystore {
    #[command(flatten)]
    pub chain: Chain,
    /// Where the coordinator calls.
    #[arg(
        long,
        env = "OUTLAYER_KEYSTORE_LISTEN",
        default_value = "127.0.0.1:8082"
    )]
    pub listen: SocketAddr,
    /// The account whose keys are the workers'.
    #[arg(long, env = "OUTLAYER_OPERATOR", default_value = "operator.test")]
    pub operator: AccountId,
    /// The folder of used nonces, and of the master key unless it is elsewhere.
    #[arg(long, env = "OUTLAYER_DATA")]
    pub data: PathBuf,
    #[command(flatten)]
    pub master: MasterKey,
}

/// Where the master key comes from.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct MasterKey {
    /// A file that only its owner can read: 32 bytes, or 64 hexadecimal digits.
    #[arg(
        long = "master-key-file",
        env = "OUTLAYER_MASTER_KEY_FILE",
        value_name = "FILE"
    )]
    pub file: Option<PathBuf>,
    /// The socket of dstack's agent, which derives the key for this application.
    #[arg(long, env = "OUTLAYER_DSTACK_SOCKET", value_name = "SOCKET")]
    pub dstack: Option<PathBuf>,
    /// The key itself, 64 hexadecimal digits. For development only: whoever reads the settings reads every secret.
    #[arg(
        long = "insecure-master-key",
        env = "OUTLAYER_INSECURE_MASTER_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub setting: Option<String>,
}

/// Under which path dstack's agent derives the key.
const DSTACK_PATH: &str = "outlayer/keystore/master";

impl MasterKey {
    /// The one that was named.
    pub fn named(self) -> Option<keystore::Master> {
        let file = self.file.map(keystore::Master::File);
        let dstack = self.dstack.map(|socket| keystore::Master::Dstack {
            socket,
            path: DSTACK_PATH.to_owned(),
        });
        let setting = self.setting;
        let setting = setting.map(|digits| keystore::Master::Setting(digits.into()));
        file.or(dstack).or(setting)
    }
}
