//! This program as the process that one module is compiled in.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use executor::{Program, Settings};

use crate::args::{self, COMPILING_PROCESS};

/// Whether the command line asks this program to be a compiling process. That is settled before anything else is started.
pub(crate) fn is_asked_for(args: &[OsString]) -> bool {
    args.get(1).is_some_and(|first| first == COMPILING_PROCESS)
}

/// This program's own file.
pub(crate) fn this_program() -> Result<PathBuf> {
    std::env::current_exe().context("find this program's own file")
}

/// An executor's settings by which it starts `program`, an `outlayer`, for each module to be compiled.
pub(crate) fn settings(
    program: PathBuf,
    folder: &Path,
    engine: args::Engine,
    jail: args::Jail,
) -> Settings {
    let compiler = Program {
        path: program,
        args: vec![COMPILING_PROCESS.into()],
    };
    Settings {
        engine: engine.into(),
        jail: jail.into(),
        ..Settings::new(compiler, folder.join("compiled"))
    }
}
