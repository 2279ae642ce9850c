//! The system's node, and npm.

use std::path::{Path, PathBuf};

use protocol::FailureCode;

use crate::error::Error;
use crate::language::Materials;
use crate::programs;

/// Node and npm.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(super) program: PathBuf,
    /// The program of npm, which node runs.
    pub(super) npm: PathBuf,
    /// What node says that it is.
    pub(crate) version: String,
}

impl Node {
    /// Those in `folders`.
    pub(crate) fn find(folders: &[PathBuf]) -> Result<Self, Error> {
        let program = |name: &str| {
            let found = programs::find(folders, name).and_then(|path| path.canonicalize().ok());
            found.ok_or_else(|| missing(name))
        };
        let node = program("node")?;
        Ok(Self {
            version: programs::say(&node, &["--version"]).ok_or_else(|| missing("node"))?,
            npm: program("npm")?,
            program: node,
        })
    }

    /// All that it reads, as folders.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        let packages = self.npm.parent().and_then(Path::parent);
        let prefix = self.program.parent().and_then(Path::parent);
        [packages, prefix]
            .into_iter()
            .flatten()
            .map(Path::to_owned)
            .collect()
    }

    /// Node with its libraries. The compiler is in the lock file.
    pub(crate) fn materials(&self) -> Materials {
        Materials::new(Path::new("/"), programs::whole(&self.program), Vec::new())
    }
}

/// Something is not on this machine.
fn missing(what: &str) -> Error {
    Error::saying(
        FailureCode::PlatformFailure,
        format!(
            "this worker cannot build AssemblyScript, for it lacks {what}; the request is not at fault. It takes node and npm"
        ),
    )
}
