//! The processes that come from this one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// All processes that come from this one, by number, with the time of the processor that each has used. Zombies count.
pub(crate) fn descendants() -> BTreeMap<u32, u64> {
    let mut parents = BTreeMap::new();
    let mut used = BTreeMap::new();
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
        used.insert(pid, fields[11].parse::<u64>().unwrap());
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
    used.retain(|pid, _| *pid != std::process::id() && found.contains(pid));
    used
}
