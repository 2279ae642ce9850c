//! Everything that a compiler is told; it reads neither the environment nor anyone's home folder by itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::jail::{Confine, Unsealed};
use crate::module::Gateway;
use crate::process::ProcessLimits;
use crate::toolchain::Toolchain;

/// A mebibyte, in bytes.
const MIB: u64 = 1024 * 1024;

/// Where GitHub keeps the files of releases.
const REDIRECT_HOSTS: [&str; 1] = ["githubusercontent.com"];
/// Public gateways. Source: docs.ipfs.tech, "Public utilities"; fastfs.io, whose files are at
/// `https://{account}.fastfs.io/{receiver}/{path}`.
const GATEWAYS: [&str; 3] = [
    "ipfs=https://ipfs.io/ipfs/",
    "ipfs=https://dweb.link/ipfs/",
    "fastfs=https://{host}.fastfs.io/{path}",
];

/// How and where to compile.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The hosts that repositories may be on, each with the folder-like URL that `owner/repo` is appended to. A `file:` URL
    /// maps a host to a local folder.
    pub hosts: BTreeMap<String, Url>,
    /// Builds happen in private folders in here. No folder above it may hold a `.cargo/config.toml` that cargo should not
    /// read.
    pub work: PathBuf,
    /// The cargo home that downloads are cached in, owned by the compiler and never shown to a build.
    pub cargo_home: PathBuf,
    /// Dependencies that were built, for the next commit that has the same, owned by the compiler.
    pub prebuilt: PathBuf,
    /// The machine's own cargo configuration, which says how to reach crates.io; used for fetching only.
    pub cargo_config: Option<PathBuf>,
    /// The folder that npm caches downloads in, owned by the compiler and never shown to a build.
    pub npm_home: PathBuf,
    /// The machine's own configurations of npm, which say how to reach the registry; the later count more. Used for fetching only.
    pub npm_configs: Vec<PathBuf>,
    /// Variables for the steps that use the network and for no other, such as a proxy or the path of certificates.
    pub network_env: BTreeMap<String, String>,
    /// The Rust that builds.
    pub toolchain: Toolchain,
    /// What stands between a build and the machine.
    pub jail: Arc<dyn Confine>,
    /// Builds that may run at the same time; the others wait.
    pub builds_at_once: usize,
    /// What one build may use.
    pub limits: Limits,
    /// What a module behind a URL may be.
    pub modules: ModuleLimits,
}

impl Settings {
    /// GitHub only, the usual limits, everything kept below `folder`.
    pub fn in_folder(folder: &Path, toolchain: Toolchain) -> Self {
        Self {
            hosts: github(),
            work: folder.join("builds"),
            cargo_home: folder.join("cargo-home"),
            prebuilt: folder.join("prebuilt"),
            cargo_config: None,
            npm_home: folder.join("npm-home"),
            npm_configs: Vec::new(),
            network_env: BTreeMap::new(),
            toolchain,
            jail: Arc::new(Unsealed),
            builds_at_once: 2,
            limits: Limits::default(),
            modules: ModuleLimits::default(),
        }
    }
}

/// The one host that is allowed unless settings say otherwise.
fn github() -> BTreeMap<String, Url> {
    Url::parse("https://github.com/")
        .map(|url| BTreeMap::from([("github.com".to_owned(), url)]))
        .unwrap_or_default()
}

/// What one build may use.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Wall-clock time of each step that fetches.
    pub fetch: Duration,
    /// Wall-clock time of the build. The contract's cap on compile time is 300 s.
    pub build: Duration,
    /// What each process of a step that fetches may use. Its largest file bounds what git may download.
    pub fetch_process: ProcessLimits,
    /// What each process of the build may use.
    pub build_process: ProcessLimits,
    /// The largest repository, of the guest or of a dependency: all of its files at the commit.
    pub source_bytes: u64,
    /// The most files in a repository at the commit.
    pub source_files: u64,
    /// The largest artifact.
    pub artifact_bytes: u64,
    /// What all dependencies that are kept built may take of the disk; the longest unused go first.
    pub prebuilt_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let process = ProcessLimits {
            cpu: Duration::from_mins(5),
            // Address space, which rustc and its linker map far more of than they touch.
            memory_bytes: 8 * 1024 * MIB,
            file_bytes: 512 * MIB,
            open_files: 4096,
            processes: 4096,
            log_bytes: 256 * 1024,
        };
        Self {
            fetch: Duration::from_mins(2),
            build: Duration::from_mins(5),
            fetch_process: process.clone(),
            build_process: process,
            source_bytes: 256 * MIB,
            source_files: 50_000,
            artifact_bytes: 64 * MIB,
            prebuilt_bytes: 4096 * MIB,
        }
    }
}

/// What a module behind a URL may be.
#[derive(Clone, Debug)]
pub struct ModuleLimits {
    /// The largest module that is fetched.
    pub bytes: u64,
    /// Wall-clock time from the first look-up to the last byte, for each gateway anew.
    pub wait: Duration,
    /// Redirects that are followed.
    pub redirects: usize,
    /// Hosts, each with all that are below it, that any address may be redirected to; the address's own host need not be named.
    pub redirect_hosts: Vec<String>,
    /// Where addresses of other kinds than web addresses are asked for. Those of one scheme are asked in this order.
    pub gateways: Vec<Gateway>,
    /// Which addresses may be connected to.
    pub reach: Reach,
}

impl ModuleLimits {
    /// Has `gateways` take the place of those of the same schemes.
    pub fn use_gateways(&mut self, gateways: Vec<Gateway>) {
        self.gateways
            .retain(|old| gateways.iter().all(|new| new.scheme() != old.scheme()));
        self.gateways.extend(gateways);
    }
}

impl Default for ModuleLimits {
    fn default() -> Self {
        Self {
            bytes: 10 * MIB,
            wait: Duration::from_secs(30),
            redirects: 3,
            redirect_hosts: REDIRECT_HOSTS.map(str::to_owned).to_vec(),
            gateways: GATEWAYS
                .iter()
                .filter_map(|text| text.parse().ok())
                .collect(),
            reach: Reach::Public,
        }
    }
}

/// Which addresses may be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Public addresses only: a URL must not lead into the machine's own network.
    Public,
    /// Any address, for tests and a town on one machine.
    Anywhere,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gateways_that_are_given_take_the_place_of_the_usual_ones_of_their_scheme() {
        let mut limits = ModuleLimits::default();
        let usual = limits.gateways.len();

        limits.use_gateways(vec!["ipfs=https://ipfs.example/".parse().unwrap()]);

        let schemes: Vec<_> = limits.gateways.iter().map(Gateway::scheme).collect();
        assert_eq!((usual, schemes), (GATEWAYS.len(), vec!["fastfs", "ipfs"]));
    }
}
