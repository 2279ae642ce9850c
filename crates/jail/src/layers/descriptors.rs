//! Only what the plan names stays open.

use std::{
    fs::OpenOptions,
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
};

use crate::sys;

/// Closes every other descriptor. Those of standard input, output and error lead to /dev/null instead, so that nothing that is
/// opened later takes their numbers and receives a panic's message.
#[expect(unsafe_code, reason = "closes by number what nobody uses")]
pub(crate) fn close_others(keep: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut numbers = numbers_of(keep);
    let null = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")?;
    for standard in 0..3_u32 {
        if !numbers.contains(&standard) {
            let number = usize::try_from(standard).unwrap_or(0);
            // SAFETY: what is replaced is one of the three, which the standard library never holds as its own.
            unsafe { sys::call(libc::SYS_dup2, [sys::fd_word(null.as_fd()), number])? };
            numbers.push(standard);
        }
    }
    drop(null);
    close_all_but(numbers)
}

/// Closes everything that is not named, standard input, output and error too.
pub(crate) fn close_all_but(mut numbers: Vec<u32>) -> io::Result<()> {
    numbers.sort_unstable();
    let mut from = 0;
    for number in numbers {
        if let Some(last) = number.checked_sub(1).filter(|last| *last >= from) {
            close_range(from, last)?;
        }
        from = number.saturating_add(1);
    }
    close_range(from, u32::MAX)
}

pub(crate) fn numbers_of(keep: &[BorrowedFd<'_>]) -> Vec<u32> {
    keep.iter()
        .filter_map(|fd| u32::try_from(fd.as_raw_fd()).ok())
        .collect()
}

#[expect(unsafe_code, reason = "closes by number what nobody uses")]
fn close_range(first: u32, last: u32) -> io::Result<()> {
    let [first, last] = [first, last].map(|number| usize::try_from(number).unwrap_or(0));
    // SAFETY: `enter` is called once, at the start of a program that says which descriptors it owns.
    unsafe { sys::call(libc::SYS_close_range, [first, last, 0])? };
    Ok(())
}
