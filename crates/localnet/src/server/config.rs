//! How a node is run: where it listens, when it makes blocks, how long it lets clients wait.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::genesis::Config as ChainConfig;

/// The longest a call waits for a transaction, as a node's `rpc.polling_config.polling_timeout` has it by default.
pub const WAIT_LIMIT: Duration = Duration::from_secs(10);

/// The largest request body in bytes, as a node's `rpc.limits_config.json_payload_max_size` has it by default.
pub const BODY_LIMIT: usize = 10 << 20;

/// The largest state without code, in bytes, that one `view_state` shows; a node's `trie_viewer_state_size_limit`.
pub const STATE_VIEW_LIMIT: u64 = 50_000;

/// How long the feed waits for a block that is about to come, before it says that there is none.
pub const FEED_WAIT: Duration = Duration::from_secs(1);

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

    pub(crate) const fn interval(self) -> Option<Duration> {
        match self {
            Self::OnDemandAndEvery(every) | Self::Every(every) => Some(every),
            Self::Manual | Self::OnDemand => None,
        }
    }
}

/// Settings of a [`Server`](super::Server).
#[derive(Clone, Debug)]
pub struct Config {
    /// The chain: what it starts from, where it is kept, how far finality lags.
    pub chain: ChainConfig,
    /// Where to listen; port 0 takes a free one.
    pub rpc_addr: SocketAddr,
    /// When blocks are made.
    pub pace: Pace,
    /// How long a call may wait for a transaction before it is answered with a time-out.
    pub wait_limit: Duration,
    /// The largest request body, in bytes.
    pub body_limit: usize,
    /// The largest state without code, in bytes, that one unpaged `view_state` shows.
    pub state_view_limit: u64,
    /// How long the feed holds a request for a block that is about to come.
    pub feed_wait: Duration,
}

impl Config {
    /// A node on a free port of this machine that makes blocks on demand.
    pub const fn over(chain: ChainConfig) -> Self {
        Self {
            chain,
            rpc_addr: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            pace: Pace::OnDemand,
            wait_limit: WAIT_LIMIT,
            body_limit: BODY_LIMIT,
            state_view_limit: STATE_VIEW_LIMIT,
            feed_wait: FEED_WAIT,
        }
    }
}
