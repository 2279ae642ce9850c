//! What a guest writes, kept where a signal handler can read it at any moment.

use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that are only ever appended to, up to a fixed number.
///
/// The room is reserved when the tape is made and touched as it fills, and a length is published after the bytes it counts. So
/// whoever interrupts the writer, a signal handler too, finds what was written so far.
#[derive(Debug)]
pub(crate) struct Tape {
    start: NonNull<u8>,
    room: usize,
    /// Bytes that a writer has claimed.
    claimed: AtomicUsize,
    /// Bytes that are written.
    length: AtomicUsize,
}

// SAFETY: the bytes below `length` never change, and those above it are written only by the one writer that claimed them.
#[expect(unsafe_code, reason = "a raw pointer is neither by itself")]
unsafe impl Send for Tape {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "a raw pointer is neither by itself")]
unsafe impl Sync for Tape {}

impl Tape {
    /// A tape for up to `room` bytes.
    pub(crate) fn new(room: usize) -> io::Result<Self> {
        // SAFETY: asks for fresh memory anywhere; nothing is replaced.
        #[expect(unsafe_code, reason = "memory that is reserved and not touched")]
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                room.max(1),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        match NonNull::new(start.cast::<u8>()) {
            Some(pointer) if start != libc::MAP_FAILED => Ok(Self {
                start: pointer,
                room,
                claimed: AtomicUsize::new(0),
                length: AtomicUsize::new(0),
            }),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Appends what fits, and says how much that was.
    pub(crate) fn append(&self, bytes: &[u8]) -> usize {
        let fits = |claimed: usize| bytes.len().min(self.room.saturating_sub(claimed));
        let claim = |claimed: usize| claimed.saturating_add(fits(claimed));
        let at = self
            .claimed
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |it| Some(claim(it)))
            .unwrap_or(self.room);
        let fits = fits(at);
        // SAFETY: `at + fits` is at most `room`, those bytes are claimed for this call alone, and `bytes` is not among them, since
        // only what is written is ever lent.
        #[expect(unsafe_code, reason = "the room is not a slice until it is written")]
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.start.as_ptr().add(at), fits);
        }
        let end = at.saturating_add(fits);
        // Whoever claimed before this call publishes first.
        while self
            .length
            .compare_exchange_weak(at, end, Ordering::Release, Ordering::Relaxed)
            .is_err()
        {
            std::hint::spin_loop();
        }
        fits
    }

    /// How much was written so far.
    pub(crate) fn length(&self) -> u32 {
        u32::try_from(self.length.load(Ordering::Acquire)).unwrap_or(u32::MAX)
    }

    /// What was written so far.
    pub(crate) fn bytes(&self) -> &[u8] {
        let length = self.length.load(Ordering::Acquire);
        // SAFETY: that many bytes are written and do not change while the tape lives.
        #[expect(unsafe_code, reason = "the room is not a slice until it is written")]
        unsafe {
            std::slice::from_raw_parts(self.start.as_ptr(), length)
        }
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `new` with this length, and no slice of it outlives the tape.
        #[expect(unsafe_code, reason = "the inverse of `new`")]
        unsafe {
            libc::munmap(self.start.as_ptr().cast(), self.room.max(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tape_keeps_what_fits_and_says_how_much() {
        let tape = Tape::new(5).unwrap();

        let kept = [tape.append(b"abc"), tape.append(b"def"), tape.append(b"g")];

        assert_eq!(kept, [3, 2, 0]);
        assert_eq!(tape.bytes(), b"abcde");
    }

    #[test]
    fn a_tape_without_room_takes_nothing() {
        let tape = Tape::new(0).unwrap();

        assert_eq!(tape.append(b"abc"), 0);
        assert_eq!(tape.bytes(), b"");
    }
}
