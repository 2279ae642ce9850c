//! What the engine is told: everything that follows `docker run`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use jail::room::SYSTEM_FILES;

use super::{Docker, IMAGE, product};
use crate::jail::Step;
use crate::jail::inside::Inside;

/// The container's own, which programs use that do not look at `TMPDIR`.
pub(super) const TMP: &str = "/tmp";
/// Runs the step and hands its product out.
const ROOM: &str = include_str!("room.sh");
/// User and group "nobody".
const NOBODY: &str = "--user=65534:65534";

/// The words for `step`.
pub(super) fn of_run(docker: &Docker, step: &Step) -> io::Result<Vec<OsString>> {
    let inside = Inside(step);
    let spaces = spaces(docker, step);
    let mut words: Vec<OsString> = [
        "--pull=never",
        "--network=none",
        "--ipc=none",
        "--hostname=room",
        "--read-only",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        NOBODY,
        "--log-driver=none",
        "--stop-signal=KILL",
        "--oom-score-adj=1000",
    ]
    .map(OsString::from)
    .to_vec();
    words.push(joined("--security-opt=seccomp=", &calls(step)));
    words.extend(limits(docker, &spaces));
    words.extend(spaces.iter().map(Space::word));
    let (system, _) = SYSTEM_FILES;
    for path in system.iter().map(Path::new).filter(|path| path.exists()) {
        words.push(mount(path, path, Access::Read)?);
    }
    for from in &step.reads {
        words.push(mount(from, &inside.path(from), Access::Read)?);
    }
    let product = Path::new(product::INSIDE);
    words.push(mount(&product::outside(step), product, Access::Write)?);
    words.push(joined("--workdir=", &inside.path(&step.folder)));
    words.push(IMAGE.into());
    words.extend(within(step)?);
    Ok(words)
}

/// Where the engine's client reads which system calls there are, beside the account.
pub(super) fn calls(step: &Step) -> PathBuf {
    step.account.with_extension("calls")
}

/// What runs in the container, with nothing in its environment that the image or the engine has put there.
fn within(step: &Step) -> io::Result<Vec<OsString>> {
    let inside = Inside(step);
    let product = &step.product;
    let (extension, bytes) = product::kind(step)?;
    let folder = inside.path(&product.space.join(&product.folder));
    let mut words: Vec<OsString> = ["/bin/sh", "-c", ROOM, "room"].map(OsString::from).to_vec();
    words.push(folder.into());
    words.push(extension.into());
    words.push(bytes.to_string().into());
    words.extend(["/usr/bin/env", "-i"].map(OsString::from));
    words.extend(step.env.iter().map(|(name, value)| {
        let mut word = name.clone();
        word.push("=");
        word.push(inside.word(value));
        word
    }));
    words.push(inside.path(&step.program).into());
    words.extend(step.args.iter().map(|arg| inside.word(arg)));
    Ok(words)
}

fn limits(docker: &Docker, spaces: &[Space]) -> Vec<OsString> {
    let (all, each) = (&docker.limits, &docker.process_limits);
    // What is written lies in memory and is counted as such.
    let memory = spaces.iter().fold(all.memory_bytes, |sum, space| {
        sum.saturating_add(space.bytes)
    });
    let mut words = vec![
        format!("--memory={memory}"),
        // Memory and swap together: no swap.
        format!("--memory-swap={memory}"),
        format!("--pids-limit={}", all.processes),
        "--ulimit=core=0:0".to_owned(),
    ];
    words.extend(docker.cpus.map(|cpus| format!("--cpus={cpus}")));
    let ulimits = [
        ("cpu", each.cpu.as_secs().max(1)),
        ("data", all.process_memory_bytes),
        ("fsize", each.file_bytes),
        ("nofile", each.open_files),
        ("nproc", each.processes),
    ];
    words.extend(ulimits.map(|(name, most)| format!("--ulimit={name}={most}:{most}")));
    words.into_iter().map(OsString::from).collect()
}

/// A folder in memory.
struct Space {
    path: PathBuf,
    bytes: u64,
    /// Whether programs in it may be run. Build scripts are, where they are built.
    programs: &'static str,
}

impl Space {
    fn word(&self) -> OsString {
        let Self {
            bytes, programs, ..
        } = self;
        let mut word = joined("--tmpfs=", &self.path);
        word.push(format!(
            ":rw,nosuid,nodev,{programs},size={bytes},mode=1777"
        ));
        word
    }
}

