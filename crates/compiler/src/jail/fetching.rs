//! The fence around what fetches, which runs outside of every jail.

use std::io;
use std::path::PathBuf;
use std::process::Command;

use jail::{Fence, MissingLayers};

/// Has `command` open no files but the system's, `reads` and `writes`.
pub(super) fn fence(
    missing_layers: MissingLayers,
    command: &mut Command,
    reads: &[PathBuf],
    writes: &[PathBuf],
) -> io::Result<()> {
    match Fence::around(reads, writes) {
        Ok(fence) => fence.put_up_by(command),
        Err(error) if missing_layers == MissingLayers::Allowed => {
            tracing::warn!(%error, "a source is fetched without a fence");
        }
        Err(error) => return Err(error),
    }
    Ok(())
}
