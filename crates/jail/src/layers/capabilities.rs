//! No capability in any set, and no way to get one back.

use std::io;

use crate::sys;

/// The kernel's `struct __user_cap_header_struct`, version 3.
#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

/// The kernel's `struct __user_cap_data_struct`: capabilities come in two halves.
#[repr(C)]
#[derive(Clone, Copy)]
struct Half {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

const VERSION_3: u32 = 0x2008_0522;
const NOTHING: Half = Half {
    effective: 0,
    permitted: 0,
    inheritable: 0,
};
/// Being root gives nothing, changing users gives nothing, nothing is kept, nothing becomes ambient: each said and locked.
const SECURE_BITS: usize = 0b1110_1111;
/// `PR_CAP_AMBIENT_CLEAR_ALL`.
const CLEAR_ALL: usize = 4;

/// Tries every step even if one fails: an ordinary user outside a user namespace may not lock anything, but may drop what it has.
pub(crate) fn drop_all() -> io::Result<()> {
    let ambient = sys::prctl(libc::PR_CAP_AMBIENT, CLEAR_ALL);
    let locked = sys::prctl(libc::PR_SET_SECUREBITS, SECURE_BITS);
    let bounding = empty_bounding_set();
    let rest = empty_own_sets();
    ambient.and(locked).and(bounding).and(rest)
}

fn empty_bounding_set() -> io::Result<()> {
    for capability in 0..64 {
        match sys::prctl(libc::PR_CAPBSET_DROP, capability) {
            // Past the last one this kernel knows.
            Err(err) if err.raw_os_error() == Some(libc::EINVAL) => break,
            other => other?,
        };
    }
    Ok(())
}

#[expect(unsafe_code, reason = "std has no capabilities")]
fn empty_own_sets() -> io::Result<()> {
    let header = Header {
        version: VERSION_3,
        pid: 0,
    };
    let halves = [NOTHING; 2];
    // SAFETY: the kernel reads both structures, which live through the call.
    unsafe { sys::call(libc::SYS_capset, [sys::at(&header), sys::at(&halves)])? };
    Ok(())
}
