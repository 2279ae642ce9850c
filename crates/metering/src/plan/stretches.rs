//! The plain plan: each straight stretch of code is charged as a whole before it runs.

use wasmparser::Operator as Op;

use super::{Cut, Step};
use crate::cost;
use crate::flow::Flow;

pub(super) fn steps(ops: &[Op<'_>], flow: &Flow, cut: Cut) -> Vec<Step> {
    let mut steps = vec![Step::default(); ops.len()];
    let last = ops.len().saturating_sub(1);
    let mut first = 0;
    let mut sum = i64::from(cost::ENTRY);
    for (place, op) in ops.iter().enumerate() {
        sum = sum.saturating_add(i64::from(cost::of(op)));
        if ends(op, place, last, flow) || (cut == Cut::AtTraps && cost::may_trap(op)) {
            if let Some(step) = steps.get_mut(first) {
                step.before = sum;
            }
            first = place.saturating_add(1);
            sum = 0;
        }
    }
    steps
}

/// Whether what follows may run at another time than what comes before.
fn ends(op: &Op<'_>, place: usize, last: usize, flow: &Flow) -> bool {
    match op {
        Op::Loop { .. }
        | Op::If { .. }
        | Op::Else
        | Op::Br { .. }
        | Op::BrIf { .. }
        | Op::BrTable { .. } => true,
        // A block that nothing branches to is no join.
        Op::End => flow.is_join(place) || place == last,
        op => cost::is_seen(op),
    }
}
