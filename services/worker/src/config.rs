//! What a worker is told.

use std::path::PathBuf;
use std::time::Duration;

use protocol::AccountId;

/// How a worker works.
#[derive(Clone, Debug)]
pub struct Config {
    /// The contract whose requests it answers.
    pub contract_id: AccountId,
    /// The account whose keys resolve, and sign builds.
    pub operator_id: AccountId,
    /// What guests see as `NEAR_NETWORK_ID`.
    pub network_id: String,
    /// Jobs at the same time.
    pub concurrency: usize,
    /// Where artifacts and builds are kept.
    pub folder: PathBuf,
    /// How long a request waits for its build at most before it is told to ask again.
    pub build_patience: Duration,
    /// The time between two blocks, by which a request waits no longer than its yield lives, less the time that it may run. None on a
    /// chain whose blocks come when there is something to do.
    ///
    /// A yield lives 200 blocks; mainnet's come every 0.6 s.
    pub block_time: Option<Duration>,
    /// How long to let jobs finish when the worker is told to stop; what is left then is handed back.
    pub stop_patience: Duration,
    /// The most that a guest may write as its answer.
    ///
    /// An answer travels in one transaction of at most 1,572,864 bytes (`max_transaction_size`), where a byte can take
    /// four characters.
    pub output_bytes: usize,
    /// Where `FastFS` serves what an account has published; `{owner}` stands for the account.
    pub fastfs_url: String,
    /// Where executions are kept for `outlayer replay`, if they are. Those that were given secrets never are.
    pub keep_runs: Option<PathBuf>,
    /// Whether what builds and guests print goes to the coordinator, for its operators only.
    pub keep_hidden_logs: bool,
}

impl Config {
    /// A worker with the usual patience.
    pub fn new(contract_id: AccountId, operator_id: AccountId, folder: PathBuf) -> Self {
        Self {
            contract_id,
            operator_id,
            network_id: "mainnet".into(),
            concurrency: 4,
            folder,
            build_patience: Duration::from_secs(100),
            block_time: Some(Duration::from_millis(600)),
            stop_patience: Duration::from_secs(30),
            output_bytes: 300 * 1024,
            fastfs_url: "https://{owner}.fastfs.io".into(),
            keep_runs: None,
            keep_hidden_logs: true,
        }
    }
}
