//! One guest, from its compiled code to a report.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};

use wasmtime::{Engine, Instance, Linker, Module, Store, Trap, Val, WasmBacktrace};

use super::host::{self, Host, Seen, Stop};
use super::{confine, wasi};
use crate::engine::{self, THREAD_STACK_BYTES};
use crate::outcome::{Outcome, TrapKind};
use crate::run::Run;
use crate::wire::{MAX_BACKTRACE_BYTES, Report, Response};
use metering::{GAS_EXPORT, STACK_EXPORT, START_EXPORT};

/// Memory of the process that is not the guest's: the program itself, the engine, what is allocated on the way.
const PROCESS_BYTES: u64 = 64 << 20;

/// Runs the guest in a thread with a stack of its own, while this one watches the time.
pub(super) fn run(code: &OsStr, run: Run) -> io::Result<Response> {
    let file = match File::open(code) {
        Ok(file) => file,
        Err(error) => return Ok(Response::Unusable(error.to_string())),
    };
    let limits = run.limits;
    confine::limit(
        memory_cap(&run, file.metadata()?.len()),
        limits.wall.as_secs().saturating_add(2),
    )?;
    let seen = Arc::new(Seen::default());
    let host = Host::new(run, Arc::clone(&seen));
    let (tell, told) = sync_channel(1);
    std::thread::Builder::new()
        .stack_size(THREAD_STACK_BYTES)
        .spawn(move || tell.send(load(file, host)))?;
    match told.recv_timeout(limits.wall) {
        Ok(response) => Ok(response),
        Err(RecvTimeoutError::Timeout) => Ok(Response::Ran(report(&seen, End::out_of_time(&seen)))),
        Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("the guest's thread panicked")),
    }
}

/// A hard cap well above what the guest may have: the store's limiter is met first.
fn memory_cap(run: &Run, code_bytes: u64) -> u64 {
    let bytes = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    // Buffers are copied once and grow by doubling.
    let buffers = [
        run.input.len(),
        run.limits.stdout_bytes,
        run.limits.stderr_bytes,
    ];
    let buffers = buffers.into_iter().fold(0, |sum: u64, one| {
        sum.saturating_add(bytes(one).saturating_mul(4))
    });
    [
        run.limits.memory_bytes,
        code_bytes,
        buffers,
        bytes(THREAD_STACK_BYTES),
        PROCESS_BYTES,
    ]
    .into_iter()
    .fold(0, u64::saturating_add)
}

fn load(file: File, host: Host) -> Response {
    let engine = match engine::engine() {
        Ok(engine) => engine,
        Err(error) => return Response::Failed(format!("no engine: {error:#}")),
    };
    // SAFETY: the executor has checked that the file is what its own compiling child wrote, in a folder that is written by nobody
    // else. What a guest could make of a flaw in the compiler it could make of it only here, in its own process.
    #[expect(
        unsafe_code,
        reason = "the engine must be promised that this is its own code"
    )]
    let module = unsafe { Module::deserialize_open_file(&engine, file) };
    match module {
        Ok(module) => execute(&engine, &module, host),
        Err(error) => Response::Unusable(format!("{error:#}")),
    }
}

/// How a guest ended, with what is measured at its end.
struct End {
    outcome: Outcome,
    charged: u64,
    place: Option<(u32, u32)>,
}

impl End {
    const fn before_start(outcome: Outcome) -> Self {
        Self {
            outcome,
            charged: 0,
            place: None,
        }
    }

    fn out_of_time(seen: &Seen) -> Self {
        Self {
            outcome: Outcome::OutOfTime,
            charged: seen.charged(),
            place: None,
        }
    }
}

fn report(seen: &Seen, end: End) -> Report {
    let mut written = seen.written();
    Report {
        outcome: end.outcome,
        charged: end.charged,
        place: end.place,
        stdout: std::mem::take(&mut written.stdout),
        stderr: std::mem::take(&mut written.stderr),
        stderr_dropped: written.stderr_dropped,
        memory_peak_bytes: seen.memory_peak(),
    }
}

fn execute(engine: &Engine, module: &Module, host: Host) -> Response {
    let seen = Arc::clone(&host.seen);
    let mut store = Store::new(engine, host);
    store.limiter(|host| &mut host.limiter);
    let end = match instantiate(engine, module, &mut store) {
        Ok(instance) => start(module, &instance, &mut store),
        Err(outcome) => End::before_start(outcome),
    };
    Response::Ran(report(&seen, end))
}

