//! A guest as machine code, or as Pulley's bytecode, under wasmtime.

use std::fmt;
use std::sync::atomic::Ordering;

use metering::{
    GAS_EXPORT, PROFILE_ENTER, PROFILE_LEAVE, PROFILE_MODULE, STACK_EXPORT, STACK_SLOTS,
    START_EXPORT,
};
use rustix::io::Errno;
use wasmtime::{
    Caller, Engine, FuncType, Global, Instance, Linker, Memory, Module, ResourceLimiter, Store,
    Trap, TypedFunc, Val, ValType, WasmBacktrace,
};

use crate::end::{End, Reason, frames};
use crate::outcome::{Outcome, TrapKind};
use crate::profile::Profile;
use crate::wasi::{Call, Kind, MODULE, Signature};
use crate::wire::Report;
use crate::world::{Calling, MAX_TABLES, Stop, World, initial_gas};

/// What a guest's store holds: its world, and what host calls need of the instance.
#[derive(Debug)]
struct Room {
    world: World,
    memory: Option<Memory>,
    gas: Option<Global>,
    /// What a module that is made to tell has told.
    profile: Profile,
}

impl Room {
    fn new(world: World) -> Self {
        Self {
            world,
            memory: None,
            gas: None,
            profile: Profile::default(),
        }
    }
}

/// A guest that is ready to start.
pub struct Native {
    store: Store<Room>,
    gas: Global,
    stack: Global,
    starts: Vec<TypedFunc<(), ()>>,
}

impl fmt::Debug for Native {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Native")
            .field("room", self.store.data())
            .finish_non_exhaustive()
    }
}

/// What comes of loading a guest: the guest, or how it ended before it began.
pub type Loaded = Result<Native, Box<Report>>;

impl Native {
    /// Instantiates `module` in this world.
    pub fn load(engine: &Engine, module: &Module, world: World) -> Loaded {
        let mut store = Store::new(engine, Room::new(world));
        store.limiter(|room| &mut room.world);
        match link(engine, module, &mut store) {
            Ok((gas, stack, starts)) => Ok(Self {
                store,
                gas,
                stack,
                starts,
            }),
            Err(end) => Err(Box::new(end.report(&store.data().world))),
        }
    }

    /// Moves the guest to another world before it starts. What it has already is held against the limits there.
    pub(crate) fn enter(&mut self, mut world: World) {
        let room = self.store.data_mut();
        std::mem::swap(&mut world.granted, &mut room.world.granted);
        let peak = world.granted.memory_peak;
        world.seen.memory_peak.store(peak, Ordering::Relaxed);
        room.world = world;
    }

    /// Runs the guest to its end.
    pub fn run(&mut self) -> Report {
        let end = self.start();
        end.report(&self.store.data().world)
    }

    fn start(&mut self) -> End {
        let store = &mut self.store;
        let limits = store.data().world.limits;
        if store.data().world.granted.memory_peak > limits.memory_bytes {
            return End::before_start(Outcome::OutOfMemory);
        }
        let gas = Val::I64(initial_gas(&limits));
        if self.gas.set(&mut *store, gas).is_err() {
            return End::bad("the module is not metered");
        }
        let mut error = None;
        for start in &self.starts {
            let slots = self.stack.set(&mut *store, Val::I32(STACK_SLOTS));
            error = slots.and_then(|()| start.call(&mut *store, ())).err();
            if error.is_some() {
                break;
            }
        }
        let left = self.gas.get(&mut *store).i64().unwrap_or_default();
        let slots = self.stack.get(&mut *store).i32().unwrap_or_default();
        let reason = error.as_ref().map_or(Reason::Returned, reason);
        let mut end = End::of(&reason, &store.data().world, left, slots);
        end.profile = std::mem::take(&mut store.data_mut().profile).finish(left);
        if let Some(backtrace) = error
            .as_ref()
            .and_then(|error| error.downcast_ref::<WasmBacktrace>())
        {
            end.frames = frames(backtrace.frames().iter().map(|frame| {
                let name = frame.func_name().map(str::to_owned);
                (frame.func_index(), name, frame.func_offset())
            }));
        }
        end
    }
}

