//! A guest's memory, read and written by pointers that the guest gives and that are not believed.

use crate::wasi::errno::{Errno, FAULT, INVALID};
use crate::world::{Calling, World};

/// The most pieces that one call may gather or scatter. Linux has the same.
const MAX_PIECES: u32 = 1_024;

/// The guest's memory and its world, at the same time.
pub(crate) struct View<'a> {
    memory: &'a mut [u8],
    pub(crate) world: &'a mut World,
}

/// A piece of the guest's memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    at: u32,
    pub(crate) length: u32,
}

impl<'a> View<'a> {
    /// A guest without memory has nothing to point into.
    pub(crate) fn of(caller: &'a mut dyn Calling) -> Result<Self, Errno> {
        let (memory, world) = caller.parts();
        Ok(Self {
            memory: memory.ok_or(FAULT)?,
            world,
        })
    }

    pub(crate) fn bytes(&self, at: u32, length: u32) -> Result<&[u8], Errno> {
        let (start, end) = range(at, length)?;
        self.memory.get(start..end).ok_or(FAULT)
    }

    /// The memory for writing, apart from the world so that both can be used.
    pub(crate) fn split(&mut self, at: u32, length: u32) -> Result<(&mut [u8], &mut World), Errno> {
        let (start, end) = range(at, length)?;
        let bytes = self.memory.get_mut(start..end).ok_or(FAULT)?;
        Ok((bytes, self.world))
    }

    pub(crate) fn put(&mut self, at: u32, bytes: &[u8]) -> Result<(), Errno> {
        let length = u32::try_from(bytes.len()).map_err(|_| FAULT)?;
        self.split(at, length)?.0.copy_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn put_u32(&mut self, at: u32, value: u32) -> Result<(), Errno> {
        self.put(at, &value.to_le_bytes())
    }

    pub(crate) fn put_u64(&mut self, at: u32, value: u64) -> Result<(), Errno> {
        self.put(at, &value.to_le_bytes())
    }

    pub(crate) fn u32(&self, at: u32) -> Result<u32, Errno> {
        let bytes = self.bytes(at, 4)?.first_chunk().ok_or(FAULT)?;
        Ok(u32::from_le_bytes(*bytes))
    }

    pub(crate) fn u64(&self, at: u32) -> Result<u64, Errno> {
        let bytes = self.bytes(at, 8)?.first_chunk().ok_or(FAULT)?;
        Ok(u64::from_le_bytes(*bytes))
    }

    /// The pieces that an array of `count` pointers and lengths names, all of them within the memory.
    pub(crate) fn pieces(&self, at: u32, count: u32) -> Result<Vec<Piece>, Errno> {
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

    pub(crate) fn split_piece(&mut self, piece: Piece) -> Result<(&mut [u8], &mut World), Errno> {
        self.split(piece.at, piece.length)
    }
}

/// The address of the `number`th entry of an array of entries of `size` bytes.
pub(crate) fn step(at: u32, number: u32, size: u32) -> Result<u32, Errno> {
    number
        .checked_mul(size)
        .and_then(|offset| at.checked_add(offset))
        .ok_or(FAULT)
}

/// What all pieces come to.
pub(crate) fn total(pieces: &[Piece]) -> u64 {
    pieces
        .iter()
        .fold(0, |sum: u64, piece| sum.saturating_add(piece.length.into()))
}

fn range(at: u32, length: u32) -> Result<(usize, usize), Errno> {
    let start = usize::try_from(at).map_err(|_| FAULT)?;
    let length = usize::try_from(length).map_err(|_| FAULT)?;
    Ok((start, start.checked_add(length).ok_or(FAULT)?))
}
