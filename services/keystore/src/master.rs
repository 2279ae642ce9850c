//! Where the master key comes from.

mod dstack;

use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use sealing::MasterKey;
use zeroize::Zeroizing;

/// Where the master key comes from.
#[derive(Clone)]
pub enum Master {
    /// A file that only we can read: 32 bytes, or 64 hexadecimal digits. A TEE keeps it on an encrypted disk.
    File(PathBuf),
    /// The key that the TEE's agent derives for this application.
    Dstack {
        /// The agent's socket.
        socket: PathBuf,
        /// Which key: the same path is the same key.
        path: String,
    },
    /// 64 hexadecimal digits, for development only: whoever reads the settings reads every secret.
    Setting(Zeroizing<String>),
}

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Others can read the file.
    #[error("{path} has mode {mode:o}; only its owner may be able to read it")]
    Exposed {
        /// Which.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// What was found is no key.
    #[error("what {from} holds is no master key")]
    NoKey {
        /// Where it was found.
        from: String,
        /// Why not.
        source: sealing::Error,
    },
    /// The TEE's agent cannot be asked.
    #[error("the agent at {socket} cannot be asked for a key")]
    Agent {
        /// Its socket.
        socket: PathBuf,
        /// Why not.
        source: dstack::Error,
    },
}

impl Error {
    /// The stable code; clients match it, never the text.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "master_key_unreadable",
            Self::Exposed { .. } => "master_key_exposed",
            Self::NoKey { .. } => "bad_master_key",
            Self::Agent { .. } => "agent_unavailable",
        }
    }
}

impl Master {
    /// Fetches the key.
    pub(crate) async fn fetch(&self) -> Result<MasterKey, Error> {
        match self {
            Self::File(path) => from_file(path),
            Self::Dstack { socket, path } => {
                let answer = dstack::get_key(socket, path).await;
                let digits = answer.map_err(|source| Error::Agent {
                    socket: socket.clone(),
                    source,
                })?;
                read(digits.as_bytes(), || {
                    format!("the agent at {}", socket.display())
                })
            }
            Self::Setting(digits) => {
                tracing::warn!(
                    "THE MASTER KEY IS A SETTING: whoever reads the settings of this process reads every secret. For development only."
                );
                read(digits.as_bytes(), || "the setting".to_owned())
            }
        }
    }
}

fn from_file(path: &Path) -> Result<MasterKey, Error> {
    let failed = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    let mode = std::fs::metadata(path)
        .map_err(failed)?
        .permissions()
        .mode()
        & 0o777;
    if mode & 0o077 != 0 {
        return Err(Error::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    let content = Zeroizing::new(std::fs::read(path).map_err(failed)?);
    read(&content, || path.display().to_string())
}

/// 32 bytes as they are, or as digits with white space after them.
fn read(content: &[u8], from: impl FnOnce() -> String) -> Result<MasterKey, Error> {
    let key = match <[u8; 32]>::try_from(content) {
        Ok(bytes) => MasterKey::from_bytes(Zeroizing::new(bytes)),
        Err(_) => std::str::from_utf8(content)
            .map_err(|_| sealing::Error::BadMasterKey)
            .and_then(|text| MasterKey::from_hex(text.trim_ascii_end())),
    };
    key.map_err(|source| Error::NoKey {
        from: from(),
        source,
    })
}

impl fmt::Debug for Master {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Dstack { socket, path } => write!(f, "Dstack({}, {path})", socket.display()),
            Self::Setting(_) => f.write_str("Setting(…)"),
        }
    }
}

#[cfg(test)]
mod tests;
