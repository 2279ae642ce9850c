//! A folder that takes only so much of the disk: files appear whole or not at all, and the oldest go for the newest.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A folder that is kept below a bound.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    most_bytes: u64,
}

impl Folder {
    /// The folder at `path`, which is made if it is not there.
    pub(crate) fn open(path: &Path, most_bytes: u64) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        Ok(Self {
            path: path.to_owned(),
            most_bytes,
        })
    }

    /// The path of a file in it, there or not.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file, for its owner only.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.make_room(u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
        // Beside and renamed, so that a kill leaves the whole file or none.
        let mut file = tempfile::NamedTempFile::new_in(&self.path)?;
        file.write_all(bytes)?;
        file.persist(self.file(name)).map_err(|err| err.error)?;
        Ok(())
    }

    /// Removes the oldest files until `incoming` more bytes fit.
    fn make_room(&self, incoming: u64) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            // A file that another task has just removed is no reason to fail.
            if let Ok(metadata) = entry.metadata() {
                files.push((metadata.modified()?, metadata.len(), entry.path()));
            }
        }
        files.sort();
        let mut total = files
            .iter()
            .fold(incoming, |sum, (_, bytes, _)| sum.saturating_add(*bytes));
        for (_, bytes, path) in files {
            if total <= self.most_bytes {
                break;
            }
            fs::remove_file(path)?;
            total = total.saturating_sub(bytes);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_files_go_for_the_newest() {
        let path = tempfile::tempdir().unwrap();
        let folder = Folder::open(path.path(), 25).unwrap();
        let made =
            [1, 2].map(|second| std::time::UNIX_EPOCH + std::time::Duration::from_secs(second));

        for (name, when) in ["first", "second"].into_iter().zip(made) {
            folder.write(name, &[0; 10]).unwrap();
            let file = fs::File::options().write(true).open(folder.file(name));
            file.unwrap().set_modified(when).unwrap();
        }
        folder.write("third", &[0; 10]).unwrap();

        let there = ["first", "second", "third"].map(|name| folder.file(name).is_file());
        assert_eq!(there, [false, true, true]);
    }
}
