//! What builds of source are kept in: a room, of which this program is the launcher, or a container.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use compiler::jail::{Confine, Docker, Launcher, MissingLayers, Sealed};

use crate::args::{self, BUILD_ROOM, BuildJail};
use crate::environment;

/// Whether the command line asks this program to be a launcher. That is settled before anything else is started.
pub(crate) fn is_asked_for(args: &[OsString]) -> bool {
    args.get(1).is_some_and(|first| first == BUILD_ROOM)
}

/// The jail in which `program`, an `outlayer`, builds. It is there: it has been tried.
pub(crate) fn jail(
    program: PathBuf,
    jail: args::Jail,
    compiling: &args::Compiling,
) -> Result<Arc<dyn Confine>> {
    let missing_layers = if jail.unsafe_jail {
        MissingLayers::Allowed
    } else {
        MissingLayers::Refused
    };
    match compiling.build_jail {
        BuildJail::Sealed => {
            let launcher = Launcher {
                path: program,
                args: vec![BUILD_ROOM.into()],
            };
            let sealed = Sealed {
                missing_layers,
                ..Sealed::new(launcher)
            };
            sealed
                .check()
                .context("this machine cannot seal builds off (see --unsafe-jail)")?;
            Ok(Arc::new(sealed))
        }
        BuildJail::Docker => {
            let client = compiling.docker.clone();
            let mut docker = Docker::new(
                client.unwrap_or_else(|| "docker".into()),
                environment::of_engine(),
            );
            docker.missing_layers = missing_layers;
            docker.cpus = compiling.docker_cpus;
            docker
                .check()
                .context("this machine's engine runs no containers (see --docker)")?;
            Ok(Arc::new(docker))
        }
    }
}
