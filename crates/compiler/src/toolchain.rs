//! The Rust that builds, by the absolute paths of its programs, so that no wrapper chooses another or downloads one.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Where the system's programs are: git, and the C linker that build scripts are linked with.
const SYSTEM_PROGRAMS: [&str; 3] = ["/usr/local/bin", "/usr/bin", "/bin"];

/// A Rust toolchain.
#[derive(Clone, Debug)]
pub struct Toolchain {
    /// The folder that holds `bin`, `lib` and the targets.
    pub sysroot: PathBuf,
    /// What `rustc --version` says.
    pub version: String,
    /// Where git and a C linker are looked for.
    pub programs: Vec<PathBuf>,
}

impl Toolchain {
    /// The toolchain of `rustc`, a program as it would be typed; behind rustup's `rustc` it is the active one.
    ///
    /// # Errors
    /// When `rustc` does not run or has no cargo beside it.
    pub fn of(rustc: &Path) -> io::Result<Self> {
        let sysroot = PathBuf::from(say(rustc, &["--print", "sysroot"])?);
        let cargo = sysroot.join("bin/cargo");
        if !cargo.is_file() {
            return Err(io::Error::other(format!("no cargo at {}", cargo.display())));
        }
        Ok(Self {
            version: say(&sysroot.join("bin/rustc"), &["--version"])?,
            sysroot,
            programs: SYSTEM_PROGRAMS.map(PathBuf::from).to_vec(),
        })
    }

    pub(crate) fn cargo(&self) -> PathBuf {
        self.sysroot.join("bin/cargo")
    }

    pub(crate) fn rustc(&self) -> PathBuf {
        self.sysroot.join("bin/rustc")
    }

    /// Whether it has the standard library for `triple`.
    pub(crate) fn can_build_for(&self, triple: &str) -> bool {
        self.sysroot
            .join("lib/rustlib")
            .join(triple)
            .join("lib")
            .is_dir()
    }

    /// The `PATH` of every step.
    pub(crate) fn path(&self) -> String {
        let folders: Vec<_> = std::iter::once(self.sysroot.join("bin"))
            .chain(self.programs.iter().cloned())
            .map(|folder| folder.display().to_string())
            .collect();
        folders.join(":")
    }
}

/// What `program` prints, without the line's end.
fn say(program: &Path, args: &[&str]) -> io::Result<String> {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(program).args(args).output()?;
    if !status.success() {
        return Err(io::Error::other(format!(
            "{} failed: {}",
            program.display(),
            String::from_utf8_lossy(&stderr).trim()
        )));
    }
    Ok(String::from_utf8_lossy(&stdout).trim().to_owned())
}
