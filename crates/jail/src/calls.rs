//! The lists of allowed system calls, each with its reason. Any other kills the process.

use crate::filter::{Argument, Call, Rule};

/// The most calls a list may have.
pub const MOST: usize = 25;

const READ_WRITE: u64 = 0x1 | 0x2;
const READ_WRITE_RUN: u64 = READ_WRITE | 0x4;
/// `MAP_PRIVATE`, `MAP_FIXED`, `MAP_ANONYMOUS`, `MAP_NORESERVE`, `MAP_POPULATE`, `MAP_STACK`, `MAP_FIXED_NOREPLACE`. Shared memory and
/// memory that grows downwards are not among them: neither counts towards the limit on data.
const MAP_FLAGS: u64 = 0x2 | 0x10 | 0x20 | 0x4000 | 0x8000 | 0x2_0000 | 0x10_0000;
/// `CLONE_PIDFD | SIGCHLD`: a process of its own, no thread, no namespace, no memory in common.
pub(crate) const FORK_FLAGS: u64 = 0x1000 | 0x11;
const UNIX: u64 = 1;
/// `SOCK_STREAM | SOCK_CLOEXEC`.
const STREAM: u64 = 0x8_0001;
const SET_MODE_FILTER: u64 = 1;
const REAL_TIMER: u64 = 0;
/// `F_GETFD`.
const GET_FD: u64 = 1;

const fn call(number: i64, name: &'static str, reason: &'static str) -> Call {
    Call {
        number,
        name,
        reason,
        arguments: &[],
    }
}

const fn with(call: Call, arguments: &'static [Argument]) -> Call {
    Call { arguments, ..call }
}

const fn is(place: u8, value: u64) -> Argument {
    Argument {
        place,
        rule: Rule::Is(value),
    }
}

const fn within(place: u8, bits: u64) -> Argument {
    Argument {
        place,
        rule: Rule::Within(bits),
    }
}

const READ: Call = call(libc::SYS_read, "read", "take the rest of a long request");
const WRITE: Call = call(libc::SYS_write, "write", "send the answer");
const CLOSE: Call = call(
    libc::SYS_close,
    "close",
    "let go of what a child must not have",
);
const FSTAT: Call = call(
    libc::SYS_fstat,
    "fstat",
    "learn how long an artifact is before it is mapped",
);
const MUNMAP: Call = call(libc::SYS_munmap, "munmap", "give memory back");
const MADVISE: Call = call(
    libc::SYS_madvise,
    "madvise",
    "give pages back, reset a linear memory",
);
const MREMAP: Call = call(
    libc::SYS_mremap,
    "mremap",
    "let the allocator grow a large block in place",
);
const BRK: Call = call(libc::SYS_brk, "brk", "let the allocator grow its heap");
const SIGACTION: Call = call(
    libc::SYS_rt_sigaction,
    "rt_sigaction",
    "set the handlers of traps and of the deadline",
);
const FCNTL: Call = with(
    call(
        libc::SYS_fcntl,
        "fcntl",
        "let the standard library's debug builds check that what they close is open; nothing else",
    ),
    &[is(1, GET_FD)],
);
const SIGRETURN: Call = call(
    libc::SYS_rt_sigreturn,
    "rt_sigreturn",
    "come back from a handler",
);
const SIGALTSTACK: Call = call(
    libc::SYS_sigaltstack,
    "sigaltstack",
    "handle an overflow of the stack on another one; undo it at the end",
);
const FUTEX: Call = call(
    libc::SYS_futex,
    "futex",
    "locks and once-cells of the standard library",
);
const CLOCK_GETTIME: Call = call(
    libc::SYS_clock_gettime,
    "clock_gettime",
    "read a clock where the kernel's page does not serve it",
);
const GETRANDOM: Call = call(
    libc::SYS_getrandom,
    "getrandom",
    "seed hash tables and the guest's randomness",
);
const EXIT_GROUP: Call = call(libc::SYS_exit_group, "exit_group", "end");
const RECVMSG: Call = call(
    libc::SYS_recvmsg,
    "recvmsg",
    "take a request and the artifact that comes with it",
);
const SENDMSG: Call = call(
    libc::SYS_sendmsg,
    "sendmsg",
    "hand a child's ends to the host",
);
const SETITIMER: Call = with(
    call(
        libc::SYS_setitimer,
        "setitimer",
        "arm the deadline; the real-time timer only",
    ),
    &[is(0, REAL_TIMER)],
);
const PRLIMIT: Call = with(
    call(
        libc::SYS_prlimit64,
        "prlimit64",
        "lower the limits of oneself; of nobody else",
    ),
    &[is(0, 0)],
);
const CLONE: Call = with(
    call(
        libc::SYS_clone,
        "clone",
        "fork a child: no threads, no namespaces, no shared memory",
    ),
    &[is(0, FORK_FLAGS)],
);
const SOCKETPAIR: Call = with(
    call(
        libc::SYS_socketpair,
        "socketpair",
        "a child's connection; Unix streams only",
    ),
    &[is(0, UNIX), is(1, STREAM)],
);
const SECCOMP: Call = with(
    call(
        libc::SYS_seccomp,
        "seccomp",
        "stack a child's narrower list",
    ),
    &[is(0, SET_MODE_FILTER)],
);

