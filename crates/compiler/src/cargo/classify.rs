//! What cargo printed, to a failure that may be shown.

use protocol::FailureCode;

use crate::error::Error;
use crate::process::{End, Ended};

/// Signs that a registry or a repository could not be reached.
const NETWORK: &[&str] = &[
    "could not resolve host",
    "couldn't resolve host",
    "could not connect to server",
    "couldn't connect to server",
    "failed to connect",
    "connection refused",
    "connection reset",
    "timed out",
    "timeout was reached",
    "spurious network error",
    "network failure seems to have happened",
    "ssl",
    "got 429",
    "got 5",
];

/// Signs that a manifest, not a dependency, is at fault.
const MANIFEST: &[&str] = &[
    "failed to parse manifest",
    "failed to parse lock file",
    "/source/cargo.toml:",
];

/// Why dependencies could not be fetched.
pub(super) fn of_fetch(ended: &Ended) -> Error {
    let text = ended.stderr.to_lowercase();
    let has = |signs: &[&str]| signs.iter().any(|sign| text.contains(sign));
    let error = match ended.end {
        End::TimedOut => Error::new(FailureCode::NetworkError),
        // A guest may name a git repository anywhere; that it cannot be reached is no fault of ours and earns no retry.
        _ if has(NETWORK) && !text.contains("updating git repository") => {
            Error::new(FailureCode::NetworkError)
        }
        _ if text.contains("needs to be updated but --locked") => Error::saying(
            FailureCode::DependencyNotFound,
            "Cargo.lock does not fit Cargo.toml: update and commit it",
        ),
        _ if has(MANIFEST) => Error::saying(
            FailureCode::CompilationError,
            "Cargo.toml or Cargo.lock cannot be read by cargo",
        ),
        _ => Error::new(FailureCode::DependencyNotFound),
    };
    error.hiding(ended.log("cargo vendor"))
}

/// Why the package did not build. Never a network error: there is none, and what a build script prints chooses no retry.
pub(super) fn of_build(ended: &Ended) -> Error {
    let text = &ended.stderr;
    let code = match ended.end {
        End::TimedOut => FailureCode::CompilationTimedOut,
        _ if text.contains("failed to run custom build command") => FailureCode::BuildScriptError,
        _ if text.contains("could not compile") || text.contains("error[E") => {
            FailureCode::RustCompilationError
        }
        _ if text.contains("no matching package")
            || text.contains("failed to select a version")
            || text.contains("as a dependency of package")
            || text.contains("failed to load source for dependency") =>
        {
            FailureCode::DependencyNotFound
        }
        _ => FailureCode::CompilationError,
    };
    Error::new(code).hiding(ended.log("cargo build"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(stderr: &str) -> Ended {
        Ended {
            end: End::Exited(101),
            stdout: String::new(),
            stderr: stderr.to_owned(),
            stdout_is_cut: false,
        }
    }

    #[test]
    fn an_unreachable_registry_is_ours_and_an_unreachable_git_dependency_is_not() {
        let registry =
            printed("error: failed to get `itoa`\n[6] Could not resolve host: index.crates.io");
        let git = printed(
            "    Updating git repository `https://nowhere.example/x`\nerror: Could not resolve host",
        );

        assert_eq!(of_fetch(&registry).code(), FailureCode::NetworkError);
        assert_eq!(of_fetch(&git).code(), FailureCode::DependencyNotFound);
    }

    #[test]
    fn a_build_never_fails_by_the_network_whatever_it_prints() {
        let forged =
            printed("error: failed to run custom build command for `x`\nconnection refused");
        let code = printed("error[E0425]: cannot find value\nerror: could not compile `x` (bin)");

        assert_eq!(of_build(&forged).code(), FailureCode::BuildScriptError);
        assert_eq!(of_build(&code).code(), FailureCode::RustCompilationError);
    }
}
