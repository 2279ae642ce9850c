//! What a host has: descriptors, processes, memory.

use std::{fs, process};

use jail::client::Server;

use crate::descendants::own_descendants;

/// What the host has.
pub(crate) struct Household {
    pub(crate) descriptors: usize,
    pub(crate) processes: Vec<u32>,
    /// Of the process outside, the server, and the host.
    pub(crate) memory_kb: Vec<u64>,
}

pub(crate) fn household() -> Household {
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

pub(crate) fn live(server: &Server, way: &str) {
    let child = server.take().unwrap();
    child.ask(way.as_bytes(), None, 100).ok();
    child.ending().unwrap();
}

/// Takes and ends children until those that wait are counted by the host already: then the number of descriptors is steady.
pub(crate) fn settle(server: &Server) {
    (0..50).for_each(|_| live(server, "echo settle"));
    let mut held = Vec::new();
    while held.len() < 2 {
        held.extend(server.try_take().unwrap());
    }
    drop(held);
    (0..2).for_each(|_| live(server, "echo settle"));
}