type Parts = (Global, Global, Vec<TypedFunc<(), ()>>);

fn link(engine: &Engine, module: &Module, store: &mut Store<Room>) -> Result<Parts, End> {
    let mut linker = Linker::new(engine);
    link_wasi(&mut linker, module).map_err(End::bad)?;
    let instance = linker
        .instantiate(&mut *store, module)
        .map_err(|error| failed(&error, store.data()))?;
    let gas = instance.get_global(&mut *store, GAS_EXPORT);
    let stack = instance.get_global(&mut *store, STACK_EXPORT);
    let (Some(gas), Some(stack)) = (gas, stack) else {
        return Err(End::bad("the module is not metered"));
    };
    let memory = instance.get_memory(&mut *store, "memory");
    if let Some(memory) = memory {
        prefer_large_pages(memory.data_ptr(&*store));
    }
    store.data_mut().gas = Some(gas);
    store.data_mut().memory = memory;
    Ok((gas, stack, starts(&instance, store)?))
}

/// Asks the kernel for large pages where a guest has two megabytes and more: they are touched and taken apart much faster. Killing a
/// guest that has touched 64 MB takes a tenth of the time.
fn prefer_large_pages(start: *mut u8) {
    /// Addresses that the engine reserves for a memory, so that it grows in place. Source: `Config::memory_reservation`.
    const RESERVED_BYTES: usize = 4 << 30;
    // SAFETY: advice on the use of a mapping changes nothing of what is in it; the range is the memory's own reservation.
    #[expect(unsafe_code, reason = "the engine has no setting for it")]
    unsafe {
        // A kernel without large pages goes on without.
        libc::madvise(start.cast(), RESERVED_BYTES, libc::MADV_HUGEPAGE);
    }
}

/// The start section's function, if there is one, and `_start`.
fn starts(instance: &Instance, store: &mut Store<Room>) -> Result<Vec<TypedFunc<(), ()>>, End> {
    let mut starts = Vec::new();
    if let Ok(start) = instance.get_typed_func(&mut *store, START_EXPORT) {
        starts.push(start);
    }
    let start = instance.get_typed_func(&mut *store, "_start");
    starts.push(start.map_err(|_| End::bad("`_start` takes or returns values"))?);
    Ok(starts)
}

/// Why instantiating failed.
fn failed(error: &wasmtime::Error, room: &Room) -> End {
    if room.world.granted.denied || is_out_of_memory(error) {
        return End::before_start(Outcome::OutOfMemory);
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) => End::before_start(Outcome::Trapped {
            kind: kind(*trap),
            backtrace: String::new(),
        }),
        None => End::bad(format!("{error:#}")),
    }
}

/// Whether the kernel had no memory to give.
pub(crate) fn is_out_of_memory(error: &wasmtime::Error) -> bool {
    let mut causes = error.chain();
    causes.any(|cause| cause.downcast_ref() == Some(&Errno::NOMEM))
}

pub(crate) fn reason(error: &wasmtime::Error) -> Reason {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return Reason::Stopped(*stop);
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => Reason::StackExhausted,
        trap => Reason::Trapped(trap.map_or(TrapKind::Other, |trap| kind(*trap))),
    }
}

const fn kind(trap: Trap) -> TrapKind {
    match trap {
        Trap::UnreachableCodeReached => TrapKind::Unreachable,
        Trap::MemoryOutOfBounds => TrapKind::MemoryOutOfBounds,
        Trap::TableOutOfBounds => TrapKind::TableOutOfBounds,
        Trap::IndirectCallToNull => TrapKind::IndirectCallToNull,
        Trap::BadSignature => TrapKind::BadSignature,
        Trap::IntegerOverflow => TrapKind::IntegerOverflow,
        Trap::IntegerDivisionByZero => TrapKind::DivisionByZero,
        Trap::BadConversionToInteger => TrapKind::BadConversion,
        _ => TrapKind::Other,
    }
}

