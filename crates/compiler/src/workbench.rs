//! The private folders of one build, removed when it is over.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Begins the name of every build's folder; the id of the process that made it follows.
const PREFIX: &str = "build-";

/// The private folders of one build.
#[derive(Debug)]
pub(crate) struct Workbench {
    folder: TempDir,
    root: PathBuf,
}

impl Workbench {
    /// A fresh one in `work`.
    pub(crate) fn in_folder(work: &Path) -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix(&format!("{PREFIX}{}-", std::process::id()))
            .tempdir_in(work)?;
        let root = folder.path().canonicalize()?;
        let bench = Self { folder, root };
        for folder in [
            bench.vendor(),
            bench.target(),
            bench.home(),
            bench.cargo_home(),
            bench.tmp(),
            bench.start(),
        ] {
            fs::create_dir(folder)?;
        }
        Ok(bench)
    }

    /// What all the others are in.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The repository at the commit. It is made by the check-out.
    pub(crate) fn source(&self) -> PathBuf {
        self.root.join("source")
    }

    /// Where the repository is while something else is in its place.
    pub(crate) fn source_aside(&self) -> PathBuf {
        self.root.join("source-aside")
    }

    /// What is built in the repository's place when only its dependencies are. It is made when it is needed.
    pub(crate) fn stand_in(&self) -> PathBuf {
        self.root.join("stand-in")
    }

    /// The commits of all branches and tags, without files. It is made when it is needed.
    pub(crate) fn history(&self) -> PathBuf {
        self.root.join("history")
    }

    /// A dependency's repository, without files, to be measured. It is made when it is needed.
    pub(crate) fn measured(&self, place: usize) -> PathBuf {
        self.root.join(format!("measured-{place}"))
    }

    /// The dependencies' sources.
    pub(crate) fn vendor(&self) -> PathBuf {
        self.root.join("vendor")
    }

    /// What cargo builds.
    pub(crate) fn target(&self) -> PathBuf {
        self.root.join("target")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// The build's own cargo home, which names the vendored dependencies and nothing else.
    pub(crate) fn cargo_home(&self) -> PathBuf {
        self.root.join("home/.cargo")
    }

    /// That cargo home's configuration, which fetching writes.
    pub(crate) fn cargo_config(&self) -> PathBuf {
        self.cargo_home().join("config.toml")
    }

    /// What the jail says of the build.
    pub(crate) fn account(&self) -> PathBuf {
        self.root.join("account")
    }

    pub(crate) fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// Where commands start: an empty folder beside the sources, so that cargo finds no `.cargo/config.toml` of theirs.
    pub(crate) fn start(&self) -> PathBuf {
        self.root.join("start")
    }

    /// Removes it now rather than at some later drop.
    pub(crate) async fn clear(self) {
        let removed = tokio::task::spawn_blocking(move || self.folder.close()).await;
        if let Ok(Err(error)) = removed {
            tracing::warn!(%error, "a build's folder could not be removed");
        }
    }
}

/// Removes from `work` what processes left that were killed in the middle of a build.
pub(crate) fn clear_abandoned(work: &Path) -> io::Result<()> {
    for entry in fs::read_dir(work)? {
        let entry = entry?;
        let name = entry.file_name();
        let maker = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX))
            .and_then(|rest| rest.split('-').next());
        if let Some(maker) = maker
            && !Path::new("/proc").join(maker).exists()
        {
            // A build may have left what cannot be removed; that keeps nobody from working.
            if let Err(error) = fs::remove_dir_all(entry.path()) {
                tracing::warn!(%error, path = %entry.path().display(), "an abandoned build stays");
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_dead_processes_are_removed_and_those_of_the_living_stay() {
        let work = tempfile::tempdir().unwrap();
        let mine = Workbench::in_folder(work.path()).unwrap();
        // Above the highest process id that Linux can give.
        let abandoned = work.path().join("build-4194305-x");
        fs::create_dir(&abandoned).unwrap();

        clear_abandoned(work.path()).unwrap();

        assert!(mine.root().exists());
        assert!(!abandoned.exists());
    }
}
