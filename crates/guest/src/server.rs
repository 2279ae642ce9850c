//! The program of guests' processes: a server that forks one for every execution, each in jail from its first instruction on.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use jail::server::Connection;
use jail::{Deadline, Mapped, calls};
use tokio::runtime::{Builder, Runtime};
use wasmtime::{Engine, Module, Precompiled, component};

use crate::component::Component;
use crate::end::End;
use crate::engine::Engines;
use crate::interpreted;
use crate::late;
use crate::native::{Loaded, Native};
use crate::outcome::Outcome;
use crate::run::{Clock, Limits, Run, Seed};
use crate::wire::{self, Ask, Report, Told};
use crate::world::{Seen, World};

/// The longest request that is taken: input and environment.
const MAX_REQUEST_BYTES: usize = 256 << 20;

/// Memory of the process that is not the guest's: the program itself, the engine, what is allocated on the way.
const PROCESS_BYTES: u64 = 64 << 20;

/// The bytes that a module begins with, which wasmi runs as it is.
const WASM_MAGIC: &[u8] = b"\0asm";

/// Serves until the executor that started this program is gone.
pub fn main() -> Result<(), jail::server::Error> {
    jail::server::serve(Program::default(), &calls::FORK_SERVER)
}

#[derive(Debug, Default)]
struct Program {
    parts: Option<Parts>,
}

/// What is made before the jail stands.
#[derive(Debug)]
struct Parts {
    engines: Engines,
    deadline: Deadline,
    /// Where the calls of components find themselves. It has no threads, and nothing that waits for the system.
    runtime: Runtime,
}

/// What a child inherits.
struct Ready {
    parts: Parts,
    loaded: Option<Code>,
}

/// A guest's code, as far as it is ready.
enum Code {
    /// Instantiated, or how that ended.
    Native(Loaded),
    /// Linked, or why it cannot be.
    Component(Result<Component, String>, Box<World>),
    /// A module for wasmi.
    Wasm(Mapped, Box<World>),
}

impl jail::server::Guest for Program {
    type Ready = Ready;

    fn set_up(&mut self) -> Result<(), String> {
        let engines = Engines::new().map_err(|error| format!("no engine: {error:#}"))?;
        Engine::tls_eager_initialize();
        let deadline = Deadline::prepare().map_err(|error| format!("no deadline: {error}"))?;
        let runtime = Builder::new_current_thread().build();
        self.parts = Some(Parts {
            engines,
            deadline,
            runtime: runtime.map_err(|error| format!("no runtime: {error}"))?,
        });
        Ok(())
    }

    fn prepare(&mut self, artifact: Option<OwnedFd>) -> Result<Ready, String> {
        let parts = self.parts.take().ok_or("it is not set up")?;
        let loaded = match artifact {
            Some(artifact) => {
                let code = Code::load(&parts.engines, artifact.into(), nobodys()?)?;
                if code.found_no_memory() {
                    return Err("the machine has not the memory that it begins with".to_owned());
                }
                Some(code)
            }
            None => None,
        };
        Ok(Ready { parts, loaded })
    }

    fn answer(ready: Ready, connection: Connection) {
        let told = match answer(ready, &connection) {
            Ok((report, seen)) => {
                tell(
                    &connection,
                    &Told::Ran(Box::new(report)),
                    seen.stdout.bytes(),
                    seen.stderr.bytes(),
                );
                return;
            }
            Err(told) => told,
        };
        tell(&connection, &told, &[], &[]);
    }
}

/// An executor that is gone is told nothing.
fn tell(connection: &Connection, told: &Told, stdout: &[u8], stderr: &[u8]) {
    if let Ok(head) = wire::head(told) {
        let _ = connection.send(&[&head, stdout, stderr]);
    }
}

