//! stdin, stdout and stderr.

use wasmtime::{Caller, Linker};

use super::MODULE;
use super::errno::{Answer, BAD_FD, Errno, NOT_SUPPORTED, answer};
use super::view::{View, total};
use crate::child::host::{Host, Stop, charge};

const STDIN: u32 = 0;
const STDOUT: u32 = 1;
const STDERR: u32 = 2;

/// `filetype` of a terminal or pipe. Source: `wasi_snapshot_preview1.witx`.
const CHARACTER_DEVICE: u8 = 2;

/// The rights to read and to write a descriptor, by their bits.
const RIGHT_TO_READ: u64 = 1 << 1;
const RIGHT_TO_WRITE: u64 = 1 << 6;

/// Links `name` if it is one of these.
pub(super) fn link(linker: &mut Linker<Host>, name: &str) -> wasmtime::Result<bool> {
    match name {
        "fd_read" => linker.func_wrap(MODULE, name, read)?,
        "fd_write" => linker.func_wrap(MODULE, name, write)?,
        "fd_close" => linker.func_wrap(MODULE, name, close)?,
        "fd_fdstat_get" => linker.func_wrap(MODULE, name, describe)?,
        "fd_fdstat_set_flags" => linker.func_wrap(MODULE, name, set_flags)?,
        "fd_filestat_get" => linker.func_wrap(MODULE, name, file_status)?,
        _ => return Ok(false),
    };
    Ok(true)
}

fn open(host: &Host, fd: u32) -> Result<(), Errno> {
    let fd = usize::try_from(fd).map_err(|_| BAD_FD)?;
    if host.open.get(fd) == Some(&true) {
        Ok(())
    } else {
        Err(BAD_FD)
    }
}

fn read(mut caller: Caller<'_, Host>, fd: u32, pieces: u32, count: u32, out: u32) -> Answer {
    let wanted = View::of(&mut caller).and_then(|view| {
        open(view.host, fd)?;
        if fd != STDIN {
            return Err(BAD_FD);
        }
        let pieces = view.pieces(pieces, count)?;
        let left = view.host.input.len().saturating_sub(view.host.read);
        let left = u64::try_from(left).unwrap_or(u64::MAX);
        Ok((total(&pieces).min(left), pieces))
    });
    charge(&mut caller, wanted.as_ref().map_or(0, |(bytes, _)| *bytes))?;
    answer(wanted.and_then(|(bytes, pieces)| {
        let mut view = View::of(&mut caller)?;
        for piece in pieces {
            let (to, host) = view.split_piece(piece)?;
            let from = host.input.get(host.read..).unwrap_or_default();
            let length = to.len().min(from.len());
            for (to, from) in to.iter_mut().zip(from) {
                *to = *from;
            }
            host.read = host.read.saturating_add(length);
        }
        view.put_u32(out, u32::try_from(bytes).unwrap_or(u32::MAX))
    }))
}

fn write(mut caller: Caller<'_, Host>, fd: u32, pieces: u32, count: u32, out: u32) -> Answer {
    let given = View::of(&mut caller).and_then(|view| {
        open(view.host, fd)?;
        if fd != STDOUT && fd != STDERR {
            return Err(BAD_FD);
        }
        let pieces = view.pieces(pieces, count)?;
        // Where the answer goes is looked at before anything is done.
        view.bytes(out, 4)?;
        Ok(pieces)
    });
    charge(
        &mut caller,
        given.as_ref().map_or(0, |pieces| total(pieces)),
    )?;
    let pieces = match given {
        Ok(pieces) => pieces,
        Err(errno) => return answer(Err(errno)),
    };
    let mut view = match View::of(&mut caller) {
        Ok(view) => view,
        Err(errno) => return answer(Err(errno)),
    };
    for piece in &pieces {
        let Ok(bytes) = view.piece(*piece) else {
            continue;
        };
        let fits = if fd == STDOUT {
            keep_output(view.host, bytes)
        } else {
            keep_message(view.host, bytes);
            true
        };
        if !fits {
            return Err(Stop::OutputTooLarge.into());
        }
    }
    let written = u32::try_from(total(&pieces)).unwrap_or(u32::MAX);
    answer(view.put_u32(out, written))
}

/// Keeps what fits, and says whether that was all.
fn keep_output(host: &Host, bytes: &[u8]) -> bool {
    let mut written = host.seen.written();
    let room = host
        .limits
        .stdout_bytes
        .saturating_sub(written.stdout.len());
    let kept = bytes.get(..room).unwrap_or(bytes);
    written.stdout.extend_from_slice(kept);
    kept.len() == bytes.len()
}

/// Keeps what fits and counts the rest.
fn keep_message(host: &Host, bytes: &[u8]) {
    let mut written = host.seen.written();
    let room = host
        .limits
        .stderr_bytes
        .saturating_sub(written.stderr.len());
    let kept = bytes.get(..room).unwrap_or(bytes);
    written.stderr.extend_from_slice(kept);
    let dropped = bytes.len().saturating_sub(kept.len());
    let dropped = u64::try_from(dropped).unwrap_or(u64::MAX);
    written.stderr_dropped = written.stderr_dropped.saturating_add(dropped);
}

fn close(mut caller: Caller<'_, Host>, fd: u32) -> Answer {
    charge(&mut caller, 0)?;
    let host = caller.data_mut();
    answer(open(host, fd).and_then(|()| {
        let fd = usize::try_from(fd).map_err(|_| BAD_FD)?;
        *host.open.get_mut(fd).ok_or(BAD_FD)? = false;
        Ok(())
    }))
}

/// `fdstat`: type at 0, flags at 2, rights at 8, inheriting rights at 16.
fn describe(mut caller: Caller<'_, Host>, fd: u32, out: u32) -> Answer {
    charge(&mut caller, 24)?;
    answer(View::of(&mut caller).and_then(|mut view| {
        open(view.host, fd)?;
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

fn set_flags(mut caller: Caller<'_, Host>, fd: u32, _flags: u32) -> Answer {
    charge(&mut caller, 0)?;
    answer(open(caller.data(), fd).and(Err(NOT_SUPPORTED)))
}

/// `filestat`: device at 0, inode at 8, type at 16, links at 24, size at 32, three times at 40.
fn file_status(mut caller: Caller<'_, Host>, fd: u32, out: u32) -> Answer {
    charge(&mut caller, 64)?;
    answer(View::of(&mut caller).and_then(|mut view| {
        open(view.host, fd)?;
        let mut status = [0; 64];
        if let Some(kind) = status.get_mut(16) {
            *kind = CHARACTER_DEVICE;
        }
        view.put(out, &status)
    }))
}
