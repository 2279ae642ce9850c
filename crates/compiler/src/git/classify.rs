//! What git printed, to a failure that may be shown.

use protocol::FailureCode;

use crate::error::Error;
use crate::process::{End, Ended};

/// Which failure a text stands for; the first that is found counts. All in lower case.
const SIGNS: &[(FailureCode, &[&str])] = &[
    (
        FailureCode::RepositoryNotFound,
        &[
            "repository not found",
            "' not found",
            "does not appear to be a git repository",
            "does not exist",
            "returned error: 404",
            "returned error: 410",
        ],
    ),
    (
        FailureCode::CommitNotFound,
        &[
            "not our ref",
            "couldn't find remote ref",
            "unadvertised object",
            "reference is not a tree",
        ],
    ),
    (
        FailureCode::RepositoryAccessDenied,
        &[
            "could not read username",
            "could not read password",
            "authentication failed",
            "terminal prompts disabled",
            "permission denied",
            "dubious ownership",
            "returned error: 401",
            "returned error: 403",
        ],
    ),
    (
        FailureCode::NetworkError,
        &[
            "could not resolve host",
            "couldn't connect to server",
            "failed to connect",
            "connection refused",
            "connection reset",
            "connection timed out",
            "operation timed out",
            "operation too slow",
            "network is unreachable",
            "ssl",
            "gnutls",
            "early eof",
            "unexpected disconnect",
            "hung up unexpectedly",
            "rpc failed",
            "returned error: 429",
            "returned error: 5",
        ],
    ),
    (
        FailureCode::InvalidRepositoryUrl,
        &["not allowed", "unable to find remote helper"],
    ),
    (
        FailureCode::GitUsageError,
        &["usage: git", "unknown option"],
    ),
    (FailureCode::GitFatalError, &["fatal:"]),
];

/// The failure that `ended` is, with what git printed hidden in it.
pub(super) fn failure(ended: &Ended, name: &str) -> Error {
    let error = match ended.end {
        End::TimedOut => Error::new(FailureCode::NetworkError),
        End::Signalled(libc::SIGXFSZ) => Error::saying(
            FailureCode::GitError,
            "the repository is larger than the limit",
        ),
        End::Signalled(_) | End::Exited(_) => Error::new(code_of(&ended.stderr)),
    };
    error.hiding(ended.log(name))
}

/// What the text says. Lines that the far end wrote do not count: they may say anything.
fn code_of(stderr: &str) -> FailureCode {
    let ours: String = stderr
        .lines()
        .filter(|line| !line.starts_with("remote:"))
        .map(|line| line.to_lowercase() + "\n")
        .collect();
    SIGNS
        .iter()
        .find(|(_, signs)| signs.iter().any(|sign| ours.contains(sign)))
        .map_or(FailureCode::GitError, |(code, _)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_complaint_of_git_has_its_code() {
        let complaints = [
            (
                "fatal: repository 'https://github.com/a/b/' not found",
                "repository_not_found",
            ),
            (
                "remote: Repository not found.\nfatal: Authentication failed for 'x'",
                "repository_access_denied",
            ),
            (
                "fatal: '/srv/a/b' does not appear to be a git repository",
                "repository_not_found",
            ),
            (
                "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
                "repository_access_denied",
            ),
            (
                "fatal: unable to access 'https://github.com/a/b/': Could not resolve host: github.com",
                "network_error",
            ),
            (
                "fatal: unable to access 'x': The requested URL returned error: 503",
                "network_error",
            ),
            (
                "fatal: remote error: upload-pack: not our ref 0123",
                "commit_not_found",
            ),
            (
                "fatal: transport 'ext' not allowed",
                "invalid_repository_url",
            ),
            ("usage: git fetch [<options>]", "git_usage_error"),
            ("fatal: something new", "git_fatal_error"),
            ("error: something new", "git_error"),
        ];

        for (stderr, code) in complaints {
            assert_eq!(code_of(stderr).as_str(), code, "{stderr}");
        }
    }

    #[test]
    fn what_the_far_end_writes_does_not_choose_the_code() {
        let stderr = "remote: connection refused\nfatal: the remote end hung up";

        assert_eq!(code_of(stderr), FailureCode::GitFatalError);
    }
}
