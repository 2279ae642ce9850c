//! A guest that is a component, as machine code under wasmtime: WASI 0.2 by `wasmtime-wasi`, over the same world as a module's.
//!
//! Nothing here waits for anybody: input and output are memory, and clocks that are not the machine's move when they are waited for.

mod absent;
mod calls;
mod clocks;
mod given;
mod payment;
mod shared;
mod streams;

use std::fmt;

use metering::{GAS_EXPORT, LEFT_EXPORT, LIMIT_IMPORT, STACK_EXPORT};
use tokio::runtime::Runtime;
use wasmtime::component::{self, InstancePre, Linker, ResourceTable};
use wasmtime::{Engine, Store, WasmBacktrace, WasmCoreDump};
use wasmtime_wasi::cli::WasiCliCtx;
use wasmtime_wasi::filesystem::WasiFilesystemCtx;
use wasmtime_wasi::p2::bindings::sync::Command;
use wasmtime_wasi::sockets::WasiSocketsCtx;

use crate::end::{End, Reason, frames};
use crate::native::{is_out_of_memory, reason};
use crate::outcome::{Outcome, TrapKind};
use crate::wire::Report;
use crate::world::{Stop, World, initial_gas};
use shared::Shared;

/// Resources of the host that a component may hold at a time: streams, and what it waits for.
const MAX_RESOURCES: usize = 10_000;

/// Bytes of text and lists that one call may hand to the host. Source: streams take a megabyte at a time, and this is room for more.
const MAX_CALL_BYTES: usize = 16 << 20;

/// What a component's store holds.
struct Room {
    shared: Shared,
    table: ResourceTable,
    /// None of these streams is used, and none is a terminal.
    terminals: WasiCliCtx,
    /// No folder is given, so there is nothing to open.
    files: WasiFilesystemCtx,
    /// Nothing is allowed, which is how this is made.
    sockets: WasiSocketsCtx,
}

/// A component that is linked, and not yet instantiated: as it starts it asks for its gas.
pub struct Component {
    linked: InstancePre<Room>,
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component").finish_non_exhaustive()
    }
}

impl Component {
    /// Links what the component imports, or says what it imports that no guest is given.
    pub fn link(engine: &Engine, component: &component::Component) -> Result<Self, String> {
        let linked = linker(engine)
            .and_then(|mut linker| {
                absent::link(&mut linker, engine, component)?;
                linker.instantiate_pre(component)
            })
            .map_err(|error| format!("{error:#}"))?;
        Ok(Self { linked })
    }

    /// Runs the component in this world to its end. Its calls may find themselves on `runtime`, which has no threads.
    pub fn run(&self, world: World, runtime: &Runtime) -> Report {
        let _entered = runtime.enter();
        let shared = Shared::new(world);
        let mut store = Store::new(
            self.linked.engine(),
            Room {
                shared: shared.clone(),
                table: ResourceTable::new(),
                terminals: WasiCliCtx::default(),
                files: WasiFilesystemCtx::default(),
                sockets: WasiSocketsCtx::default(),
            },
        );
        store.data_mut().table.set_max_capacity(MAX_RESOURCES);
        store.set_hostcall_fuel(MAX_CALL_BYTES);
        store.limiter(|room| &mut room.shared);
        let end = self.start(&mut store, &shared);
        // The process ends now: the kernel takes everything apart at once.
        std::mem::forget(store);
        end.report(&shared.lock())
    }

    fn start(&self, store: &mut Store<Room>, shared: &Shared) -> End {
        let (error, left) = match self.call(store) {
            Ok((Ok(()), left)) => (Reason::Returned, Some((left, 0))),
            Ok((Err(()), left)) => (Reason::Stopped(Stop::Exit(1)), Some((left, 0))),
            Err(error) => {
                if is_out_of_memory(&error) {
                    return End::before_start(Outcome::OutOfMemory);
                }
                let left = left_behind(store, &error);
                let frames = error
                    .downcast_ref::<WasmBacktrace>()
                    .map(backtrace)
                    .unwrap_or_default();
                return ended(&reason(&error), shared, left, frames);
            }
        };
        ended(&error, shared, left, Vec::new())
    }

    /// What `wasi:cli/run` returned, and the gas left.
    fn call(&self, store: &mut Store<Room>) -> wasmtime::Result<(Result<(), ()>, i64)> {
        let instance = self.linked.instantiate(&mut *store)?;
        let command = Command::new(&mut *store, &instance)?;
        let returned = command.wasi_cli_run().call_run(&mut *store)?;
        let left = instance.get_typed_func::<(), (i64,)>(&mut *store, LEFT_EXPORT)?;
        let (left,) = left.call(&mut *store, ())?;
        Ok((returned, left))
    }
}

/// What a component may import.
fn linker(engine: &Engine) -> wasmtime::Result<Linker<Room>> {
    let mut linker = Linker::new(engine);
    calls::link(&mut linker)?;
    payment::link(&mut linker)?;
    linker
        .root()
        .func_wrap(LIMIT_IMPORT, |store, (): ()| -> wasmtime::Result<(i64,)> {
            let room: &Room = store.data();
            Ok((initial_gas(&room.shared.lock().limits),))
        })?;
    Ok(linker)
}

/// The end of a component of which gas and stack slots are left.
fn ended(
    reason: &Reason,
    shared: &Shared,
    left: Option<(i64, i32)>,
    frames: Vec<crate::wire::Frame>,
) -> End {
    let world = shared.lock();
    // What cannot be counted is charged in full: it failed outside of its own code, where no dump tells of it.
    let moved = i64::try_from(world.moved).unwrap_or(i64::MAX);
    let (gas, slots) = left.map_or((0, 0), |(gas, slots)| (gas.saturating_sub(moved), slots));
    let mut end = End::of(reason, &world, gas, slots);
    end.is_exact |= left.is_none();
    if world.granted.denied
        && matches!(
            end.outcome,
            Outcome::Trapped {
                kind: TrapKind::Other,
                ..
            }
        )
    {
        end.outcome = Outcome::OutOfMemory;
    }
    end.frames = frames;
    end
}

/// What the dump of a component that stopped says of its gas and its stack slots.
fn left_behind(store: &mut Store<Room>, error: &wasmtime::Error) -> Option<(i64, i32)> {
    let dump = error.downcast_ref::<WasmCoreDump>()?;
    dump.instances().iter().find_map(|instance| {
        let gas = instance.get_global(&mut *store, GAS_EXPORT)?;
        let slots = instance.get_global(&mut *store, STACK_EXPORT)?;
        Some((gas.get(&mut *store).i64()?, slots.get(&mut *store).i32()?))
    })
}

fn backtrace(backtrace: &WasmBacktrace) -> Vec<crate::wire::Frame> {
    frames(backtrace.frames().iter().map(|frame| {
        let name = frame.func_name().map(str::to_owned);
        (frame.func_index(), name, None)
    }))
}
