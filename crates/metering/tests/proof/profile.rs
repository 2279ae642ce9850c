//! What a host needs to tell where gas went, and where a trap was.

use metering::{
    GAS_EXPORT, PROFILE_ENTER, PROFILE_LEAVE, PROFILE_MODULE, STACK_EXPORT, Variant, meter,
};
use wasmparser::Operator as Op;
use wasmtime::{Caller, Engine, Extern, Instance, Linker, Module, Store, Val, WasmBacktrace};

const GAS: i64 = 1_000;

/// Functions are numbered as in the original: the import is 0.
const TEXT: &str = r#"(module
    (import "host" "nothing" (func $nothing))
    (func $leaf (param i32) (result i32 i32)
        (if (local.get 0) (then (return (i32.const 1) (i32.const 2))))
        (br 0 (i32.const 3) (i32.const 4)))
    (func $tail (return_call $last))
    (func $last (call $nothing))
    (table funcref (elem $leaf))
    (func $begin (drop (drop (call_indirect (param i32) (result i32 i32)
        (i32.const 1) (i32.const 0)))))
    (func (export "run") (result i32)
        (drop (drop (call $leaf (i32.const 1))))
        (drop (drop (call $leaf (i32.const 0))))
        (call $tail)
        (i32.const 7))
    (start $begin))"#;

/// What a profile is made of: which function was entered or, with `None`, one left; and the gas used by then.
type Events = Vec<(Option<u32>, i64)>;

fn left(caller: &mut Caller<'_, Events>) -> i64 {
    let gas = caller.get_export(GAS_EXPORT).and_then(Extern::into_global);
    gas.unwrap().get(&mut *caller).unwrap_i64()
}

fn profile(export: &str) -> (Events, i64) {
    let wasm = wat::parse_str(TEXT).unwrap();
    let metered = meter(&wasm, Variant::Profiled).unwrap();
    let engine = Engine::default();
    let module = Module::new(&engine, &metered.wasm).unwrap();
    let mut linker = Linker::<Events>::new(&engine);
    linker.func_wrap("host", "nothing", || ()).unwrap();
    linker
        .func_wrap(
            PROFILE_MODULE,
            PROFILE_ENTER,
            |mut caller: Caller<'_, Events>, function: u32| {
                let used = GAS - left(&mut caller);
                caller.data_mut().push((Some(function), used));
            },
        )
        .unwrap();
    linker
        .func_wrap(
            PROFILE_MODULE,
            PROFILE_LEAVE,
            |mut caller: Caller<'_, Events>| {
                let used = GAS - left(&mut caller);
                caller.data_mut().push((None, used));
            },
        )
        .unwrap();
    let mut store = Store::new(&engine, Events::new());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let gas = instance.get_global(&mut store, GAS_EXPORT).unwrap();
    gas.set(&mut store, Val::I64(GAS)).unwrap();
    let function = instance.get_func(&mut store, export).unwrap();
    let mut results = vec![Val::I32(0); function.ty(&store).results().len()];
    function.call(&mut store, &[], &mut results).unwrap();
    let used = GAS - gas.get(&mut store).unwrap_i64();
    (store.into_data(), used)
}

#[test]
fn a_profile_tells_every_entry_and_every_way_out_with_its_gas() {
    let (events, used) = profile("run");

    let expected = vec![
        (Some(5), 0),
        // entering, const, call; entering, get, if, const, const
        (Some(1), 3),
        (None, 8),
        // const, call; entering, get, if, const, const, br
        (Some(1), 10),
        (None, 16),
        // call; entering, tail call; entering, call
        (Some(2), 17),
        (None, 19),
        (Some(3), 19),
        (None, 21),
        // const
        (None, 22),
    ];
    assert_eq!(events, expected);
    assert_eq!(used, 22);
}

#[test]
fn tables_and_the_start_section_mean_the_same_functions_in_a_profile() {
    let (events, used) = profile(metering::START_EXPORT);

    let expected = vec![(Some(4), 0), (Some(1), 4), (None, 9), (None, 9)];
    assert_eq!(events, expected);
    assert_eq!(used, 9);
}

#[test]
fn the_place_of_a_trap_is_found_in_the_original() {
    let wasm = wat::parse_str(
        r#"(module
            (func $divide (param i32) (result i32)
                (local i64)
                (loop $again (br_if $again (i32.eqz (i32.const 1))))
                (i32.div_u (i32.const 1) (local.get 0)))
            (func (export "run") (drop (i32.const 1)) (drop (call $divide (i32.const 0)))))"#,
    )
    .unwrap();
    let (mut code_start, mut expected) = (0, Vec::new());
    for payload in wasmparser::Parser::new(0).parse_all(&wasm) {
        match payload.unwrap() {
            wasmparser::Payload::CodeSectionStart { range, .. } => code_start = range.start,
            wasmparser::Payload::CodeSectionEntry(body) => {
                for op in body
                    .get_operators_reader()
                    .unwrap()
                    .into_iter_with_offsets()
                {
                    let (op, offset) = op.unwrap();
                    if matches!(op, Op::I32DivU | Op::Call { .. }) {
                        expected.push(u32::try_from(offset - code_start).unwrap());
                    }
                }
            }
            _ => {}
        }
    }

    for variant in [Variant::Fast, Variant::Exact] {
        let metered = meter(&wasm, variant).unwrap();
        let engine = Engine::default();
        let module = Module::new(&engine, &metered.wasm).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        for (global, value) in [(GAS_EXPORT, Val::I64(GAS)), (STACK_EXPORT, Val::I32(100))] {
            let global = instance.get_global(&mut store, global).unwrap();
            global.set(&mut store, value).unwrap();
        }
        let run = instance
            .get_typed_func::<(), ()>(&mut store, "run")
            .unwrap();
        let error = run.call(&mut store, ()).unwrap_err();
        let backtrace = error.downcast_ref::<WasmBacktrace>().unwrap();
        let places = backtrace.frames().iter().map(|frame| {
            let offset = u32::try_from(frame.func_offset().unwrap()).unwrap();
            metered.places.original(frame.func_index(), offset).unwrap()
        });
        assert_eq!(places.collect::<Vec<_>>(), expected, "{variant:?}");
    }
}
