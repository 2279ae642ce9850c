//! How large a module may be before it counts as a compile bomb: what is above is refused with its figure.
//!
//! Five real modules from 134 KB to 15.8 MB peak at 258 locals and 402 KB of body; each bound leaves severalfold room.

use crate::Refusal;

/// The largest module that is taken, in bytes. The largest seen in the wild has 15.8 MB.
pub(crate) const WASM_BYTES: u64 = 32 << 20;

/// Locals and parameters of one function. Cranelift's time is quadratic in them: 40,000 take it 86 s. Real modules peak at 258.
pub(crate) const LOCALS: u64 = 2_000;

/// Operands of one function at one time, in values.
pub(crate) const OPERANDS: u64 = 20_000;

/// Bytes of one function's body. Real modules peak at 402 KB.
pub(crate) const BODY_BYTES: u64 = 1 << 20;

/// Locals times blocks of one function: Cranelift's time and memory grow with the product, 9 million took 1.8 s and 324 MB.
pub(crate) const LOCALS_TIMES_BLOCKS: u64 = 20_000_000;

/// Blocks within blocks.
pub(crate) const NESTING: u64 = 1_000;

/// Targets of one `br_table`.
pub(crate) const BR_TABLE_TARGETS: u64 = 20_000;

/// Targets of all `br_table`s of one function.
pub(crate) const BR_TABLE_TARGETS_OF_FUNCTION: u64 = 100_000;

/// Functions in a module.
pub(crate) const FUNCTIONS: u64 = 100_000;

/// Types in a module.
pub(crate) const TYPES: u64 = 100_000;

/// Imports of a module.
pub(crate) const IMPORTS: u64 = 10_000;

/// Exports of a module.
pub(crate) const EXPORTS: u64 = 100_000;

/// Globals of a module.
pub(crate) const GLOBALS: u64 = 100_000;

/// Tables of a module; wasmtime takes no more.
pub(crate) const TABLES: u64 = 100;

/// Entries that a module's tables start with, all together.
pub(crate) const TABLE_ENTRIES: u64 = 1_000_000;

/// Data segments of a module.
pub(crate) const DATA_SEGMENTS: u64 = 100_000;

/// Element segments of a module.
pub(crate) const ELEMENT_SEGMENTS: u64 = 100_000;

/// Entries of all element segments.
pub(crate) const ELEMENTS: u64 = 1_000_000;

/// Refuses more than `most` of `what`, which `whose` has.
pub(crate) fn check(
    whose: impl std::fmt::Display,
    found: impl TryInto<u64>,
    what: &str,
    most: u64,
) -> Result<(), Refusal> {
    let found = found.try_into().unwrap_or(u64::MAX);
    if found > most {
        return Err(Refusal::bad(format_args!(
            "{whose} has {found} {what}; the most is {most}"
        )));
    }
    Ok(())
}
