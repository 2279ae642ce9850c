//! What an executor and a compiling process say to each other over its stdin and stdout: one frame each way.
//!
//! A frame is its length, four bytes, little-endian, and a message in borsh. The process believes the executor; the executor bounds
//! whatever it is told.

use std::io::{self, Read, Write};

use borsh::{BorshDeserialize, BorshSerialize};
use metering::Refusal;

use crate::form::Form;

/// The largest compiled module that is taken.
pub(crate) const MAX_CODE_BYTES: usize = 256 << 20;

/// What a compiling process is asked.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub(crate) struct Ask {
    /// The module.
    pub(crate) wasm: Vec<u8>,
    /// What to make of it.
    pub(crate) form: Form,
    /// Memory of the process.
    pub(crate) memory_bytes: u64,
    /// Processor time.
    pub(crate) cpu_seconds: u64,
    /// Whether the process may go on where a layer of its jail cannot be had.
    pub(crate) may_lack_layers: bool,
}

/// What it answers.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub(crate) enum Told {
    /// The module is compiled.
    Compiled {
        /// Code of the engine.
        code: Vec<u8>,
    },
    /// The module is not to be run.
    Refused(Refusal),
    /// The process itself failed.
    Failed(String),
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
pub(crate) fn read(from: &mut impl Read) -> io::Result<Ask> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_le_bytes(length)).map_err(io::Error::other)?;
    let mut message = vec![0; length];
    from.read_exact(&mut message)?;
    borsh::from_slice(&message)
}

/// Writes a whole frame.
pub(crate) fn write(to: &mut impl Write, message: &Told) -> io::Result<()> {
    to.write_all(&frame(message)?)?;
    to.flush()
}
