//! The processes that come from this one.
#![expect(clippy::indexing_slicing, reason = "the kernel lists so many fields")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// A process as the kernel lists it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process {
    /// It has ended and waits to be looked at by its parent.
    pub(crate) is_zombie: bool,
    /// Time of the processor that its own code has used, in ticks.
    pub(crate) ticks: u64,
}

/// All processes that come from this one, by number, with the time of the processor that each has used. Zombies count.
pub(crate) fn descendants() -> BTreeMap<u32, Process> {
    let mut parents = BTreeMap::new();
    let mut processes = BTreeMap::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // A process may end while it is looked at.
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        let fields: Vec<_> = stat
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .collect();
        parents.insert(pid, fields[1].parse::<u32>().unwrap());
        let process = Process {
            is_zombie: fields[0] == "Z",
            ticks: fields[11].parse().unwrap(),
        };
        processes.insert(pid, process);
    }
    let mut found = BTreeSet::from([std::process::id()]);
    loop {
        let more: Vec<_> = parents
            .iter()
            .filter(|(pid, parent)| found.contains(parent) && !found.contains(pid))
            .map(|(pid, _)| *pid)
            .collect();
        if more.is_empty() {
            break;
        }
        found.extend(more);
    }
    processes.retain(|pid, _| *pid != std::process::id() && found.contains(pid));
    processes
}
