//! Where a body's branches lead, and which of its code hardly ever runs.

use wasmparser::Operator as Op;

use crate::rewrite::Fallible;

/// The structure of one body; places are indices of instructions.
pub(crate) struct Flow {
    /// For each instruction: whether it is an `end` to which several ways lead.
    joins: Vec<bool>,
    /// For each instruction: whether the code from here on runs straight into an `unreachable`.
    doomed: Vec<bool>,
    /// Whether a branch leaves the function.
    pub(crate) leaves_by_branch: bool,
}

impl Flow {
    pub(crate) fn of(ops: &[Op<'_>]) -> Fallible<Self> {
        let mut flow = Self {
            joins: vec![false; ops.len()],
            doomed: doomed(ops),
            leaves_by_branch: false,
        };
        let mut open = Vec::new();
        for (place, op) in ops.iter().enumerate() {
            match op {
                Op::Block { .. } => open.push(Label::Block { targeted: false }),
                Op::Loop { .. } => open.push(Label::Loop),
                Op::If { .. } => open.push(Label::If),
                Op::End => {
                    let joins = match open.pop() {
                        Some(Label::Block { targeted }) => targeted,
                        Some(Label::If) => true,
                        Some(Label::Loop) => false,
                        None => flow.leaves_by_branch,
                    };
                    if let Some(place) = flow.joins.get_mut(place) {
                        *place = joins;
                    }
                }
                Op::Br { relative_depth } | Op::BrIf { relative_depth } => {
                    flow.branch(&mut open, *relative_depth);
                }
                Op::BrTable { targets } => {
                    for target in targets.targets() {
                        flow.branch(&mut open, target?);
                    }
                    flow.branch(&mut open, targets.default());
                }
                _ => {}
            }
        }
        Ok(flow)
    }

    fn branch(&mut self, open: &mut [Label], depth: u32) {
        let label = usize::try_from(depth)
            .ok()
            .and_then(|depth| open.iter_mut().rev().nth(depth));
        match label {
            Some(Label::Block { targeted }) => *targeted = true,
            Some(Label::Loop | Label::If) => {}
            None => self.leaves_by_branch = true,
        }
    }

    /// Whether the instruction at `place` is an `end` to which several ways lead.
    pub(crate) fn is_join(&self, place: usize) -> bool {
        self.joins.get(place).copied().unwrap_or_default()
    }

    /// Whether the code from `place` on runs straight into an `unreachable`.
    pub(crate) fn is_doomed(&self, place: usize) -> bool {
        self.doomed.get(place).copied().unwrap_or_default()
    }
}

/// A block that is open.
enum Label {
    Block { targeted: bool },
    Loop,
    If,
}

fn doomed(ops: &[Op<'_>]) -> Vec<bool> {
    let mut doomed = false;
    let mut found: Vec<_> = ops
        .iter()
        .rev()
        .map(|op| {
            doomed = match op {
                Op::Unreachable => true,
                Op::Br { .. }
                | Op::BrIf { .. }
                | Op::BrTable { .. }
                | Op::Return
                | Op::ReturnCall { .. }
                | Op::ReturnCallIndirect { .. }
                | Op::Loop { .. }
                | Op::Block { .. }
                | Op::If { .. }
                | Op::Else => false,
                _ => doomed,
            };
            doomed
        })
        .collect();
    found.reverse();
    found
}
