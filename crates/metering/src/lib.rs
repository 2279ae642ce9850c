//! Gas by a rewriting of our own: wasm in, wasm out that counts its own instructions.
//!
//! Gas is a definition, not an engine's habit, so it is the same on every machine and under every engine. Version
//! [`METERING_VERSION`] says:
//!
//! - each instruction costs 1; `nop`, `drop`, `block`, `loop`, `else`, `end`, `return` and `unreachable` cost nothing, since they
//!   become no code;
//! - entering a function costs 1 more;
//! - bulk operations cost 1 more for each byte of memory or element of a table; so do host calls, for each byte they move;
//! - a trap charges what ran, the instruction that trapped included;
//! - calls may nest until their frames fill [`STACK_SLOTS`]; a frame is 4 slots, and one for each parameter, local and operand. A
//!   function that calls nothing takes no frame.
//!
//! Code is charged by straight stretches, before each runs; what a trap left unrun is given back afterwards from a table (see
//! [`Unspent`]), so that the count is exact and costs nothing on the way. Loops, function entries, bulk operations and host calls
//! look whether anything is left: a run within its limit is never cut, and one above it never counts as having returned.

mod cost;
mod function;
mod rewrite;
mod survey;
mod unspent;

pub use survey::Refusal;
pub use unspent::Unspent;

/// Which definition of gas this build meters by; part of an artifact's cache key and of what is attested.
pub const METERING_VERSION: u32 = 1;

/// How deep calls may nest, in slots of at most 16 bytes. The native stack is much larger, so that this limit is met first.
pub const STACK_SLOTS: i32 = 262_144;

/// The export that holds the gas left, an `i64`.
pub const GAS_EXPORT: &str = "outlayer:gas";

/// The export that holds the stack slots left, an `i32`.
pub const STACK_EXPORT: &str = "outlayer:stack";

/// The export that stands for the start section, which would otherwise run before the gas is set.
pub const START_EXPORT: &str = "outlayer:start";

/// A module that counts.
#[derive(Debug)]
pub struct Metered {
    /// The rewritten module.
    pub wasm: Vec<u8>,
    /// What a trap gives back.
    pub unspent: Unspent,
}

/// Checks a module and rewrites it to count its own instructions.
pub fn meter(wasm: &[u8]) -> Result<Metered, Refusal> {
    let survey = survey::Survey::of(wasm)?;
    rewrite::rewrite(wasm, &survey)
}

#[cfg(test)]
mod tests;
