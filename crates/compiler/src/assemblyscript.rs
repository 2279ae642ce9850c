//! AssemblyScript, by the compiler that the repository's lock file names, under the system's node.
//!
//! Fetching is npm's: see [`npm`]. The compiler is then run directly, not by a script of the repository's; what runs besides it are the
//! transforms that an `asconfig.json` may name, in the jail.

mod classify;
pub(crate) mod node;
mod npm;
mod packages;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use protocol::FailureCode;
use serde_json::Value;

use crate::artifact::{Built, How, Sha256};
use crate::confined::{self, Running};
use crate::error::Error;
use crate::jail::{Product, Step};
use crate::language::LONGEST_FILE;
use crate::process::ProcessLimits;
use crate::product;
use crate::programs;
use crate::settings::Settings;
use crate::workbench::Workbench;
use node::Node;
use packages::Packages;

/// Builds on a copy, as the compiler writes beside the sources what an `asconfig.json` asks for.
const SCRIPT: &str = r#"cp -R "$1/." "$2"
rm -rf "$2/.git"
ln -s "$3" "$2/node_modules"
cd "$2"
shift 3
exec "$@""#;

/// The compiler, in `node_modules`.
const COMPILER: &str = "assemblyscript/bin/asc.js";
/// What has a program read standard input and write standard output, in `node_modules`.
const SHIM: &str = "@assemblyscript/wasi-shim/asconfig.json";
/// Where a program begins unless an `asconfig.json` says otherwise.
const ENTRY: &str = "assembly/index.ts";
/// Where in the target folder the module is put.
const OUT: &str = "out";

/// Address space of node: it reserves 10 GiB for each WebAssembly memory, and uses what it needs.
const ADDRESS_SPACE: u64 = 256 << 30;

/// npm and the compiler, at work on one repository.
pub(crate) struct AssemblyScript<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) bench: &'a Workbench,
    pub(crate) node: &'a Node,
}

