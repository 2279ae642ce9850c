//! The program `localnet`: a NEAR node in one process, for people and for the tools that start sandboxes.

use clap::Parser as _;
use localnet::sandbox::Cli;
use protocol::clock::SystemClock;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    // A caller that reads our output reads it from stdout; what is logged goes to stderr.
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("localnet=info")),
        )
        .with_writer(std::io::stderr)
        .init();
    let mut terminated = signal(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    cli.run(SystemClock::shared(), stop).await
}
