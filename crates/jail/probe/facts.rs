//! What the world looks like from inside, told by calls that a guest does not have.

use std::{
    ffi::CStr,
    fmt::Write as _,
    io::{self, Write as _},
    os::fd::AsFd as _,
    ptr,
};

use jail::{Limits, MissingLayers, Plan, calls, filter::Call};

/// What it takes to look around, on top of what a guest may call.
const LOOKING: [i64; 12] = [
    libc::SYS_getpid,
    libc::SYS_getuid,
    libc::SYS_getgid,
    libc::SYS_uname,
    libc::SYS_statfs,
    libc::SYS_stat,
    libc::SYS_socket,
    libc::SYS_connect,
    libc::SYS_prctl,
    libc::SYS_capget,
    libc::SYS_open,
    libc::SYS_mkdir,
];

pub(crate) fn tell() -> Result<(), String> {
    let stdout = io::stdout();
    let mut calls = calls::FORK_SERVER.to_vec();
    calls.extend(LOOKING.map(|number| Call {
        number,
        name: "",
        reason: "",
        arguments: &[],
    }));
    let plan = Plan {
        keep: &[stdout.as_fd()],
        calls: &calls,
        limits: Limits::FORK_SERVER,
        missing_layers: MissingLayers::Refused,
    };
    let report = jail::enter(&plan).map_err(|missing| missing.to_string())?;
    let mut told = String::new();
    for (name, fact) in [
        ("landlock", report.landlock_abi.to_string()),
        ("pid", ask(libc::SYS_getpid, [])),
        (
            "user",
            format!(
                "{} {}",
                ask(libc::SYS_getuid, []),
                ask(libc::SYS_getgid, [])
            ),
        ),
        ("hostname", hostname()),
        ("root", root()),
        (
            "folder of processes",
            ask(libc::SYS_stat, [text(c"/proc"), at(&[0_u64; 32])]),
        ),
        ("open the root", ask(libc::SYS_open, [text(c"/"), 0])),
        ("make a folder", ask(libc::SYS_mkdir, [text(c"/x"), 0o777])),
        ("capabilities", capabilities()),
        ("secure bits", prctl(libc::PR_GET_SECUREBITS)),
        ("no new privileges", prctl(libc::PR_GET_NO_NEW_PRIVS)),
        ("dumpable", prctl(libc::PR_GET_DUMPABLE)),
        ("filters", prctl(libc::PR_GET_SECCOMP)),
        ("descriptors", descriptors()),
        ("limits", limits()),
        ("network", network()),
    ] {
        writeln!(told, "{name}: {fact}").map_err(|err| err.to_string())?;
    }
    stdout
        .lock()
        .write_all(told.as_bytes())
        .map_err(|err| err.to_string())
}

/// What the kernel answers: a number, or the error's.
#[expect(unsafe_code, reason = "asks the kernel what std does not")]
fn ask<const N: usize>(number: i64, arguments: [usize; N]) -> String {
    let mut six = [0_usize; 6];
    for (place, argument) in six.iter_mut().zip(arguments) {
        *place = argument;
    }
    let [first, second, third, fourth, fifth, sixth] = six;
    // SAFETY: every pointer below leads to memory of the length that the call fills or reads.
    match unsafe { libc::syscall(number, first, second, third, fourth, fifth, sixth) } {
        -1 => format!(
            "error {}",
            io::Error::last_os_error().raw_os_error().unwrap_or(0)
        ),
        answer => answer.to_string(),
    }
}

fn prctl(option: i32) -> String {
    ask(libc::SYS_prctl, [usize::try_from(option).unwrap_or(0)])
}

fn text(value: &'static CStr) -> usize {
    value.as_ptr().expose_provenance()
}

fn at<T>(value: &T) -> usize {
    ptr::from_ref(value).expose_provenance()
}

fn at_mut<T>(value: &mut T) -> usize {
    ptr::from_mut(value).expose_provenance()
}

fn hostname() -> String {
    const FIELD_BYTES: usize = 65;
    let mut fields = [[0_u8; FIELD_BYTES]; 6];
    ask(libc::SYS_uname, [at_mut(&mut fields)]);
    let [_, node, _, _, _, domain] =
        fields.map(|field| String::from_utf8_lossy(&field).replace('\0', ""));
    format!("{node} {domain}")
}

/// The kind of file system, whether it is read-only, and how many links its folder has: two, for nothing in it.
fn root() -> String {
    let (mut system, mut folder) = ([0_u64; 15], [0_u64; 18]);
    ask(libc::SYS_statfs, [text(c"/"), at_mut(&mut system)]);
    ask(libc::SYS_stat, [text(c"/"), at_mut(&mut folder)]);
    let [kind, _, _, _, _, _, _, _, _, _, flags, ..] = system;
    let [_, _, links, ..] = folder;
    format!("{kind:#x} {} {links}", flags & 1)
}

/// A datagram towards 1.1.1.1: no route leads anywhere.
fn network() -> String {
    let socket = ask(libc::SYS_socket, [2, 2, 0]).parse().unwrap_or(0);
    let address: [u8; 16] = [2, 0, 0, 53, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    ask(libc::SYS_connect, [socket, at(&address), address.len()])
}

/// Effective, permitted and inheritable ones, then how many the bounding set has.
fn capabilities() -> String {
    let (mut sets, header) = ([u32::MAX; 6], [0x2008_0522_u32, 0]);
    ask(libc::SYS_capget, [at(&header), at_mut(&mut sets)]);
    let bounding = usize::try_from(libc::PR_CAPBSET_READ).unwrap_or(0);
    let left = (0..64)
        .filter(|capability| ask(libc::SYS_prctl, [bounding, *capability]) == "1")
        .count();
    format!("{sets:?} {left}")
}

fn descriptors() -> String {
    const F_GETFD: usize = 1;
    let open = (0..1000_usize)
        .filter(|number| !ask(libc::SYS_fcntl, [*number, F_GETFD]).starts_with("error"));
    open.map(|number| number.to_string())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Core dumps, files, descriptors, processes, locked memory: the hard limits.
fn limits() -> String {
    [4_usize, 1, 7, 6, 8]
        .map(|resource| {
            let mut pair = [u64::MAX; 2];
            ask(libc::SYS_prlimit64, [0, resource, 0, at_mut(&mut pair)]);
            pair.map(|limit| limit.to_string()).join("/")
        })
        .join(" ")
}
