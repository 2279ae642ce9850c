//! The system calls of a room: what compilers, linkers, shells and make need. Anything else does not exist.
//!
//! Left out on purpose, whatever they are good for: `ptrace` and `process_vm_*`, everything that mounts or changes namespaces or roots,
//! `bpf`, `perf_event_open`, `userfaultfd`, `io_uring_*`, `keyctl` and its kin, `kexec_*`, modules, `reboot`, `swapon`, `acct`, `quotactl`,
//! clocks that can be set, `open_by_handle_at`, `fanotify_*`, and those that make memory which no limit counts: `memfd_create`,
//! `shmget` and message queues. `clone3` is not there since its flags lie in memory where no filter sees them; the C libraries then
//! use `clone`.

use libc as c;

use crate::filter::{Argument, Call, Rule};

/// A namespace of one's own, in the flags of `clone`; `CLONE_NEWTIME` has no bit there.
const NAMESPACES: u64 =
    0x2_0000 | 0x200_0000 | 0x400_0000 | 0x800_0000 | 0x1000_0000 | 0x2000_0000 | 0x4000_0000;
const UNIX: u64 = 1;

/// Calls whose arguments matter.
const CONDITIONAL: [Call; 3] = [
    Call {
        number: c::SYS_clone,
        name: "clone",
        reason: "processes and threads, but no namespaces",
        arguments: &[Argument {
            place: 0,
            rule: Rule::Within(!NAMESPACES),
        }],
    },
    Call {
        number: c::SYS_socket,
        name: "socket",
        reason: "local sockets, which reach nobody outside; no other kind",
        arguments: &[Argument {
            place: 0,
            rule: Rule::Is(UNIX),
        }],
    },
    Call {
        number: c::SYS_socketpair,
        name: "socketpair",
        reason: "as above",
        arguments: &[Argument {
            place: 0,
            rule: Rule::Is(UNIX),
        }],
    },
];

/// Calls that are allowed whatever their arguments, each group with its reason.
const GROUPS: [(&str, &[i64]); 12] = [
    ("open, read and write files", OPENING),
    ("look at files", LOOKING),
    ("make, move and remove files", CHANGING),
    ("memory of one's own", MEMORY),
    ("start, end and wait for processes", PROCESSES),
    ("signals to oneself and one's own", SIGNALS),
    (
        "who one is; without the right to become anybody else, `setres*id` only says it again, as make does before each program",
        IDENTITY,
    ),
    ("scheduling and limits, downwards only", SCHEDULING),
    ("clocks that are read, and timers", TIME),
    ("wait for several things at once", WAITING),
    ("local sockets", SOCKETS),
    (
        "facts about the machine that the room has made neutral, and randomness",
        FACTS,
    ),
];

