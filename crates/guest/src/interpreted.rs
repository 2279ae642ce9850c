//! A guest under wasmi, the reference engine: slow, of other descent, and held to the same answers.

use metering::{GAS_EXPORT, STACK_EXPORT, STACK_SLOTS, START_EXPORT};
use wasmi::errors::{ErrorKind, HostError, InstantiationError};
use wasmi::{
    Caller, Config, Engine, Error, FuncType, Global, Instance, Linker, Memory, Module,
    ResourceLimiter, Store, TrapCode, TypedFunc, Val, ValType,
};
use wasmi_core::LimiterError;

use crate::end::{End, Reason};
use crate::outcome::{Outcome, TrapKind};
use crate::wasi::{Call, Kind, MODULE, Signature};
use crate::wire::Report;
use crate::world::{Calling, MAX_TABLES, Stop, World, initial_gas};

/// The engine's own stack, above what the metered one allows: 262,144 slots of 16 bytes and as much again for its frames.
const STACK_BYTES: usize = 32 << 20;

/// Calls that the engine lets nest; the metered stack allows 65,536 of the smallest frames.
const DEPTH: usize = 100_000;

#[derive(Debug)]
struct Room {
    world: World,
    memory: Option<Memory>,
    gas: Option<Global>,
}

/// Runs a metered module.
pub fn run(wasm: &[u8], world: World) -> (Report, World) {
    let mut config = Config::default();
    config
        .consume_fuel(false)
        .wasm_tail_call(true)
        .set_max_recursion_depth(DEPTH)
        .set_max_stack_height(STACK_BYTES);
    let engine = Engine::new(&config);
    let mut store = Store::new(
        &engine,
        Room {
            world,
            memory: None,
            gas: None,
        },
    );
    store.limiter(|room| &mut room.world);
    let end = match Module::new(&engine, wasm) {
        Ok(module) => execute(&engine, &module, &mut store),
        Err(error) => End::bad(format!("the interpreter does not take it: {error}")),
    };
    let world = store.into_data().world;
    (end.report(&world), world)
}

fn execute(engine: &Engine, module: &Module, store: &mut Store<Room>) -> End {
    let (gas, stack, starts) = match link(engine, module, store) {
        Ok(parts) => parts,
        Err(end) => return end,
    };
    let limits = store.data().world.limits;
    let initial = Val::I64(initial_gas(&limits));
    if gas.set(&mut *store, initial).is_err() {
        return End::bad("the module is not metered");
    }
    let mut error = None;
    for start in starts {
        if stack.set(&mut *store, Val::I32(STACK_SLOTS)).is_err() {
            return End::bad("the module is not metered");
        }
        error = start.call(&mut *store, ()).err();
        if error.is_some() {
            break;
        }
    }
    let left = gas.get(&mut *store).i64().unwrap_or_default();
    let slots = stack.get(&mut *store).i32().unwrap_or_default();
    let reason = error.as_ref().map_or(Reason::Returned, reason);
    End::of(&reason, &store.data().world, left, slots)
}

type Parts = (Global, Global, Vec<TypedFunc<(), ()>>);

fn link(engine: &Engine, module: &Module, store: &mut Store<Room>) -> Result<Parts, End> {
    let mut linker = Linker::new(engine);
    link_wasi(&mut linker, module).map_err(End::bad)?;
    let instance = linker
        .instantiate_and_start(&mut *store, module)
        .map_err(|error| failed(&error, store.data()))?;
    let gas = instance.get_global(&mut *store, GAS_EXPORT);
    let stack = instance.get_global(&mut *store, STACK_EXPORT);
    let (Some(gas), Some(stack)) = (gas, stack) else {
        return Err(End::bad("the module is not metered"));
    };
    let memory = instance.get_memory(&mut *store, "memory");
    store.data_mut().gas = Some(gas);
    store.data_mut().memory = memory;
    Ok((gas, stack, starts(instance, store)?))
}

