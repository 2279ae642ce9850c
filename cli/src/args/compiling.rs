//! What the compiler is told: where modules may come from.

use clap::Args;
use compiler::{Gateway, ModuleLimits};

/// Where modules may come from.
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