impl AssemblyScript<'_> {
    /// Fetches the packages that the lock file names and says what npm printed.
    pub(crate) async fn fetch(&self) -> Result<String, Error> {
        let packages = self.packages()?;
        if fs::symlink_metadata(self.bench.source().join("node_modules")).is_ok() {
            return Err(Error::saying(
                FailureCode::CompilationError,
                "the repository holds node_modules: remove it, for packages are fetched as package-lock.json says",
            ));
        }
        let folder = self.folder();
        let write = || {
            fs::create_dir(&folder)?;
            fs::write(folder.join("package.json"), packages.manifest.to_string())?;
            fs::write(folder.join("package-lock.json"), packages.lock.to_string())
        };
        write().map_err(|error| Error::ours(format!("packages: {error}")))?;
        npm::fetch(self, &folder).await
    }

    /// Compiles the program.
    pub(crate) async fn build(&self) -> Result<Built, Error> {
        let packages = self.packages()?;
        let step = self.step();
        let limits = limits(&self.settings.limits.build_process);
        let how = Running {
            name: "asc",
            limits: &limits,
            wall: self.settings.limits.build,
            drawings: None,
        };
        let finished = confined::run(&*self.settings.jail, &step, how).await?;
        if let Some(failure) = finished.failure(classify::of_build) {
            return Err(failure);
        }
        let module = self.module();
        let most = self.settings.limits.artifact_bytes;
        let is_there = product::modules_in(self.bench, &self.bench.target().join(OUT))
            .into_iter()
            .any(|path| path == module);
        let wasm = if is_there {
            product::read_module(&module, most)
        } else {
            Err(Error::new(FailureCode::NoArtifact))
        };
        Ok(Built {
            wasm: wasm.map_err(|error| error.hiding(finished.log.as_str()))?,
            log: finished.log,
            how: How {
                toolchain: format!(
                    "assemblyscript {}, node {}",
                    packages.compiler, self.node.version
                ),
                lockfile_hash: Some(packages.hash),
                command: confined::line_of(&step),
            },
        })
    }

    /// What the lock file names, if all of it can be fetched.
    fn packages(&self) -> Result<Packages, Error> {
        let read = |name: &str| {
            product::read(&self.bench.source().join(name), LONGEST_FILE)
                .map_err(|_| packages::unreadable(name))
        };
        let manifest = read("package.json")?.ok_or_else(|| {
            Error::saying(
                FailureCode::CompilationError,
                "the repository has no package.json at its root",
            )
        })?;
        let lock = read("package-lock.json")?.ok_or_else(|| {
            Error::saying(
                FailureCode::LockfileMissing,
                "the repository has no package-lock.json beside its package.json: commit it",
            )
        })?;
        Packages::read(&manifest, &lock, Sha256::of(&lock))
    }

    fn step(&self) -> Step {
        let modules = self.folder().join("node_modules");
        let mut args: Vec<OsString> = ["-euc", SCRIPT, "sh"].map(OsString::from).to_vec();
        args.extend([
            self.bench.source().into(),
            self.bench.target().join("build").into(),
            modules.clone().into(),
            self.node.program.clone().into(),
            // Else the compiler starts another node to say so.
            "--enable-source-maps".into(),
            modules.join(COMPILER).into(),
        ]);
        args.extend(self.choices());
        args.extend(["--outFile".into(), self.module().into()]);
        let mut reads = vec![self.bench.source(), self.bench.start(), self.folder()];
        reads.extend(programs::not_shown(self.node.folders()));
        Step {
            program: "/bin/sh".into(),
            args,
            env: self.environment(),
            folder: self.bench.start(),
            reads,
            writes: vec![self.bench.target(), self.bench.home(), self.bench.tmp()],
            begins_as: None,
            product: Product {
                space: self.bench.target(),
                folder: OUT.into(),
                wanted: product::wanted(self.settings.limits.artifact_bytes),
            },
            root: self.bench.root().to_owned(),
            account: self.bench.account(),
        }
    }

    /// What to compile and how: as `asconfig.json` says for a release; without one, a program for WASI.
    fn choices(&self) -> Vec<OsString> {
        let config = product::read(&self.bench.source().join("asconfig.json"), LONGEST_FILE);
        let config: Option<Value> = config
            .ok()
            .flatten()
            .map(|text| serde_json::from_slice(&text).unwrap_or_default());
        let entries = config.as_ref().and_then(|config| config.get("entries"));
        let has_entries = entries
            .and_then(Value::as_array)
            .is_some_and(|entries| !entries.is_empty());
        let mut choices = Vec::new();
        if !has_entries {
            choices.push(ENTRY.into());
        }
        if config.is_some() {
            choices.extend(["--target", "release"].map(OsString::from));
        } else {
            choices.push("--optimize".into());
            if self.folder().join("node_modules").join(SHIM).is_file() {
                let shim = Path::new("./node_modules").join(SHIM);
                choices.extend(["--config".into(), shim.into_os_string()]);
            }
        }
        choices
    }

    /// What npm and the build begin with.
    fn environment(&self) -> BTreeMap<OsString, OsString> {
        let folders = &self.settings.toolchain.programs;
        let folders: Vec<_> = folders
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        BTreeMap::from([
            ("PATH".into(), folders.join(":").into()),
            ("HOME".into(), self.bench.home().into()),
            ("TMPDIR".into(), self.bench.tmp().into()),
            ("LC_ALL".into(), "C".into()),
            ("TZ".into(), "UTC".into()),
        ])
    }

    /// Where the packages are fetched to.
    fn folder(&self) -> PathBuf {
        self.bench.root().join("packages")
    }

    fn module(&self) -> PathBuf {
        self.bench.target().join(OUT).join("module.wasm")
    }
}

/// The usual limits, with address space for node.
fn limits(usual: &ProcessLimits) -> ProcessLimits {
    ProcessLimits {
        memory_bytes: usual.memory_bytes.max(ADDRESS_SPACE),
        ..usual.clone()
    }
}
