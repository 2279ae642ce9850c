//! Finds the one module among what was built.
//!
//! The target folder was written by a stranger's build, so a link in it leads nowhere and a large file is not read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use protocol::FailureCode;
use protocol::source::BuildTarget;

use crate::artifact::is_wasm;
use crate::error::Error;
use crate::workbench::Workbench;

/// What a module's file name ends in.
pub(super) const EXTENSION: &str = "wasm";

/// Where in the target folder modules are.
pub(super) fn folder(target: BuildTarget) -> PathBuf {
    Path::new(target.triple()).join("release")
}

/// The module that was built: the only one, or the one that is named as the package.
pub(super) fn artifact(bench: &Workbench, target: BuildTarget, most: u64) -> Result<Bytes, Error> {
    let folder = bench.target().join(folder(target));
    let inside = folder
        .canonicalize()
        .is_ok_and(|real| real.starts_with(bench.root()));
    let mut modules = if inside {
        modules_in(&folder)
    } else {
        Vec::new()
    };
    let module = match (modules.pop(), modules.len()) {
        (None, _) => return Err(Error::new(FailureCode::NoArtifact)),
        (Some(only), 0) => only,
        (Some(last), others) => {
            modules.push(last);
            let package = package_name(&bench.source().join("Cargo.toml"));
            modules
                .into_iter()
                .find(|module| {
                    module.file_stem().and_then(|stem| stem.to_str()) == package.as_deref()
                })
                .ok_or_else(|| several(others.saturating_add(1)))?
        }
    };
    let bytes = read(&module, most)?;
    if is_wasm(&bytes) {
        Ok(bytes)
    } else {
        Err(Error::new(FailureCode::BadModule))
    }
}

fn several(count: usize) -> Error {
    Error::saying(
        FailureCode::NoArtifact,
        format!("the build made {count} modules and none is named as the package"),
    )
}

/// The modules that lie right in `folder`; those of dependencies lie deeper.
fn modules_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let plain = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    plain
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == EXTENSION)
        })
        .collect()
}

/// The name of the package at the repository's root, if there is one.
fn package_name(manifest: &Path) -> Option<String> {
    let text = fs::read_to_string(manifest).ok()?;
    let manifest: toml::Table = text.parse().ok()?;
    let name = manifest.get("package")?.get("name")?.as_str()?;
    Some(name.to_owned())
}

/// Reads a plain file of at most `most` bytes, following no link.
fn read(path: &Path, most: u64) -> Result<Bytes, Error> {
    let open = || -> io::Result<Option<File>> {
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(path)?;
        Ok(file.metadata()?.is_file().then_some(file))
    };
    let unreadable =
        |error: io::Error| Error::new(FailureCode::NoArtifact).hiding(error.to_string());
    let file = open()
        .map_err(unreadable)?
        .ok_or_else(|| Error::new(FailureCode::NoArtifact))?;
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= most) {
        Ok(bytes.into())
    } else {
        Err(Error::new(FailureCode::ModuleTooLarge))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WASM: &[u8] = b"\0asm\x01\0\0\0";

    /// A workbench whose package is called `ark`, after a build that made `modules`.
    fn bench(work: &Path, modules: &[&str]) -> Workbench {
        let bench = Workbench::in_folder(work).unwrap();
        fs::create_dir(bench.source()).unwrap();
        fs::write(
            bench.source().join("Cargo.toml"),
            "[package]\nname = 'ark'\n",
        )
        .unwrap();
        let release = bench.target().join("wasm32-wasip1/release");
        fs::create_dir_all(&release).unwrap();
        for module in modules {
            fs::write(release.join(module), [WASM, module.as_bytes()].concat()).unwrap();
        }
        bench
    }

    fn pick(bench: &Workbench, most: u64) -> Result<Bytes, FailureCode> {
        artifact(bench, BuildTarget::Wasip1, most).map_err(|error| error.code())
    }

    #[test]
    fn the_only_module_is_taken_and_of_several_the_one_named_as_the_package() {
        let work = tempfile::tempdir().unwrap();

        let only = pick(&bench(work.path(), &["other.wasm"]), 100).unwrap();
        let named = pick(&bench(work.path(), &["a.wasm", "ark.wasm", "b.wasm"]), 100).unwrap();
        let none = pick(&bench(work.path(), &[]), 100);
        let unnamed = pick(&bench(work.path(), &["a.wasm", "b.wasm"]), 100);

        assert!(only.ends_with(b"other.wasm"));
        assert!(named.ends_with(b"ark.wasm"));
        assert_eq!(none, Err(FailureCode::NoArtifact));
        assert_eq!(unnamed, Err(FailureCode::NoArtifact));
    }

    #[test]
    fn a_link_out_of_the_target_folder_is_not_followed() {
        let work = tempfile::tempdir().unwrap();
        let secret = work.path().join("secret.wasm");
        fs::write(&secret, WASM).unwrap();
        let file_link = bench(work.path(), &[]);
        let release = file_link.target().join("wasm32-wasip1/release");
        std::os::unix::fs::symlink(&secret, release.join("ark.wasm")).unwrap();
        let folder_link = bench(work.path(), &[]);
        fs::remove_dir_all(folder_link.target().join("wasm32-wasip1")).unwrap();
        fs::create_dir(folder_link.target().join("wasm32-wasip1")).unwrap();
        let release = folder_link.target().join("wasm32-wasip1/release");
        std::os::unix::fs::symlink(work.path(), release).unwrap();

        assert_eq!(pick(&file_link, 100), Err(FailureCode::NoArtifact));
        assert_eq!(pick(&folder_link, 100), Err(FailureCode::NoArtifact));
    }

    #[test]
    fn a_module_above_the_limit_is_refused() {
        let work = tempfile::tempdir().unwrap();

        let refusal = pick(&bench(work.path(), &["ark.wasm"]), 15);

        assert_eq!(refusal, Err(FailureCode::ModuleTooLarge));
    }
}
