//! The bytes behind a descriptor, without copying them and without the calls that a C library may choose for asking how many there are.

use std::{
    io,
    ops::Deref,
    os::fd::{AsRawFd as _, BorrowedFd},
    ptr::{self, NonNull},
    slice,
};

use crate::sys;

/// A sealed memory file as bytes. Its place for reading is shared with everybody who has the descriptor, so mapping is the way to
/// read one.
#[derive(Debug)]
pub struct Mapped {
    start: NonNull<u8>,
    len: usize,
}

/// The kernel's `struct stat`: the length is its seventh word.
type Stat = [u64; 18];

impl Mapped {
    /// Maps what is behind the descriptor, which must be [`sealed`](fn@crate::sealed): a file that shrank would end this process.
    #[expect(unsafe_code, reason = "std maps nothing")]
    pub fn sealed(fd: BorrowedFd<'_>) -> io::Result<Self> {
        let mut stat: Stat = [0; 18];
        // SAFETY: the kernel fills in one structure, which lives through the call.
        unsafe { sys::call(libc::SYS_fstat, [sys::fd_word(fd), sys::at_mut(&mut stat)])? };
        let [_, _, _, _, _, _, len, ..] = stat;
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        if len == 0 {
            return Ok(Self {
                start: NonNull::dangling(),
                len,
            });
        }
        // SAFETY: a new mapping of the kernel's choosing.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                len,
                libc::PROT_READ,
                libc::MAP_PRIVATE,
                fd.as_raw_fd(),
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self { start, len })
    }
}

impl Deref for Mapped {
    type Target = [u8];

    #[expect(unsafe_code, reason = "a mapping is memory")]
    fn deref(&self) -> &[u8] {
        // SAFETY: mapped for reading over this length as long as this lives, and sealed, so that nobody writes to it.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl Drop for Mapped {
    #[expect(unsafe_code, reason = "std unmaps nothing")]
    fn drop(&mut self) {
        if self.len > 0 {
            // SAFETY: it was mapped with this length, and no reference to it outlives this.
            unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
        }
    }
}
