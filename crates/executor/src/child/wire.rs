//! What an executor and a compiling process say to each other over its stdin and stdout: one frame each way.
//!
//! A frame is its length, four bytes, little-endian, and a message in borsh. The process believes the executor; the executor bounds
//! whatever it is told.

use std::io::{self, Read, Write};

use borsh::{BorshDeserialize, BorshSerialize};
use guest::wire::Frame;
use metering::{Refusal, Variant};

use crate::form::Form;

/// The largest compiled module that is taken.
pub(crate) const MAX_CODE_BYTES: usize = 256 << 20;

/// What a compiling process is asked.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub(crate) struct Ask {
    /// The module.
    pub(crate) wasm: Vec<u8>,
    /// What to do with it.
    pub(crate) deed: Deed,
    /// Memory of the process.
    pub(crate) memory_bytes: u64,
    /// Processor time.
    pub(crate) cpu_seconds: u64,
    /// Whether the process may go on where a layer of its jail cannot be had.
    pub(crate) may_lack_layers: bool,
}

/// What is to be done with a module.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub(crate) enum Deed {
    /// Make code of this form.
    Compile(Form),
    /// Say where in its source these frames of a backtrace are, of code of this variant.
    Locate {
        /// The variant.
        variant: Variant,
        /// The frames.
        frames: Vec<Frame>,
    },
}

/// A place in the source. Inlined functions make several of one frame, the innermost first.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Origin {
    /// The function's name, readable.
    pub(crate) function: Option<String>,
    /// The file.
    pub(crate) file: String,
    /// The line in it.
    pub(crate) line: u32,
}

/// What it answers.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub(crate) enum Told {
    /// The module is compiled.
    Compiled {
        /// Code of the engine.
        code: Vec<u8>,
    },
    /// The places of each frame, none if the module does not say.
    Located(Vec<Vec<Origin>>),
    /// The module has nothing that leads to its source.
    Lineless,
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
