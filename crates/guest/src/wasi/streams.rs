//! stdin, stdout and stderr.

use super::errno::{Answer, BAD_FD, Errno, NOT_SUPPORTED, answer};
use std::sync::atomic::Ordering;

use super::words;
use crate::memory::{View, total};
use crate::world::{Calling, Stop, World, charge};

const STDIN: u32 = 0;
const STDOUT: u32 = 1;
const STDERR: u32 = 2;

/// `filetype` of a terminal or pipe. Source: `wasi_snapshot_preview1.witx`.
const CHARACTER_DEVICE: u8 = 2;

/// The rights to read and to write a descriptor, by their bits.
const RIGHT_TO_READ: u64 = 1 << 1;
const RIGHT_TO_WRITE: u64 = 1 << 6;

fn open(world: &World, fd: u32) -> Result<(), Errno> {
    let fd = usize::try_from(fd).map_err(|_| BAD_FD)?;
    if world.open.get(fd) == Some(&true) {
        Ok(())
    } else {
        Err(BAD_FD)
    }
}

pub(super) fn read(caller: &mut dyn Calling, args: &[u64]) -> Answer {
    let [fd, pieces, count, out] = words(args);
    let wanted = View::of(caller).and_then(|view| {
        open(view.world, fd)?;
        if fd != STDIN {
            return Err(BAD_FD);
        }
        let pieces = view.pieces(pieces, count)?;
        let left = view.world.input.len().saturating_sub(view.world.read);
        let left = u64::try_from(left).unwrap_or(u64::MAX);
        Ok((total(&pieces).min(left), pieces))
    });
    charge(caller, wanted.as_ref().map_or(0, |(bytes, _)| *bytes))?;
    answer(wanted.and_then(|(bytes, pieces)| {
        let mut view = View::of(caller)?;
        for piece in pieces {
            let (to, world) = view.split_piece(piece)?;
            let from = world.input.get(world.read..).unwrap_or_default();
            let length = to.len().min(from.len());
            for (to, from) in to.iter_mut().zip(from) {
                *to = *from;
            }
            world.read = world.read.saturating_add(length);
        }
        view.put_u32(out, u32::try_from(bytes).unwrap_or(u32::MAX))
    }))
}

pub(super) fn write(caller: &mut dyn Calling, args: &[u64]) -> Answer {
    let [fd, pieces, count, out] = words(args);
    let given = View::of(caller).and_then(|view| {
        open(view.world, fd)?;
        if fd != STDOUT && fd != STDERR {
            return Err(BAD_FD);
        }
        let pieces = view.pieces(pieces, count)?;
        // Where the answer goes is looked at before anything is done.
        view.bytes(out, 4)?;
        Ok(pieces)
    });
    charge(caller, given.as_ref().map_or(0, |pieces| total(pieces)))?;
    let pieces = match given {
        Ok(pieces) => pieces,
        Err(errno) => return answer(Err(errno)),
    };
    let mut view = match View::of(caller) {
        Ok(view) => view,
        Err(errno) => return answer(Err(errno)),
    };
    for piece in &pieces {
        let Ok((bytes, world)) = view.split_piece(*piece) else {
            continue;
        };
        let fits = if fd == STDOUT {
            keep_output(world, bytes)
        } else {
            keep_message(world, bytes);
            true
        };
        if !fits {
            return Err(Stop::OutputTooLarge);
        }
    }
    let written = u32::try_from(total(&pieces)).unwrap_or(u32::MAX);
    answer(view.put_u32(out, written))
}

/// Keeps what fits, and says whether that was all.
pub(crate) fn keep_output(world: &World, bytes: &[u8]) -> bool {
    world.seen.stdout.append(bytes) == bytes.len()
}

/// Keeps what fits and counts the rest.
pub(crate) fn keep_message(world: &World, bytes: &[u8]) {
    let dropped = bytes.len().saturating_sub(world.seen.stderr.append(bytes));
    let dropped = u64::try_from(dropped).unwrap_or(u64::MAX);
    world
        .seen
        .stderr_dropped
        .fetch_add(dropped, Ordering::Relaxed);
}

pub(super) fn close(caller: &mut dyn Calling, args: &[u64]) -> Answer {
    let [fd] = words(args);
    charge(caller, 0)?;
    let (_, world) = caller.parts();
    answer(open(world, fd).and_then(|()| {
        let fd = usize::try_from(fd).map_err(|_| BAD_FD)?;
        *world.open.get_mut(fd).ok_or(BAD_FD)? = false;
        Ok(())
    }))
}

/// `fdstat`: type at 0, flags at 2, rights at 8, inheriting rights at 16.
pub(super) fn describe(caller: &mut dyn Calling, args: &[u64]) -> Answer {
    let [fd, out] = words(args);
    charge(caller, 24)?;
    answer(View::of(caller).and_then(|mut view| {
        open(view.world, fd)?;
        let rights = if fd == STDIN {
            RIGHT_TO_READ
        } else {
            RIGHT_TO_WRITE
        };
        let mut status = Vec::from([CHARACTER_DEVICE, 0, 0, 0, 0, 0, 0, 0]);
        status.extend_from_slice(&rights.to_le_bytes());
        status.extend_from_slice(&[0; 8]);
        view.put(out, &status)
    }))
}

pub(super) fn set_flags(caller: &mut dyn Calling, args: &[u64]) -> Answer {
    let [fd, _flags] = words(args);
    charge(caller, 0)?;
    answer(open(caller.parts().1, fd).and(Err(NOT_SUPPORTED)))
}

/// `filestat`: device at 0, inode at 8, type at 16, links at 24, size at 32, three times at 40.
pub(super) fn file_status(caller: &mut dyn Calling, args: &[u64]) -> Answer {
    let [fd, out] = words(args);
    charge(caller, 64)?;
    answer(View::of(caller).and_then(|mut view| {
        open(view.world, fd)?;
        let mut status = [0; 64];
        if let Some(kind) = status.get_mut(16) {
            *kind = CHARACTER_DEVICE;
        }
        view.put(out, &status)
    }))
}
