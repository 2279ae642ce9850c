//! The `outlayer` command, as a library so that journeys and benchmarks can start the same platform.

pub mod args;
pub mod contracts;
pub mod platform;
pub mod repositories;
pub mod say;
pub mod services;

mod bench;
mod build;
mod build_room;
mod compiling_process;
mod demo;
mod dev;
mod environment;
mod journey;
mod request;
mod run;
mod secrets;
mod serve;
mod source;
mod status;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;

use args::{Cli, Command};
use say::Voice;

/// The whole command: parses, runs, tells how it went by the exit code.
///
/// 0 is success, 1 a failure of what was asked for, 2 a command line that is not understood.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    if compiling_process::is_asked_for(&args) {
        return executor::child::main();
    }
    if build_room::is_asked_for(&args) {
        return compiler::jail::main(args.into_iter().skip(2));
    }
    let cli = Cli::parse_from(args);
    let voice = if cli.json {
        Voice::Scripts
    } else {
        Voice::People
    };
    environment::start_logs(cli.verbose);
    environment::allow_many_descriptors();
    let ended = tokio::runtime::Runtime::new()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(obey(cli.command, voice)));
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(err) => {
            say::failure(voice, &err);
            ExitCode::FAILURE
        }
    }
}

/// Does what is asked; whether it came out well.
async fn obey(command: Command, voice: Voice) -> Result<bool> {
    match command {
        Command::Demo(args) => demo::demo(&args, voice).await.map(|()| true),
        Command::Dev(args) => dev::dev(&args, voice).await.map(|()| true),
        Command::Request(args) => request::request(&args, voice).await,
        Command::Build(args) => build::build(&args, voice).await,
        Command::Run(args) => run::run(&args, voice).await,
        Command::Replay(args) => run::replay(&args, voice).await,
        Command::Secrets(command) => secrets::secrets(&command, voice).await.map(|()| true),
        Command::Status(args) => status::status(&args, voice).await.map(|()| true),
        Command::Coordinator(args) => serve::coordinator(args, voice).await.map(|()| true),
        Command::Worker(args) => serve::worker(args, voice).await.map(|()| true),
        Command::Keystore(args) => serve::keystore(args, voice).await.map(|()| true),
        Command::Localnet(cli) => serve::localnet(cli).await.map(|()| true),
        Command::Bench(args) => bench::bench(&args.what, voice).await.map(|()| true),
        // Settled before anything is parsed.
        Command::CompilingProcess | Command::BuildRoom => Ok(false),
    }
}
