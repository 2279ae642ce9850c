//! Messages with descriptors, over Unix sockets, in the kernel's own structures.

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd},
};

use crate::sys;

/// The most descriptors one message carries; a message with more is cut short by the kernel, which closes the rest.
pub(crate) const MOST_DESCRIPTORS: usize = 2;
const LEVEL_SOCKET: i32 = 1;
const KIND_RIGHTS: i32 = 1;
/// Length of [`Control`] without descriptors.
const CONTROL_HEADER_BYTES: usize = 16;

/// Do not wait.
pub(crate) const DONT_WAIT: usize = 0x40;
const NO_SIGNAL: usize = 0x4000;
const CLOSE_ON_EXEC: usize = 0x4000_0000;
/// In the answer: the message was longer than the buffer, or carried more descriptors than there was room for.
const CUT_SHORT: u32 = 0x20 | 0x8;

/// The kernel's `struct iovec`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Piece {
    base: usize,
    len: usize,
}

/// The kernel's `struct user_msghdr`.
#[repr(C)]
struct Header {
    name: usize,
    name_len: u32,
    pieces: usize,
    piece_count: usize,
    control: usize,
    control_len: usize,
    flags: u32,
}

/// The kernel's `struct cmsghdr` with room for descriptors.
#[repr(C)]
struct Control {
    len: usize,
    level: i32,
    kind: i32,
    descriptors: [RawFd; MOST_DESCRIPTORS],
}

/// What came with one call.
#[derive(Debug, Default)]
pub(crate) struct Received {
    pub(crate) bytes: usize,
    pub(crate) descriptors: [Option<OwnedFd>; MOST_DESCRIPTORS],
    pub(crate) cut_short: bool,
}

/// Sends up to two pieces as one message, with up to two descriptors; nothing is allocated.
#[expect(unsafe_code, reason = "std sends no descriptors")]
pub(crate) fn send(
    fd: BorrowedFd<'_>,
    pieces: [&[u8]; 2],
    descriptors: &[BorrowedFd<'_>],
    flags: usize,
) -> io::Result<usize> {
    let pieces = pieces.map(|piece| Piece {
        base: piece.as_ptr().expose_provenance(),
        len: piece.len(),
    });
    let mut control = Control {
        len: 0,
        level: LEVEL_SOCKET,
        kind: KIND_RIGHTS,
        descriptors: [-1; MOST_DESCRIPTORS],
    };
    if descriptors.len() > MOST_DESCRIPTORS {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    for (place, fd) in control.descriptors.iter_mut().zip(descriptors) {
        *place = fd.as_raw_fd();
    }
    control.len = CONTROL_HEADER_BYTES.saturating_add(size_of_val(descriptors));
    let header = Header {
        name: 0,
        name_len: 0,
        pieces: sys::at(&pieces),
        piece_count: pieces.len(),
        control: if descriptors.is_empty() {
            0
        } else {
            sys::at(&control)
        },
        control_len: if descriptors.is_empty() {
            0
        } else {
            size_of::<Control>()
        },
        flags: 0,
    };
    loop {
        // SAFETY: all structures and what they point to live through the call, and the lengths are theirs.
        match unsafe {
            sys::call(
                libc::SYS_sendmsg,
                [sys::fd_word(fd), sys::at(&header), flags | NO_SIGNAL],
            )
        } {
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// Takes what is there, up to the buffer's length; 0 bytes are the end.
#[expect(unsafe_code, reason = "std takes no descriptors")]
pub(crate) fn receive(fd: BorrowedFd<'_>, buffer: &mut [u8], flags: usize) -> io::Result<Received> {
    let mut piece = Piece {
        base: buffer.as_mut_ptr().expose_provenance(),
        len: buffer.len(),
    };
    let mut control = Control {
        len: 0,
        level: 0,
        kind: 0,
        descriptors: [-1; MOST_DESCRIPTORS],
    };
    let mut header = Header {
        name: 0,
        name_len: 0,
        pieces: sys::at_mut(&mut piece),
        piece_count: 1,
        control: sys::at_mut(&mut control),
        control_len: size_of::<Control>(),
        flags: 0,
    };
    let bytes = loop {
        // SAFETY: all structures and the buffer live through the call, and the lengths are theirs.
        match unsafe {
            sys::call(
                libc::SYS_recvmsg,
                [
                    sys::fd_word(fd),
                    sys::at_mut(&mut header),
                    flags | CLOSE_ON_EXEC,
                ],
            )
        } {
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            other => break other?,
        }
    };
    let mut received = Received {
        bytes,
        cut_short: header.flags & CUT_SHORT != 0,
        ..Received::default()
    };
    if header.control_len > CONTROL_HEADER_BYTES
        && control.level == LEVEL_SOCKET
        && control.kind == KIND_RIGHTS
    {
        let count = control
            .len
            .saturating_sub(CONTROL_HEADER_BYTES)
            .checked_div(size_of::<RawFd>())
            .unwrap_or(0);
        for (place, raw) in received
            .descriptors
            .iter_mut()
            .zip(control.descriptors)
            .take(count)
        {
            // SAFETY: the kernel has just made this descriptor for us.
            *place = Some(unsafe { sys::own(raw) });
        }
    }
    Ok(received)
}

/// Two ends of a new connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Stream,
    /// Messages keep their bounds.
    Messages,
}

#[expect(
    unsafe_code,
    reason = "std pairs no sockets that keep the bounds of messages"
)]
pub(crate) fn pair(kind: Kind) -> io::Result<(OwnedFd, OwnedFd)> {
    let kind = match kind {
        Kind::Stream => libc::SOCK_STREAM,
        Kind::Messages => libc::SOCK_SEQPACKET,
    };
    let mut ends: [RawFd; 2] = [-1; 2];
    let kind = sys::word(kind | libc::SOCK_CLOEXEC);
    // SAFETY: the kernel writes two numbers, for which there is room.
    unsafe {
        sys::call(
            libc::SYS_socketpair,
            [sys::word(libc::AF_UNIX), kind, 0, sys::at_mut(&mut ends)],
        )?
    };
    let [one, other] = ends;
    // SAFETY: both descriptors are new and ours.
    Ok(unsafe { (sys::own(one), sys::own(other)) })
}
