//! Landlock with nothing allowed: no file opened, no port, no signal or abstract socket outwards.

use std::{io, os::fd::AsFd as _};

use crate::sys;

/// The kernel's `struct landlock_ruleset_attr`.
#[repr(C)]
struct Rights {
    files: u64,
    network: u64,
    scopes: u64,
}

const VERSION: usize = 1;
const SIGNALS: u64 = 0b10;
const ABSTRACT_SOCKETS: u64 = 0b01;

/// Whether signals may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signals {
    Closed,
    /// For the process outside. Even the signal by which the kernel kills the jailed process when that one ends counts as its own.
    Open,
}

/// Closes everything that this kernel's landlock can close; the answer is the version of its interface.
#[expect(unsafe_code, reason = "std has no landlock")]
pub(crate) fn close_all(signals: Signals) -> io::Result<u8> {
    let abi = sys::plain(libc::SYS_landlock_create_ruleset, [0, 0, VERSION])?;
    let scopes = if signals == Signals::Open {
        ABSTRACT_SOCKETS
    } else {
        ABSTRACT_SOCKETS | SIGNALS
    };
    let rights = Rights {
        files: files(abi),
        network: if abi >= 4 { 0b11 } else { 0 },
        scopes: if abi >= 6 { scopes } else { 0 },
    };
    // An older kernel takes a longer structure as long as what it does not know is zero.
    // SAFETY: the kernel reads the structure, which lives through the call, and answers with a new descriptor.
    let rules = unsafe {
        let raw = sys::call(
            libc::SYS_landlock_create_ruleset,
            [sys::at(&rights), size_of::<Rights>(), 0],
        )?;
        sys::own(sys::to_raw(raw))
    };
    sys::plain(
        libc::SYS_landlock_restrict_self,
        [sys::fd_word(rules.as_fd()), 0],
    )?;
    Ok(u8::try_from(abi).unwrap_or(u8::MAX))
}

/// All rights to files that a version knows.
const fn files(abi: usize) -> u64 {
    let count: u32 = match abi {
        0 | 1 => 13,
        2 => 14,
        3 | 4 => 15,
        _ => 16,
    };
    (1_u64 << count).wrapping_sub(1)
}
