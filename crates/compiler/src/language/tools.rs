//! The compilers of this machine besides Rust's, each looked for when it is first needed, and the hashes of all.

use std::path::PathBuf;

use tokio::sync::OnceCell;

use super::materials::Known;
use crate::assemblyscript::node::Node;
use crate::c::clang::Clang;
use crate::error::Error;

/// What is known of this machine's compilers. One that is not there is looked for again when it is next needed.
#[derive(Debug, Default)]
pub(crate) struct Tools {
    clang: OnceCell<Clang>,
    node: OnceCell<Node>,
    pub(super) hashes: Known,
}

impl Tools {
    /// The clang in `folders`.
    pub(super) async fn clang(&self, folders: &[PathBuf]) -> Result<&Clang, Error> {
        let look = || find(folders, Clang::find);
        self.clang.get_or_try_init(look).await
    }

    /// The node in `folders`.
    pub(super) async fn node(&self, folders: &[PathBuf]) -> Result<&Node, Error> {
        let look = || find(folders, Node::find);
        self.node.get_or_try_init(look).await
    }
}

/// Looks off the threads that others wait on: programs are asked what they are.
async fn find<T: Send + 'static>(
    folders: &[PathBuf],
    look: fn(&[PathBuf]) -> Result<T, Error>,
) -> Result<T, Error> {
    let folders = folders.to_vec();
    tokio::task::spawn_blocking(move || look(&folders))
        .await
        .map_err(|error| Error::ours(format!("tools: {error}")))?
}
