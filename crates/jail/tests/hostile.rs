//! Guests that have been taken over: what they try, and how it ends.

#[cfg(test)]
#[path = "host/start.rs"]
mod start;

use std::os::fd::AsFd as _;

use jail::{
    Limits, calls,
    client::{AskError, Child, Ending, Server},
    frame, sealed,
    wire::{Code, Start},
};
use start::{START, server};

/// The highest number to try; Linux has less than 480 calls.
const HIGHEST: i64 = 500;

const KILLED_BY_THE_LIST: Ending = Ending::Killed(libc::SIGSYS);

/// `uretprobe` and `uprobe`: newer kernels let them past every filter, and fail them or kill the caller unless they come from the
/// trampoline that the kernel itself has put into a traced program.
const THE_KERNELS_OWN: [i64; 2] = [335, 336];

/// Asks a fresh child, and tells what it said and how it ended.
fn try_one(server: &Server, request: &str) -> (Result<String, AskError>, Ending) {
    let child = server.take().expect("a child for each request");
    let answer = child
        .ask(request.as_bytes(), None, 100)
        .map(|answer| String::from_utf8_lossy(&answer).into_owned());
    (answer, child.ending().unwrap_or(Ending::Unknown))
}

fn is_killed_by_the_list(outcome: &(Result<String, AskError>, Ending)) -> bool {
    let (answer, ending) = outcome;
    answer.is_err() && [KILLED_BY_THE_LIST, Ending::Unknown].contains(ending)
}

#[test]
fn a_child_gets_no_system_call_through_but_the_allowed_ones() {
    let server = server(&START);
    // With arguments of nothing, these two end the child by themselves, and this one has the wrong argument.
    let quiet = [
        libc::SYS_exit_group,
        libc::SYS_rt_sigreturn,
        libc::SYS_fcntl,
    ];
    let gone = calls::FORKING.map(|call| call.number);
    let mut allowed: Vec<i64> = calls::FORK_SERVER.iter().map(|call| call.number).collect();
    allowed.retain(|number| !gone.contains(number) && !quiet.contains(number));
    allowed.sort_unstable();

    let outcomes: Vec<_> = (0..=HIGHEST)
        .map(|number| (number, try_one(&server, &format!("call {number}"))))
        .collect();

    let (own, others): (Vec<_>, Vec<_>) = outcomes
        .into_iter()
        .partition(|(number, _)| THE_KERNELS_OWN.contains(number));
    let through: Vec<i64> = others
        .iter()
        .filter(|(_, (answer, _))| answer.is_ok())
        .map(|(number, _)| *number)
        .collect();
    assert_eq!(through, allowed);
    for (number, outcome) in others {
        let expected = allowed.contains(&number) || quiet.contains(&number);
        assert!(
            expected || is_killed_by_the_list(&outcome),
            "{number}: {outcome:?}"
        );
    }
    assert!(
        own.iter().all(|(_, (answer, _))| answer
            .as_ref()
            .map_or(true, |answer| answer == "returned -1")),
        "{own:?}"
    );
}

#[test]
fn a_child_gets_nothing_through_the_doors_of_other_architectures() {
    let server = server(&START);

    for door in ["x32", "i386"] {
        for number in 0..=HIGHEST {
            let outcome = try_one(&server, &format!("{door} {number}"));

            assert!(
                is_killed_by_the_list(&outcome),
                "{door} {number}: {outcome:?}"
            );
        }
    }
}

#[test]
fn a_server_taken_over_by_its_artifact_ends_at_its_first_wrong_call() {
    let interesting = [
        libc::SYS_open,
        libc::SYS_openat,
        libc::SYS_socket,
        libc::SYS_connect,
        libc::SYS_kill,
        libc::SYS_tgkill,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_fork,
        libc::SYS_vfork,
        libc::SYS_clone3,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_mount,
        libc::SYS_bpf,
        libc::SYS_io_uring_setup,
        libc::SYS_userfaultfd,
        libc::SYS_memfd_create,
        libc::SYS_pidfd_getfd,
        libc::SYS_clone, // allowed, but not with these arguments
    ];

    for number in interesting {
        let artifact = sealed(format!("server call {number}").as_bytes()).unwrap();
        let started = start::with_artifact(&START, Some(artifact.as_fd()));

        assert!(
            matches!(started, Err(jail::client::Error::Ended)),
            "{number}: {started:?}"
        );
    }
}

#[test]
fn a_server_that_floods_its_host_is_cut_off() {
    let artifact = sealed(b"server flood it").unwrap();
    let server = start::with_artifact(&START, Some(artifact.as_fd())).unwrap();

    // One message at a time is no flood yet: there is one as soon as several wait.
    let mut ends = (0..1_000_000).map_while(|_| server.take().err());
    let is_cut_off = ends.any(|end| matches!(end, jail::client::Error::Garbled(_)));

    assert!(is_cut_off);
}

#[test]
fn no_list_lets_a_process_reach_another() {
    let reaching = [
        "kill",
        "tkill",
        "tgkill",
        "rt_sigqueueinfo",
        "ptrace",
        "process_vm_readv",
        "process_vm_writev",
        "pidfd_open",
        "pidfd_getfd",
        "pidfd_send_signal",
        "open",
        "openat",
        "socket",
        "connect",
        "execve",
        "execveat",
        "setpriority",
    ];

    for list in [
        calls::FORK_SERVER.as_slice(),
        calls::COMPILE_WORKER.as_slice(),
    ] {
        assert!(list.len() <= calls::MOST);
        assert!(
            list.iter()
                .all(|call| !reaching.contains(&call.name) && !call.reason.is_empty())
        );
    }
}

