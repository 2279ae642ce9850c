//! What a repository is written in, and so by what it is built.
//!
//! An `outlayer.toml` at its root says so; without one, the files that are there do.

mod materials;
mod settled;
mod tools;

use std::path::{Path, PathBuf};

use protocol::FailureCode;
use protocol::source::BuildTarget;

use crate::artifact::{Built, How, Sha256};
use crate::assemblyscript::AssemblyScript;
use crate::c::C;
use crate::cargo::Cargo;
use crate::confined;
use crate::error::Error;
use crate::git;
use crate::prebuilt::Prebuilt;
use crate::product;
use crate::progress::Watcher;
use crate::settings::Settings;
use crate::workbench::Workbench;
pub(crate) use materials::Materials;
pub(crate) use tools::Tools;

/// The longest file that is read to choose by, or hashed: a lock file of a thousand packages has about half a mebibyte.
pub(crate) const LONGEST_FILE: u64 = 8 * 1024 * 1024;

/// Names that make looks for.
const MAKEFILES: [&str; 3] = ["GNUmakefile", "makefile", "Makefile"];

/// What a repository is written in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Rust {
        /// Which package of a workspace.
        package: Option<String>,
    },
    /// C and C++.
    C {
        tool: Tool,
        /// Where in the tool's folder the module is, if not right there.
        artifact: Option<PathBuf>,
    },
    AssemblyScript,
}

/// What builds C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Make,
    CMake,
}

impl Language {
    /// That of the repository in `source`.
    pub(crate) fn of(source: &Path) -> Result<Self, Error> {
        let settled = product::read(&source.join(settled::FILE), LONGEST_FILE)
            .map_err(|_| settled::wrong("the file cannot be read"))?;
        match settled {
            Some(text) => settled::language(&text, source),
            None => found_in(source),
        }
    }
}

fn found_in(source: &Path) -> Result<Language, Error> {
    let has = |name: &str| source.join(name).is_file();
    if has("Cargo.toml") {
        Ok(Language::Rust { package: None })
    } else if has("package.json") && names_assemblyscript(&source.join("package.json")) {
        Ok(Language::AssemblyScript)
    } else if let Some(tool) = tool_of(source) {
        Ok(Language::C {
            tool,
            artifact: None,
        })
    } else {
        Err(Error::saying(
            FailureCode::CompilationError,
            "the repository has neither Cargo.toml, package.json with assemblyscript, CMakeLists.txt nor Makefile at its root, \
             and no outlayer.toml that says what it is",
        ))
    }
}

/// By what the C in `source` is built.
fn tool_of(source: &Path) -> Option<Tool> {
    if source.join("CMakeLists.txt").is_file() {
        Some(Tool::CMake)
    } else {
        let has_makefile = MAKEFILES.iter().any(|name| source.join(name).is_file());
        has_makefile.then_some(Tool::Make)
    }
}

fn names_assemblyscript(manifest: &Path) -> bool {
    let text = product::read(manifest, LONGEST_FILE).ok().flatten();
    let manifest: Option<serde_json::Value> =
        text.and_then(|text| serde_json::from_slice(&text).ok());
    manifest.is_some_and(|manifest| {
        ["dependencies", "devDependencies"].iter().any(|kind| {
            manifest
                .get(kind)
                .and_then(|all| all.get("assemblyscript"))
                .is_some()
        })
    })
}

/// A repository that is checked out, and how it is built.
pub(crate) struct Project<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) bench: &'a Workbench,
    pub(crate) tools: &'a Tools,
    pub(crate) prebuilt: &'a Prebuilt,
    pub(crate) watcher: &'a Watcher,
    pub(crate) target: BuildTarget,
    pub(crate) language: Language,
}

