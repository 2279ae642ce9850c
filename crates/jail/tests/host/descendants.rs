//! The processes below one, as the kernel lists them.

use std::{fs, process};

/// Every living process that descends from this one.
pub(crate) fn descendants(ancestor: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, parent_of(pid)?)))
        .collect();
    let mut found = vec![ancestor];
    for generation in 0.. {
        let Some(parent) = found.get(generation).copied() else {
            break;
        };
        found.extend(
            parents
                .iter()
                .filter(|(_, of)| *of == parent)
                .map(|(pid, _)| *pid),
        );
    }
    found.split_off(1)
}

/// Its own, without what this process itself is.
pub(crate) fn own_descendants() -> Vec<u32> {
    descendants(process::id())
}

/// A process that has ended but is not yet reaped counts as gone.
fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut words = rest.split(' ');
    if words.next()? == "Z" {
        None
    } else {
        words.next()?.parse().ok()
    }
}
