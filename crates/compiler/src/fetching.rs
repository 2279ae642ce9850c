//! What the steps that fetch may open: what they need to reach the far end, and the folders of the build.

use std::path::{Path, PathBuf};
use std::process::Command;

use protocol::FailureCode;

use crate::error::Error;
use crate::settings::Settings;
use crate::workbench::Workbench;

/// What finding and trusting the far end takes, those of it that a system has.
const NETWORK: [&str; 14] = [
    "/etc/ca-certificates",
    "/etc/crypto-policies",
    "/etc/gai.conf",
    // Of which cargo's git library must know that it is not there, or read it.
    "/etc/gitconfig",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/pki",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl",
    "/run/systemd/resolve",
    "/var/lib/ca-certificates",
];

/// Puts the settings' fence around a command that fetches.
pub(crate) fn fence(
    settings: &Settings,
    bench: &Workbench,
    command: &mut Command,
) -> Result<(), Error> {
    fence_for(settings, bench, command, &settings.cargo_home, Vec::new())
}

/// The same around a command that keeps what it fetches in `cache`, and needs to read more.
pub(crate) fn fence_for(
    settings: &Settings,
    bench: &Workbench,
    command: &mut Command,
    cache: &Path,
    more: Vec<PathBuf>,
) -> Result<(), Error> {
    let writes = [bench.root().to_owned(), cache.to_owned()];
    let mut reads = reads(settings);
    reads.extend(more);
    settings
        .jail
        .fence(command, &reads, &writes)
        .map_err(|error| Error::new(FailureCode::JailUnavailable).hiding(format!("fence: {error}")))
}

fn reads(settings: &Settings) -> Vec<PathBuf> {
    let toolchain = &settings.toolchain;
    let mut reads = vec![toolchain.sysroot.clone()];
    reads.extend(toolchain.programs.iter().cloned());
    reads.extend(NETWORK.map(PathBuf::from));
    // Hosts that are folders.
    reads.extend(
        settings
            .hosts
            .values()
            .filter_map(|url| url.to_file_path().ok()),
    );
    // Certificates, and where the operator's own configuration has dependencies come from.
    reads.extend(
        settings
            .network_env
            .values()
            .filter_map(|value| absolute(value)),
    );
    let configuration = std::fs::read_to_string(settings.cargo_home.join("config.toml"));
    if let Some(configuration) = configuration.ok().and_then(|text| text.parse().ok()) {
        add_paths(&toml::Value::Table(configuration), &mut reads);
    }
    reads
}

fn absolute(text: &str) -> Option<PathBuf> {
    Path::new(text).is_absolute().then(|| text.into())
}

/// Every absolute path in a configuration.
fn add_paths(value: &toml::Value, paths: &mut Vec<PathBuf>) {
    match value {
        toml::Value::String(text) => paths.extend(absolute(text)),
        toml::Value::Array(values) => {
            for value in values {
                add_paths(value, paths);
            }
        }
        toml::Value::Table(table) => {
            for (_, value) in table {
                add_paths(value, paths);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_absolute_path_of_a_configuration_is_found() {
        let text = "a = '/one'\nb = ['x', '/two', { c = '/three', d = 4 }]\n[e.f]\ng = '../h'\n";
        let mut paths = Vec::new();

        add_paths(&text.parse().map(toml::Value::Table).unwrap(), &mut paths);

        assert_eq!(paths, ["/one", "/two", "/three"].map(PathBuf::from));
    }
}
