//! One message on a stream: its length in four bytes, little end first, then itself.
//!
//! Nothing is believed of the other side: a length is held against a limit before anything is allocated, memory grows with what has
//! really come, and every way of being wrong has a name.

use std::{
    io::{self, Read, Write},
    os::fd::{BorrowedFd, OwnedFd},
};

use crate::{socket, sys};

pub const HEADER_BYTES: usize = 4;

/// What fits in here is taken or sent by a single call.
const SHORT_BYTES: usize = 4096;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the message says it is {bytes} bytes long, and {limit} is the limit")]
    TooLong { bytes: usize, limit: usize },
    #[error("the other side ended after {got} of {wanted} bytes of a message")]
    Torn { got: usize, wanted: usize },
    #[error("the other side ended without a word")]
    Nothing,
    #[error("{bytes} bytes follow the one message")]
    Trailing { bytes: usize },
    #[error("more than one descriptor came with the message")]
    TooManyDescriptors,
    #[error("the connection failed")]
    Io(#[from] io::Error),
}

/// The length that a header gives, held against the limit.
pub fn length(header: [u8; HEADER_BYTES], limit: usize) -> Result<usize, Error> {
    let bytes = usize::try_from(u32::from_le_bytes(header)).unwrap_or(usize::MAX);
    if bytes > limit {
        Err(Error::TooLong { bytes, limit })
    } else {
        Ok(bytes)
    }
}

/// The header of a message.
pub fn header(bytes: usize) -> Result<[u8; HEADER_BYTES], Error> {
    const MOST: usize = 0xffff_ffff;
    u32::try_from(bytes)
        .map(u32::to_le_bytes)
        .map_err(|_| Error::TooLong { bytes, limit: MOST })
}

/// Sends one message made of these parts. Allocates nothing and takes no lock, so that a signal's handler may call it.
pub fn send(to: BorrowedFd<'_>, parts: &[&[u8]]) -> Result<(), Error> {
    let bytes = parts
        .iter()
        .fold(0_usize, |sum, part| sum.saturating_add(part.len()));
    let mut out = Gathered {
        to,
        buffer: [0; SHORT_BYTES],
        used: 0,
    };
    out.push(&header(bytes)?)?;
    for part in parts {
        out.push(part)?;
    }
    Ok(out.flush()?)
}

/// Sends one message and a descriptor with it; a host's way, which no signal interrupts.
pub(crate) fn send_with(
    to: BorrowedFd<'_>,
    body: &[u8],
    descriptor: Option<BorrowedFd<'_>>,
) -> Result<(), Error> {
    let header = header(body.len())?;
    let sent = socket::send(to, [&header, body], descriptor.as_slice(), 0)?;
    let mut rest = body
        .get(sent.saturating_sub(HEADER_BYTES)..)
        .unwrap_or_default();
    while !rest.is_empty() {
        let sent = socket::send(to, [rest, &[]], &[], 0)?;
        rest = rest.get(sent..).unwrap_or_default();
    }
    Ok(())
}

/// Takes the one message of a stream, and the descriptor that may come with its first byte.
pub fn receive(from: BorrowedFd<'_>, limit: usize) -> Result<(Vec<u8>, Option<OwnedFd>), Error> {
    let mut first = [0; SHORT_BYTES];
    let received = match socket::receive(from, &mut first, 0) {
        Err(err) if ended(&err) => socket::Received::default(),
        other => other?,
    };
    let [descriptor, second] = received.descriptors;
    if second.is_some() || received.cut_short {
        return Err(Error::TooManyDescriptors);
    }
    let start = first.get(..received.bytes).unwrap_or_default();
    take(start, Wire(from), limit).map(|body| (body, descriptor))
}

/// Takes the one message that begins with `start` and goes on in `rest`, which is read no further than the message.
pub(crate) fn take(start: &[u8], mut rest: impl Read, limit: usize) -> Result<Vec<u8>, Error> {
    let mut header = [0; HEADER_BYTES];
    let got = start.chain(&mut rest).take_up_to(&mut header)?;
    if got == 0 {
        return Err(Error::Nothing);
    }
    if got < HEADER_BYTES {
        return Err(Error::Torn {
            got,
            wanted: HEADER_BYTES,
        });
    }
    let wanted = length(header, limit)?;
    let start = start.get(HEADER_BYTES..).unwrap_or_default();
    if let Some(bytes) = start.len().checked_sub(wanted).filter(|bytes| *bytes > 0) {
        return Err(Error::Trailing { bytes });
    }
    let mut body = Vec::with_capacity(wanted.min(SHORT_BYTES));
    body.extend_from_slice(start);
    let missing = wanted.saturating_sub(body.len());
    if missing > 0 {
        rest.take(u64::try_from(missing).unwrap_or(u64::MAX))
            .read_to_end(&mut body)?;
    }
    if body.len() < wanted {
        Err(Error::Torn {
            got: body.len(),
            wanted,
        })
    } else {
        Ok(body)
    }
}

/// A process that ends with something unread behind it resets the connection; that is an end like another.
fn ended(err: &io::Error) -> bool {
    err.kind() == io::ErrorKind::ConnectionReset
}

trait TakeUpTo: Read {
    /// Fills the buffer as far as there is something to fill it with.
    fn take_up_to(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut got = 0;
        while let Some(room) = buffer.get_mut(got..).filter(|room| !room.is_empty()) {
            match self.read(room) {
                Ok(0) => break,
                Ok(bytes) => got = got.saturating_add(bytes),
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => return Err(err),
            }
        }
        Ok(got)
    }
}

impl<R: Read> TakeUpTo for R {}

/// A descriptor as something to read and write, by system calls that the lists allow.
struct Wire<'a>(BorrowedFd<'a>);

impl Read for Wire<'_> {
    #[expect(unsafe_code, reason = "std reads from owned descriptors only")]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let to = buffer.as_mut_ptr().expose_provenance();
        // SAFETY: the buffer lives through the call, and the length is its own.
        match unsafe { sys::call(libc::SYS_read, [sys::fd_word(self.0), to, buffer.len()]) } {
            Err(err) if ended(&err) => Ok(0),
            other => other,
        }
    }
}

impl Write for Wire<'_> {
    #[expect(unsafe_code, reason = "std writes to owned descriptors only")]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let from = bytes.as_ptr().expose_provenance();
        // SAFETY: the bytes live through the call, and the length is theirs.
        unsafe { sys::call(libc::SYS_write, [sys::fd_word(self.0), from, bytes.len()]) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Small parts gathered into one write, large ones sent as they are.
struct Gathered<'a> {
    to: BorrowedFd<'a>,
    buffer: [u8; SHORT_BYTES],
    used: usize,
}

impl Gathered<'_> {
    fn push(&mut self, part: &[u8]) -> io::Result<()> {
        let end = self.used.saturating_add(part.len());
        if let Some(room) = self.buffer.get_mut(self.used..end) {
            room.copy_from_slice(part);
            self.used = end;
            return Ok(());
        }
        self.flush()?;
        Wire(self.to).write_all(part)
    }

    fn flush(&mut self) -> io::Result<()> {
        let gathered = self.buffer.get(..self.used).unwrap_or_default();
        self.used = 0;
        Wire(self.to).write_all(gathered)
    }
}
