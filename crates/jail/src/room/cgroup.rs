//! A cgroup around the room, where the machine has delegated one to us: it counts what no limit on a process does, and the kernel
//! itself holds the room to it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::Room;

/// Begins the name of every room's cgroup.
const PREFIX: &str = "outlayer-room-";
/// Where the second version is mounted, alone or beside the first.
const MOUNTS: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

/// The room's cgroup.
#[derive(Debug)]
pub(super) struct Cgroup;

impl Cgroup {
    /// Makes one, sets its limits and enters it.
    pub(super) fn enter(room: &Room) -> io::Result<Self> {
        let own = fs::read_to_string("/proc/self/cgroup")?;
        let parent = MOUNTS
            .into_iter()
            .filter_map(|mount| parent_of(Path::new(mount), &own))
            .find(|parent| parent.join("cgroup.controllers").is_file())
            .ok_or_else(|| io::Error::other("there is no cgroup of the second version"))?;
        Self::enter_below(&parent, room)
    }

    fn enter_below(parent: &Path, room: &Room) -> io::Result<Self> {
        let controllers = fs::read_to_string(parent.join("cgroup.controllers"))?;
        for needed in ["memory", "pids"] {
            if !controllers.split_whitespace().any(|name| name == needed) {
                return Err(io::Error::other(format!("{needed} is not delegated")));
            }
        }
        clear_abandoned(parent)?;
        fs::write(parent.join("cgroup.subtree_control"), "+memory +pids")?;
        let own = parent.join(format!("{PREFIX}{}", std::process::id()));
        fs::create_dir(&own)?;
        let set = || {
            // Files in the spaces are memory too.
            let files = room.spaces.iter().map(|space| space.bytes);
            let most = files.fold(room.memory_bytes, u64::saturating_add);
            fs::write(own.join("memory.max"), most.to_string())?;
            fs::write(own.join("pids.max"), room.processes.to_string())?;
            fs::write(own.join("cgroup.procs"), "0")
        };
        // One without limits, or with nobody in it, is of no use.
        set().inspect_err(|_| drop(fs::remove_dir(&own)))?;
        // What is swapped out counts as memory; a kernel without swap has no such file.
        fs::write(own.join("memory.swap.max"), "0").ok();
        Ok(Self)
    }
}

/// The folder of the cgroup that we are in, by what the kernel says of us.
fn parent_of(mount: &Path, own: &str) -> Option<PathBuf> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    Some(mount.join(path))
}

/// Removes the cgroups of rooms that are over: nobody can remove his own while he is in it. One that is in use cannot be removed.
fn clear_abandoned(parent: &Path) -> io::Result<()> {
    for entry in fs::read_dir(parent)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            fs::remove_dir(entry.path()).ok();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_versions_line_names_the_folder() {
        let own = "4:memory:/other\n0::/system.slice/outlayer.service\n";

        let parent = parent_of(Path::new("/sys/fs/cgroup"), own);

        assert_eq!(
            parent,
            Some("/sys/fs/cgroup/system.slice/outlayer.service".into())
        );
        assert_eq!(parent_of(Path::new("/sys/fs/cgroup"), "4:memory:/x"), None);
    }
}