/// Links what `module` imports, or says what it imports that no guest is given.
fn link_wasi(linker: &mut Linker<Room>, module: &Module) -> Result<(), String> {
    linker.allow_shadowing(true);
    for import in module.imports() {
        let name = import.name();
        if import.module() == PROFILE_MODULE {
            link_profile(linker, name).map_err(|error| format!("{error:#}"))?;
            continue;
        }
        let call = import
            .ty()
            .func()
            .cloned()
            .filter(|_| import.module() == MODULE);
        let call = call.and_then(|ty| Some((Call::find(name, &signature(&ty)?)?, ty)));
        let Some((call, ty)) = call else {
            return Err(format!(
                "the module imports {}.{name}, which no guest is given",
                import.module()
            ));
        };
        linker
            .func_new(MODULE, name, ty, move |caller, params, results| {
                host_call(&call, caller, params, results)
            })
            .map_err(|error| format!("{error:#}"))?;
    }
    Ok(())
}

/// Links what a profiled module calls. Metering refuses modules that import it of their own accord.
fn link_profile(linker: &mut Linker<Room>, name: &str) -> wasmtime::Result<()> {
    if name == PROFILE_ENTER {
        linker.func_wrap(
            PROFILE_MODULE,
            name,
            |caller: Caller<'_, Room>, function: u32| {
                let mut caller = Paused(caller);
                let left = caller.gas();
                caller.0.data_mut().profile.enter(function, left);
            },
        )?;
    }
    if name == PROFILE_LEAVE {
        linker.func_wrap(PROFILE_MODULE, name, |caller: Caller<'_, Room>| {
            let mut caller = Paused(caller);
            let left = caller.gas();
            caller.0.data_mut().profile.leave(left);
        })?;
    }
    Ok(())
}

/// A function's signature, if a host call may have it.
fn signature(ty: &FuncType) -> Option<Signature> {
    let kind = |ty: ValType| match ty {
        ValType::I32 => Some(Kind::I32),
        ValType::I64 => Some(Kind::I64),
        _ => None,
    };
    let results: Vec<_> = ty.results().map(kind).collect();
    let returns = match results.as_slice() {
        [] => false,
        [Some(Kind::I32)] => true,
        _ => return None,
    };
    Some(Signature {
        params: ty.params().map(kind).collect::<Option<_>>()?,
        returns,
    })
}

fn host_call(
    call: &Call,
    caller: Caller<'_, Room>,
    params: &[Val],
    results: &mut [Val],
) -> wasmtime::Result<()> {
    let mut args = [0; 16];
    for (arg, param) in args.iter_mut().zip(params) {
        *arg = match param {
            Val::I32(value) => u64::from(u32::from_le_bytes(value.to_le_bytes())),
            Val::I64(value) => u64::from_le_bytes(value.to_le_bytes()),
            _ => 0,
        };
    }
    let mut caller = Paused(caller);
    let errno = call.make(&mut caller, args.get(..params.len()).unwrap_or(&args))?;
    if let Some(result) = results.first_mut() {
        *result = Val::I32(errno);
    }
    Ok(())
}

/// A guest in the middle of a host call.
struct Paused<'a>(Caller<'a, Room>);

impl Calling for Paused<'_> {
    fn parts(&mut self) -> (Option<&mut [u8]>, &mut World) {
        match self.0.data().memory {
            Some(memory) => {
                let (bytes, room) = memory.data_and_store_mut(&mut self.0);
                (Some(bytes), &mut room.world)
            }
            None => (None, &mut self.0.data_mut().world),
        }
    }

    fn gas(&mut self) -> i64 {
        let gas = self.0.data().gas;
        gas.and_then(|gas| gas.get(&mut self.0).i64())
            .unwrap_or_default()
    }

    fn set_gas(&mut self, left: i64) {
        if let Some(gas) = self.0.data().gas {
            // The global is a mutable `i64`: it was looked up by that type's name.
            let _ = gas.set(&mut self.0, Val::I64(left));
        }
    }
}

impl ResourceLimiter for World {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.grant_memory(current, desired, maximum))
    }

    /// The kernel had none to give: as good as our own refusal.
    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.granted.denied = true;
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.granted.table(current, desired, maximum))
    }

    fn instances(&self) -> usize {
        1
    }

    fn memories(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        MAX_TABLES
    }
}
