//! This program as the process of one guest.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use executor::{Program, Settings};

use crate::args::GUEST_PROCESS;

/// Whether the command line asks this program to be a guest's process. That is settled before anything else is started.
pub(crate) fn is_asked_for(args: &[OsString]) -> bool {
    args.get(1).is_some_and(|first| first == GUEST_PROCESS)
}

/// This program's own file.
pub(crate) fn this_program() -> Result<PathBuf> {
    std::env::current_exe().context("find this program's own file")
}

/// An executor's settings by which it starts `program`, an `outlayer`, for each guest.
pub(crate) fn settings(program: PathBuf, folder: &Path) -> Settings {
    let child = Program {
        path: program,
        args: vec![GUEST_PROCESS.into()],
    };
    Settings::new(child, folder.join("compiled"))
}
