//! Fetches packages by npm, which then runs none of them.
//!
//! It works in a folder that holds what [`packages`](super::packages) let through and nothing else of the repository's: no `.npmrc`,
//! which could name another registry or a program for git.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use protocol::FailureCode;

use super::AssemblyScript;
use crate::error::Error;
use crate::fetching;
use crate::process::{self, End, Ended};
use crate::settings::Settings;

/// What npm is told besides where things are.
const WORDS: [&str; 12] = [
    "ci",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-bin-links",
    "--no-update-notifier",
    "--no-progress",
    "--logs-max=0",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
    // No package that gets here is one of git's.
    "--git=/bin/false",
    "--script-shell=/bin/false",
];

/// Signs that the registry could not be reached.
const NETWORK: &[&str] = &[
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "ENETUNREACH",
    "EHOSTUNREACH",
    "ETIMEDOUT",
    "ERR_SOCKET_TIMEOUT",
    "EIDLETIMEOUT",
    "SELF_SIGNED_CERT",
    "UNABLE_TO_GET_ISSUER_CERT",
    "E429",
    "E5",
];

/// Fetches the packages of `folder` and says what npm printed.
pub(super) async fn fetch(work: &AssemblyScript<'_>, folder: &Path) -> Result<String, Error> {
    let (settings, node) = (work.settings, work.node);
    let option = |name: &str, path: PathBuf| {
        let mut word = OsString::from(format!("--{name}="));
        word.push(path);
        word
    };
    let mut command = Command::new(&node.program);
    command
        .arg(&node.npm)
        .args(WORDS)
        .arg(option("cache", settings.npm_home.join("cache")))
        .arg(option("userconfig", config(settings)))
        // There is none.
        .arg(option("globalconfig", work.bench.start().join("npmrc")))
        .env_clear()
        .envs(work.environment())
        .envs(&settings.network_env)
        .current_dir(folder);
    let mut reads = node.folders();
    let own = fs::read_to_string(config(settings)).unwrap_or_default();
    reads.extend(paths_in(&own));
    fetching::fence_for(
        settings,
        work.bench,
        &mut command,
        &settings.npm_home,
        reads,
    )?;
    let limits = &settings.limits;
    let ended = process::run(command, &super::limits(&limits.fetch_process), limits.fetch)
        .await
        .map_err(|error| Error::ours(format!("npm: {error}")))?;
    if !ended.is_success() {
        return Err(failure(&ended));
    }
    prove_small(settings, folder)?;
    Ok(ended.log("npm ci"))
}

/// The machine's own configuration, where the compiler keeps it.
pub(crate) fn config(settings: &Settings) -> PathBuf {
    settings.npm_home.join("npmrc")
}

/// Every absolute path that a configuration names, such as that of certificates.
fn paths_in(config: &str) -> Vec<PathBuf> {
    let values = config.lines().filter_map(|line| line.split_once('='));
    values
        .map(|(_, value)| PathBuf::from(value.trim().trim_matches('"')))
        .filter(|path| path.is_absolute())
        .collect()
}

/// Why packages could not be fetched.
fn failure(ended: &Ended) -> Error {
    let has = |signs: &[&str]| {
        let code = |line: &str| line.contains("code ") || line.contains("errno ");
        ended
            .stderr
            .lines()
            .filter(|line| code(line))
            .any(|line| signs.iter().any(|sign| line.contains(sign)))
    };
    let error = if ended.end == End::TimedOut || has(NETWORK) {
        Error::new(FailureCode::NetworkError)
    } else if has(&["EUSAGE"]) {
        Error::saying(
            FailureCode::DependencyNotFound,
            "package-lock.json does not fit package.json: run `npm install` and commit it",
        )
    } else if has(&["EINTEGRITY"]) {
        Error::saying(
            FailureCode::DependencyNotFound,
            "a package does not have the sha512 that package-lock.json gives it",
        )
    } else {
        Error::new(FailureCode::DependencyNotFound)
    };
    error.hiding(ended.log("npm ci"))
}

/// Packages are what the repository brings, so they are held to the limits of a repository.
fn prove_small(settings: &Settings, folder: &Path) -> Result<(), Error> {
    let limits = &settings.limits;
    let (bytes, files) = size(folder).map_err(|error| Error::ours(format!("packages: {error}")))?;
    if bytes <= limits.source_bytes && files <= limits.source_files {
        return Ok(());
    }
    Err(Error::saying(
        FailureCode::SourceTooLarge,
        "the files of the packages are larger or more than the limit",
    ))
}

/// Bytes and files below a folder.
fn size(folder: &Path) -> io::Result<(u64, u64)> {
    let mut folders = VecDeque::from([folder.to_owned()]);
    let (mut bytes, mut files) = (0_u64, 0_u64);
    while let Some(folder) = folders.pop_front() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            files = files.saturating_add(1);
            if metadata.is_dir() {
                folders.push_back(entry.path());
            } else {
                bytes = bytes.saturating_add(metadata.len());
            }
        }
    }
    Ok((bytes, files))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(stderr: &str) -> FailureCode {
        let ended = Ended {
            end: End::Exited(1),
            stdout: String::new(),
            stderr: stderr.to_owned(),
            stdout_is_cut: false,
        };
        failure(&ended).code()
    }

    #[test]
    fn a_registry_that_cannot_be_reached_is_ours_and_a_package_that_is_not_there_is_not() {
        let unreachable = printed("npm error code ECONNREFUSED\nnpm error errno ECONNREFUSED");
        let absent = printed("npm error code E404\nnpm error 404 ECONNREFUSED - Not found");
        let stale = printed("npm error code EUSAGE\nnpm error `npm ci` can only install packages");

        assert_eq!(unreachable, FailureCode::NetworkError);
        assert_eq!(absent, FailureCode::DependencyNotFound);
        assert_eq!(stale, FailureCode::DependencyNotFound);
    }

    #[test]
    fn the_paths_of_a_configuration_are_found() {
        let paths = paths_in("cafile=/etc/one.pem\nregistry=https://x/\nprefix = \"/two\"\n");

        assert_eq!(paths, ["/etc/one.pem", "/two"].map(PathBuf::from));
    }
}