const MMAP_CODE: Call = with(
    call(
        libc::SYS_mmap,
        "mmap",
        "memory, and the artifact's code; private only, since shared memory escapes the limit",
    ),
    &[within(2, READ_WRITE_RUN), within(3, MAP_FLAGS)],
);
const MPROTECT_CODE: Call = with(
    call(
        libc::SYS_mprotect,
        "mprotect",
        "open a linear memory's pages, make an artifact's code runnable",
    ),
    &[within(2, READ_WRITE_RUN)],
);
const MMAP: Call = with(
    call(
        libc::SYS_mmap,
        "mmap",
        "memory; private only, and never to run",
    ),
    &[within(2, READ_WRITE), within(3, MAP_FLAGS)],
);
const MPROTECT: Call = with(
    call(libc::SYS_mprotect, "mprotect", "open pages, never to run"),
    &[within(2, READ_WRITE)],
);

/// What a fork server may call; its children lose [`FORKING`] of it.
pub const FORK_SERVER: [Call; 25] = [
    MMAP_CODE,
    MPROTECT_CODE,
    CLONE,
    SOCKETPAIR,
    SECCOMP,
    SETITIMER,
    PRLIMIT,
    READ,
    WRITE,
    CLOSE,
    FSTAT,
    MUNMAP,
    MADVISE,
    MREMAP,
    BRK,
    SIGACTION,
    FCNTL,
    SIGRETURN,
    SIGALTSTACK,
    FUTEX,
    CLOCK_GETTIME,
    GETRANDOM,
    EXIT_GROUP,
    RECVMSG,
    SENDMSG,
];

/// What a child of a fork server may no longer call.
pub const FORKING: [Call; 4] = [CLONE, SOCKETPAIR, SECCOMP, SENDMSG];

/// What a child may no longer do where its server has loaded the code: make anything runnable.
pub const LOADING: [Call; 2] = [MMAP, MPROTECT];

/// What a compile worker may call: one thread, one request, one answer, and no code of its own making to run.
pub const COMPILE_WORKER: [Call; 20] = [
    MMAP,
    MPROTECT,
    PRLIMIT,
    READ,
    WRITE,
    CLOSE,
    FSTAT,
    MUNMAP,
    MADVISE,
    MREMAP,
    BRK,
    SIGACTION,
    FCNTL,
    SIGRETURN,
    SIGALTSTACK,
    FUTEX,
    CLOCK_GETTIME,
    GETRANDOM,
    EXIT_GROUP,
    RECVMSG,
];

/// What the process outside the pid namespace may call: it waits for the end of the host or of the jailed process.
pub(crate) const WATCH: [Call; 7] = [
    call(libc::SYS_poll, "poll", "wait for the first end"),
    call(
        libc::SYS_read,
        "read",
        "take the signal that asks for the end",
    ),
    call(libc::SYS_wait4, "wait4", "reap the jailed process"),
    call(
        libc::SYS_pidfd_send_signal,
        "pidfd_send_signal",
        "kill the jailed process",
    ),
    CLOSE,
    FCNTL,
    EXIT_GROUP,
];
