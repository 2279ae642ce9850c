//! Compilers under the names that makefiles and CMake know them by, which make WebAssembly whatever else they are told.
//!
//! Flags are not passed by `CFLAGS`, as a makefile may set those: each compiler is a script that names a file of flags.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::clang::Clang;
use crate::jail::SEEMING_ROOT;
use crate::settings::Settings;
use crate::workbench::Workbench;

/// What C compilers are called, and C++ compilers.
const C: [&str; 4] = ["cc", "gcc", "clang", "wasm32-wasi-clang"];
const CPP: [&str; 4] = ["c++", "g++", "clang++", "wasm32-wasi-clang++"];

/// Flags of both languages. `--config` does not complain of what one compilation has no use for. A date is one for all builds.
const FLAGS: &str = r#"--target={TRIPLE}
--sysroot={SYSROOT}
-nostdlibinc
-ffile-prefix-map={ROOT}={SEEMING}
-Wno-builtin-macro-redefined
-D__DATE__=\"Jan\ \ 1\ 1980\"
-D__TIME__=\"00:00:00\"
-D__TIMESTAMP__=\"Tue\ Jan\ \ 1\ 00:00:00\ 1980\"
-Wl,--strip-all
"#;

/// CMake's description of the target. It looks for nothing on the machine but programs.
const TOOLCHAIN: &str = r#"list(APPEND CMAKE_MODULE_PATH "{KIT}/cmake")
set(CMAKE_SYSTEM_NAME WASI)
set(CMAKE_SYSTEM_VERSION 1)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(CMAKE_C_COMPILER "{KIT}/bin/clang")
set(CMAKE_CXX_COMPILER "{KIT}/bin/clang++")
set(CMAKE_AR "{AR}" CACHE FILEPATH "archiver")
set(CMAKE_RANLIB "{RANLIB}" CACHE FILEPATH "indexer")
set(CMAKE_C_COMPILER_TARGET {TRIPLE})
set(CMAKE_CXX_COMPILER_TARGET {TRIPLE})
set(CMAKE_FIND_ROOT_PATH "{KIT}/nothing")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
"#;

/// What CMake knows of WASI, which old ones do not.
const PLATFORM: &str = r#"set(WASI 1)
set(CMAKE_EXECUTABLE_SUFFIX ".wasm")
set_property(GLOBAL PROPERTY TARGET_SUPPORTS_SHARED_LIBS FALSE)
"#;

/// The kit, in a folder of the workbench that a build can read.
pub(super) struct Kit {
    folder: PathBuf,
    ar: PathBuf,
    ranlib: PathBuf,
}

impl Kit {
    /// Writes it.
    pub(super) fn lay_out(
        clang: &Clang,
        settings: &Settings,
        bench: &Workbench,
    ) -> io::Result<Self> {
        let kit = Self {
            folder: bench.root().join("kit"),
            ar: clang.ar.clone(),
            ranlib: clang.ranlib.clone(),
        };
        // What is written into these files is not put where it seems to be by the jail, as words of a command are.
        let root = settings.jail.seeming(bench.root());
        let seeming = root.join("kit");
        let fill = |text: &str| {
            [
                ("{TRIPLE}", clang.triple),
                ("{SYSROOT}", &shown(&clang.sysroot)),
                ("{ROOT}", &shown(&root)),
                ("{SEEMING}", SEEMING_ROOT),
                ("{KIT}", &shown(&seeming)),
                ("{AR}", &shown(&clang.ar)),
                ("{RANLIB}", &shown(&clang.ranlib)),
            ]
            .into_iter()
            .fold(text.to_owned(), |text, (name, value)| {
                text.replace(name, value)
            })
        };
        let headers = clang.headers();
        let of_c = format!("{}-isystem {}\n", fill(FLAGS), shown(&headers));
        // What is not caught has nobody to catch it here: the libraries are built without exceptions.
        let of_cpp = format!(
            "{}-nostdinc++\n-fno-exceptions\n-isystem {}/c++/v1\n-isystem {}\n",
            fill(FLAGS),
            shown(&headers),
            shown(&headers)
        );
        fs::create_dir_all(kit.folder.join("bin"))?;
        fs::create_dir_all(kit.folder.join("cmake/Platform"))?;
        fs::write(kit.folder.join("c.cfg"), of_c)?;
        fs::write(kit.folder.join("c++.cfg"), of_cpp)?;
        fs::write(kit.toolchain_file(), fill(TOOLCHAIN))?;
        fs::write(kit.folder.join("cmake/Platform/WASI.cmake"), PLATFORM)?;
        kit.write_scripts(&C, &clang.cc, &seeming.join("c.cfg"))?;
        kit.write_scripts(&CPP, &clang.cpp, &seeming.join("c++.cfg"))?;
        Ok(kit)
    }

    fn write_scripts(&self, names: &[&str], compiler: &Path, flags: &Path) -> io::Result<()> {
        let script = format!(
            "#!/bin/sh\nexec '{}' --config '{}' \"$@\"\n",
            shown(compiler),
            shown(flags)
        );
        for name in names {
            let path = self.programs().join(name);
            fs::write(&path, &script)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
        Ok(())
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// To come first in `PATH`.
    pub(super) fn programs(&self) -> PathBuf {
        self.folder.join("bin")
    }

    pub(super) fn toolchain_file(&self) -> PathBuf {
        self.folder.join("wasi.cmake")
    }

    /// What builds call compilers and their companions by.
    pub(super) fn variables(&self) -> [(OsString, OsString); 4] {
        [
            ("CC".into(), self.programs().join("clang").into()),
            ("CXX".into(), self.programs().join("clang++").into()),
            ("AR".into(), self.ar.clone().into()),
            ("RANLIB".into(), self.ranlib.clone().into()),
        ]
    }

    /// The same as words for make, where they count more than what a makefile sets itself.
    pub(super) fn make_variables(&self) -> Vec<OsString> {
        let assign = |(mut name, value): (OsString, OsString)| {
            name.push("=");
            name.push(value);
            name
        };
        self.variables().map(assign).to_vec()
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
