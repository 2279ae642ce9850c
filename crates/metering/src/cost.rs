//! The cost table, and which instructions do what else matters to counting.

use wasmparser::Operator as Op;

/// Entering a function costs this much.
pub(crate) const ENTRY: u32 = 1;

/// Slots that a frame takes besides its parameters, locals and operands: what the call itself keeps.
pub(crate) const FRAME_SLOTS: u32 = 4;

/// A function that calls nothing and whose instructions cost no more than this all together is not a checkpoint: what it may
/// run beyond the limit is as little.
pub(crate) const SMALL: u32 = 256;

/// What one instruction costs by itself.
pub(crate) const fn of(op: &Op<'_>) -> u32 {
    match op {
        Op::Nop
        | Op::Drop
        | Op::Block { .. }
        | Op::Loop { .. }
        | Op::Unreachable
        | Op::Return
        | Op::Else
        | Op::End => 0,
        _ => 1,
    }
}

/// Whether the count on the stack's top is charged too: bytes or elements.
pub(crate) const fn is_bulk(op: &Op<'_>) -> bool {
    matches!(
        op,
        Op::MemoryCopy { .. }
            | Op::MemoryFill { .. }
            | Op::MemoryInit { .. }
            | Op::TableCopy { .. }
            | Op::TableFill { .. }
            | Op::TableInit { .. }
            | Op::TableGrow { .. }
    )
}

/// Whether the instruction leaves the function for another one and comes back.
pub(crate) const fn is_call(op: &Op<'_>) -> bool {
    matches!(op, Op::Call { .. } | Op::CallIndirect { .. })
}

/// Whether the instruction leaves the function for another one for good.
pub(crate) const fn is_tail_call(op: &Op<'_>) -> bool {
    matches!(op, Op::ReturnCall { .. } | Op::ReturnCallIndirect { .. })
}

/// Whether the gas left must stand in the global while the instruction runs.
///
/// These are the host's to look at (calls), end the function, or trap in a way that is told apart from the others: so an access
/// out of a table's bounds is always exact, whichever instruction made it.
pub(crate) const fn is_seen(op: &Op<'_>) -> bool {
    is_bulk(op)
        || is_call(op)
        || is_tail_call(op)
        || matches!(
            op,
            Op::Return | Op::Unreachable | Op::TableGet { .. } | Op::TableSet { .. }
        )
}

/// Whether the instruction may trap by itself.
///
/// Named are those that cannot: an instruction that is forgotten here costs a charge of its own, not a wrong count.
pub(crate) const fn may_trap(op: &Op<'_>) -> bool {
    !matches!(
        op,
        Op::Nop
            | Op::Drop
            | Op::Select
            | Op::TypedSelect { .. }
            | Op::Block { .. }
            | Op::Loop { .. }
            | Op::If { .. }
            | Op::Else
            | Op::End
            | Op::Br { .. }
            | Op::BrIf { .. }
            | Op::BrTable { .. }
            | Op::Return
            | Op::LocalGet { .. }
            | Op::LocalSet { .. }
            | Op::LocalTee { .. }
            | Op::GlobalGet { .. }
            | Op::GlobalSet { .. }
            | Op::I32Const { .. }
            | Op::I64Const { .. }
            | Op::F32Const { .. }
            | Op::F64Const { .. }
            | Op::I32Eqz
            | Op::I32Eq
            | Op::I32Ne
            | Op::I32LtS
            | Op::I32LtU
            | Op::I32GtS
            | Op::I32GtU
            | Op::I32LeS
            | Op::I32LeU
            | Op::I32GeS
            | Op::I32GeU
            | Op::I64Eqz
            | Op::I64Eq
            | Op::I64Ne
            | Op::I64LtS
            | Op::I64LtU
            | Op::I64GtS
            | Op::I64GtU
            | Op::I32Add
            | Op::I32Sub
            | Op::I32Mul
            | Op::I32And
            | Op::I32Or
            | Op::I32Xor
            | Op::I32Shl
            | Op::I32ShrS
            | Op::I32ShrU
            | Op::I64Add
            | Op::I64Sub
            | Op::I64Mul
            | Op::I64And
            | Op::I64Or
            | Op::I64Xor
            | Op::I64Shl
            | Op::I64ShrS
            | Op::I64ShrU
            | Op::I32WrapI64
            | Op::I64ExtendI32S
            | Op::I64ExtendI32U
    )
}
