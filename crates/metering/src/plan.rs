//! Where a body subtracts how much from the gas left, decided before any of it is written.

mod debts;
mod potentials;
mod stretches;

use wasmparser::Operator as Op;

use crate::Variant;
use crate::cost;
use crate::flow::Flow;
use crate::rewrite::Fallible;
use crate::survey::{Shape, Survey};

/// Where the function keeps the gas left while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Register {
    /// In the exported global, always exact.
    Global,
    /// In a local, for speed; the global is exact where somebody may look.
    Local,
}

/// What one instruction needs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Step {
    /// Subtracted before the instruction.
    pub(crate) before: i64,
    /// Subtracted only where a `br_if` is taken; at the `end` of an `if` without `else`, where the `if` is not.
    pub(crate) aside: i64,
    /// By how much the register is above what is left, once the instruction is counted.
    pub(crate) owed: i64,
}

/// The plan for one body.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) register: Register,
    /// One for each instruction.
    pub(crate) steps: Vec<Step>,
    /// What is owed where branches that leave the function meet its end.
    pub(crate) owed_at_exit: i64,
    /// Whether the function looks at the gas left where it is entered.
    pub(crate) checks_entry: bool,
}

impl Plan {
    pub(crate) fn of(
        variant: Variant,
        ops: &[Op<'_>],
        flow: &Flow,
        survey: &Survey,
        shape: &Shape,
    ) -> Fallible<Self> {
        let total = ops.iter().map(cost::of).fold(0, u32::saturating_add);
        let leaves = ops
            .iter()
            .any(|op| cost::is_call(op) || cost::is_tail_call(op));
        let checks_entry = leaves || total > cost::SMALL;
        if variant != Variant::Fast {
            return Ok(Self::by_stretches(ops, flow, Cut::AtTraps, checks_entry));
        }
        let plain = Self::by_stretches(ops, flow, Cut::AtBranches, checks_entry);
        let loops = ops.iter().any(|op| matches!(op, Op::Loop { .. }));
        if !leaves && !loops && plain.charges() <= MOST_CHARGES_OF_A_GLOBAL {
            return Ok(plain);
        }
        potentials::plan(ops, flow, survey, shape.results.len(), checks_entry)
    }

    fn by_stretches(ops: &[Op<'_>], flow: &Flow, cut: Cut, checks_entry: bool) -> Self {
        Self {
            register: Register::Global,
            steps: stretches::steps(ops, flow, cut),
            owed_at_exit: 0,
            checks_entry,
        }
    }

    /// How many places charge.
    fn charges(&self) -> usize {
        self.steps.iter().filter(|step| step.before != 0).count()
    }

    pub(crate) fn step(&self, place: usize) -> Step {
        self.steps.get(place).copied().unwrap_or_default()
    }
}

/// A function that calls nothing and charges at no more places than this uses the global: a local would be loaded and saved too.
const MOST_CHARGES_OF_A_GLOBAL: usize = 2;

/// Where straight stretches are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// Where control leaves the line or comes to it.
    AtBranches,
    /// There, and behind each instruction that may trap.
    AtTraps,
}