#[rustfmt::skip]
const OPENING: &[i64] = &[
    c::SYS_read, c::SYS_write, c::SYS_open, c::SYS_openat, c::SYS_openat2, c::SYS_creat, c::SYS_close,
    c::SYS_close_range, c::SYS_lseek, c::SYS_pread64, c::SYS_pwrite64, c::SYS_readv, c::SYS_writev, c::SYS_preadv,
    c::SYS_pwritev, c::SYS_preadv2, c::SYS_pwritev2, c::SYS_sendfile, c::SYS_copy_file_range, c::SYS_splice,
    c::SYS_tee, c::SYS_fadvise64, c::SYS_readahead, c::SYS_fsync, c::SYS_fdatasync, c::SYS_sync_file_range,
    c::SYS_flock, c::SYS_dup, c::SYS_dup2, c::SYS_dup3, c::SYS_pipe, c::SYS_pipe2, c::SYS_fcntl, c::SYS_ioctl,
];
#[rustfmt::skip]
const LOOKING: &[i64] = &[
    c::SYS_stat, c::SYS_fstat, c::SYS_lstat, c::SYS_newfstatat, c::SYS_statx, c::SYS_statfs, c::SYS_fstatfs,
    c::SYS_access, c::SYS_faccessat, c::SYS_faccessat2, c::SYS_getdents, c::SYS_getdents64, c::SYS_getcwd,
    c::SYS_chdir, c::SYS_fchdir, c::SYS_readlink, c::SYS_readlinkat, c::SYS_getxattr, c::SYS_lgetxattr,
    c::SYS_fgetxattr, c::SYS_listxattr, c::SYS_llistxattr, c::SYS_flistxattr,
];
#[rustfmt::skip]
const CHANGING: &[i64] = &[
    c::SYS_mkdir, c::SYS_mkdirat, c::SYS_rmdir, c::SYS_unlink, c::SYS_unlinkat, c::SYS_rename, c::SYS_renameat,
    c::SYS_renameat2, c::SYS_link, c::SYS_linkat, c::SYS_symlink, c::SYS_symlinkat, c::SYS_mknod, c::SYS_mknodat,
    c::SYS_truncate, c::SYS_ftruncate, c::SYS_fallocate, c::SYS_chmod, c::SYS_fchmod, c::SYS_fchmodat, c::SYS_chown,
    c::SYS_lchown, c::SYS_fchown, c::SYS_fchownat, c::SYS_umask, c::SYS_utime, c::SYS_utimes, c::SYS_utimensat,
    c::SYS_futimesat,
];
#[rustfmt::skip]
const MEMORY: &[i64] = &[
    c::SYS_mmap, c::SYS_munmap, c::SYS_mprotect, c::SYS_mremap, c::SYS_madvise, c::SYS_brk, c::SYS_msync,
    c::SYS_mincore, c::SYS_mlock, c::SYS_munlock, c::SYS_membarrier, c::SYS_get_mempolicy,
];
#[rustfmt::skip]
const PROCESSES: &[i64] = &[
    c::SYS_fork, c::SYS_vfork, c::SYS_execve, c::SYS_execveat, c::SYS_exit, c::SYS_exit_group, c::SYS_wait4,
    c::SYS_waitid, c::SYS_set_tid_address, c::SYS_set_robust_list, c::SYS_get_robust_list, c::SYS_rseq,
    c::SYS_arch_prctl, c::SYS_prctl, c::SYS_futex, c::SYS_pidfd_open, c::SYS_setpgid, c::SYS_setsid,
];
#[rustfmt::skip]
const SIGNALS: &[i64] = &[
    c::SYS_kill, c::SYS_tkill, c::SYS_tgkill, c::SYS_pidfd_send_signal, c::SYS_rt_sigaction, c::SYS_rt_sigprocmask,
    c::SYS_rt_sigreturn, c::SYS_rt_sigpending, c::SYS_rt_sigsuspend, c::SYS_rt_sigtimedwait, c::SYS_rt_sigqueueinfo,
    c::SYS_rt_tgsigqueueinfo, c::SYS_sigaltstack, c::SYS_restart_syscall, c::SYS_pause,
];
#[rustfmt::skip]
const IDENTITY: &[i64] = &[
    c::SYS_getpid, c::SYS_getppid, c::SYS_gettid, c::SYS_getpgid, c::SYS_getpgrp, c::SYS_getsid, c::SYS_getuid,
    c::SYS_geteuid, c::SYS_getgid, c::SYS_getegid, c::SYS_getresuid, c::SYS_getresgid, c::SYS_getgroups,
    c::SYS_setresuid, c::SYS_setresgid, c::SYS_capget,
];
#[rustfmt::skip]
const SCHEDULING: &[i64] = &[
    c::SYS_sched_yield, c::SYS_sched_getaffinity, c::SYS_sched_setaffinity, c::SYS_sched_getparam,
    c::SYS_sched_getscheduler, c::SYS_sched_get_priority_max, c::SYS_sched_get_priority_min, c::SYS_getpriority,
    c::SYS_setpriority, c::SYS_prlimit64, c::SYS_getrlimit, c::SYS_setrlimit, c::SYS_getrusage, c::SYS_times,
];
#[rustfmt::skip]
const TIME: &[i64] = &[
    c::SYS_clock_gettime, c::SYS_clock_getres, c::SYS_clock_nanosleep, c::SYS_nanosleep, c::SYS_gettimeofday,
    c::SYS_time, c::SYS_alarm, c::SYS_setitimer, c::SYS_getitimer, c::SYS_timer_create, c::SYS_timer_settime,
    c::SYS_timer_gettime, c::SYS_timer_getoverrun, c::SYS_timer_delete, c::SYS_timerfd_create, c::SYS_timerfd_settime,
    c::SYS_timerfd_gettime,
];
#[rustfmt::skip]
const WAITING: &[i64] = &[
    c::SYS_poll, c::SYS_ppoll, c::SYS_select, c::SYS_pselect6, c::SYS_epoll_create, c::SYS_epoll_create1,
    c::SYS_epoll_ctl, c::SYS_epoll_wait, c::SYS_epoll_pwait, c::SYS_epoll_pwait2, c::SYS_eventfd, c::SYS_eventfd2,
    c::SYS_signalfd, c::SYS_signalfd4,
];
#[rustfmt::skip]
const SOCKETS: &[i64] = &[
    c::SYS_connect, c::SYS_bind, c::SYS_listen, c::SYS_accept, c::SYS_accept4, c::SYS_getsockname, c::SYS_getpeername,
    c::SYS_sendto, c::SYS_recvfrom, c::SYS_sendmsg, c::SYS_recvmsg, c::SYS_shutdown, c::SYS_setsockopt,
    c::SYS_getsockopt,
];
#[rustfmt::skip]
const FACTS: &[i64] = &[
    c::SYS_uname, c::SYS_sysinfo, c::SYS_getrandom, c::SYS_getcpu,
];

/// All that a room's program may call.
pub(super) fn allowed() -> Vec<Call> {
    let plain = GROUPS.iter().flat_map(|(reason, numbers)| {
        numbers.iter().map(|number| Call {
            number: *number,
            name: "",
            reason,
            arguments: &[],
        })
    });
    CONDITIONAL.into_iter().chain(plain).collect()
}
