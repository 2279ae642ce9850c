//! A component's modules share one gas: counted through, exact when one traps, and found afterwards.

use metering::{GAS_EXPORT, LEFT_EXPORT, LIMIT_IMPORT, Refusal, Variant, meter};
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, Store, WasmCoreDump};

/// Two modules: the one calls the other, which has a start section. A nested component, as bindings make them, passes the
/// exported function on. Text crosses the border, so the host enters the guest in the middle of a call.
pub(crate) const TWO_MODULES: &str = r#"(component
    (import "greet" (func $greet (result string)))
    (core module $lib
        (memory (export "memory") 1)
        (global $count (mut i32) (i32.const 0))
        (func $begin (global.set $count (i32.const 1)))
        (start $begin)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
        (func (export "divide") (param i32) (result i32)
            (i32.div_u (i32.const 100) (local.get 0))))
    (core instance $lib (instantiate $lib))
    (alias core export $lib "memory" (core memory $memory))
    (core func $greet_lowered
        (canon lower (func $greet) (memory $memory) (realloc (func $lib "realloc"))))
    (core module $main
        (import "lib" "divide" (func $divide (param i32) (result i32)))
        (import "host" "greet" (func $greet (param i32)))
        (func (export "run") (param i32) (result i32)
            (call $greet (i32.const 16))
            (call $divide (local.get 0))))
    (core instance $host (export "greet" (func $greet_lowered)))
    (core instance $main
        (instantiate $main (with "lib" (instance $lib)) (with "host" (instance $host))))
    (type $run (func (param "by" u32) (result u32)))
    (func $run (type $run) (canon lift (core func $main "run")))
    (component $shim
        (import "run" (func $run (param "by" u32) (result u32)))
        (export "run" (func $run)))
    (instance $shim (instantiate $shim (with "run" (func $run))))
    (alias export $shim "run" (func $shimmed))
    (export "run" (func $shimmed)))"#;

/// The start section: entering, const, set. The run: entering, const, call; in between realloc, entering and const; get, call;
/// entering, const, get, div.
const GAS: i64 = 3 + 3 + 2 + 2 + 4;

fn engine() -> Engine {
    let mut config = Config::new();
    config.coredump_on_trap(true);
    Engine::new(&config).unwrap()
}

/// What the core dump of a trap says of the gas left.
fn left_behind(store: &mut Store<()>, error: &wasmtime::Error) -> i64 {
    let dump = error.downcast_ref::<WasmCoreDump>().unwrap();
    let gas = dump
        .instances()
        .iter()
        .find_map(|instance| instance.get_global(&mut *store, GAS_EXPORT))
        .unwrap();
    gas.get(store).unwrap_i64()
}

/// Calls `run`, and says what it returned and what gas was left; after a trap, as the core dump has it.
fn run(engine: &Engine, variant: Variant, limit: i64, by: u32) -> (Result<u32, String>, i64) {
    let wasm = wat::parse_str(TWO_MODULES).unwrap();
    let metered = meter(&wasm, variant).unwrap();
    let component = Component::new(engine, &metered.wasm).unwrap();
    let mut linker = Linker::<()>::new(engine);
    let mut root = linker.root();
    root.func_wrap(LIMIT_IMPORT, move |_, (): ()| Ok((limit,)))
        .unwrap();
    root.func_wrap("greet", |_, (): ()| Ok(("hello".to_owned(),)))
        .unwrap();
    let mut store = Store::new(engine, ());
    let ran = linker
        .instantiate(&mut store, &component)
        .and_then(|instance| {
            let run = instance.get_typed_func::<(u32,), (u32,)>(&mut store, "run")?;
            let (result,) = run.call(&mut store, (by,))?;
            Ok((instance, result))
        });
    match ran {
        Ok((instance, result)) => {
            let left = instance
                .get_typed_func::<(), (i64,)>(&mut store, LEFT_EXPORT)
                .unwrap();
            let (left,) = left.call(&mut store, ()).unwrap();
            (Ok(result), left)
        }
        Err(error) => {
            let left = left_behind(&mut store, &error);
            let trap = error.downcast_ref::<wasmtime::Trap>().unwrap();
            (Err(format!("{trap:?}")), left)
        }
    }
}

