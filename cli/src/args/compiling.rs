//! What the compiler is told: where modules may come from, and what builds are kept in.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use compiler::{Gateway, ModuleLimits};

/// Where modules may come from, and what builds are kept in.
#[derive(Clone, Debug, Default, Args)]
pub struct Compiling {
    /// Ask this web server for modules at `scheme://…`: `ipfs=https://ipfs.example/ipfs/`, or with places for what the address names,
    /// `ipfs=https://{host}.ipfs.example/{path}`. May be repeated: the next is asked when one fails. Takes the place of the usual
    /// gateways of that scheme.
    #[arg(
        long = "gateway",
        env = "OUTLAYER_GATEWAYS",
        value_name = "SCHEME=URL",
        value_delimiter = ','
    )]
    pub gateways: Vec<Gateway>,
    /// Let modules' addresses be redirected to this host and those below it. May be repeated. Their own host need not be named, nor
    /// where GitHub keeps the files of releases.
    #[arg(
        long = "redirect-host",
        env = "OUTLAYER_REDIRECT_HOSTS",
        value_name = "HOST",
        value_delimiter = ','
    )]
    pub redirect_hosts: Vec<String>,
    /// What builds of sources are kept in.
    #[arg(long = "jail", env = "OUTLAYER_JAIL", value_enum, default_value_t)]
    pub build_jail: BuildJail,
    /// The engine's client that makes containers for builds: docker, or one that takes the same words. `docker` if absent.
    #[arg(long, env = "OUTLAYER_DOCKER", value_name = "PROGRAM")]
    pub docker: Option<PathBuf>,
    /// Processors that a container may use; all if absent.
    #[arg(long, env = "OUTLAYER_DOCKER_CPUS", value_name = "NUMBER")]
    pub docker_cpus: Option<u32>,
}

/// What builds of sources are kept in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum BuildJail {
    /// A room that this program makes by itself.
    #[default]
    Sealed,
    /// A container, for machines that have an engine and allow no rooms.
    Docker,
}

impl Compiling {
    /// The usual limits with what is said here.
    pub fn modules(&self) -> ModuleLimits {
        let mut modules = ModuleLimits::default();
        modules.use_gateways(self.gateways.clone());
        modules
            .redirect_hosts
            .extend(self.redirect_hosts.iter().cloned());
        modules
    }
}
