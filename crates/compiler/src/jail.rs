//! The seam between a build and the machine.
//!
//! A build runs what strangers wrote: build scripts and procedural macros. Whatever stands between them and the machine
//! is a [`Confine`]: it turns the [`Step`] that should run into the command that runs it, sealed as well as it can. The
//! environment, limits, wall-clock time and end of that command are the compiler's business and are the same for all.
//!
//! [`Sealed`] is the form for strangers' code, [`Docker`] that for machines which do not let us make it ourselves. [`Unsealed`] is the form for trusted code and for machines without namespaces.
//! What holds already without a sealed jail: the environment is cleared; sources, dependencies, target, home and temporary folder
//! are private to one build; the shared cargo home is never named to a build; a repository's `.cargo/config.toml` and
//! `rust-toolchain.toml` are not read, as cargo runs from a folder outside of it; each process has limits; the whole process group
//! is killed at the end. What does not hold: a build script may read and write whatever the worker's user may, open network
//! connections, fill the disk with many files, and leave the process group by `setsid`.
//!
//! Fetching needs no jail to run nothing, but it reads what manifests and links point at, also outside of the repository. So a
//! [`Confine`] may put a fence around it.

mod docker;
mod fetching;
mod inside;
mod sealed;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

pub use docker::Docker;
pub use jail::MissingLayers;
pub use jail::room::{Wanted, main};
pub use sealed::{Launcher, RoomLimits, Sealed};

/// Where a build seems to be in what it writes into an artifact, so that one commit makes the same bytes wherever it is built.
pub(crate) const SEEMING_ROOT: &str = "/outlayer";

/// A command of the build, with all that it needs to see.
#[derive(Clone, Debug)]
pub struct Step {
    /// The program, by its absolute path.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Its whole environment.
    pub env: BTreeMap<OsString, OsString>,
    /// The folder that it starts in.
    pub folder: PathBuf,
    /// What it needs to read: toolchain, sources, dependencies. The programs and libraries of the system come on top.
    pub reads: Vec<PathBuf>,
    /// What it needs to write: target, home and temporary folder. They are empty when it starts, but for what is said next, and a jail
    /// may discard all of them but the product.
    pub writes: Vec<PathBuf>,
    /// What the folder that the product is made in begins as a copy of. Only a jail that [keeps trees](Confine::keeps_trees) is asked
    /// for that.
    pub begins_as: Option<PathBuf>,
    /// What is wanted of what it writes.
    pub product: Product,
    /// The folder that all of the step's own are in. A jail may have it seem to be elsewhere.
    pub root: PathBuf,
    /// Where a jail may keep an account of the step. The step must not reach it.
    pub account: PathBuf,
}

/// The files that are wanted of a step: those of one folder.
#[derive(Clone, Debug)]
pub struct Product {
    /// One of the folders that it writes.
    pub space: PathBuf,
    /// The folder in it.
    pub folder: PathBuf,
    /// Which of its files. Everything is wanted only of a jail that [keeps trees](Confine::keeps_trees).
    pub wanted: Wanted,
}

/// What a jail says of a step that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: the step ended by itself, well or not.
    Held,
    /// It was ended for the memory that it used.
    OutOfMemory,
    /// It was ended for the disk space, or the number of files, that it used.
    OutOfDisk,
    /// The step did not run, as there was no jail to be had.
    Unavailable {
        /// Why, for administrators.
        reason: String,
    },
}

/// Confines a build.
pub trait Confine: Send + Sync + fmt::Debug {
    /// The command that runs `step` confined.
    ///
    /// # Errors
    /// When the machine does not offer what the jail is made of.
    fn confine(&self, step: &Step) -> io::Result<Command>;

    /// Where the folder `root` of a step seems to be to the step itself.
    fn seeming(&self, root: &Path) -> PathBuf {
        root.to_owned()
    }

    /// Whether what one step has made can be what another begins with. That takes steps that all seem to be in the same place, as
    /// paths decide what cargo builds again.
    fn keeps_trees(&self) -> bool {
        false
    }

    /// Has `command`, which fetches and so has the network, open no files but the system's, `reads` and `writes`. Cargo and git follow
    /// links that strangers make.
    ///
    /// # Errors
    /// When the machine has no means to that.
    fn fence(
        &self,
        command: &mut Command,
        reads: &[PathBuf],
        writes: &[PathBuf],
    ) -> io::Result<()> {
        let _ = (command, reads, writes);
        Ok(())
    }

    /// What became of `step`, once its command has ended.
    ///
    /// # Errors
    /// When that cannot be known.
    fn verdict(&self, step: &Step) -> io::Result<Verdict> {
        let _ = step;
        Ok(Verdict::Held)
    }
}

/// No jail beyond a cleared environment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unsealed;

impl Confine for Unsealed {
    fn confine(&self, step: &Step) -> io::Result<Command> {
        let mut command = Command::new(&step.program);
        command
            .args(&step.args)
            .env_clear()
            .envs(&step.env)
            .current_dir(&step.folder);
        Ok(command)
    }
}
