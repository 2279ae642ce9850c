//! Which artifacts this worker has published, so that none is paid for twice.

use std::fs;
use std::io;
use std::path::Path;

use protocol::ArtifactHash;

use crate::folder::Folder;

/// How much of the disk it may take. Unit: bytes.
const FOLDER_BYTES: u64 = 16 << 20;

/// The addresses of published artifacts.
#[derive(Clone, Debug)]
pub(crate) struct Published(Folder);

impl Published {
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        Folder::open(folder, FOLDER_BYTES).map(Self)
    }

    /// Where the artifact is published, if it is.
    pub(crate) fn url(&self, hash: ArtifactHash) -> Option<String> {
        fs::read_to_string(self.0.file(&hash.to_string())).ok()
    }

    /// Remembers it. What cannot be written is published again.
    pub(crate) fn remember(&self, hash: ArtifactHash, url: &str) {
        if let Err(err) = self.0.write(&hash.to_string(), url.as_bytes()) {
            tracing::warn!(%hash, "it is not remembered that an artifact is published: {err}");
        }
    }
}
