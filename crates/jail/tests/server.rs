//! A server and its children, as the host sees them.

#[cfg(test)]
#[path = "host/start.rs"]
mod start;

use std::{
    os::{fd::AsFd as _, unix::process::ExitStatusExt as _},
    process::ExitStatus,
};

use jail::{
    client::{Child, Ending, Error},
    deadline, sealed,
    wire::{Code, MOST_AHEAD, Start},
};
use start::{START, server, with_artifact};

fn asked(child: &Child, request: &str) -> Option<String> {
    let answer = child.ask(request.as_bytes(), None, 1 << 22).ok()?;
    Some(String::from_utf8_lossy(&answer).into_owned())
}

#[test]
fn each_child_answers_one_request() {
    let server = server(&START);

    let answers: Vec<String> = (0..10)
        .filter_map(|number| asked(&server.take().unwrap(), &format!("echo {number}")))
        .collect();

    assert_eq!(answers.concat(), "0123456789");
    assert!(server.report().missing.is_empty() && server.report().landlock_abi > 0);
}

#[test]
fn a_child_that_has_answered_is_gone() {
    let server = server(&START);
    let child = server.take().unwrap();

    let (first, second) = (asked(&child, "echo once"), asked(&child, "echo twice"));

    assert_eq!(first.as_deref(), Some("once"));
    assert_eq!(second, None);
    assert!([Ending::Exited(0), Ending::Unknown].contains(&child.ending().unwrap()));
}

#[test]
fn children_inherit_the_artifact_of_their_server() {
    let artifact = sealed(b"the same for all").unwrap();
    let server = with_artifact(
        &Start {
            code: Code::InServer,
            ..START
        },
        Some(artifact.as_fd()),
    )
    .unwrap();

    let answers: Vec<_> = (0..3)
        .map(|_| asked(&server.take().unwrap(), "artifact"))
        .collect();

    assert!(
        answers
            .iter()
            .all(|answer| answer.as_deref() == Some("the same for all"))
    );
}

#[test]
fn an_artifact_reaches_one_child_with_its_request() {
    let server = server(&START);
    let artifact = sealed(b"for one").unwrap();
    let (one, other) = (server.take().unwrap(), server.take().unwrap());

    let with = one.ask(b"artifact", Some(artifact.as_fd()), 100).unwrap();

    assert_eq!(with, b"for one");
    assert_eq!(asked(&other, "artifact").as_deref(), Some(""));
}

#[test]
fn long_requests_and_answers_arrive_whole() {
    let server = server(&START);
    let lengths = [0, 1, 4091, 4092, 4093, 100_000, (1 << 20) - 5];

    for length in lengths {
        let text = "x".repeat(length);

        let answer = asked(&server.take().unwrap(), &format!("echo {text}"));

        assert!(answer == Some(text), "{length}");
    }
}

#[test]
fn a_guest_that_cannot_be_made_ready_says_why() {
    let artifact = sealed(b"server fail no such thing").unwrap();

    let started = with_artifact(&START, Some(artifact.as_fd()));

    assert!(matches!(started, Err(Error::Unprepared(reason)) if reason == "no such thing"));
}

#[test]
fn a_child_whose_time_is_up_sends_what_it_has() {
    let server = server(&START);
    let child = server.take().unwrap();

    let answer = asked(&child, "late 20");

    assert_eq!(answer.as_deref(), Some("as far as it got"));
    assert!(
        [Ending::Exited(deadline::EXIT_CODE), Ending::Unknown].contains(&child.ending().unwrap())
    );
}

#[test]
fn a_host_that_does_not_want_to_wait_takes_what_waits() {
    let server = server(&START);
    let first = server.take().unwrap();

    let mut more = Vec::new();
    while more.len() < 5 {
        more.extend(server.try_take().unwrap());
    }

    assert!(
        more.iter()
            .chain([&first])
            .all(|child| asked(child, "echo yes").is_some())
    );
}

#[test]
fn a_server_keeps_as_many_children_waiting_as_a_socket_holds() {
    let server = server(&Start {
        ahead: MOST_AHEAD,
        ..START
    });

    let children: Vec<Child> = (0..2 * MOST_AHEAD)
        .map(|_| server.take().unwrap())
        .collect();

    assert!(
        children
            .iter()
            .all(|child| asked(child, "echo yes").is_some())
    );
}

#[test]
fn a_server_ends_when_it_is_told_to() {
    let server = server(&START);

    let status: ExitStatus = server.stop().unwrap();

    // By itself, killed by the process outside, or with that one before it watches, whichever comes first.
    let ended = [Some(0), Some(137)].contains(&status.code());
    assert!(
        ended || status.signal() == Some(libc::SIGTERM),
        "{status:?}"
    );
}

#[test]
fn a_server_without_children_is_not_started() {
    let artifact = sealed(b"").unwrap();

    let none = with_artifact(&Start { ahead: 0, ..START }, Some(artifact.as_fd()));

    assert!(matches!(none, Err(Error::Garbled(_))));
}
