//! What an executor and its child say to each other over the child's stdin and stdout: one frame each way.
//!
//! A frame is its length, four bytes, little-endian, and a message in borsh. The child believes its parent; the parent bounds and
//! checks whatever a child says.

use std::io::{self, Read, Write};
use std::time::Duration;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::outcome::Outcome;
use crate::run::Run;
use metering::Refusal;

/// The largest compiled module that is taken from a child.
pub(crate) const MAX_CODE_BYTES: usize = 256 << 20;

/// The longest backtrace that is taken from a child.
pub(crate) const MAX_BACKTRACE_BYTES: usize = 16 << 10;

/// Room in a report for all but the output and the messages.
pub(crate) const REPORT_SLACK_BYTES: usize = MAX_BACKTRACE_BYTES + (16 << 10);

/// What a child is asked.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub(crate) enum Request {
    /// Meter and compile a module.
    Compile {
        /// The module.
        wasm: Vec<u8>,
        /// Memory of the process.
        memory_bytes: u64,
        /// Processor time.
        cpu_seconds: u64,
    },
    /// Run a compiled module.
    Run {
        /// The path of the compiled module's file, which need not be text.
        code: Vec<u8>,
        /// The rest.
        run: Run,
    },
}

/// What a child answers.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub(crate) enum Response {
    /// The module is compiled.
    Compiled {
        /// Code of the engine.
        code: Vec<u8>,
        /// What a trap gives back.
        unspent: Vec<u8>,
    },
    /// The module is not to be run.
    Refused(Refusal),
    /// The guest ended.
    Ran(Report),
    /// The compiled module is not there, or is of another engine.
    Unusable(String),
    /// The child itself failed.
    Failed(String),
}

/// How a guest ended, as its child tells it.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub(crate) struct Report {
    /// How it ended, before it is known what a trap gives back.
    pub(crate) outcome: Outcome,
    /// What was charged; above the limit if the guest overdrew it.
    pub(crate) charged: u64,
    /// Where it trapped: which defined function, and the offset in its body.
    pub(crate) place: Option<(u32, u32)>,
    /// Its output.
    pub(crate) stdout: Vec<u8>,
    /// Its messages.
    pub(crate) stderr: Vec<u8>,
    /// Bytes of messages that were dropped.
    pub(crate) stderr_dropped: u64,
    /// The most linear memory it had.
    pub(crate) memory_peak_bytes: u64,
}

/// Puts a message into a frame.
pub(crate) fn frame(message: &impl BorshSerialize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 4];
    message.serialize(&mut bytes)?;
    let length = u32::try_from(bytes.len().saturating_sub(4))
        .map_err(|_| io::Error::other("the message is too long for a frame"))?;
    if let Some(head) = bytes.first_chunk_mut() {
        *head = length.to_le_bytes();
    }
    Ok(bytes)
}

/// Reads a whole frame; only for a child, which believes its parent.
pub(crate) fn read(from: &mut impl Read) -> io::Result<Request> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_le_bytes(length)).map_err(io::Error::other)?;
    let mut message = vec![0; length];
    from.read_exact(&mut message)?;
    borsh::from_slice(&message)
}

/// Writes a whole frame.
pub(crate) fn write(to: &mut impl Write, message: &Response) -> io::Result<()> {
    to.write_all(&frame(message)?)?;
    to.flush()
}

/// A duration as seconds and nanoseconds.
pub(crate) fn write_duration(duration: &Duration, to: &mut impl Write) -> io::Result<()> {
    (duration.as_secs(), duration.subsec_nanos()).serialize(to)
}

/// The inverse of [`write_duration`].
pub(crate) fn read_duration(from: &mut impl Read) -> io::Result<Duration> {
    let (seconds, nanos) = <(u64, u32)>::deserialize_reader(from)?;
    Duration::from_secs(seconds)
        .checked_add(Duration::from_nanos(nanos.into()))
        .ok_or_else(|| io::Error::other("the duration is too long"))
}