/// Every folder that may be written to. The engine makes the places that things are mounted at, and they are then root's: a folder
/// that is written to and in which something is mounted is a space of its own.
fn spaces(docker: &Docker, step: &Step) -> Vec<Space> {
    let inside = Inside(step);
    let folders_of_reads = step.reads.iter().filter_map(|read| read.parent());
    let between: BTreeSet<&Path> = folders_of_reads
        .filter(|folder| {
            step.writes
                .iter()
                .any(|write| folder.starts_with(write) && *folder != write)
        })
        .collect();
    let scratch = |path: PathBuf| Space {
        path,
        bytes: docker.limits.scratch_bytes,
        programs: "noexec",
    };
    let mut spaces = vec![scratch(TMP.into())];
    for write in step.writes.iter().map(PathBuf::as_path).chain(between) {
        let path = inside.path(write);
        spaces.push(if *write == *step.product.space {
            Space {
                path,
                bytes: docker.limits.output_bytes,
                programs: "exec",
            }
        } else {
            scratch(path)
        });
    }
    spaces
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

fn mount(from: &Path, at: &Path, access: Access) -> io::Result<OsString> {
    for path in [from, at] {
        let text = path.as_os_str().as_encoded_bytes();
        // The engine reads the words of a mount as a line of CSV.
        if text.iter().any(|byte| b",\"\r\n".contains(byte)) {
            let error = format!("{} cannot be named to an engine", path.display());
            return Err(io::Error::other(error));
        }
    }
    let mut word = joined("--mount=type=bind,source=", from);
    word.push(",target=");
    word.push(at);
    if access == Access::Read {
        word.push(",readonly");
    }
    Ok(word)
}

fn joined(option: &str, path: &Path) -> OsString {
    let mut word = OsString::from(option);
    word.push(path);
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jail::docker::CALLS;
    use crate::jail::docker::tests::step;

    fn docker() -> Docker {
        Docker {
            cpus: Some(2),
            ..Docker::new("docker".into(), [].into())
        }
    }

    #[test]
    fn the_engine_is_told_to_seal_the_container_and_shows_it_nothing_of_where_it_is_built() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_str().unwrap();

        let words = of_run(&docker(), &step(folder.path())).unwrap();

        let (system, _) = SYSTEM_FILES;
        let is_system = |word: &str| {
            system
                .iter()
                .any(|path| word.ends_with(&format!(",target={path},readonly")))
        };
        let words: Vec<_> = words
            .iter()
            .map(|word| word.to_str().unwrap())
            .filter(|word| !is_system(word))
            .map(|word| {
                word.replace(ROOM, "[room.sh]")
                    .replace(&format!("{root}/home"), "[home]")
                    .replace(root, "[root]")
            })
            .collect();
        insta::assert_snapshot!(words.join("\n"), @"
        --pull=never
        --network=none
        --ipc=none
        --hostname=room
        --read-only
        --cap-drop=ALL
        --security-opt=no-new-privileges
        --user=65534:65534
        --log-driver=none
        --stop-signal=KILL
        --oom-score-adj=1000
        --security-opt=seccomp=[root]/account.calls
        --memory=7247757312
        --memory-swap=7247757312
        --pids-limit=512
        --ulimit=core=0:0
        --cpus=2
        --ulimit=cpu=300:300
        --ulimit=data=3221225472:3221225472
        --ulimit=fsize=536870912:536870912
        --ulimit=nofile=4096:4096
        --ulimit=nproc=4096:4096
        --tmpfs=/tmp:rw,nosuid,nodev,noexec,size=268435456,mode=1777
        --tmpfs=/outlayer/target:rw,nosuid,nodev,exec,size=2147483648,mode=1777
        --tmpfs=/outlayer/home:rw,nosuid,nodev,noexec,size=268435456,mode=1777
        --tmpfs=/outlayer/home/.cargo:rw,nosuid,nodev,noexec,size=268435456,mode=1777
        --mount=type=bind,source=/rust,target=/rust,readonly
        --mount=type=bind,source=[root]/source,target=/outlayer/source,readonly
        --mount=type=bind,source=[home]/.cargo/config.toml,target=/outlayer/home/.cargo/config.toml,readonly
        --mount=type=bind,source=[root]/account.product,target=/product
        --workdir=/outlayer/start
        outlayer-nothing
        /bin/sh
        -c
        [room.sh]
        room
        /outlayer/target/wasm32-wasip1/release
        wasm
        100
        /usr/bin/env
        -i
        HOME=/outlayer/home
        /rust/bin/cargo
        build
        /outlayer/source/Cargo.toml
        ");
    }

    #[test]
    fn the_system_calls_are_those_of_a_room() {
        let of_a_room = include_str!("../../../../jail/src/room/calls.rs");
        let names = |text: &str, before: &str, after: char| -> BTreeSet<String> {
            text.split(before)
                .skip(1)
                .filter_map(|rest| rest.split_once(after))
                .map(|(name, _)| name.to_owned())
                .collect()
        };

        let of_a_room = names(of_a_room, "c::SYS_", ',');
        let lists = names(CALLS, "\"names\": [", ']');
        let ours = lists.iter().flat_map(|list| list.split(','));
        let ours: BTreeSet<_> = ours
            .map(|name| name.trim().trim_matches('"').to_owned())
            .collect();

        assert_eq!(ours, of_a_room);
    }

    #[test]
    fn a_path_that_would_say_something_else_to_the_engine_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut step = step(folder.path());
        step.reads = vec!["/a,target=/etc".into()];

        let refusal = of_run(&docker(), &step);

        assert!(refusal.is_err());
    }
}
