//! Error numbers of WASI preview 1. Source: the `errno` type of `wasi_snapshot_preview1.witx`.

use crate::world::Stop;

/// Why a call fails, as the guest sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Errno(pub(crate) u16);

pub(crate) const SUCCESS: Errno = Errno(0);
pub(crate) const BAD_FD: Errno = Errno(8);
pub(crate) const FAULT: Errno = Errno(21);
pub(crate) const INVALID: Errno = Errno(28);
pub(crate) const NOT_IMPLEMENTED: Errno = Errno(52);
pub(crate) const NOT_A_DIRECTORY: Errno = Errno(54);
pub(crate) const NOT_A_SOCKET: Errno = Errno(57);
pub(crate) const NOT_SUPPORTED: Errno = Errno(58);
pub(crate) const NO_SEEK: Errno = Errno(70);

/// What a host call returns: the error number, or the end of the guest.
pub(crate) type Answer = Result<Errno, Stop>;

/// Turns a call's result into the number that the guest is given.
#[expect(
    clippy::unnecessary_wraps,
    reason = "every host call ends with it, and those may end the guest"
)]
pub(crate) fn answer(result: Result<(), Errno>) -> Answer {
    Ok(result.err().unwrap_or(SUCCESS))
}
