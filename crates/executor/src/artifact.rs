//! The wasm that is executed, by its hash.

use std::path::PathBuf;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

/// An artifact: its hash, and where its bytes are should they need compiling.
#[derive(Debug, Clone)]
pub struct Artifact {
    sha256: [u8; 32],
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    Bytes(Bytes),
    File(PathBuf),
}

impl Artifact {
    /// Bytes in memory; they are hashed here.
    pub fn from_bytes(wasm: impl Into<Bytes>) -> Self {
        let wasm = wasm.into();
        Self {
            sha256: Sha256::digest(&wasm).into(),
            source: Source::Bytes(wasm),
        }
    }

    /// A file of known hash. It is read only when it must be compiled, and its hash is checked then.
    pub fn from_file(path: impl Into<PathBuf>, sha256: [u8; 32]) -> Self {
        Self {
            sha256,
            source: Source::File(path.into()),
        }
    }

    /// The hash of the bytes.
    pub const fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// The bytes, checked.
    pub(crate) async fn read(&self) -> std::io::Result<Bytes> {
        let path = match &self.source {
            Source::Bytes(bytes) => return Ok(bytes.clone()),
            Source::File(path) => path,
        };
        let bytes = tokio::fs::read(path).await?;
        let found: [u8; 32] = Sha256::digest(&bytes).into();
        if found != self.sha256 {
            let message = format!(
                "{} has the hash {}, not {}",
                path.display(),
                hex::encode(found),
                hex::encode(self.sha256)
            );
            return Err(std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                message,
            ));
        }
        Ok(bytes.into())
    }
}
