//! How a guest ended.

use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};

/// How a guest ended. Each of these is the guest's own doing.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Outcome {
    /// It returned from `_start`.
    Returned,
    /// It called `proc_exit` with this code; 0 is success.
    Exited(i32),
    /// It trapped.
    Trapped {
        /// Why.
        kind: TrapKind,
        /// Where: a line for each frame, the innermost first.
        backtrace: String,
    },
    /// It used up its instructions.
    OutOfInstructions,
    /// It was refused memory and gave up, or needs more than its limit to begin with.
    OutOfMemory,
    /// Its calls nested too deep.
    StackOverflow,
    /// It ran longer than its limit and was killed.
    OutOfTime,
    /// It wrote more to its output than its limit.
    OutputTooLarge,
    /// It is not a module that can be run.
    BadModule {
        /// Why not.
        reason: String,
    },
    /// It uses a feature of WebAssembly that is not taken.
    Refused {
        /// The proposal's name.
        feature: String,
    },
}

impl Outcome {
    /// Whether the guest says that it did what it was asked.
    pub const fn is_success(&self) -> bool {
        matches!(self, Self::Returned | Self::Exited(0))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Returned => f.write_str("returned"),
            Self::Exited(code) => write!(f, "exited with code {code}"),
            Self::Trapped { kind, .. } => write!(f, "trapped: {kind}"),
            Self::OutOfInstructions => f.write_str("ran out of instructions"),
            Self::OutOfMemory => f.write_str("ran out of memory"),
            Self::StackOverflow => f.write_str("nested its calls too deep"),
            Self::OutOfTime => f.write_str("ran out of time"),
            Self::OutputTooLarge => f.write_str("wrote too much output"),
            Self::BadModule { reason } => write!(f, "cannot be run: {reason}"),
            Self::Refused { feature } => write!(f, "uses {feature}, which is not taken"),
        }
    }
}

/// Why a guest trapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum TrapKind {
    /// It reached `unreachable`: a panic or an abort in most languages.
    Unreachable,
    /// It touched memory outside its own.
    MemoryOutOfBounds,
    /// It touched a table outside its bounds.
    TableOutOfBounds,
    /// It called through an empty table entry.
    IndirectCallToNull,
    /// It called through a table entry of another type.
    BadSignature,
    /// It divided the least integer by -1.
    IntegerOverflow,
    /// It divided by zero.
    DivisionByZero,
    /// It made an integer of a float that is none, or too large.
    BadConversion,
    /// Its process ended without an answer, each time it was run: it took more than its process could give.
    Crash,
    /// Another reason, which no instruction that we take is known to have.
    Other,
}

impl fmt::Display for TrapKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreachable => "unreachable code was reached",
            Self::MemoryOutOfBounds => "memory access out of bounds",
            Self::TableOutOfBounds => "table access out of bounds",
            Self::IndirectCallToNull => "call of an empty table entry",
            Self::BadSignature => "indirect call of another type",
            Self::IntegerOverflow => "integer overflow",
            Self::DivisionByZero => "division by zero",
            Self::BadConversion => "conversion of a float that is no such integer",
            Self::Crash => "its process ended without an answer",
            Self::Other => "another reason",
        })
    }
}
