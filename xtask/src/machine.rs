//! What this machine has, and what the tests need of it.

use std::env;
use std::path::Path;

use anyhow::{Context, Result, bail};
use xshell::{Cmd, Shell, cmd};

/// Package managers, and how each is asked for packages.
const MANAGERS: [(&str, &str); 4] = [
    (
        "apt-get",
        "apt-get update -qq && apt-get install -y -qq --no-install-recommends",
    ),
    ("dnf", "dnf install -y -q"),
    ("apk", "apk add --quiet"),
    ("pacman", "pacman -Sy --noconfirm"),
];

/// Something that cargo does not build.
struct Need {
    /// Succeeds where it is installed.
    probe: &'static str,
    /// What to ask each of the managers for, in their order.
    packages: [&'static str; MANAGERS.len()],
    why: &'static str,
}

/// What building and running the tests takes, besides the C compiler without which this program would not be here.
///
/// A database or a browser that a test begins to use is one more row, in the change that begins to use it.
const NEEDS: &[Need] = &[
    Need {
        probe: "git --version",
        packages: ["git"; MANAGERS.len()],
        why: "the compiler clones sources with it",
    },
    Need {
        probe: "pkg-config --exists openssl",
        packages: [
            "pkg-config libssl-dev",
            "pkgconf openssl-devel",
            "pkgconf openssl-dev",
            "pkgconf openssl",
        ],
        why: "near-workspaces, a client that the localnet is tested with, speaks TLS by OpenSSL",
    },
    Need {
        // Links for the target: a C library, a C++ library and the compiler's own must be there.
        probe: "command -v llvm-ar && for root in /usr /usr/share/wasi-sysroot /usr/wasm32-wasi; do \
                echo 'int main() {}' | clang++ --target=wasm32-wasi --sysroot=$root -x c++ - -o /dev/null && exit; done; exit 1",
        packages: [
            "clang lld llvm wasi-libc libclang-rt-dev-wasm32 libc++-dev-wasm32",
            "clang lld llvm wasi-libc-devel wasi-libc-static libcxx-devel",
            "clang lld llvm wasi-sdk",
            "clang lld llvm wasi-libc wasi-libc++ wasi-libc++abi wasi-compiler-rt",
        ],
        why: "the compiler builds guests in C and C++ with it",
    },
    Need {
        probe: "make --version && cmake --version",
        packages: ["make cmake"; MANAGERS.len()],
        why: "guests in C and C++ are built by them",
    },
    Need {
        probe: "node --version && npm --version",
        packages: ["nodejs npm"; MANAGERS.len()],
        why: "the compiler fetches guests in AssemblyScript by the one and compiles them by the other",
    },
];

/// Whether the PATH has a program.
pub(crate) fn find(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Whether cargo has a subcommand.
pub(crate) fn has(shell: &Shell, subcommand: &str) -> bool {
    quiet(cmd!(shell, "cargo {subcommand} --version"))
}

/// Runs a command for its status only.
fn quiet(command: Cmd<'_>) -> bool {
    let silent = command.quiet().ignore_stdout().ignore_stderr();
    silent.run().is_ok()
}

/// Installs what the tests need and this machine lacks, and says so.
pub(crate) fn provide(shell: &Shell) -> Result<()> {
    for Need {
        probe,
        packages,
        why,
    } in NEEDS
    {
        if quiet(cmd!(shell, "sh -c {probe}")) {
            continue;
        }
        let mut managers = MANAGERS.iter().zip(packages);
        let Some(((manager, ask), packages)) = managers.find(|((manager, _), _)| find(manager))
        else {
            bail!("`{probe}` fails ({why}), and no package manager known here could mend it");
        };
        eprintln!("installing {packages} with {manager}: {why}");
        let root = cmd!(shell, "id -u").quiet().read()? == "0";
        let sudo: &[&str] = if root { &[] } else { &["sudo"] };
        let line = format!("{ask} {packages}");
        cmd!(shell, "env {sudo...} sh -c {line}").run()?;
    }
    Ok(())
}

/// Makes sure of the targets and components that `rust-toolchain.toml` names.
///
/// rustup installs them with the toolchain, but not into a toolchain that is already there, and not at all under
/// `RUSTUP_AUTO_INSTALL=0`.
pub(crate) fn toolchain(shell: &Shell) -> Result<()> {
    let pinned: toml::Table = shell.read_file("rust-toolchain.toml")?.parse()?;
    let targets = pinned
        .get("toolchain")
        .and_then(|toolchain| toolchain.get("targets"))
        .and_then(toml::Value::as_array)
        .context("rust-toolchain.toml names the targets")?;
    let mut lacking = Vec::new();
    for target in targets.iter().filter_map(toml::Value::as_str) {
        let libraries = cmd!(shell, "rustc --print target-libdir --target {target}").quiet();
        if !Path::new(&libraries.read()?).is_dir() {
            lacking.push(target);
        }
    }
    for component in ["clippy", "fmt"] {
        if !has(shell, component) {
            lacking.push(component);
        }
    }
    if lacking.is_empty() {
        return Ok(());
    }
    eprintln!(
        "the toolchain lacks {}: rustup installs what rust-toolchain.toml names",
        lacking.join(", ")
    );
    cmd!(shell, "rustup toolchain install")
        .run()
        .context("add them to the Rust toolchain in use")
}
