//! The engine's settings: one set, for those who compile and those who run. Code of other settings is not loaded.

use wasmtime::{Config, Engine, ModuleVersionStrategy};

/// The native stack of a guest. The metered limit is met first: [`metering::STACK_SLOTS`] of at most 16 bytes are 4 MiB, which
/// leaves eightfold room for what compiled code keeps in a frame beyond them.
pub const NATIVE_STACK_BYTES: usize = 32 << 20;

/// The stack of the thread that a guest runs in: its own and what host functions need.
pub const THREAD_STACK_BYTES: usize = NATIVE_STACK_BYTES + (2 << 20);

/// What compiled code is marked with, besides the engine's own settings: the program that will run it.
const VERSION: &str = concat!("outlayer ", env!("CARGO_PKG_VERSION"));

/// The settings, to which a compiler adds its own.
pub fn config() -> wasmtime::Result<Config> {
    let mut config = Config::new();
    config
        // Gas is counted by the rewritten module itself.
        .consume_fuel(false)
        .max_wasm_stack(NATIVE_STACK_BYTES)
        // Nothing is asynchronous here, but this may not be the smaller one.
        .async_stack_size(THREAD_STACK_BYTES)
        // A component that trapped cannot be asked for its gas: the dump tells.
        .coredump_on_trap(true)
        // Backtraces name functions and places.
        .generate_address_map(true)
        // Only debuggers and native profilers would read it.
        .native_unwind_info(false)
        // What no module that we take uses; a runtime built without a feature refuses code that is marked with it.
        .gc_support(false)
        .wasm_multi_memory(false)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .module_version(ModuleVersionStrategy::Custom(VERSION.to_owned()))?;
    Ok(config)
}

/// The settings for components: their memories are not mapped from a file, which the engine would have to make for each of them.
pub fn component_config() -> wasmtime::Result<Config> {
    let mut config = config()?;
    config.memory_init_cow(false);
    Ok(config)
}

/// The engines that run compiled code.
#[derive(Debug, Clone)]
pub struct Engines {
    /// That of modules.
    pub modules: Engine,
    /// That of components.
    pub components: Engine,
}

impl Engines {
    /// Both of them.
    pub fn new() -> wasmtime::Result<Self> {
        Ok(Self {
            modules: Engine::new(&config()?)?,
            components: Engine::new(&component_config()?)?,
        })
    }
}
