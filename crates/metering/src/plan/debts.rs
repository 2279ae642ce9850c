//! How far the register is from what is left at each point of a body: a forest of points joined by known differences.

/// A point of the body, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Point(usize);

/// Points whose debts are exact: where the register is loaded from the global or saved to it.
pub(super) const EXACT: Point = Point(0);

/// A union-find whose every point knows its debt relative to its parent's.
#[derive(Debug)]
pub(super) struct Debts {
    parents: Vec<(usize, i64)>,
}

impl Debts {
    pub(super) fn new() -> Self {
        Self {
            parents: vec![(0, 0)],
        }
    }

    /// A point of which nothing is known yet.
    pub(super) fn point(&mut self) -> Point {
        let point = self.parents.len();
        self.parents.push((point, 0));
        Point(point)
    }

    /// The root of the point's tree, and its debt above the root's; halves the way for the next time.
    fn root(&mut self, point: Point) -> (usize, i64) {
        let (mut at, mut debt) = (point.0, 0_i64);
        loop {
            let Some(&(parent, above)) = self.parents.get(at) else {
                return (at, debt);
            };
            if parent == at {
                return (at, debt);
            }
            let (grandparent, further) = self.parents.get(parent).copied().unwrap_or((parent, 0));
            let above = above.saturating_add(further);
            if let Some(entry) = self.parents.get_mut(at) {
                *entry = (grandparent, above);
            }
            debt = debt.saturating_add(above);
            at = grandparent;
        }
    }

    /// Makes the debt at `to` be that at `from` and `more`, unless they are joined already.
    pub(super) fn join(&mut self, from: Point, more: i64, to: Point) {
        let (from_root, from_debt) = self.root(from);
        let (to_root, to_debt) = self.root(to);
        if from_root != to_root
            && let Some(entry) = self.parents.get_mut(to_root)
        {
            let above = from_debt.saturating_add(more).saturating_sub(to_debt);
            *entry = (from_root, above);
        }
    }

    /// The debt at `point`, after everything is joined.
    pub(super) fn at(&mut self, point: Point) -> i64 {
        let (_, debt) = self.root(point);
        let (_, exact) = self.root(EXACT);
        debt.saturating_sub(exact)
    }
}
