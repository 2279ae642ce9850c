//! The sealed jail: a room that holds the step's files, and nothing else of the machine.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use jail::room::{Account, Excess, Product, Read, Room, Space, Wanted};

use super::inside::Inside;
use super::{Confine, MissingLayers, SEEMING_ROOT, Step, Verdict, fetching};

/// A mebibyte, in bytes.
const MIB: u64 = 1024 * 1024;
/// The room's own, which programs use that do not look at `TMPDIR`.
const TMP: &str = "/tmp";
/// Where in the room is what its output begins as.
const KEPT: &str = "/kept";

/// Every step in a room of its own: see [`jail::room`].
#[derive(Clone, Debug)]
pub struct Sealed {
    /// Makes the room and starts the step in it.
    pub launcher: Launcher,
    /// What a room may use.
    pub limits: RoomLimits,
    /// What to do on a machine that will not give every layer of the room.
    pub missing_layers: MissingLayers,
}

impl Sealed {
    /// Whole rooms with the usual limits.
    pub fn new(launcher: Launcher) -> Self {
        Self {
            launcher,
            limits: RoomLimits::default(),
            missing_layers: MissingLayers::Refused,
        }
    }

    /// Makes a room in which nothing happens, so that a worker can refuse to start where there will be none.
    ///
    /// # Errors
    /// Names every layer that this machine does not give.
    pub fn check(&self) -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let out = folder.path().join("out");
        fs::create_dir(&out)?;
        let step = Step {
            program: "/bin/sh".into(),
            args: ["-c", ":"].map(OsString::from).to_vec(),
            env: BTreeMap::new(),
            folder: TMP.into(),
            reads: Vec::new(),
            writes: vec![out.clone()],
            begins_as: None,
            root: PathBuf::new(),
            product: super::Product {
                space: out,
                folder: PathBuf::new(),
                wanted: Wanted::Kind {
                    extension: String::new(),
                    bytes: 0,
                },
            },
            account: folder.path().join("account"),
        };
        self.confine(&step)?.output()?;
        match self.verdict(&step)? {
            Verdict::Unavailable { reason } => Err(io::Error::other(reason)),
            _ => Ok(()),
        }
    }
}

/// A program that calls [`main`](super::main) with the arguments that follow its own.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// The program's file.
    pub path: PathBuf,
    /// What asks it to be a launcher.
    pub args: Vec<OsString>,
}

/// What a room may use.
#[derive(Clone, Debug)]
pub struct RoomLimits {
    /// Memory of all processes together.
    pub memory_bytes: u64,
    /// Memory that one process may write to.
    pub process_memory_bytes: u64,
    /// Processes and threads.
    pub processes: u64,
    /// Bytes in the folder that the product is made in. It lies in memory, as do the others.
    pub output_bytes: u64,
    /// Bytes in each other folder that may be written to.
    pub scratch_bytes: u64,
    /// Files in each folder.
    pub inodes: u64,
}

impl Default for RoomLimits {
    fn default() -> Self {
        Self {
            memory_bytes: 4096 * MIB,
            process_memory_bytes: 3072 * MIB,
            processes: 512,
            output_bytes: 2048 * MIB,
            scratch_bytes: 256 * MIB,
            // A build of 300 crates makes about 5,000.
            inodes: 100_000,
        }
    }
}

impl RoomLimits {
    fn space(&self, path: &Path, bytes: u64) -> Space {
        Space {
            path: path.to_owned(),
            bytes,
            inodes: self.inodes,
            filled_from: None,
        }
    }
}

impl Inside<'_> {
    fn product(&self) -> Product {
        let product = &self.0.product;
        Product {
            space: self.path(&product.space),
            folder: product.folder.clone(),
            to: product.space.clone(),
            wanted: product.wanted.clone(),
        }
    }
}

impl Confine for Sealed {
    fn confine(&self, step: &Step) -> io::Result<Command> {
        let limits = &self.limits;
        let inside = Inside(step);
        let mut spaces = vec![limits.space(Path::new(TMP), limits.scratch_bytes)];
        spaces.extend(step.writes.iter().map(|path| {
            let is_output = *path == step.product.space;
            let bytes = if is_output {
                limits.output_bytes
            } else {
                limits.scratch_bytes
            };
            Space {
                filled_from: (is_output && step.begins_as.is_some()).then(|| KEPT.into()),
                ..limits.space(&inside.path(path), bytes)
            }
        }));
        let kept = step.begins_as.iter().map(|from| Read {
            from: from.clone(),
            at: KEPT.into(),
        });
        let reads = step.reads.iter().map(|from| Read {
            from: from.clone(),
            at: inside.path(from),
        });
        let room = Room {
            program: inside.path(&step.program),
            args: step.args.iter().map(|arg| inside.word(arg)).collect(),
            folder: inside.path(&step.folder),
            reads: reads.chain(kept).collect(),
            spaces,
            product: Some(inside.product()),
            memory_bytes: limits.memory_bytes,
            process_memory_bytes: limits.process_memory_bytes,
            processes: limits.processes,
            account: step.account.clone(),
            missing_layers: self.missing_layers,
        };
        let env = step
            .env
            .iter()
            .map(|(name, value)| (name, inside.word(value)));
        let mut command = room.command(&self.launcher.path, &self.launcher.args);
        command.env_clear().envs(env).current_dir("/");
        Ok(command)
    }

    fn seeming(&self, _: &Path) -> PathBuf {
        SEEMING_ROOT.into()
    }

    fn keeps_trees(&self) -> bool {
        true
    }

    fn fence(
        &self,
        command: &mut Command,
        reads: &[PathBuf],
        writes: &[PathBuf],
    ) -> io::Result<()> {
        fetching::fence(self.missing_layers, command, reads, writes)
    }

    fn verdict(&self, step: &Step) -> io::Result<Verdict> {
        let account = Account::read(&step.account)?;
        if !account.without.is_empty() {
            let without = account.without.join(", ");
            tracing::warn!(%without, "a build ran in a jail that is not whole");
        }
        Ok(match account {
            Account {
                started: false,
                refused,
                ..
            } => Verdict::Unavailable {
                reason: refused.join("; "),
            },
            Account { refused, .. } if !refused.is_empty() => Verdict::Unavailable {
                reason: refused.join("; "),
            },
            Account {
                excess: Some(Excess::Memory),
                ..
            } => Verdict::OutOfMemory,
            Account {
                excess: Some(Excess::Space(_)),
                ..
            } => Verdict::OutOfDisk,
            Account { excess: None, .. } => Verdict::Held,
        })
    }
}