fn starts(instance: Instance, store: &mut Store<Room>) -> Result<Vec<TypedFunc<(), ()>>, End> {
    let mut starts = Vec::new();
    if let Ok(start) = instance.get_typed_func(&mut *store, START_EXPORT) {
        starts.push(start);
    }
    let start = instance.get_typed_func(&mut *store, "_start");
    starts.push(start.map_err(|_| End::bad("`_start` takes or returns values"))?);
    Ok(starts)
}

fn failed(error: &Error, room: &Room) -> End {
    if room.world.granted.denied {
        return End::before_start(Outcome::OutOfMemory);
    }
    // Segments that do not fit trap; wasmi has an error of its own for one of the two.
    let trap = match error.kind() {
        ErrorKind::Instantiation(InstantiationError::ElementSegmentDoesNotFit { .. }) => {
            Some(TrapKind::TableOutOfBounds)
        }
        _ => error.as_trap_code().map(kind),
    };
    match trap {
        Some(kind) => End::before_start(Outcome::Trapped {
            kind,
            backtrace: String::new(),
        }),
        None => End::bad(error.to_string()),
    }
}

fn reason(error: &Error) -> Reason {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return Reason::Stopped(*stop);
    }
    match error.as_trap_code() {
        Some(TrapCode::StackOverflow) => Reason::StackExhausted,
        trap => Reason::Trapped(trap.map_or(TrapKind::Other, kind)),
    }
}

const fn kind(trap: TrapCode) -> TrapKind {
    match trap {
        TrapCode::UnreachableCodeReached => TrapKind::Unreachable,
        TrapCode::MemoryOutOfBounds => TrapKind::MemoryOutOfBounds,
        TrapCode::TableOutOfBounds => TrapKind::TableOutOfBounds,
        TrapCode::IndirectCallToNull => TrapKind::IndirectCallToNull,
        TrapCode::BadSignature => TrapKind::BadSignature,
        TrapCode::IntegerOverflow => TrapKind::IntegerOverflow,
        TrapCode::IntegerDivisionByZero => TrapKind::DivisionByZero,
        TrapCode::BadConversionToInteger => TrapKind::BadConversion,
        _ => TrapKind::Other,
    }
}

fn link_wasi(linker: &mut Linker<Room>, module: &Module) -> Result<(), String> {
    linker.allow_shadowing(true);
    for import in module.imports() {
        let name = import.name();
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
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn signature(ty: &FuncType) -> Option<Signature> {
    let kind = |ty: &ValType| match ty {
        ValType::I32 => Some(Kind::I32),
        ValType::I64 => Some(Kind::I64),
        _ => None,
    };
    let returns = match ty.results() {
        [] => false,
        [ValType::I32] => true,
        _ => return None,
    };
    Some(Signature {
        params: ty.params().iter().map(kind).collect::<Option<_>>()?,
        returns,
    })
}

fn host_call(
    call: &Call,
    caller: Caller<'_, Room>,
    params: &[Val],
    results: &mut [Val],
) -> Result<(), Error> {
    let mut args = [0; 16];
    for (arg, param) in args.iter_mut().zip(params) {
        *arg = match param {
            Val::I32(value) => u64::from(u32::from_le_bytes(value.to_le_bytes())),
            Val::I64(value) => u64::from_le_bytes(value.to_le_bytes()),
            _ => 0,
        };
    }
    let mut caller = Paused(caller);
    let args = args.get(..params.len()).unwrap_or(&args);
    let errno = call.make(&mut caller, args).map_err(Error::host)?;
    if let Some(result) = results.first_mut() {
        *result = Val::I32(errno);
    }
    Ok(())
}

impl HostError for Stop {}

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
        gas.and_then(|gas| gas.get(&self.0).i64())
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
    ) -> Result<bool, LimiterError> {
        Ok(self.grant_memory(current, desired, maximum))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, LimiterError> {
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