fn instantiate(
    engine: &Engine,
    module: &Module,
    store: &mut Store<Host>,
) -> Result<Instance, Outcome> {
    let mut linker = Linker::new(engine);
    wasi::link(&mut linker, module).map_err(|reason| Outcome::BadModule { reason })?;
    linker.instantiate(&mut *store, module).map_err(|error| {
        if store.data().limiter.denied {
            return Outcome::OutOfMemory;
        }
        match error.downcast_ref::<Trap>() {
            Some(trap) => Outcome::Trapped {
                kind: kind(*trap),
                backtrace: String::new(),
            },
            None => Outcome::BadModule {
                reason: format!("{error:#}"),
            },
        }
    })
}

fn start(module: &Module, instance: &Instance, store: &mut Store<Host>) -> End {
    let bad = |reason: &str| {
        End::before_start(Outcome::BadModule {
            reason: reason.to_owned(),
        })
    };
    let limits = store.data().limits;
    let gas = instance.get_global(&mut *store, GAS_EXPORT);
    let stack = instance.get_global(&mut *store, STACK_EXPORT);
    let (Some(gas), Some(stack)) = (gas, stack) else {
        return bad("the module is not metered");
    };
    if gas
        .set(&mut *store, Val::I64(host::initial_gas(&limits)))
        .is_err()
    {
        return bad("the module is not metered");
    }
    let memory = instance.get_memory(&mut *store, "memory");
    store.data_mut().gas = Some(gas);
    store.data_mut().memory = memory;
    let mut result = Ok(());
    for name in [START_EXPORT, "_start"] {
        if name == START_EXPORT && instance.get_func(&mut *store, name).is_none() {
            continue;
        }
        let Ok(function) = instance.get_typed_func::<(), ()>(&mut *store, name) else {
            return bad("`_start` takes or returns values");
        };
        result = function.call(&mut *store, ());
        if result.is_err() {
            break;
        }
    }
    let left = gas.get(&mut *store).i64().unwrap_or_default();
    let slots = stack.get(&mut *store).i32().unwrap_or_default();
    let denied = store.data().limiter.denied;
    let error = result.err();
    End {
        outcome: outcome(error.as_ref(), slots < 0, denied),
        charged: host::charged(&limits, left),
        place: error.as_ref().and_then(|error| place(module, error)),
    }
}

/// Reads the end out of the engine's error; gas comes later, when it is known what a trap gives back.
fn outcome(error: Option<&wasmtime::Error>, overflowed: bool, denied: bool) -> Outcome {
    let Some(error) = error else {
        return Outcome::Returned;
    };
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return match stop {
            Stop::Exit(code) => Outcome::Exited(*code),
            Stop::OutputTooLarge => Outcome::OutputTooLarge,
            Stop::OutOfInstructions => Outcome::OutOfInstructions,
        };
    }
    let kind = error
        .downcast_ref::<Trap>()
        .map_or(TrapKind::Other, |trap| kind(*trap));
    let is_native_overflow = matches!(error.downcast_ref(), Some(Trap::StackOverflow));
    if is_native_overflow || overflowed {
        return Outcome::StackOverflow;
    }
    // Languages abort when they are refused memory, and an abort is `unreachable`.
    if denied && kind == TrapKind::Unreachable {
        return Outcome::OutOfMemory;
    }
    Outcome::Trapped {
        kind,
        backtrace: backtrace(error),
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

/// The defined function and the offset in its body where the guest trapped; a host call's end is no such place.
fn place(module: &Module, error: &wasmtime::Error) -> Option<(u32, u32)> {
    if error.is::<Stop>() {
        return None;
    }
    let frame = error.downcast_ref::<WasmBacktrace>()?.frames().first()?;
    let imported = module
        .imports()
        .filter(|import| import.ty().func().is_some())
        .count();
    let function = frame
        .func_index()
        .checked_sub(u32::try_from(imported).ok()?)?;
    Some((function, u32::try_from(frame.func_offset()?).ok()?))
}

/// A line for each frame, the innermost first.
fn backtrace(error: &wasmtime::Error) -> String {
    let mut text = String::new();
    let frames = error
        .downcast_ref::<WasmBacktrace>()
        .map(WasmBacktrace::frames)
        .unwrap_or_default();
    for (number, frame) in frames.iter().enumerate() {
        let name = match frame.func_name() {
            Some(name) => format!("{:#}", rustc_demangle::demangle(name)),
            None => format!("function {}", frame.func_index()),
        };
        if text.len().saturating_add(name.len()) > MAX_BACKTRACE_BYTES.saturating_sub(64) {
            break;
        }
        // Writing to a string does not fail.
        let _ = writeln!(text, "{number}: {name}");
    }
    text
}
