//! Who dies with whom, and as whom everything runs.

#[cfg(test)]
#[path = "host/descendants.rs"]
mod descendants;
#[cfg(test)]
#[path = "host/start.rs"]
mod start;

use std::{
    fs::{self, File, Permissions},
    io::{BufRead as _, BufReader},
    os::{
        fd::{AsFd as _, AsRawFd, FromRawFd as _, OwnedFd},
        unix::{fs::PermissionsExt as _, process::CommandExt as _},
    },
    process::{Command, Stdio},
    thread,
};

use descendants::{descendants, own_descendants};
use jail::{
    client::{Error, Server},
    program,
};
use start::{START, server};

const PROBE: &str = env!("CARGO_BIN_EXE_jail-probe");

#[expect(unsafe_code, reason = "std opens no pidfds")]
fn pidfd(pid: u32) -> Option<OwnedFd> {
    // SAFETY: it touches no memory, and the descriptor is new.
    let raw = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let raw = i32::try_from(raw).ok().filter(|raw| *raw >= 0)?;
    // SAFETY: as above.
    Some(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// Waits for the end of a process that need not be a child of ours; false if it does not come within 10 s.
#[expect(unsafe_code, reason = "std has no poll")]
fn ends(pidfd: &OwnedFd) -> bool {
    let mut entry = libc::pollfd {
        fd: pidfd.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one entry, which lives through the call.
    unsafe { libc::poll(&raw mut entry, 1, 10_000) == 1 }
}

#[expect(unsafe_code, reason = "std signals no pidfds")]
fn kill(pidfd: &impl AsRawFd) {
    // SAFETY: it touches no memory.
    unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            libc::SIGKILL,
            0,
            0,
        )
    };
}

#[test]
fn nothing_outlives_a_host_that_is_killed() {
    let mut host = Command::new(PROBE)
        .args(["host-that-waits", PROBE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(host.stdout.take().unwrap())
        .read_line(&mut ready)
        .unwrap();
    let below: Vec<OwnedFd> = descendants(host.id())
        .into_iter()
        .filter_map(pidfd)
        .collect();

    host.kill().unwrap();
    host.wait().unwrap();

    assert_eq!(ready, "ready\n");
    // The process outside, the server, two children at work and two that wait.
    assert!(below.len() >= 4, "{}", below.len());
    assert!(below.iter().all(ends));
}

#[test]
fn a_server_that_does_not_listen_dies_with_its_host_too() {
    let mut host = Command::new(PROBE)
        .args(["host-that-starts", PROBE])
        .spawn()
        .unwrap();
    let below = loop {
        let below: Vec<u32> = descendants(host.id());
        // The process outside and the server, which spins by then or will.
        if below.len() == 2 {
            break below
                .into_iter()
                .filter_map(pidfd)
                .collect::<Vec<OwnedFd>>();
        }
        thread::yield_now();
    };

    host.kill().unwrap();
    host.wait().unwrap();

    assert_eq!(below.len(), 2);
    assert!(below.iter().all(ends));
}

#[test]
fn children_die_with_their_server_and_the_host_is_told() {
    let server = server(&START);
    let child = server.take().unwrap();
    child.send(b"spin", None).unwrap();

    kill(&server.pidfd());

    assert!(ends(&child.pidfd));
    assert!(child.ask(b"", None, 10).is_err());
    // A child that waited before the end may still be handed out.
    let told = (0..10).find_map(|_| server.take().err());
    assert!(matches!(told, Some(Error::Ended)), "{told:?}");
}

#[test]
fn a_dropped_server_leaves_no_process() {
    let server = server(&START);
    server.take().unwrap().send(b"spin", None).unwrap();
    let below: Vec<OwnedFd> = own_descendants().into_iter().filter_map(pidfd).collect();

    drop(server);

    assert!(below.len() >= 3, "{}", below.len());
    assert!(below.iter().all(ends));
}

#[test]
fn a_server_outlives_the_thread_that_started_it() {
    let server = thread::spawn(|| server(&START)).join().unwrap();

    let answers: Vec<_> = (0..5)
        .map(|_| server.take().unwrap().ask(b"echo on", None, 10).unwrap())
        .collect();

    assert!(answers.iter().all(|answer| answer == b"on"));
}

#[test]
fn an_ordinary_user_gets_the_same_jail() {
    const USER: u32 = 12345;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("probe");
    fs::copy(PROBE, &copy).unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let mut host = Command::new(&copy);
    host.arg("host").arg(&copy);
    let root = std::os::unix::fs::MetadataExt::uid(&fs::metadata("/proc/self").unwrap()) == 0;
    if root {
        host.uid(USER).gid(USER);
    }

    let said = host.output().unwrap();

    assert_eq!(
        String::from_utf8_lossy(&said.stdout),
        "from the jail",
        "{said:?}"
    );
}

#[test]
fn a_program_needs_no_file() {
    let program = program(&fs::read(PROBE).unwrap()).unwrap();

    let server = Server::start(program.as_fd(), &START, None).unwrap();

    assert_eq!(
        server.take().unwrap().ask(b"echo hello", None, 10).unwrap(),
        b"hello"
    );
    assert!(server.report().missing.is_empty());
}

#[test]
fn a_program_that_is_no_server_is_told_from_one() {
    let other = File::open("/bin/true").unwrap();

    let started = Server::start(other.as_fd(), &START, None);

    assert!(matches!(started, Err(Error::Ended)), "{started:?}");
}
