//! This program as the launcher of the room that one build of source runs in.

use std::ffi::OsString;
use std::path::PathBuf;

use compiler::jail::{Launcher, MissingLayers, Sealed};

use crate::args::{self, BUILD_ROOM};

/// Whether the command line asks this program to be a launcher. That is settled before anything else is started.
pub(crate) fn is_asked_for(args: &[OsString]) -> bool {
    args.get(1).is_some_and(|first| first == BUILD_ROOM)
}

/// The jail in which `program`, an `outlayer`, builds.
pub(crate) fn jail(program: PathBuf, jail: args::Jail) -> Sealed {
    let missing_layers = if jail.unsafe_jail {
        MissingLayers::Allowed
    } else {
        MissingLayers::Refused
    };
    Sealed {
        missing_layers,
        ..Sealed::new(Launcher {
            path: program,
            args: vec![BUILD_ROOM.into()],
        })
    }
}