#[test]
fn the_modules_of_a_component_share_one_gas() {
    let engine = engine();
    for variant in [Variant::Fast, Variant::Exact] {
        let (result, left) = run(&engine, variant, 1_000, 5);

        assert_eq!((result, 1_000 - left), (Ok(20), GAS), "{variant:?}");
    }
}

#[test]
fn a_component_that_traps_is_charged_what_ran() {
    let engine = engine();

    let (result, left) = run(&engine, Variant::Exact, 1_000, 0);

    assert_eq!(result, Err("IntegerDivisionByZero".to_owned()));
    assert_eq!(1_000 - left, GAS);
}

#[test]
fn a_component_runs_out_of_gas_with_any_less() {
    let engine = engine();
    for variant in [Variant::Fast, Variant::Exact] {
        for limit in 0..GAS {
            let (_, left) = run(&engine, variant, limit, 5);

            assert!(left < 0, "{variant:?} with {limit}");
        }
        assert_eq!(run(&engine, variant, GAS, 5), (Ok(20), 0), "{variant:?}");
    }
}

#[test]
fn what_rustc_makes_for_wasip2_is_metered() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("program.rs");
    let program = folder.path().join("program.wasm");
    std::fs::write(
        &source,
        r#"fn main() { println!("{:?}", std::env::args().count()); }"#,
    )
    .unwrap();
    let built = std::process::Command::new("rustc")
        .args(["--target", "wasm32-wasip2", "-O", "--edition", "2024", "-o"])
        .args([&program, &source])
        .status()
        .unwrap();
    assert!(built.success());
    let wasm = std::fs::read(&program).unwrap();
    let engine = engine();

    let left = [Variant::Fast, Variant::Exact].map(|variant| {
        let metered = meter(&wasm, variant).unwrap();
        assert!(metered.is_command);
        let component = Component::new(&engine, &metered.wasm).unwrap();
        let run = component
            .component_type()
            .exports(&engine)
            .map(|(name, _)| name.to_owned())
            .find(|name| name.starts_with("wasi:cli/run@"))
            .unwrap();
        let mut linker = Linker::<()>::new(&engine);
        // The first call of the host ends the run, and the gas stands where it came to.
        linker.define_unknown_imports_as_traps(&component).unwrap();
        linker.allow_shadowing(true);
        linker
            .root()
            .func_wrap(LIMIT_IMPORT, |_, (): ()| Ok((1_000_000_i64,)))
            .unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &component).unwrap();
        let run = instance.get_export_index(&mut store, None, &run).unwrap();
        let run = instance
            .get_export_index(&mut store, Some(&run), "run")
            .unwrap();
        let run = instance.get_func(&mut store, run).unwrap();
        let error = run.call(
            &mut store,
            &[],
            &mut [wasmtime::component::Val::Bool(false)],
        );
        left_behind(&mut store, &error.unwrap_err())
    });

    let [fast, exact] = left;
    assert_eq!(fast, exact);
    assert!((1..999_900).contains(&fast), "{fast}");
}

#[test]
fn components_that_hide_modules_are_refused() {
    let refusal = |text: &str| match meter(&wat::parse_str(text).unwrap(), Variant::Fast) {
        Err(Refusal::BadModule { reason }) => reason,
        other => panic!("{other:?}"),
    };

    assert_eq!(
        refusal("(component (component (core module)))"),
        "the component has a module within a component of its own"
    );
    assert_eq!(
        refusal(r#"(component (import "lib" (core module)))"#),
        "the component imports a module"
    );
    assert_eq!(
        refusal(
            "(component (core module $it) (component (alias outer 1 $it (core module $in)) (core instance (instantiate $in))))"
        ),
        "the component instantiates a module within a component of its own"
    );
}
