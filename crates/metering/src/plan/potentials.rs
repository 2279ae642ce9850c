//! The fast plan: the register may run behind or ahead of what is left by an amount that is known at each point of the body, its
//! debt. Code that subtracts is needed only where two points' debts do not follow from each other.
//!
//! So the ways through a body are the edges of a graph, and a spanning forest of it costs nothing: the heaviest edges, by how
//! often they are likely to run, are taken into the forest first, and only those left out subtract. A loop of one path subtracts
//! once a turn, a branch whose arms meet again in one of its arms. (D. Knuth counted so where programs go in 1973.)

use wasmparser::{BlockType, Operator as Op};

use super::debts::{Debts, EXACT, Point};
use super::{Plan, Register, Step};
use crate::cost;
use crate::flow::Flow;
use crate::rewrite::Fallible;
use crate::survey::Survey;

/// How often a function's first instruction counts as running.
const ONCE: u64 = 1 << 24;

/// Turns of a loop, as a power of two.
const TURNS_LOG2: u32 = 3;

/// The most that nested loops multiply by, as a power of two.
const MOST_TURNS_LOG2: u32 = 24;

/// A rare way is this much rarer, as a power of two.
const RARE_LOG2: u32 = 10;

pub(super) fn plan(
    ops: &[Op<'_>],
    flow: &Flow,
    survey: &Survey,
    results: usize,
    checks_entry: bool,
) -> Fallible<Plan> {
    let mut walk = Walk::new(flow, survey, results);
    for (place, op) in ops.iter().enumerate() {
        walk.visit(place, op)?;
    }
    Ok(walk.solve(ops.len(), checks_entry))
}

/// Where a subtraction can be put.
#[derive(Debug, Clone, Copy)]
enum Spot {
    Before(usize),
    Aside(usize),
    /// None is possible or needed: the points are tied, or what is owed is settled as the register is saved.
    None,
}

/// The debt at `to` is that at `from` and `more`, or else there is a subtraction at `spot`.
#[derive(Debug)]
struct Edge {
    from: Point,
    more: i64,
    to: Point,
    spot: Spot,
    weight: u64,
}

/// Code that runs, as it is walked over.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// The debt where the straight line began.
    begin: Point,
    /// What has run since.
    cost: i64,
    /// How often it is likely to run.
    often: u64,
}

/// An open block.
#[derive(Debug)]
struct Label {
    /// Where branches to it lead; none yet for a block that none has led to.
    point: Option<Point>,
    is_loop: bool,
    /// An `if`'s condition, until its other arm is met.
    condition: Option<Run>,
    /// Values that branches to it carry.
    arity: usize,
    /// Loops around what comes behind it.
    loops: u32,
    /// How often branches lead to it.
    often: u64,
}

struct Walk<'a> {
    flow: &'a Flow,
    survey: &'a Survey,
    debts: Debts,
    edges: Vec<Edge>,
    /// Places where what is owed must be known, as what has run since a point.
    owed: Vec<(usize, Point, i64)>,
    labels: Vec<Label>,
    /// `None` where nothing can run.
    run: Option<Run>,
    loops: u32,
    exit: Option<Point>,
}

impl<'a> Walk<'a> {
    fn new(flow: &'a Flow, survey: &'a Survey, results: usize) -> Self {
        Self {
            flow,
            survey,
            debts: Debts::new(),
            edges: Vec::new(),
            owed: Vec::new(),
            labels: vec![Label {
                point: None,
                is_loop: false,
                condition: None,
                arity: results,
                loops: 0,
                often: 0,
            }],
            run: Some(Run {
                begin: EXACT,
                cost: i64::from(cost::ENTRY),
                often: ONCE,
            }),
            loops: 0,
            exit: None,
        }
    }

    fn visit(&mut self, place: usize, op: &Op<'_>) -> Fallible<()> {
        if let Some(run) = &mut self.run {
            run.cost = run.cost.saturating_add(i64::from(cost::of(op)));
        }
        match op {
            Op::Block { blockty } => self.open(*blockty, None),
            Op::Loop { blockty } => self.open_loop(place, *blockty),
            Op::If { blockty } => self.open_if(place, *blockty),
            Op::Else => self.otherwise(place),
            Op::End => self.end(place),
            Op::Br { relative_depth } => {
                if let Some(run) = self.run.take() {
                    self.branch(run, *relative_depth, Spot::Before(place), run.often);
                }
            }
            Op::BrIf { relative_depth } => self.branch_if(place, *relative_depth),
            Op::BrTable { targets } => {
                if let Some(run) = self.settle(place) {
                    let ways = u64::from(targets.len()).saturating_add(1);
                    let often = run.often.checked_div(ways).unwrap_or_default();
                    for target in targets.targets() {
                        self.branch(run, target?, Spot::None, often);
                    }
                    self.branch(run, targets.default(), Spot::None, often);
                }
                self.run = None;
            }
            op => self.straight(place, op),
        }
        Ok(())
    }

