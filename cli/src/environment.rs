//! The little that this command takes from its process's environment, and changes of it, that is no command-line argument.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing_subscriber::EnvFilter;

/// Where this user's cargo keeps its configuration.
pub(crate) fn cargo_home() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo"));
    std::env::var_os("CARGO_HOME").map(PathBuf::from).or(home)
}

/// Where this machine's and this user's npm keep their configurations, those that there are; the later count more.
pub(crate) fn npm_configs() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let beside_npm = std::env::split_paths(&path)
        .find(|folder| folder.join("npm").is_file())
        .and_then(|folder| Some(folder.parent()?.join("etc/npmrc")));
    let of_user = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".npmrc"));
    let places = [Some("/etc/npmrc".into()), beside_npm, of_user];
    let places = places.into_iter().flatten();
    places.filter(|place| place.is_file()).collect()
}

/// The compiler that is active here, as it would be typed.
pub(crate) fn rustc() -> PathBuf {
    std::env::var_os("RUSTC").map_or_else(|| PathBuf::from("rustc"), PathBuf::from)
}

/// Where git and what it starts are found.
pub(crate) fn of_git() -> BTreeMap<String, String> {
    let path = std::env::var_os("PATH").and_then(|path| path.into_string().ok());
    path.map(|path| ("PATH".to_owned(), path))
        .into_iter()
        .collect()
}

/// What the client of a container engine needs to find it; nothing of this program's own, of which some is secret.
pub(crate) fn of_engine() -> BTreeMap<OsString, OsString> {
    let is_wanted = |name: &str| {
        matches!(name, "PATH" | "HOME" | "XDG_RUNTIME_DIR")
            || name.starts_with("DOCKER_")
            || name.starts_with("CONTAINER")
    };
    std::env::vars_os()
        .filter(|(name, _)| name.to_str().is_some_and(is_wanted))
        .collect()
}

/// Starts to write logs to stderr: `RUST_LOG` says which, warnings otherwise.
pub(crate) fn start_logs(verbose: bool) {
    let usual = if verbose { "info" } else { "warn" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    // A second call, in tests, finds that logs are written already.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init();
}

/// Lets this process open as many files as the machine allows: every guest that waits for work takes two descriptors, and the limit
/// that a shell sets, 1,024, is low for a service.
pub(crate) fn allow_many_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // What is not allowed was not needed before either.
    let _ = setrlimit(Resource::Nofile, raised);
}
