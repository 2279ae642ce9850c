//! What can be measured, all built for release: hidden subcommands of the `outlayer` binary, and examples of the parts.

use anyhow::Result;
use clap::{Args, ValueEnum};
use xshell::{Shell, cmd};

/// Which bench, and how.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Arguments {
    bench: Bench,
    /// Passed on to the bench.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

#[derive(Clone, Debug, ValueEnum)]
enum Bench {
    /// Requests per second through the whole embedded platform, and calls per second of the localnet.
    Journey,
    /// Requests while the worker's process is killed at random: each answered once, the money exact.
    Crashes,
    /// Builds: the first commit of a repository against the next one, and against one that is built already.
    Compile,
    /// Secrets: what they add to a request, and questions to the keystore against plain views of the node.
    Secrets,
    /// Guests: metered against native, unmetered and interpreted ones; processes against a bare new process.
    Exec,
}

pub(crate) fn run(shell: &Shell, arguments: &Arguments) -> Result<()> {
    let words = &arguments.words;
    let name = match arguments.bench {
        Bench::Journey => "journey",
        Bench::Crashes => "crashes",
        Bench::Compile => "compile",
        Bench::Secrets => "secrets",
        Bench::Exec => {
            for example in ["overhead", "processes"] {
                cmd!(
                    shell,
                    "cargo run --quiet --release --package executor --example {example} -- {words...}"
                )
                .run()?;
            }
            return Ok(());
        }
    };
    Ok(cmd!(
        shell,
        "cargo run --quiet --release --package outlayer -- bench {name} {words...}"
    )
    .run()?)
}