    /// What stays in line, and what leaves the function.
    fn straight(&mut self, place: usize, op: &Op<'_>) {
        let Some(run) = self.run else { return };
        if !cost::is_seen(op) {
            return;
        }
        self.owed.push((place, run.begin, run.cost));
        if cost::is_bulk(op) || matches!(op, Op::TableGet { .. } | Op::TableSet { .. }) {
            return;
        }
        if matches!(op, Op::Unreachable) {
            self.run = None;
            return;
        }
        self.edge(run, EXACT, Spot::None, run.often.saturating_mul(4));
        let often = self.often_at(place.saturating_add(1), run.often);
        self.run = cost::is_call(op).then_some(Run {
            begin: EXACT,
            cost: 0,
            often,
        });
    }

    /// What runs straight into a trap runs rarely.
    fn often_at(&self, place: usize, often: u64) -> u64 {
        if self.flow.is_doomed(place) {
            often >> RARE_LOG2
        } else {
            often
        }
    }

    fn edge(&mut self, run: Run, to: Point, spot: Spot, weight: u64) {
        self.edges.push(Edge {
            from: run.begin,
            more: run.cost,
            to,
            spot,
            weight: weight.saturating_add(1),
        });
    }

    /// Ends the straight line before `place`, where several ways part.
    fn settle(&mut self, place: usize) -> Option<Run> {
        let run = self.run?;
        let point = self.debts.point();
        self.edge(run, point, Spot::Before(place), run.often.saturating_mul(4));
        let settled = Run {
            begin: point,
            cost: 0,
            often: run.often,
        };
        self.run = Some(settled);
        Some(settled)
    }

    fn open(&mut self, ty: BlockType, condition: Option<Run>) {
        let (_, results) = self.survey.arity(ty);
        self.labels.push(Label {
            point: None,
            is_loop: false,
            condition,
            arity: results,
            loops: self.loops,
            often: 0,
        });
    }

    fn open_loop(&mut self, place: usize, ty: BlockType) {
        let (params, _) = self.survey.arity(ty);
        let mut point = None;
        if let Some(run) = self.run {
            let header = self.debts.point();
            self.edge(
                run,
                header,
                Spot::Before(place),
                run.often.saturating_mul(4),
            );
            self.owed.push((place, header, 0));
            let turns = if self.loops.saturating_mul(TURNS_LOG2) < MOST_TURNS_LOG2 {
                TURNS_LOG2
            } else {
                0
            };
            self.run = Some(Run {
                begin: header,
                cost: 0,
                often: run.often.saturating_mul(1 << turns),
            });
            point = Some(header);
        }
        self.labels.push(Label {
            point,
            is_loop: true,
            condition: None,
            arity: params,
            loops: self.loops,
            often: 0,
        });
        self.loops = self.loops.saturating_add(1);
    }

    fn open_if(&mut self, place: usize, ty: BlockType) {
        let run = self.settle(place);
        let halves = run.map(|run| {
            let doomed = self.flow.is_doomed(place.saturating_add(1));
            let taken = run.often >> if doomed { RARE_LOG2 } else { 1 };
            let not_taken = run.often.saturating_sub(taken);
            (
                Run {
                    often: taken,
                    ..run
                },
                Run {
                    often: not_taken,
                    ..run
                },
            )
        });
        self.open(ty, halves.map(|(_, not_taken)| not_taken));
        if let Some((taken, _)) = halves {
            let arm = self.debts.point();
            let spot = Spot::Before(place.saturating_add(1));
            self.edge(taken, arm, spot, taken.often.saturating_mul(4));
            self.run = Some(Run {
                begin: arm,
                ..taken
            });
        }
    }

    fn otherwise(&mut self, place: usize) {
        if let Some(run) = self.run.take() {
            self.branch(run, 0, Spot::Before(place), run.often);
        }
        let condition = self
            .labels
            .last_mut()
            .and_then(|label| label.condition.take());
        if let Some(run) = condition {
            let arm = self.debts.point();
            let spot = Spot::Before(place.saturating_add(1));
            self.edge(run, arm, spot, run.often.saturating_mul(4));
            self.run = Some(Run { begin: arm, ..run });
        }
    }

