//! Finds programs of the system and what they are made of.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folders that every room shows as they are.
const SHOWN: [&str; 5] = ["/usr", "/bin", "/lib", "/lib64", "/sbin"];

/// The program `name`, as it is found in the first of `folders` that has it.
pub(crate) fn find(folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    folders
        .iter()
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// The program and the libraries that it is linked with.
pub(crate) fn whole(program: &Path) -> Vec<PathBuf> {
    let program = program
        .canonicalize()
        .unwrap_or_else(|_| program.to_owned());
    // The C library's loader, told to say what it would load. Another loader says something else, and no library is named then.
    let said = Command::new(&program)
        .env_clear()
        .env("LD_TRACE_LOADED_OBJECTS", "1")
        .arg("--version")
        .output();
    let said = said.map(|said| said.stdout).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let libraries = said
        .lines()
        .filter_map(|line| line.split_once(" => ")?.1.split_whitespace().next())
        .map(PathBuf::from)
        .filter(|path| path.is_absolute() && path.is_file());
    std::iter::once(program.clone()).chain(libraries).collect()
}

/// What `program` prints, or nothing if it fails.
pub(crate) fn say(program: &Path, args: &[&str]) -> Option<String> {
    let said = Command::new(program).env_clear().args(args).output().ok()?;
    let text = String::from_utf8(said.stdout).ok()?;
    said.status.success().then(|| text.trim().to_owned())
}

/// Those of `paths` that a room does not show by itself.
pub(crate) fn not_shown(paths: impl IntoIterator<Item = PathBuf>) -> Vec<PathBuf> {
    let is_shown = |path: &PathBuf| SHOWN.iter().any(|folder| path.starts_with(folder));
    paths.into_iter().filter(|path| !is_shown(path)).collect()
}
