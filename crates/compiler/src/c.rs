//! C and C++ for WASI preview 1, by the system's clang, with make or CMake.
//!
//! A makefile writes beside the sources, so it works on a copy of them; CMake works in a folder of its own. Compilers are found by the
//! names that builds know them by: see [`kit`].

pub(crate) mod clang;
mod classify;
mod kit;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use protocol::FailureCode;

use crate::artifact::{Built, How};
use crate::confined::{self, Running};
use crate::error::Error;
use crate::jail::{Product, Step};
use crate::language::Tool;
use crate::product;
use crate::programs;
use crate::settings::Settings;
use crate::workbench::Workbench;
use clang::Clang;
use kit::Kit;

/// Where in the target folder it is built.
const FOLDER: &str = "build";

/// Builds on a copy. All of its files are of one time: make then takes none for newer than another, whatever the check-out took.
const MAKE: &str = r#"cp -R "$1/." "$2"
rm -rf "$2/.git"
find "$2" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
cd "$2"
shift 2
exec make "$@""#;

/// Builds beside.
const CMAKE: &str = r#"cmake -S "$1" -B "$2" -DCMAKE_TOOLCHAIN_FILE="$3" -DCMAKE_BUILD_TYPE=Release
exec cmake --build "$2" --parallel 2"#;

/// What a build is told the time is: the beginning of 1980, before which archives know no time.
const EPOCH: &str = "315532800";

/// Clang, at work on one repository.
pub(crate) struct C<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) bench: &'a Workbench,
    pub(crate) clang: &'a Clang,
}

impl C<'_> {
    /// Builds with `tool`; `artifact` is the module's path in the folder of the build.
    pub(crate) async fn build(&self, tool: Tool, artifact: Option<&Path>) -> Result<Built, Error> {
        let name = match tool {
            Tool::Make => "make",
            Tool::CMake => "cmake",
        };
        if programs::find(&self.settings.toolchain.programs, name).is_none() {
            return Err(clang::missing(name));
        }
        let kit = Kit::lay_out(self.clang, self.settings, self.bench)
            .map_err(|error| Error::ours(format!("kit: {error}")))?;
        let step = self.step(tool, artifact, &kit);
        let limits = &self.settings.limits;
        let how = Running {
            name,
            limits: &limits.build_process,
            wall: limits.build,
            drawings: None,
        };
        let finished = confined::run(&*self.settings.jail, &step, how).await?;
        if let Some(failure) =
            finished.failure(|ended| classify::of_build(ended, self.bench.root()))
        {
            return Err(failure);
        }
        let wasm = self
            .pick(artifact)
            .and_then(|path| product::read_module(&path, limits.artifact_bytes))
            .map_err(|error| error.hiding(finished.log.as_str()))?;
        Ok(Built {
            wasm,
            log: finished.log,
            how: How {
                toolchain: self.clang.version.clone(),
                lockfile_hash: None,
                command: confined::line_of(&step),
            },
        })
    }

    fn step(&self, tool: Tool, artifact: Option<&Path>, kit: &Kit) -> Step {
        let build = self.folder();
        let (script, words) = match tool {
            Tool::Make => (MAKE, kit.make_variables()),
            Tool::CMake => (CMAKE, vec![kit.toolchain_file().into()]),
        };
        let mut args = ["-euc", script, "sh"].map(OsString::from).to_vec();
        args.extend([self.bench.source().into(), build.into_os_string()]);
        args.extend(words);
        let mut reads = vec![
            self.bench.source(),
            self.bench.start(),
            kit.folder().to_owned(),
        ];
        reads.extend(programs::not_shown(self.clang.folders()));
        Step {
            program: "/bin/sh".into(),
            args,
            env: self.environment(kit),
            folder: self.bench.start(),
            reads,
            writes: vec![self.bench.target(), self.bench.home(), self.bench.tmp()],
            begins_as: None,
            product: Product {
                space: self.bench.target(),
                folder: Path::new(FOLDER).join(parent_of(artifact)),
                wanted: product::wanted(self.settings.limits.artifact_bytes),
            },
            root: self.bench.root().to_owned(),
            account: self.bench.account(),
        }
    }

    fn environment(&self, kit: &Kit) -> BTreeMap<OsString, OsString> {
        let mut path = OsString::from(kit.programs());
        for folder in &self.settings.toolchain.programs {
            path.push(":");
            path.push(folder);
        }
        let mut env = BTreeMap::from([
            ("PATH".into(), path),
            ("HOME".into(), self.bench.home().into()),
            ("TMPDIR".into(), self.bench.tmp().into()),
            ("LC_ALL".into(), "C".into()),
            ("TZ".into(), "UTC".into()),
            ("SOURCE_DATE_EPOCH".into(), EPOCH.into()),
            ("CFLAGS".into(), "-O2".into()),
            ("CXXFLAGS".into(), "-O2".into()),
        ]);
        env.extend(kit.variables());
        env
    }

    fn folder(&self) -> PathBuf {
        self.bench.target().join(FOLDER)
    }

    /// The module that was built: the one that is named, or the only one.
    fn pick(&self, artifact: Option<&Path>) -> Result<PathBuf, Error> {
        let folder = self.folder().join(parent_of(artifact));
        let mut modules = product::modules_in(self.bench, &folder);
        if let Some(artifact) = artifact {
            let named = self.folder().join(artifact);
            return modules
                .into_iter()
                .find(|path| *path == named)
                .ok_or_else(|| {
                    no_artifact("the build made no module where outlayer.toml says that it is")
                });
        }
        match (modules.pop(), modules.len()) {
            (Some(only), 0) => Ok(only),
            (Some(_), _) => Err(no_artifact(
                "the build made several modules: name one by `build.artifact` in outlayer.toml",
            )),
            (None, _) => Err(no_artifact(
                "the build made no .wasm file in its folder: make one there, or name it by `build.artifact` in outlayer.toml",
            )),
        }
    }
}

fn parent_of(artifact: Option<&Path>) -> &Path {
    artifact.and_then(Path::parent).unwrap_or(Path::new(""))
}

fn no_artifact(sentence: &str) -> Error {
    Error::saying(FailureCode::NoArtifact, sentence)
}
