//! Finds the one module among what was built.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use protocol::FailureCode;
use protocol::source::BuildTarget;

use crate::error::Error;
use crate::product;
use crate::workbench::Workbench;

/// Where in the target folder modules are; those of dependencies lie deeper.
pub(super) fn folder(target: BuildTarget) -> PathBuf {
    Path::new(target.triple()).join("release")
}

/// The module that was built: the only one, or the one that is named as the package.
pub(super) fn artifact(
    bench: &Workbench,
    package: Option<&str>,
    target: BuildTarget,
    most: u64,
) -> Result<Bytes, Error> {
    let folder = bench.target().join(folder(target));
    let mut modules = product::modules_in(bench, &folder);
    let module = match (modules.pop(), modules.len()) {
        (None, _) => return Err(Error::new(FailureCode::NoArtifact)),
        (Some(only), 0) => only,
        (Some(last), others) => {
            modules.push(last);
            let package = package
                .map(str::to_owned)
                .or_else(|| package_name(&bench.source().join("Cargo.toml")));
            modules
                .into_iter()
                .find(|module| {
                    module.file_stem().and_then(|stem| stem.to_str()) == package.as_deref()
                })
                .ok_or_else(|| several(others.saturating_add(1)))?
        }
    };
    product::read_module(&module, most)
}

fn several(count: usize) -> Error {
    Error::saying(
        FailureCode::NoArtifact,
        format!("the build made {count} modules and none is named as the package"),
    )
}

/// The name of the package at the repository's root, if there is one.
fn package_name(manifest: &Path) -> Option<String> {
    let text = fs::read_to_string(manifest).ok()?;
    let manifest: toml::Table = text.parse().ok()?;
    let name = manifest.get("package")?.get("name")?.as_str()?;
    Some(name.to_owned())
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
        artifact(bench, None, BuildTarget::Wasip1, most).map_err(|error| error.code())
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
