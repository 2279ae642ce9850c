//! What holds of any bytes whatever: rewriting them does not panic, and what is taken is valid and counts the same both ways.
//!
//! The fuzz target includes this file.

use metering::{GAS_EXPORT, START_EXPORT, Variant, meter};
use wasmi::{CompilationMode, Config, Engine, Extern, Linker, Module, Store, TrapCode, Val};

/// What a call may use.
const GAS: i64 = 5_000;

/// Exports that are called of each module.
const CALLS: usize = 4;

/// Checks all of that; says whether the bytes were taken.
pub(crate) fn rewritings_agree(bytes: &[u8]) -> bool {
    let [Ok(fast), Ok(exact)] = [Variant::Fast, Variant::Exact].map(|way| meter(bytes, way)) else {
        return false;
    };
    for metered in [&fast, &exact] {
        wasmparser::validate(&metered.wasm).unwrap();
    }
    if wasmparser::Parser::is_component(bytes) {
        return true;
    }
    let profiled = meter(bytes, Variant::Profiled).unwrap();
    wasmparser::validate(&profiled.wasm).unwrap();
    if !is_small(bytes) {
        return true;
    }
    let mut config = Config::default();
    config
        .wasm_tail_call(true)
        .compilation_mode(CompilationMode::Eager);
    let engine = Engine::new(&config);
    let (fast, exact) = (run(&engine, &fast.wasm), run(&engine, &exact.wasm));
    assert_eq!(fast.len(), exact.len());
    for (fast, exact) in fast.into_iter().zip(exact) {
        assert_eq!(fast.0, exact.0);
        if is_seen(&exact.0) {
            assert_eq!(fast.1, exact.1);
        }
    }
    true
}

/// Whether the fast rewriting sees such an end.
fn is_seen(end: &Result<Vec<String>, Option<TrapCode>>) -> bool {
    matches!(
        end,
        Ok(_)
            | Err(Some(
                TrapCode::UnreachableCodeReached
                    | TrapCode::TableOutOfBounds
                    | TrapCode::IndirectCallToNull
                    | TrapCode::BadSignature
            ))
    )
}

/// Whether the module asks for little enough memory that thousands of it can be run.
fn is_small(bytes: &[u8]) -> bool {
    let payloads = wasmparser::Parser::new(0).parse_all(bytes);
    payloads.flatten().all(|payload| match payload {
        wasmparser::Payload::MemorySection(section) => section
            .into_iter()
            .flatten()
            .all(|memory| memory.initial < 64),
        wasmparser::Payload::TableSection(section) => section
            .into_iter()
            .flatten()
            .all(|table| table.ty.initial < 10_000),
        _ => true,
    })
}

type End = (Result<Vec<String>, Option<TrapCode>>, i64);

/// Calls the exports with nothing; a module with imports is not run.
fn run(engine: &Engine, wasm: &[u8]) -> Vec<End> {
    // wasmi's translator panics over a few modules.
    let module =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| Module::new(engine, wasm)));
    let Ok(Ok(module)) = module else {
        return Vec::new();
    };
    let mut store = Store::new(engine, ());
    let linker = Linker::new(engine);
    let Ok(instance) = linker.instantiate_and_start(&mut store, &module) else {
        return Vec::new();
    };
    let gas = instance.get_global(&store, GAS_EXPORT).unwrap();
    let exports = instance.exports(&store);
    let mut functions: Vec<_> = exports
        .map(|export| (export.name().to_owned(), export.into_extern()))
        .filter_map(|(name, export)| match export {
            Extern::Func(function) => Some((name, function)),
            _ => None,
        })
        .collect();
    functions.sort_by_key(|(name, _)| (name != START_EXPORT, name.clone()));
    functions.truncate(CALLS);
    let mut ends = Vec::new();
    for (_, function) in functions {
        gas.set(&mut store, Val::I64(GAS)).unwrap();
        let ty = function.ty(&store);
        let zero = |types: &[wasmi::ValType]| -> Vec<Val> {
            types.iter().map(|ty| Val::default_for_ty(*ty)).collect()
        };
        let (params, mut results) = (zero(ty.params()), zero(ty.results()));
        let end = match function.call(&mut store, &params, &mut results) {
            Ok(()) => Ok(results.iter().map(|value| format!("{value:?}")).collect()),
            Err(error) => Err(error.as_trap_code()),
        };
        ends.push((end, gas.get(&store).i64().unwrap()));
    }
    ends
}
