//! What can be wrong with a node's folder, be it the settings or the blocks.

use std::io;
use std::path::{Path, PathBuf};

/// Why a node's folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read or written.
    #[error("cannot use {path}")]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file of settings does not hold what it should.
    #[error("{path} is not what a node writes")]
    Json {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// Where the blocks should be is something else.
    #[error("{path} is not a log of blocks")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The blocks were kept by another version, which wrote down other things of them.
    #[error(
        "{path} was kept by another version of the localnet (form {found}, not {known}): remove it to start a new chain, \
         or run that version"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// The form its records have.
        found: u8,
        /// The form this version reads and writes.
        known: u8,
    },
}

impl Error {
    /// The system's refusal of a file, with the file's name.
    pub(crate) fn of(path: &Path) -> impl Fn(io::Error) -> Self + Copy {
        move |source| Self::File {
            path: path.to_owned(),
            source,
        }
    }
}
