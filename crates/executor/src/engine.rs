//! The engine's settings: one set, for those who compile and those who run.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use wasmtime::{Config, Engine};

/// The native stack of a guest. The metered limit is met first: [`metering::STACK_SLOTS`] of at most 16 bytes are 4 MiB, which
/// leaves eightfold room for what compiled code keeps in a frame beyond them.
pub(crate) const NATIVE_STACK_BYTES: usize = 32 << 20;

/// The stack of the thread that a guest runs in: its own and what host functions need.
pub(crate) const THREAD_STACK_BYTES: usize = NATIVE_STACK_BYTES + (2 << 20);

/// An engine.
pub(crate) fn engine() -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        // Gas is counted by the rewritten module itself.
        .consume_fuel(false)
        .max_wasm_stack(NATIVE_STACK_BYTES)
        // Where a trap happened decides what it gives back.
        .generate_address_map(true)
        // Only debuggers and native profilers would read it.
        .native_unwind_info(false);
    Engine::new(&config)
}

/// What compiled code depends on besides the module: engine, settings, processor.
pub(crate) fn fingerprint() -> wasmtime::Result<u64> {
    let mut hasher = DefaultHasher::new();
    engine()?.precompile_compatibility_hash().hash(&mut hasher);
    Ok(hasher.finish())
}
