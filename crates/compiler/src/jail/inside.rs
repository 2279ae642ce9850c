//! A step as it sees itself.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use super::{SEEMING_ROOT, Step};

/// A step's words and paths as they are in its jail, where its root is at another place. Paths are written into artifacts and decide
/// whether what was built can be used again, so they must not tell one build from another, nor one kind of jail from another.
pub(super) struct Inside<'a>(pub(super) &'a Step);

impl Inside<'_> {
    pub(super) fn word(&self, word: &OsStr) -> OsString {
        let root = self.0.root.as_os_str().as_bytes();
        let mut rest = word.as_bytes();
        let mut seen = Vec::with_capacity(rest.len());
        while let Some((first, after)) = rest.split_first() {
            if let Some(behind) = rest.strip_prefix(root).filter(|_| !root.is_empty()) {
                seen.extend_from_slice(SEEMING_ROOT.as_bytes());
                rest = behind;
            } else {
                seen.push(*first);
                rest = after;
            }
        }
        OsString::from_vec(seen)
    }

    pub(super) fn path(&self, path: &Path) -> PathBuf {
        self.word(path.as_os_str()).into()
    }
}
