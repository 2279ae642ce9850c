//! A guest's memory, read and written by pointers that the guest gives and that are not believed.

use wasmtime::Caller;

use super::errno::{Errno, FAULT, INVALID};
use crate::child::host::Host;

/// The most pieces that one call may gather or scatter. Linux has the same.
const MAX_PIECES: u32 = 1_024;

/// The guest's memory and its world, at the same time.
pub(super) struct View<'a> {
    memory: &'a mut [u8],
    pub(super) host: &'a mut Host,
}

/// A piece of the guest's memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    at: u32,
    pub(super) length: u32,
}

impl<'a> View<'a> {
    /// A guest without memory has nothing to point into.
    pub(super) fn of(caller: &'a mut Caller<'_, Host>) -> Result<Self, Errno> {
        let memory = caller.data().memory.ok_or(FAULT)?;
        let (memory, host) = memory.data_and_store_mut(caller);
        Ok(Self { memory, host })
    }

    pub(super) fn bytes(&self, at: u32, length: u32) -> Result<&[u8], Errno> {
        let (start, end) = range(at, length)?;
        self.memory.get(start..end).ok_or(FAULT)
    }

    /// The memory for writing, apart from the host so that both can be used.
    pub(super) fn split(&mut self, at: u32, length: u32) -> Result<(&mut [u8], &mut Host), Errno> {
        let (start, end) = range(at, length)?;
        let bytes = self.memory.get_mut(start..end).ok_or(FAULT)?;
        Ok((bytes, self.host))
    }

    pub(super) fn put(&mut self, at: u32, bytes: &[u8]) -> Result<(), Errno> {
        let length = u32::try_from(bytes.len()).map_err(|_| FAULT)?;
        self.split(at, length)?.0.copy_from_slice(bytes);
        Ok(())
    }

    pub(super) fn put_u32(&mut self, at: u32, value: u32) -> Result<(), Errno> {
        self.put(at, &value.to_le_bytes())
    }

    pub(super) fn put_u64(&mut self, at: u32, value: u64) -> Result<(), Errno> {
        self.put(at, &value.to_le_bytes())
    }

    pub(super) fn u32(&self, at: u32) -> Result<u32, Errno> {
        let bytes = self.bytes(at, 4)?.first_chunk().ok_or(FAULT)?;
        Ok(u32::from_le_bytes(*bytes))
    }

    pub(super) fn u64(&self, at: u32) -> Result<u64, Errno> {
        let bytes = self.bytes(at, 8)?.first_chunk().ok_or(FAULT)?;
        Ok(u64::from_le_bytes(*bytes))
    }

    /// The pieces that an array of `count` pointers and lengths names, all of them within the memory.
    pub(super) fn pieces(&self, at: u32, count: u32) -> Result<Vec<Piece>, Errno> {
        if count > MAX_PIECES {
            return Err(INVALID);
        }
        let mut pieces = Vec::new();
        for number in 0..count {
            let entry = step(at, number, 8)?;
            let piece = Piece {
                at: self.u32(entry)?,
                length: self.u32(step(entry, 1, 4)?)?,
            };
            self.bytes(piece.at, piece.length)?;
            pieces.push(piece);
        }
        Ok(pieces)
    }

    pub(super) fn piece(&self, piece: Piece) -> Result<&[u8], Errno> {
        self.bytes(piece.at, piece.length)
    }

    pub(super) fn split_piece(&mut self, piece: Piece) -> Result<(&mut [u8], &mut Host), Errno> {
        self.split(piece.at, piece.length)
    }
}

/// The address of the `number`th entry of an array of entries of `size` bytes.
pub(super) fn step(at: u32, number: u32, size: u32) -> Result<u32, Errno> {
    number
        .checked_mul(size)
        .and_then(|offset| at.checked_add(offset))
        .ok_or(FAULT)
}

/// What all pieces come to.
pub(super) fn total(pieces: &[Piece]) -> u64 {
    pieces
        .iter()
        .fold(0, |sum: u64, piece| sum.saturating_add(piece.length.into()))
}

fn range(at: u32, length: u32) -> Result<(usize, usize), Errno> {
    let start = usize::try_from(at).map_err(|_| FAULT)?;
    let length = usize::try_from(length).map_err(|_| FAULT)?;
    Ok((start, start.checked_add(length).ok_or(FAULT)?))
}
