//! WASI preview 1 for guests that only compute: stdin, stdout, stderr, arguments, environment, clocks, randomness.
//!
//! Files, directories and sockets do not exist; the calls for them are there, since libraries import them unused, and answer
//! with the error number that says so. Only what a module imports is linked.

mod clock;
mod errno;
mod polling;
mod refused;
mod streams;
mod view;
mod world;

pub(super) use clock::GuestClock;

use wasmtime::{Linker, Module};

use super::host::Host;

const MODULE: &str = "wasi_snapshot_preview1";

/// Links what `module` imports, or says what it imports that no guest is given.
pub(super) fn link(linker: &mut Linker<Host>, module: &Module) -> Result<(), String> {
    linker.allow_shadowing(true);
    for import in module.imports() {
        let name = import.name();
        let strange = || {
            format!(
                "the module imports {}.{name}, which no guest is given",
                import.module()
            )
        };
        let Some(ty) = import.ty().func().cloned() else {
            return Err(strange());
        };
        if import.module() != MODULE {
            return Err(strange());
        }
        let linked = streams::link(linker, name)
            .and_then(|done| {
                if done {
                    Ok(true)
                } else {
                    world::link(linker, name)
                }
            })
            .and_then(|done| {
                if done {
                    Ok(true)
                } else {
                    polling::link(linker, name)
                }
            })
            .and_then(|done| {
                if done {
                    Ok(true)
                } else {
                    refused::link(linker, name, ty)
                }
            })
            .map_err(|error| format!("{error:#}"))?;
        if !linked {
            return Err(strange());
        }
    }
    Ok(())
}
