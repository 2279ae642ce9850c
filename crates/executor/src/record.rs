//! All that an execution was given, and what it came to, kept so that it can be run again.

use borsh::{BorshDeserialize, BorshSerialize};
use guest::{Clock, Run};
use metering::METERING_VERSION;

use crate::execution::Execution;

/// What a record begins with: its name and its version.
const MAGIC: &[u8; 16] = b"outlayer-run/3\r\n";

/// An execution to be run again. It holds the input and the environment, secrets included: keep it as you keep those.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Record {
    /// The definition of gas that it was metered by.
    pub metering_version: u32,
    /// The artifact.
    pub wasm: Vec<u8>,
    /// What the guest was given, with the clock's readings in the place of the machine's clock.
    pub run: Run,
    /// How it ended, in words.
    pub outcome: String,
    /// What it used.
    pub instructions: u64,
    /// What it wrote.
    pub stdout: Vec<u8>,
}

/// Why bytes are not a record.
#[derive(Debug, thiserror::Error)]
pub enum BadRecord {
    /// It is something else, or damaged.
    #[error("this is no record of an execution, or it is damaged")]
    NotARecord,
    /// It was metered by another definition of gas.
    #[error("it was metered by version {0} of gas; this program has {METERING_VERSION}")]
    OtherMetering(u32),
}

impl Record {
    /// The record of an execution; `None` if it cannot be repeated, since it looked at the machine's clock too often.
    pub fn of(wasm: Vec<u8>, mut run: Run, execution: &Execution) -> Option<Self> {
        if run.clock == Clock::System {
            run.clock = Clock::Recorded(execution.readings.clone()?);
        }
        Some(Self {
            metering_version: METERING_VERSION,
            wasm,
            run,
            outcome: execution.outcome.to_string(),
            instructions: execution.instructions,
            stdout: execution.stdout.clone(),
        })
    }

    /// Whether another run came to the same.
    pub fn is_repeated_by(&self, execution: &Execution) -> bool {
        self.outcome == execution.outcome.to_string()
            && self.instructions == execution.instructions
            && self.stdout == execution.stdout
    }

    /// The bytes to keep.
    pub fn to_bytes(&self) -> std::io::Result<Vec<u8>> {
        let mut bytes = MAGIC.to_vec();
        self.serialize(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads what was kept.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadRecord> {
        let (magic, record) = bytes
            .split_first_chunk::<16>()
            .ok_or(BadRecord::NotARecord)?;
        if magic != MAGIC {
            return Err(BadRecord::NotARecord);
        }
        let record: Self = borsh::from_slice(record).map_err(|_| BadRecord::NotARecord)?;
        if record.metering_version != METERING_VERSION {
            return Err(BadRecord::OtherMetering(record.metering_version));
        }
        Ok(record)
    }
}
