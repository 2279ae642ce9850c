//! How a node is run: where it listens, when it makes blocks, how long it lets clients wait.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// The longest a call waits for a transaction, as a node's `rpc.polling_config.polling_timeout` has it by default.
pub const WAIT_LIMIT: Duration = Duration::from_secs(10);

/// The largest request body in bytes, as a node's `rpc.limits_config.json_payload_max_size` has it by default.
pub const BODY_LIMIT: usize = 10 << 20;

/// The largest state without code, in bytes, that one `view_state` shows; a node's `trie_viewer_state_size_limit`.
pub const STATE_VIEW_LIMIT: u64 = 50_000;

/// The most access keys in one answer; a node's `view_access_keys_limit`.
pub const KEYS_VIEW_LIMIT: usize = 100;

/// When blocks are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Only when asked for: a test that holds the clock.
    Manual,
    /// As soon as a transaction or a receipt waits; an idle chain stands still.
    OnDemand,
    /// As soon as work waits, and one each interval while idle: a node for clients that wait for time to pass.
    OnDemandAndEvery(Duration),
    /// One each interval, work or none: the rhythm of a public network.
    Every(Duration),
}

impl Pace {
    pub(super) const fn follows_work(self) -> bool {
        matches!(self, Self::OnDemand | Self::OnDemandAndEvery(_))
    }

    pub(super) const fn interval(self) -> Option<Duration> {
        match self {
            Self::OnDemandAndEvery(every) | Self::Every(every) => Some(every),
            Self::Manual | Self::OnDemand => None,
        }
    }
}

/// Settings of a [`Server`](super::Server).
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub rpc_addr: SocketAddr,
    /// When blocks are made.
    pub pace: Pace,
    /// How many blocks lie between the newest and the newest final one; 0 makes every block final at once.
    pub finality_lag: u64,
    /// How long a call may wait for a transaction before it is answered with a time-out.
    pub wait_limit: Duration,
    /// The largest request body, in bytes.
    pub body_limit: usize,
    /// The largest state without code, in bytes, that one unpaged `view_state` shows.
    pub state_view_limit: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rpc_addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            pace: Pace::OnDemand,
            finality_lag: 0,
            wait_limit: WAIT_LIMIT,
            body_limit: BODY_LIMIT,
            state_view_limit: STATE_VIEW_LIMIT,
        }
    }
}
