//! A program under wasmtime, with as much of WASI as the five need.

use wasmtime::error::Context as _;
use wasmtime::{Caller, Config, Engine, Extern, Linker, Module, Store, Val};

/// More than any of the guests uses.
const GAS: i64 = 1 << 50;

const NATIVE_STACK_BYTES: usize = 4 << 20;

pub(crate) struct Guest {
    module: Module,
    linker: Linker<Vec<u8>>,
}

/// What a run left behind.
pub(crate) struct Ran {
    pub(crate) milliseconds: f64,
    pub(crate) output: Vec<u8>,
    pub(crate) gas: i64,
}

impl Guest {
    pub(crate) fn compile(wasm: &[u8]) -> wasmtime::Result<Self> {
        let mut config = Config::new();
        config
            .async_stack_size(NATIVE_STACK_BYTES)
            .max_wasm_stack(NATIVE_STACK_BYTES);
        let engine = Engine::new(&config)?;
        let module = Module::new(&engine, wasm)?;
        let mut linker = Linker::new(&engine);
        linker.func_wrap("wasi_snapshot_preview1", "fd_write", write)?;
        for name in ["environ_sizes_get", "args_sizes_get"] {
            linker.func_wrap(
                "wasi_snapshot_preview1",
                name,
                |mut caller: Caller<'_, Vec<u8>>, count: u32, bytes: u32| {
                    put(&mut caller, count, 0)?;
                    put(&mut caller, bytes, 0)?;
                    Ok(0)
                },
            )?;
        }
        for name in ["environ_get", "args_get"] {
            linker.func_wrap("wasi_snapshot_preview1", name, |_: u32, _: u32| 0)?;
        }
        linker.define_unknown_imports_as_traps(&module)?;
        Ok(Self { module, linker })
    }

    pub(crate) fn run(&self) -> wasmtime::Result<Ran> {
        let mut store = Store::new(self.module.engine(), Vec::new());
        let instance = self.linker.instantiate(&mut store, &self.module)?;
        let gas = instance.get_global(&mut store, metering::GAS_EXPORT);
        if let Some(gas) = gas {
            gas.set(&mut store, Val::I64(GAS))?;
        }
        let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
        let before = cpu_nanoseconds()?;
        start.call(&mut store, ())?;
        let nanoseconds = cpu_nanoseconds()?.saturating_sub(before);
        let left = gas.and_then(|gas| gas.get(&mut store).i64());
        let microseconds = u32::try_from(nanoseconds / 1_000)?;
        Ok(Ran {
            milliseconds: f64::from(microseconds) / 1e3,
            output: store.into_data(),
            gas: left.map_or(0, |left| GAS - left),
        })
    }
}

/// What this thread has run on a processor, as the kernel counts it.
pub(crate) fn cpu_nanoseconds() -> wasmtime::Result<u64> {
    // The kernel counts up to the last tick, 4 ms long, unless the thread has just given way.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = text.split_whitespace().next().context("schedstat")?;
    Ok(first.parse()?)
}

fn memory(caller: &mut Caller<'_, Vec<u8>>) -> wasmtime::Result<wasmtime::Memory> {
    caller
        .get_export("memory")
        .and_then(Extern::into_memory)
        .ok_or_else(|| wasmtime::Error::msg("no memory"))
}

fn put(caller: &mut Caller<'_, Vec<u8>>, address: u32, value: u32) -> wasmtime::Result<()> {
    let memory = memory(caller)?;
    memory.write(caller, usize::try_from(address)?, &value.to_le_bytes())?;
    Ok(())
}

fn get(caller: &mut Caller<'_, Vec<u8>>, address: u32) -> wasmtime::Result<u32> {
    let memory = memory(caller)?;
    let mut bytes = [0; 4];
    memory.read(caller, usize::try_from(address)?, &mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

fn write(
    mut caller: Caller<'_, Vec<u8>>,
    _: u32,
    vectors: u32,
    count: u32,
    written: u32,
) -> wasmtime::Result<u32> {
    let mut sum = 0_u32;
    for vector in 0..count {
        let at = vectors.saturating_add(vector.saturating_mul(8));
        let address = get(&mut caller, at)?;
        let length = get(&mut caller, at.saturating_add(4))?;
        let mut bytes = vec![0; usize::try_from(length)?];
        memory(&mut caller)?.read(&caller, usize::try_from(address)?, &mut bytes)?;
        caller.data_mut().extend(bytes);
        sum = sum.saturating_add(length);
    }
    put(&mut caller, written, sum)?;
    Ok(0)
}
