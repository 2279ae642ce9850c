//! Error numbers of WASI preview 1. Source: the `errno` type of `wasi_snapshot_preview1.witx`.

/// Why a call fails, as the guest sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Errno(pub(super) u16);

pub(super) const SUCCESS: Errno = Errno(0);
pub(super) const BAD_FD: Errno = Errno(8);
pub(super) const FAULT: Errno = Errno(21);
pub(super) const INVALID: Errno = Errno(28);
pub(super) const NOT_IMPLEMENTED: Errno = Errno(52);
pub(super) const NOT_A_DIRECTORY: Errno = Errno(54);
pub(super) const NOT_A_SOCKET: Errno = Errno(57);
pub(super) const NOT_SUPPORTED: Errno = Errno(58);
pub(super) const NO_SEEK: Errno = Errno(70);

/// What a host function returns: the error number, or the end of the guest.
pub(super) type Answer = wasmtime::Result<u32>;

/// Turns a call's result into the number that the guest is given.
#[expect(
    clippy::unnecessary_wraps,
    reason = "every host function ends with it, and those may end the guest"
)]
pub(super) fn answer(result: Result<(), Errno>) -> Answer {
    Ok(u32::from(result.err().unwrap_or(SUCCESS).0))
}
