//! Gas by a rewriting of our own: wasm in, wasm out that counts its own instructions.
//!
//! Gas is a definition, not an engine's habit, so it is the same on every machine and under every engine; `docs/gas.md` has it in
//! full. Version [`METERING_VERSION`] says:
//!
//! - each instruction costs 1; `nop`, `drop`, `block`, `loop`, `else`, `end`, `return` and `unreachable` cost nothing, since they
//!   become no code;
//! - entering a function costs 1 more;
//! - bulk operations cost 1 more for each byte of memory or element of a table; so do host calls, for each byte they move;
//! - a trap charges what ran, the instruction that trapped included;
//! - calls may nest until their frames fill [`STACK_SLOTS`]; a frame is 4 slots, and one for each parameter, local and operand. A
//!   function that calls nothing takes no frame.
//!
//! One module is rewritten in several ways that agree on all of that ([`Variant`]): quickly for the run itself, and exactly for
//! the few runs that end in a trap the quick one cannot account for.

mod component;
mod cost;
mod flow;
mod function;
mod limits;
mod places;
mod plan;
mod refusal;
mod rewrite;
mod survey;

use borsh::{BorshDeserialize, BorshSerialize};

pub use places::Places;
pub use refusal::Refusal;

/// Which definition of gas this build meters by; part of an artifact's cache key and of what is attested.
pub const METERING_VERSION: u32 = 1;

/// How deep calls may nest, in slots of at most 16 bytes. The native stack is much larger, so that this limit is met first.
pub const STACK_SLOTS: i32 = 262_144;

/// The most gas an execution can be given: twice as much would still fit the counter.
pub const MAX_GAS: i64 = i64::MAX / 2;

/// The export that holds the gas left, an `i64`. Below zero it says that there was not enough.
pub const GAS_EXPORT: &str = "outlayer:gas";

/// The export that holds the stack slots left, an `i32`. Below zero it says that there were not enough.
pub const STACK_EXPORT: &str = "outlayer:stack";

/// The export that stands for the start section, which would otherwise run before the gas is set.
pub const START_EXPORT: &str = "outlayer:start";

/// The name by which a component's modules import the counters of the module that keeps them.
pub const METER_MODULE: &str = "outlayer:meter";

/// What a metered component imports: `func() -> s64`, the gas it is given. It is asked once, before anything else runs.
pub const LIMIT_IMPORT: &str = "outlayer-gas-limit";

/// What a metered component exports: `func() -> s64`, the gas left. After a trap it cannot be called; the instance that exports
/// [`GAS_EXPORT`] holds the figure.
pub const LEFT_EXPORT: &str = "outlayer-gas-left";

/// The module that a profiled module imports [`PROFILE_ENTER`] and [`PROFILE_LEAVE`] from.
pub const PROFILE_MODULE: &str = "outlayer:profile";

/// Called where a function is entered, with its index in the original module.
pub const PROFILE_ENTER: &str = "enter";

/// Called on every way out of a function but a trap.
pub const PROFILE_LEAVE: &str = "leave";

/// The ways to rewrite a module. They agree on results, on gas at the end and at each call of the host, and on where gas runs out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum Variant {
    /// The gas left is mostly in a local. [`GAS_EXPORT`] is exact at the end, at calls of the host, at `unreachable`, and at traps
    /// of calls through tables, of accesses to tables and of bulk operations; after another trap it says too little was used.
    Fast,
    /// [`GAS_EXPORT`] is exact at every trap as well, and running costs about twice as much.
    Exact,
    /// Like [`Variant::Exact`], and calls [`PROFILE_ENTER`] and [`PROFILE_LEAVE`], at both of which [`GAS_EXPORT`] is exact.
    Profiled,
}

/// A module that counts.
#[derive(Debug)]
pub struct Metered {
    /// The rewritten module.
    pub wasm: Vec<u8>,
    /// Where its instructions come from; of a component nothing is kept.
    pub places: Places,
    /// Whether it is a program: a module that exports a function `_start`, or a component that exports `wasi:cli/run`.
    pub is_command: bool,
}

/// Checks a module or a component and rewrites it to count its own instructions.
pub fn meter(wasm: &[u8], variant: Variant) -> Result<Metered, Refusal> {
    if wasmparser::Parser::is_component(wasm) {
        return component::meter(wasm, variant);
    }
    let survey = survey::Survey::of(wasm)?;
    rewrite::rewrite(wasm, &survey, variant, rewrite::Home::Own)
}

#[cfg(test)]
mod tests;
