//! What cargo printed, to a failure that may be shown.

use protocol::FailureCode;

use crate::confined;
use crate::error::Error;
use crate::jail::SEEMING_ROOT;
use crate::process::{End, Ended};

/// Where the sources seem to be.
const SEEMING_SOURCE: &str = "/outlayer/source";

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

/// Why the package did not build: each of these is the fault of what was built.
pub(super) fn of_build(ended: &Ended) -> Error {
    let code = by_text(&ended.stderr);
    match place(&ended.stderr) {
        Some(place) if code == FailureCode::RustCompilationError => Error::saying(
            code,
            format!("rust compilation failed: the code does not compile, first at {place}"),
        ),
        _ => Error::new(code),
    }
}

/// Where the first error is, as `file:line:column`, if that can be shown: a plain path below the package's root or its dependencies'.
fn place(stderr: &str) -> Option<&str> {
    let from_error = stderr
        .lines()
        .skip_while(|line| !line.starts_with("error"))
        .find_map(|line| line.trim_start().strip_prefix("--> "))?;
    confined::shown_place(from_error, &[SEEMING_SOURCE, SEEMING_ROOT])
}

fn by_text(text: &str) -> FailureCode {
    let has = |signs: &[&str]| signs.iter().any(|sign| text.contains(sign));
    if has(&["failed to run custom build command"]) {
        FailureCode::BuildScriptError
    } else if has(&["could not compile", "error[E"]) {
        FailureCode::RustCompilationError
    } else if has(&[
        "no matching package",
        "failed to select a version",
        "as a dependency of package",
        "failed to load source for dependency",
    ]) {
        FailureCode::DependencyNotFound
    } else {
        FailureCode::CompilationError
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::confined::Finished;
    use crate::jail::Verdict;

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

        let [forged, code] = [forged, code].map(|ended| of_build(&ended).code());

        assert_eq!(forged, FailureCode::BuildScriptError);
        assert_eq!(code, FailureCode::RustCompilationError);
    }

    #[test]
    fn what_the_jail_says_counts_more_than_what_the_build_printed() {
        let unavailable = Verdict::Unavailable {
            reason: "no landlock".to_owned(),
        };
        let failure = |verdict| {
            let good = Ended {
                end: End::Exited(0),
                ..printed("")
            };
            Finished::of(good, verdict, "cargo build").failure(of_build)
        };

        let [memory, disk, jail] = [Verdict::OutOfMemory, Verdict::OutOfDisk, unavailable]
            .map(|verdict| failure(verdict).unwrap().code());

        assert_eq!(memory, FailureCode::OutOfMemory);
        assert_eq!(disk, FailureCode::OutOfDisk);
        assert_eq!(jail, FailureCode::JailUnavailable);
        assert!(failure(Verdict::Held).is_none());
    }

    #[test]
    fn the_first_error_is_placed_if_its_path_can_be_shown() {
        let at = |path: &str| {
            let stderr = format!(
                "warning: x\n --> src/warned.rs:1:1\nerror[E0425]: y\n --> {path}\nerror: z\n --> src/later.rs:1:1\nerror: could not compile `x`"
            );
            of_build(&printed(&stderr)).to_string()
        };

        assert!(at("src/main.rs:3:5").ends_with("first at src/main.rs:3:5"));
        assert!(at("/outlayer/source/src/a.rs:3:5").ends_with("first at src/a.rs:3:5"));
        assert!(at("/outlayer/vendor/b/src/lib.rs:3:5").ends_with("at vendor/b/src/lib.rs:3:5"));
        for hidden in [
            "/etc/x.rs:1:1",
            "../x.rs:1:1",
            "a b.rs:1:1",
            "\u{1b}[1m:1:1",
        ] {
            assert!(!at(hidden).contains("first at"), "{hidden}");
        }
    }
}