    fn end(&mut self, place: usize) {
        if self.labels.len() == 1 {
            return self.end_function(place);
        }
        let Some(mut label) = self.labels.pop() else {
            return;
        };
        if label.is_loop {
            let left = self.loops.saturating_sub(label.loops);
            self.loops = label.loops;
            if let Some(run) = &mut self.run {
                run.often = rarer(run.often, left);
            }
            return;
        }
        if !self.flow.is_join(place) {
            return;
        }
        // The arm that is missing leads here as well, by a way that needs an `else` to subtract on.
        let missing = label.condition.take();
        self.labels.push(label);
        if let Some(run) = self.run {
            self.branch(run, 0, Spot::Before(place), run.often);
        }
        if let Some(run) = missing {
            self.branch(run, 0, Spot::Aside(place), run.often);
        }
        let label = self.labels.pop();
        self.run = label.and_then(|label| {
            let begin = label.point?;
            let often = self.often_at(place.saturating_add(1), label.often);
            Some(Run {
                begin,
                cost: 0,
                often,
            })
        });
    }

    fn end_function(&mut self, place: usize) {
        let label = self.labels.pop();
        let mut exit = label.as_ref().and_then(|label| label.point);
        if self.flow.leaves_by_branch {
            // The branches may all be in code that cannot run.
            exit = exit.or_else(|| Some(self.debts.point()));
        }
        if let Some(run) = self.run.take() {
            if let Some(exit) = exit {
                self.edge(run, exit, Spot::Before(place), run.often.saturating_mul(4));
            } else {
                self.owed.push((place, run.begin, run.cost));
                self.edge(run, EXACT, Spot::None, run.often.saturating_mul(4));
            }
        }
        if let (Some(exit), Some(label)) = (exit, label) {
            let run = Run {
                begin: exit,
                cost: 0,
                often: label.often,
            };
            self.edge(run, EXACT, Spot::None, run.often.saturating_mul(4));
            self.exit = Some(exit);
        }
    }

    fn branch_if(&mut self, place: usize, depth: u32) {
        let Some(run) = self.settle(place) else {
            return;
        };
        let label = self.label(depth);
        let back = label.is_some_and(|label| label.is_loop);
        // On the way to a block with values, the values are in the way of the `if` that a subtraction would need.
        let carries = label.is_none_or(|label| label.arity > 0);
        let taken = if back {
            run.often.saturating_sub(run.often >> TURNS_LOG2)
        } else if self.flow.is_doomed(place.saturating_add(1)) {
            run.often.saturating_sub(run.often >> RARE_LOG2)
        } else {
            run.often >> 1
        };
        let spot = if carries {
            Spot::None
        } else {
            Spot::Aside(place)
        };
        self.branch(run, depth, spot, taken);
        self.run = Some(Run {
            often: run.often.saturating_sub(taken).max(1),
            ..run
        });
    }

    fn label(&self, depth: u32) -> Option<&Label> {
        self.labels.iter().rev().nth(usize::try_from(depth).ok()?)
    }

    fn branch(&mut self, run: Run, depth: u32, spot: Spot, often: u64) {
        let loops = self.loops;
        let place = usize::try_from(depth).unwrap_or(usize::MAX);
        let Some(label) = self.labels.iter_mut().rev().nth(place) else {
            return;
        };
        let point = *label.point.get_or_insert_with(|| self.debts.point());
        let left = loops.saturating_sub(label.loops);
        label.often = label.often.saturating_add(rarer(often, left));
        let weight = match spot {
            Spot::None => u64::MAX,
            // A subtraction on the way of a branch costs a jump as well.
            Spot::Aside(_) => often.saturating_mul(6),
            Spot::Before(_) => often.saturating_mul(4),
        };
        self.edge(run, point, spot, weight);
    }

    fn solve(mut self, places: usize, checks_entry: bool) -> Plan {
        let mut order: Vec<_> = self.edges.iter().collect();
        order.sort_by_key(|edge| std::cmp::Reverse(edge.weight));
        for edge in order {
            self.debts.join(edge.from, edge.more, edge.to);
        }
        let mut steps = vec![Step::default(); places];
        for edge in &self.edges {
            let (place, aside) = match edge.spot {
                Spot::Before(place) => (place, false),
                Spot::Aside(place) => (place, true),
                Spot::None => continue,
            };
            let due = self.debts.at(edge.from).saturating_add(edge.more);
            let due = due.saturating_sub(self.debts.at(edge.to));
            if let Some(step) = steps.get_mut(place) {
                let sum = if aside {
                    &mut step.aside
                } else {
                    &mut step.before
                };
                *sum = sum.saturating_add(due);
            }
        }
        for (place, point, since) in self.owed {
            if let Some(step) = steps.get_mut(place) {
                step.owed = self.debts.at(point).saturating_add(since);
            }
        }
        Plan {
            register: Register::Local,
            steps,
            owed_at_exit: self.exit.map_or(0, |exit| self.debts.at(exit)),
            checks_entry,
        }
    }
}

/// How often a way runs that leaves `loops` loops.
fn rarer(often: u64, loops: u32) -> u64 {
    often
        .checked_shr(loops.saturating_mul(TURNS_LOG2))
        .unwrap_or_default()
        .max(1)
}