impl Project<'_> {
    /// Makes sure that this worker, and this language, have the target at all.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match &self.language {
            Language::Rust { .. } => {
                let toolchain = &self.settings.toolchain;
                if toolchain.can_build_for(self.target.triple()) {
                    return Ok(());
                }
                let missing = format!("{} has no {}", toolchain.version, self.target);
                Err(Error::ours(missing))
            }
            Language::C { .. } => self.only_preview_1("C and C++ are"),
            Language::AssemblyScript => self.only_preview_1("AssemblyScript is"),
        }
    }

    fn only_preview_1(&self, who: &str) -> Result<(), Error> {
        if self.target == BuildTarget::Wasip1 {
            return Ok(());
        }
        Err(Error::saying(
            FailureCode::CompilationError,
            format!("{who} built for wasm32-wasip1 only: ask for that target"),
        ))
    }

    /// Fetches what it depends on, and says what was printed.
    pub(crate) async fn fetch(&self) -> Result<String, Error> {
        match &self.language {
            Language::Rust { package } => {
                git::dependencies::prove_small(self.settings, self.bench).await?;
                self.cargo(package.as_deref()).fetch().await
            }
            Language::C { .. } => Ok(String::new()),
            Language::AssemblyScript => self.assemblyscript().await?.fetch().await,
        }
    }

    /// Builds it.
    pub(crate) async fn build(&self) -> Result<Built, Error> {
        match &self.language {
            Language::Rust { package } => self.build_rust(package.as_deref()).await,
            Language::C { tool, artifact } => {
                self.c().await?.build(*tool, artifact.as_deref()).await
            }
            Language::AssemblyScript => self.assemblyscript().await?.build().await,
        }
    }

    /// The hash of the programs and libraries that build it.
    pub(crate) async fn toolchain_hash(&self) -> Result<Sha256, Error> {
        let (hashes, triple) = (&self.tools.hashes, self.target.triple());
        match &self.language {
            Language::Rust { .. } => {
                let sysroot = self.settings.toolchain.sysroot.clone();
                let gather = move || Materials::of_rust(&sysroot, triple);
                hashes.hash(("rust", triple), gather).await
            }
            Language::C { .. } => {
                let clang = self.c().await?.clang.clone();
                hashes.hash(("c", triple), move || clang.materials()).await
            }
            Language::AssemblyScript => {
                let node = self.assemblyscript().await?.node.clone();
                let gather = move || node.materials();
                hashes.hash(("assemblyscript", triple), gather).await
            }
        }
    }

    async fn build_rust(&self, package: Option<&str>) -> Result<Built, Error> {
        let cargo = self.cargo(package);
        let lockfile_hash = hash_of(&self.bench.source().join("Cargo.lock"))?;
        let (wasm, log) = cargo.build(self.target).await?;
        Ok(Built {
            wasm,
            log,
            how: How {
                toolchain: self.settings.toolchain.version.clone(),
                lockfile_hash,
                command: confined::line_of(&cargo.wasm_step(self.target)),
            },
        })
    }

    fn cargo<'a>(&'a self, package: Option<&'a str>) -> Cargo<'a> {
        Cargo {
            settings: self.settings,
            bench: self.bench,
            package,
            prebuilt: self.prebuilt,
            watcher: self.watcher,
        }
    }

    async fn c(&self) -> Result<C<'_>, Error> {
        Ok(C {
            settings: self.settings,
            bench: self.bench,
            clang: self.tools.clang(self.programs()).await?,
        })
    }

    async fn assemblyscript(&self) -> Result<AssemblyScript<'_>, Error> {
        Ok(AssemblyScript {
            settings: self.settings,
            bench: self.bench,
            node: self.tools.node(self.programs()).await?,
        })
    }

    fn programs(&self) -> &[PathBuf] {
        &self.settings.toolchain.programs
    }
}

fn hash_of(path: &Path) -> Result<Option<Sha256>, Error> {
    let bytes = product::read(path, LONGEST_FILE)
        .map_err(|error| Error::ours(format!("{}: {error}", path.display())))?;
    Ok(bytes.map(|bytes| Sha256::of(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs;

    fn language(files: &[(&str, &str)]) -> Result<Language, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Language::of(folder.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_repository_is_known_by_its_files() {
        let package = (
            "package.json",
            r#"{"devDependencies": {"assemblyscript": "0.28"}}"#,
        );
        let c = |tool| Language::C {
            tool,
            artifact: None,
        };

        assert_eq!(
            language(&[("Cargo.toml", ""), ("Makefile", "")]),
            Ok(Language::Rust { package: None })
        );
        assert_eq!(
            language(&[package, ("Makefile", "")]),
            Ok(Language::AssemblyScript)
        );
        assert_eq!(
            language(&[("package.json", "{}"), ("makefile", "")]),
            Ok(c(Tool::Make))
        );
        assert_eq!(
            language(&[("CMakeLists.txt", ""), ("Makefile", "")]),
            Ok(c(Tool::CMake))
        );
        assert!(
            language(&[("README.md", "")])
                .unwrap_err()
                .contains("neither")
        );
    }

    #[test]
    fn what_outlayer_toml_says_counts_more() {
        let settled = (
            "outlayer.toml",
            "[build]\nlanguage = 'c'\nartifact = 'out/ark.wasm'\n",
        );

        let chosen = language(&[settled, ("Cargo.toml", ""), ("Makefile", "")]);

        let artifact = Some("out/ark.wasm".into());
        assert_eq!(
            chosen,
            Ok(Language::C {
                tool: Tool::Make,
                artifact
            })
        );
    }
}