#[test]
fn memory_that_escapes_the_limit_cannot_be_mapped() {
    let server = server(&START);
    let ways = ["3 33", "3 290", "3 8226", "3 262178", "16777219 34"]; // shared, growing down, locked, huge, growing protection

    let plain = try_one(&server, "map 3 34");
    let others = ways.map(|way| try_one(&server, &format!("map {way}")));

    assert!(
        plain
            .0
            .is_ok_and(|said| said.starts_with("returned") && said != "returned -1")
    );
    assert!(others.iter().all(is_killed_by_the_list), "{others:?}");
}

#[test]
fn only_a_child_that_loads_artifacts_runs_code_of_its_own_making() {
    let loads = server(&START);
    let inherits = server(&Start {
        code: Code::InServer,
        ..START
    });

    let (by_loader, by_heir) = (try_one(&loads, "run-code"), try_one(&inherits, "run-code"));

    assert_eq!(by_loader.0.unwrap(), "ran");
    assert!(is_killed_by_the_list(&by_heir), "{by_heir:?}");
}

#[test]
fn a_memory_bomb_stops_at_its_limit_while_neighbours_answer() {
    let server = server(&START);
    let bomb = server.take().unwrap();
    bomb.send(b"memory-bomb 64", None).unwrap();

    let neighbour = try_one(&server, "echo here");
    let (megabytes, _) = frame::receive(bomb.connection.as_fd(), 100).unwrap();

    assert_eq!(neighbour.0.unwrap(), "here");
    let megabytes: u64 = String::from_utf8(megabytes).unwrap().parse().unwrap();
    assert!((1..=64).contains(&megabytes), "{megabytes}");
}

#[test]
fn a_processor_hog_is_killed_at_its_limit_while_neighbours_answer() {
    let server = server(&START);
    let hogs: Vec<Child> = (0..2).map(|_| server.take().unwrap()).collect();
    for hog in &hogs {
        hog.send(b"hog 1", None).unwrap();
    }

    let neighbour = try_one(&server, "echo here");
    let endings: Vec<Ending> = hogs.iter().map(|hog| hog.ending().unwrap()).collect();

    assert_eq!(neighbour.0.unwrap(), "here");
    assert!(
        endings
            .iter()
            .all(|ending| [Ending::Killed(libc::SIGXCPU), Ending::Unknown].contains(ending)),
        "{endings:?}"
    );
}

#[test]
fn a_fork_bomb_dies_at_its_first_fork() {
    let server = server(&START);

    for bomb in [
        "fork-flags 17",
        "fork-flags 4113",
        "fork-flags 65536",
        "call 57",
        "call 58",
        "call 435",
    ] {
        let outcome = try_one(&server, bomb);

        assert!(is_killed_by_the_list(&outcome), "{bomb}: {outcome:?}");
    }
}

#[test]
fn a_server_out_of_processes_says_so_and_goes_on() {
    // The process outside, the server, and five children.
    let server = server(&Start {
        limits: Limits {
            processes: 7,
            ..Limits::FORK_SERVER
        },
        ..START
    });

    let mut held: Vec<Child> = Vec::new();
    let refused = loop {
        match server.take() {
            Ok(child) => held.push(child),
            Err(err) => break err,
        }
    };
    for child in &held {
        child.kill().unwrap();
        child.ending().unwrap();
    }
    // What was said before they ended may come first.
    let after = (0..20)
        .find_map(|_| server.take().ok())
        .unwrap()
        .ask(b"echo again", None, 100);

    assert!(
        matches!(refused, jail::client::Error::NoChild(_)),
        "{refused:?}"
    );
    assert_eq!(after.unwrap(), b"again");
}

#[test]
fn every_wrong_answer_has_a_name() {
    let server = server(&START);
    let ask = |request: &str| match try_one(&server, request).0 {
        Err(AskError::Answer(err)) => err,
        other => panic!("{request}: {other:?}"),
    };

    let wrongs = [
        "overlong 4000000000",
        "overlong 101",
        "torn 2",
        "torn 7",
        "end 3",
        "abort",
        "call 57",
    ]
    .map(ask);

    let [huge, longer, header, body, end, abort, killed] = wrongs;
    assert!(matches!(
        huge,
        frame::Error::TooLong {
            bytes: 4_000_000_000,
            limit: 100
        }
    ));
    assert!(matches!(
        longer,
        frame::Error::TooLong {
            bytes: 101,
            limit: 100
        }
    ));
    assert!(matches!(header, frame::Error::Torn { got: 2, wanted: 4 }));
    assert!(matches!(body, frame::Error::Torn { got: 3, wanted: 10 }));
    assert!(
        [end, abort, killed]
            .iter()
            .all(|err| matches!(err, frame::Error::Nothing))
    );
}

#[test]
fn a_flood_is_cut_off_and_a_silent_child_is_killed() {
    let server = server(&START);
    let (flood, silent) = (server.take().unwrap(), server.take().unwrap());

    let flooded = flood.ask(b"flood", None, 1 << 20);
    silent.send(b"wait", None).unwrap();
    flood.kill().unwrap();
    silent.kill().unwrap();

    assert!(matches!(
        flooded,
        Err(AskError::Answer(frame::Error::TooLong { .. }))
    ));
    for child in [flood, silent] {
        assert!(
            [Ending::Killed(libc::SIGKILL), Ending::Unknown].contains(&child.ending().unwrap())
        );
    }
}

#[test]
fn a_request_beyond_the_guests_limit_is_not_answered() {
    let server = server(&START);
    let long = vec![b'x'; 2 << 20];

    let asked = server.take().unwrap().ask(&long, None, 100);

    assert!(asked.is_err(), "{asked:?}");
}
