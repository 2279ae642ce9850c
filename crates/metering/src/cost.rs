//! The cost table, and where a straight stretch of code ends.

use wasmparser::Operator as Op;

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

/// Whether what follows may run at another time than what comes before.
pub(crate) const fn ends_stretch(op: &Op<'_>) -> bool {
    is_bulk(op)
        || is_call(op)
        || is_tail_call(op)
        || matches!(
            op,
            Op::Loop { .. }
                | Op::If { .. }
                | Op::Else
                | Op::End
                | Op::Br { .. }
                | Op::BrIf { .. }
                | Op::BrTable { .. }
                | Op::Return
                | Op::Unreachable
        )
}

/// Whether the instruction may trap by itself, and so needs an entry in the table of what a trap gives back.
///
/// Named are those that cannot: an instruction that is forgotten here costs a table entry, not a wrong count.
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
