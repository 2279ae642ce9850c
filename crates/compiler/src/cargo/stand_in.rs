//! What is built in a repository's place when only its dependencies are: its manifests and its lockfile, and an empty program in the
//! place of every Rust file. No line of the repository's code is in it, so what is built from it may be handed to whoever has the same
//! manifests and lockfile.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Compiles as a library, as a program, as a build script and as a library of macros.
const EMPTY: &str = "//! Nothing.\n#![allow(dead_code)]\n\nfn main() {}\n";

/// A manifest: its path in the repository, and its text.
pub(crate) type Manifest = (PathBuf, Vec<u8>);

/// Makes the stand-in of the repository at `source` at the path `to`; the manifests in it, and the lockfile, are returned in order.
pub(super) fn make(source: &Path, to: &Path) -> io::Result<Vec<Manifest>> {
    let mut manifests = Vec::new();
    make_level(source, Path::new(""), to, &mut manifests)?;
    let lockfile = PathBuf::from("Cargo.lock");
    let text = fs::read(source.join(&lockfile))?;
    fs::write(to.join(&lockfile), &text)?;
    manifests.push((lockfile, text));
    manifests.sort();
    Ok(manifests)
}

fn make_level(
    source: &Path,
    below: &Path,
    to: &Path,
    manifests: &mut Vec<Manifest>,
) -> io::Result<()> {
    let mut is_made = false;
    let mut make = || {
        if !is_made {
            fs::create_dir_all(to.join(below))?;
            is_made = true;
        }
        io::Result::Ok(())
    };
    for entry in fs::read_dir(source.join(below))? {
        let entry = entry?;
        let (kind, name) = (entry.file_type()?, entry.file_name());
        let path = below.join(&name);
        if kind.is_dir() && name != ".git" {
            make_level(source, &path, to, manifests)?;
        } else if kind.is_file() && name == "Cargo.toml" {
            make()?;
            let text = fs::read(entry.path())?;
            fs::write(to.join(&path), &text)?;
            manifests.push((path, text));
        } else if kind.is_file() && path.extension().is_some_and(|it| it == "rs") {
            make()?;
            fs::write(to.join(&path), EMPTY)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_has_the_manifests_and_nothing_of_the_code() {
        let folder = tempfile::tempdir().unwrap();
        let (source, to) = (folder.path().join("source"), folder.path().join("to"));
        let files = [
            ("Cargo.toml", "[package]"),
            ("Cargo.lock", "version = 4"),
            ("src/main.rs", "secret"),
            ("a/b/Cargo.toml", "[lib]"),
            ("a/b/build.rs", "secret"),
            ("data/key.txt", "secret"),
            (".git/x.rs", "secret"),
        ];
        for (path, text) in files {
            let path = source.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        let manifests = make(&source, &to).unwrap();

        let paths: Vec<_> = manifests.iter().map(|(path, _)| path.as_path()).collect();
        assert_eq!(
            paths,
            ["Cargo.lock", "Cargo.toml", "a/b/Cargo.toml"].map(Path::new)
        );
        for path in ["src/main.rs", "a/b/build.rs"] {
            assert_eq!(fs::read_to_string(to.join(path)).unwrap(), EMPTY);
        }
        let left_out = ["data", ".git"].map(|path| to.join(path).exists());
        assert_eq!(left_out, [false, false]);
    }
}
