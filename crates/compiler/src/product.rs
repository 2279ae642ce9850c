//! What a build has made, read with care.
//!
//! The folder was written by a stranger's build, so a link in it leads nowhere and a large file is not read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use protocol::FailureCode;

use crate::artifact::is_wasm;
use crate::error::Error;
use crate::jail::Wanted;
use crate::workbench::Workbench;

/// What a module's file name ends in.
pub(crate) const EXTENSION: &str = "wasm";

/// Modules, when a build is done; those of at most `most` bytes are accepted.
pub(crate) fn wanted(most: u64) -> Wanted {
    Wanted::Kind {
        extension: EXTENSION.to_owned(),
        // One more, so that what is too long is seen to be.
        bytes: most.saturating_add(1),
    }
}

/// The modules that lie right in `folder`, which is below the workbench's root and has no link on its way out of there.
pub(crate) fn modules_in(bench: &Workbench, folder: &Path) -> Vec<PathBuf> {
    let inside = folder
        .canonicalize()
        .is_ok_and(|real| real.starts_with(bench.root()));
    if !inside {
        return Vec::new();
    }
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let plain = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    plain
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == EXTENSION)
        })
        .collect()
}

/// Reads a module of at most `most` bytes.
pub(crate) fn read_module(path: &Path, most: u64) -> Result<Bytes, Error> {
    let bytes = match read(path, most) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Err(Error::new(FailureCode::NoArtifact)),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            return Err(Error::new(FailureCode::ModuleTooLarge));
        }
        Err(error) => return Err(Error::new(FailureCode::NoArtifact).hiding(error.to_string())),
    };
    if is_wasm(&bytes) {
        Ok(bytes.into())
    } else {
        Err(Error::new(FailureCode::BadModule))
    }
}

/// Reads a plain file of at most `most` bytes, following no link; nothing if there is none.
///
/// # Errors
/// [`io::ErrorKind::FileTooLarge`] if there is more.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path);
    let file: File = match opened {
        Ok(file) if file.metadata()?.is_file() => file,
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= most) {
        Ok(Some(bytes))
    } else {
        Err(io::ErrorKind::FileTooLarge.into())
    }
}
