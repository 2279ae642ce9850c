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

/// A quarter of what others have by default.
const CPU_WEIGHT: &str = "25";

/// The room's cgroup.
#[derive(Debug)]
pub(super) struct Cgroup;

impl Cgroup {
    /// Makes one, sets its limits and enters it.
    pub(super) fn enter(room: &Room) -> io::Result<Self> {
        let own = fs::read_to_string("/proc/self/cgroup")?;
        let own = MOUNTS
            .into_iter()
            .filter_map(|mount| own_folder(Path::new(mount), &own))
            .find(|own| own.join("cgroup.controllers").is_file())
            .ok_or_else(|| io::Error::other("there is no cgroup of the second version"))?;
        // A cgroup with processes in it gives its children no limits, but for the topmost. So who delegates puts the host into a
        // child of its own (systemd: `DelegateSubgroup`), and rooms go beside it.
        Self::enter_below(&own, room).or_else(|why| {
            let beside = own
                .parent()
                .filter(|above| above.join("cgroup.procs").is_file());
            beside.map_or(Err(why), |above| Self::enter_below(above, room))
        })
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
        // Guests that answer come before builds; where processor time is not delegated it is the scheduler's to share.
        if fs::write(parent.join("cgroup.subtree_control"), "+cpu").is_ok() {
            fs::write(own.join("cpu.weight"), CPU_WEIGHT).ok();
        }
        // What is swapped out counts as memory; a kernel without swap has no such file.
        fs::write(own.join("memory.swap.max"), "0").ok();
        Ok(Self)
    }
}

/// The folder of the cgroup that we are in, by what the kernel says of us.
fn own_folder(mount: &Path, own: &str) -> Option<PathBuf> {
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

        let folder = own_folder(Path::new("/sys/fs/cgroup"), own);

        assert_eq!(
            folder,
            Some("/sys/fs/cgroup/system.slice/outlayer.service".into())
        );
        assert_eq!(own_folder(Path::new("/sys/fs/cgroup"), "4:memory:/x"), None);
    }

    #[test]
    fn a_rooms_cgroup_holds_its_processes_and_files_to_their_sum() {
        let parent = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(parent.path().join(name), text).unwrap();
        write("cgroup.controllers", "cpu memory pids\n");
        fs::create_dir(parent.path().join("outlayer-room-1")).unwrap();
        let args = "memory=100 processes=7 bytes=20 inodes=1 space=/a space=/b -- /bin/true";
        let room = Room::from_args(args.split(' ').map(Into::into)).unwrap();

        Cgroup::enter_below(parent.path(), &room).unwrap();

        let own = parent
            .path()
            .join(format!("{PREFIX}{}", std::process::id()));
        let read = |name: &str| fs::read_to_string(own.join(name)).unwrap();
        assert_eq!(read("memory.max"), "140");
        assert_eq!(read("pids.max"), "7");
        assert_eq!(read("cgroup.procs"), "0");
        assert!(!parent.path().join("outlayer-room-1").exists());
    }

    #[test]
    fn a_cgroup_that_is_not_delegated_is_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        fs::write(parent.path().join("cgroup.controllers"), "cpu\n").unwrap();
        let room = Room::from_args(["--", "/bin/true"].map(Into::into)).unwrap();

        let entered = Cgroup::enter_below(parent.path(), &room);

        assert!(entered.is_err());
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
    }
}
