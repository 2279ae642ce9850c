//! Thousands of children leave nothing behind. Alone in its program, since it counts what the whole process has.

#[cfg(test)]
#[path = "host/descendants.rs"]
mod descendants;
#[cfg(test)]
#[path = "host/start.rs"]
mod start;

use std::{env, fs, process};

use descendants::own_descendants;
use jail::client::Server;
use start::{START, server};

/// Children by default; `JAIL_CHILDREN` asks for more.
const CHILDREN: usize = 3000;

/// What memory may differ by: allocators keep pages for later.
const SLACK_KB: u64 = 1024;

/// Every way for a child to end that takes no time.
const WAYS: [&str; 8] = [
    "echo well",
    "call 62",
    "x32 0",
    "end 7",
    "torn 2",
    "overlong 1000000",
    "memory-bomb 4",
    "fork-flags 17",
];

struct Household {
    descriptors: usize,
    processes: Vec<u32>,
    memory_kb: Vec<u64>,
}

fn household() -> Household {
    let processes = own_descendants();
    // Those that wait for a request come and go; the process outside and the server stay.
    let staying: Vec<u32> = processes.iter().copied().take(2).collect();
    let memory_kb = staying
        .iter()
        .chain([&process::id()])
        .map(|pid| resident_kb(*pid))
        .collect();
    Household {
        descriptors: fs::read_dir("/proc/self/fd").unwrap().count(),
        processes,
        memory_kb,
    }
}

fn resident_kb(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn live(server: &Server, way: &str) {
    let child = server.take().unwrap();
    child.ask(way.as_bytes(), None, 100).ok();
    child.ending().unwrap();
}

/// Takes and ends children until those that wait are counted by the host already: then the number of descriptors is steady.
fn settle(server: &Server) {
    (0..50).for_each(|_| live(server, "echo settle"));
    let mut held = Vec::new();
    while held.len() < 2 {
        held.extend(server.try_take().unwrap());
    }
    drop(held);
    (0..2).for_each(|_| live(server, "echo settle"));
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "how many is for whoever runs the test to say"
)]
fn the_host_is_the_same_after_thousands_of_children() {
    let children = env::var("JAIL_CHILDREN").map_or(CHILDREN, |count| count.parse().unwrap());
    let server = server(&START);
    settle(&server);
    let before = household();

    (0..children)
        .zip(WAYS.iter().cycle())
        .for_each(|(_, way)| live(&server, way));

    settle(&server);
    let after = household();
    assert!(before.processes.len().abs_diff(after.processes.len()) <= usize::from(START.ahead));
    assert!(before.descriptors.abs_diff(after.descriptors) <= 2 * usize::from(START.ahead));
    for (before, after) in before.memory_kb.iter().zip(&after.memory_kb) {
        assert!(
            after.saturating_sub(*before) <= SLACK_KB,
            "{before} kB, then {after} kB"
        );
    }
    drop(server);
    assert_eq!(own_descendants(), Vec::<u32>::new());
}
