//! Limits that the kernel holds a process to.

use std::{fs, io};

use crate::sys;

/// What a jailed process may use. Those that are not here are zero: core dumps, files, locked memory, queues, real-time priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Open descriptors, and descriptors under way in messages of this user.
    pub descriptors: u64,
    /// Processes of the whole jail, the one that waits outside counted.
    pub processes: u64,
    /// Memory a process may write to: heap, private mappings.
    pub memory_bytes: u64,
    /// Addresses a process may map, touched or not. It bounds page tables (an eighth of a percent of it), which nothing else counts;
    /// a WebAssembly memory reserves several GiB.
    pub address_space_bytes: u64,
    pub stack_bytes: u64,
    /// Seconds of the processor, then the process is killed.
    pub cpu_seconds: Option<u64>,
}

impl Limits {
    /// A fork server and its children; a child lowers its own with [`lower_memory`] and [`lower_cpu`].
    pub const FORK_SERVER: Self = Self {
        // Under way are two for each waiting child of every server of this user, whoever started it.
        descriptors: 4_096,
        processes: 512,
        memory_bytes: 4 << 30,
        address_space_bytes: 64 << 30,
        stack_bytes: 8 << 20,
        cpu_seconds: None,
    };
    /// A process that compiles one module and ends.
    pub const COMPILE_WORKER: Self = Self {
        descriptors: 16,
        processes: 2,
        memory_bytes: 1 << 30,
        address_space_bytes: 16 << 30,
        stack_bytes: 8 << 20,
        cpu_seconds: Some(30),
    };
}

/// The kernel's numbers; the C libraries give them different types.
mod kernel {
    pub(super) const CPU: usize = 0;
    pub(super) const FILE_SIZE: usize = 1;
    pub(super) const DATA: usize = 2;
    pub(super) const STACK: usize = 3;
    pub(super) const CORE: usize = 4;
    pub(super) const PROCESSES: usize = 6;
    pub(super) const DESCRIPTORS: usize = 7;
    pub(super) const LOCKED_MEMORY: usize = 8;
    pub(super) const ADDRESS_SPACE: usize = 9;
    pub(super) const QUEUES: usize = 12;
    pub(super) const NICE: usize = 13;
    pub(super) const REAL_TIME: usize = 14;
}

/// The kernel's `struct rlimit64`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Pair {
    soft: u64,
    hard: u64,
}

/// Sets the limits of the whole jail. `processes` is counted for the user namespace, so it is set only where there is one: outside it
/// would count everything else of the same user too.
pub(crate) fn set(limits: &Limits, in_user_namespace: bool) -> io::Result<()> {
    let zero = [
        kernel::CORE,
        kernel::FILE_SIZE,
        kernel::LOCKED_MEMORY,
        kernel::QUEUES,
        kernel::NICE,
        kernel::REAL_TIME,
    ];
    for resource in zero {
        lower(resource, 0, 0)?;
    }
    for (resource, most) in [
        (kernel::DESCRIPTORS, limits.descriptors),
        (kernel::DATA, limits.memory_bytes),
        (kernel::ADDRESS_SPACE, limits.address_space_bytes),
        (kernel::STACK, limits.stack_bytes),
    ] {
        lower(resource, most, most)?;
    }
    if in_user_namespace {
        lower(kernel::PROCESSES, limits.processes, limits.processes)?;
    }
    if let Some(seconds) = limits.cpu_seconds {
        lower_cpu(seconds)?;
    }
    // When memory runs out, guests go first. A machine that will not have it loses no layer of the jail.
    fs::write("/proc/self/oom_score_adj", "1000").ok();
    Ok(())
}

/// What each process of a room may use beyond what its host has set already.
pub(crate) fn set_in_room(processes: u64, memory_bytes: u64) -> io::Result<()> {
    let zero = [
        kernel::CORE,
        kernel::LOCKED_MEMORY,
        kernel::QUEUES,
        kernel::NICE,
        kernel::REAL_TIME,
    ];
    for resource in zero {
        lower(resource, 0, 0)?;
    }
    lower(kernel::DATA, memory_bytes, memory_bytes)?;
    lower(kernel::PROCESSES, processes, processes)
}

/// Lowers the memory this process may write to; there is no way back up.
pub fn lower_memory(bytes: u64) -> io::Result<()> {
    lower(kernel::DATA, bytes, bytes)
}

/// Lowers the processor time this process may use, from its start: SIGXCPU at `seconds`, SIGKILL one later.
pub fn lower_cpu(seconds: u64) -> io::Result<()> {
    lower(kernel::CPU, seconds, seconds.saturating_add(1))
}

#[expect(unsafe_code, reason = "std has no limits")]
fn lower(resource: usize, soft: u64, hard: u64) -> io::Result<()> {
    let mut old = Pair { soft: 0, hard: 0 };
    // SAFETY: the kernel fills in one structure, which lives through the call.
    unsafe { sys::call(libc::SYS_prlimit64, [0, resource, 0, sys::at_mut(&mut old)])? };
    let new = Pair {
        soft: soft.min(old.hard),
        hard: hard.min(old.hard),
    };
    // SAFETY: the kernel reads one structure, which lives through the call.
    unsafe { sys::call(libc::SYS_prlimit64, [0, resource, sys::at(&new), 0])? };
    Ok(())
}
