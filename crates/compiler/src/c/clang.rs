//! The system's clang, and the C library for WASI that goes with it.

use std::path::{Path, PathBuf};

use protocol::FailureCode;

use crate::error::Error;
use crate::language::Materials;
use crate::programs;

/// What the target is called: lately, and before.
const TRIPLES: [&str; 2] = ["wasm32-wasip1", "wasm32-wasi"];

/// Where systems put the C library for WASI, besides beside clang.
const SYSROOTS: [&str; 3] = ["/usr/share/wasi-sysroot", "/usr/wasm32-wasi", "/usr"];

/// Clang with all that makes a module.
#[derive(Clone, Debug)]
pub(crate) struct Clang {
    pub(super) cc: PathBuf,
    pub(super) cpp: PathBuf,
    pub(super) ar: PathBuf,
    pub(super) ranlib: PathBuf,
    linker: PathBuf,
    pub(super) sysroot: PathBuf,
    pub(super) triple: &'static str,
    /// Headers and libraries of its own, among them what WebAssembly has no instruction for.
    resources: PathBuf,
    /// The first line that it says of itself.
    pub(crate) version: String,
}

impl Clang {
    /// That in `folders`.
    pub(crate) fn find(folders: &[PathBuf]) -> Result<Self, Error> {
        let program = |name: &str| programs::find(folders, name).ok_or_else(|| missing(name));
        let clang = program("clang")?;
        let said = |args: &[&str]| programs::say(&clang, args).ok_or_else(|| missing("clang"));
        let (sysroot, triple) =
            sysroot_of(&clang).ok_or_else(|| missing("the C library for WASI"))?;
        let version = said(&["--version"])?;
        Ok(Self {
            cpp: program("clang++")?,
            ar: program("llvm-ar")?,
            ranlib: program("llvm-ranlib")?,
            linker: program("wasm-ld")?,
            resources: said(&["-print-resource-dir"])?.into(),
            version: version.lines().next().unwrap_or_default().to_owned(),
            sysroot,
            triple,
            cc: clang,
        })
    }

    /// The C library's headers.
    pub(super) fn headers(&self) -> PathBuf {
        self.of_triple("include")
    }

    fn libraries(&self) -> PathBuf {
        self.of_triple("lib")
    }

    /// A folder of the target, where each target has its own.
    fn of_triple(&self, name: &str) -> PathBuf {
        let all = self.sysroot.join(name);
        let own = all.join(self.triple);
        if own.is_dir() { own } else { all }
    }

    /// All that it reads, as folders.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        let real = self.cc.canonicalize().ok();
        let prefix = real.as_deref().and_then(|clang| clang.parent()?.parent());
        let mut folders = vec![self.sysroot.clone(), self.resources.clone()];
        folders.extend(prefix.map(Path::to_owned));
        folders
    }

    /// Its programs with their libraries, and the libraries and headers of the target.
    pub(crate) fn materials(&self) -> Materials {
        let programs = [&self.cc, &self.linker, &self.ar];
        let files = programs
            .iter()
            .flat_map(|program| programs::whole(program))
            .collect();
        let mut folders = vec![
            self.headers(),
            self.libraries(),
            self.resources.join("include"),
        ];
        let of_target = [self.resources.join("lib"), self.headers().join("c++/v1")];
        folders.extend(of_target.into_iter().filter(|folder| folder.is_dir()));
        Materials::new(Path::new("/"), files, folders)
    }
}

/// The first place that has a C library.
fn sysroot_of(clang: &Path) -> Option<(PathBuf, &'static str)> {
    let real = clang.canonicalize().ok()?;
    let beside = real.parent()?.parent()?.join("share/wasi-sysroot");
    let places = std::iter::once(beside).chain(SYSROOTS.map(PathBuf::from));
    let mut all = places.flat_map(|place| TRIPLES.map(|triple| (place.clone(), triple)));
    all.find(|(place, triple)| place.join("lib").join(triple).join("libc.a").is_file())
}

/// Something is not on this machine.
pub(super) fn missing(what: &str) -> Error {
    Error::saying(
        FailureCode::PlatformFailure,
        format!(
            "this worker cannot build C, for it lacks {what}; the request is not at fault. It takes clang, lld, llvm, wasi-libc, clang's \
             builtins and libc++ for wasm32, make and cmake"
        ),
    )
}
