//! What an execution came to.

use std::time::Duration;

use guest::{Outcome, Stack};

/// What an execution came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// How it ended.
    pub outcome: Outcome,
    /// What it wrote to its output, up to the cap. Empty when it was killed before it could tell.
    pub stdout: Vec<u8>,
    /// What it wrote to its messages, up to the cap.
    pub stderr: Vec<u8>,
    /// Bytes of messages beyond the cap, which were dropped.
    pub stderr_dropped: u64,
    /// Metered instructions. For a guest that ran out of time those up to its last host call.
    pub instructions: u64,
    /// From the start of its process to its answer; never more than its limit.
    pub wall: Duration,
    /// The most linear memory it had.
    pub memory_peak_bytes: u64,
    /// How long the module took to compile, if it was not in the cache.
    pub compile: Option<Duration>,
    /// What it gave back of the dollars that were attached, which counts if it succeeded. Unit: millionths.
    pub refund_usd: Option<u64>,
    /// What it read of the machine's clock, if its clock was the machine's: by these readings it can be run again. `None` if they were
    /// more than are kept.
    pub readings: Option<Vec<u64>>,
    /// Gas by stacks of functions, if that was asked for.
    pub profile: Vec<Stack>,
}