fn answer(ready: Ready, connection: &Connection) -> Result<(Report, Arc<Seen>), Told> {
    let failed = |error: io::Error| Told::Failed(error.to_string());
    let (request, artifact) = connection
        .receive(MAX_REQUEST_BYTES)
        .map_err(|error| Told::Failed(error.to_string()))?;
    let ask: Ask = borsh::from_slice(&request).map_err(failed)?;
    drop(request);
    let run = ask.run;
    let artifact = artifact.map(File::from);
    let code_bytes = match &artifact {
        Some(file) => file.metadata().map_err(failed)?.len(),
        None => 0,
    };
    let limits = run.limits;
    jail::lower_memory(memory_cap(&run, code_bytes)).map_err(failed)?;
    jail::lower_cpu(limits.wall.as_secs().saturating_add(2)).map_err(failed)?;
    let world = World::new(run).map_err(failed)?;
    let seen = Arc::clone(&world.seen);
    late::watch(ready.parts.deadline, limits.wall, connection, &seen).map_err(failed)?;
    let code = match (ready.loaded, artifact) {
        (Some(mut code), None) => {
            code.enter(world);
            code
        }
        (None, Some(file)) => {
            Code::load(&ready.parts.engines, file, world).map_err(Told::Unusable)?
        }
        _ => return Err(Told::Failed("there is no code, or two".to_owned())),
    };
    let mut report = code.run(&ready.parts.runtime);
    report.is_exact |= ask.is_exact;
    late::unwatch(ready.parts.deadline).map_err(failed)?;
    Ok((report, seen))
}

impl Code {
    /// Loads code for a guest in this world, or says why it cannot be used.
    fn load(engines: &Engines, file: File, world: World) -> Result<Self, String> {
        let bytes = Mapped::sealed(file.as_fd()).map_err(|error| error.to_string())?;
        if bytes.starts_with(WASM_MAGIC) {
            return Ok(Self::Wasm(bytes, Box::new(world)));
        }
        // SAFETY: the executor has sealed the file, after checking that it is what its own compiling process wrote. What a guest
        // could make of a flaw in the compiler it could make of it only here, in its own process.
        #[expect(
            unsafe_code,
            reason = "the engine must be promised that this is its own code"
        )]
        let loaded = unsafe {
            if Engine::detect_precompiled(&bytes) == Some(Precompiled::Component) {
                // Copied: the engine maps files of modules only.
                component::Component::deserialize(&engines.components, &*bytes).map(|component| {
                    Self::Component(
                        Component::link(&engines.components, &component),
                        Box::new(world),
                    )
                })
            } else {
                drop(bytes);
                Module::deserialize_open_file(&engines.modules, file)
                    .map(|module| Self::Native(Native::load(&engines.modules, &module, world)))
            }
        };
        loaded.map_err(|error| format!("{error:#}"))
    }

    /// Whether the machine, and no limit, refused it the memory that it begins with: another time there may be some.
    fn found_no_memory(&self) -> bool {
        matches!(self, Self::Native(Err(report)) if report.outcome == Outcome::OutOfMemory)
    }

    fn enter(&mut self, world: World) {
        match self {
            Self::Native(Ok(guest)) => guest.enter(world),
            Self::Native(Err(_)) => {}
            Self::Wasm(_, place) | Self::Component(_, place) => **place = world,
        }
    }

    fn run(self, runtime: &Runtime) -> Report {
        match self {
            Self::Native(Ok(mut guest)) => {
                let report = guest.run();
                // The process ends now: the kernel takes everything apart at once.
                std::mem::forget(guest);
                report
            }
            Self::Native(Err(report)) => *report,
            Self::Component(Ok(component), world) => component.run(*world, runtime),
            Self::Component(Err(reason), world) => End::bad(reason).report(&world),
            Self::Wasm(wasm, world) => interpreted::run(&wasm, *world).0,
        }
    }
}

/// The world of code that is loaded before anybody asks for it.
///
/// What it declares is held against the limits of whoever asks.
fn nobodys() -> Result<World, String> {
    let limits = Limits {
        instructions: 0,
        memory_bytes: u64::MAX,
        wall: std::time::Duration::ZERO,
        stdout_bytes: 0,
        stderr_bytes: 0,
    };
    let run = Run {
        clock: Clock::Fixed(0),
        ..Run::new(Vec::new(), limits, Seed([0; 32]))
    };
    World::new(run).map_err(|error| error.to_string())
}

/// A hard cap well above what the guest may have: the store's limiter is met first.
fn memory_cap(run: &Run, code_bytes: u64) -> u64 {
    let bytes = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    // The input is there twice while it is read.
    let buffers = [
        run.input.len().saturating_mul(2),
        run.limits.stdout_bytes,
        run.limits.stderr_bytes,
    ];
    buffers
        .into_iter()
        .map(bytes)
        .chain([run.limits.memory_bytes, code_bytes, PROCESS_BYTES])
        .fold(0, u64::saturating_add)
}
