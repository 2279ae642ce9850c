//! A program under wasmi, with its fuel on: what an interpreter that counts costs.

use anyhow::{Context as _, Result};
use wasmi::{Caller, Config, Engine, Linker, Memory, Module, Store};

use crate::guest::cpu_nanoseconds;

const WASI: &str = "wasi_snapshot_preview1";

/// Runs the program once; milliseconds of CPU.
pub(crate) fn run(wasm: &[u8]) -> Result<f64> {
    let mut config = Config::default();
    config.consume_fuel(true);
    let engine = Engine::new(&config);
    let module = Module::new(&engine, wasm)?;
    let mut linker = <Linker<()>>::new(&engine);
    linker.func_wrap(WASI, "fd_write", write)?;
    for name in ["environ_sizes_get", "args_sizes_get"] {
        linker.func_wrap(
            WASI,
            name,
            |mut caller: Caller<'_, ()>, count: u32, bytes: u32| {
                let none = put(&mut caller, count, 0).and(put(&mut caller, bytes, 0));
                none.map_or(FAULT, |()| 0)
            },
        )?;
    }
    for name in ["environ_get", "args_get"] {
        linker.func_wrap(WASI, name, |_: u32, _: u32| 0_u32)?;
    }
    for import in module.imports() {
        // Whatever else is imported is not called.
        if let Some(ty) = import.ty().func() {
            let name = import.name();
            let _ = linker.func_new(WASI, name, ty.clone(), |_, _, _| {
                Err(wasmi::Error::new("not here"))
            });
        }
    }
    let mut store = Store::new(&engine, ());
    store.set_fuel(u64::MAX)?;
    let instance = linker.instantiate_and_start(&mut store, &module)?;
    let start = instance.get_typed_func::<(), ()>(&store, "_start")?;
    let before = cpu_nanoseconds().map_err(|error| crate::told(&error))?;
    start.call(&mut store, ())?;
    let after = cpu_nanoseconds().map_err(|error| crate::told(&error))?;
    let microseconds = u32::try_from(after.saturating_sub(before) / 1_000)?;
    Ok(f64::from(microseconds) / 1e3)
}

/// `errno` of a pointer out of bounds. Source: `wasi_snapshot_preview1.witx`.
const FAULT: u32 = 21;

fn memory(caller: &Caller<'_, ()>) -> Result<Memory> {
    let memory = caller.get_export("memory");
    memory
        .and_then(wasmi::Extern::into_memory)
        .context("no memory")
}

fn put(caller: &mut Caller<'_, ()>, address: u32, value: u32) -> Result<()> {
    let memory = memory(caller)?;
    memory.write(caller, usize::try_from(address)?, &value.to_le_bytes())?;
    Ok(())
}

fn get(caller: &Caller<'_, ()>, address: u32) -> Result<u32> {
    let mut bytes = [0; 4];
    memory(caller)?.read(caller, usize::try_from(address)?, &mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

/// Takes the bytes and forgets them.
fn write(mut caller: Caller<'_, ()>, _: u32, vectors: u32, count: u32, written: u32) -> u32 {
    let lengths = (0..count).map(|vector| {
        let at = vectors.saturating_add(vector.saturating_mul(8));
        get(&caller, at.saturating_add(4)).unwrap_or_default()
    });
    let sum = lengths.fold(0, u32::saturating_add);
    put(&mut caller, written, sum).map_or(FAULT, |()| 0)
}
