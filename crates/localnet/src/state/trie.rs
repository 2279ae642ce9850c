//! A persistent map from bytes to bytes, shaped as NEAR's trie.
//!
//! Its shape is NEAR's so that the number of nodes a lookup touches, for which contracts pay gas, is the number a real node
//! counts. Copies share everything that is equal, so a copy is one pointer and the difference of two tries is found by
//! walking only where they differ.

use std::sync::Arc;

/// What a key holds.
pub type Value = Arc<[u8]>;

/// Keys with their new values; `None` means removed.
pub type Changes = Vec<(Vec<u8>, Option<Value>)>;

/// The map.
#[derive(Clone, Debug, Default)]
pub struct Trie {
    root: Option<Arc<Node>>,
}

/// A branch or a leaf, with the nibbles that lead to it from the branch above.
#[derive(Clone, Debug, Default)]
struct Node {
    path: Box<[u8]>,
    value: Option<Value>,
    /// By nibble, ascending; one alone only beside a value.
    children: Vec<(u8, Arc<Node>)>,
}

impl Node {
    const fn leaf(path: Box<[u8]>, value: Value) -> Self {
        Self {
            path,
            value: Some(value),
            children: Vec::new(),
        }
    }

    fn child(&self, nibble: u8) -> Option<&Arc<Self>> {
        let at = self
            .children
            .binary_search_by_key(&nibble, |(n, _)| *n)
            .ok()?;
        self.children.get(at).map(|(_, child)| child)
    }

    /// NEAR stores the path of a branch as a node of its own, an extension.
    fn stored_nodes(&self) -> u64 {
        if self.children.is_empty() || self.path.is_empty() {
            1
        } else {
            2
        }
    }

    /// Joins a node that no longer branches with its only child.
    fn squash(&mut self) {
        if self.value.is_some() || self.children.len() != 1 {
            return;
        }
        if let Some((nibble, child)) = self.children.pop() {
            let child = Arc::unwrap_or_clone(child);
            let path = self
                .path
                .iter()
                .copied()
                .chain([nibble])
                .chain(child.path.iter().copied())
                .collect();
            *self = Self { path, ..child };
        }
    }
}

/// How a node's path and the rest of a key relate.
enum Meeting {
    /// They part after so many nibbles, the path going on.
    Parts(usize),
    /// The key ends where the path ends.
    Ends,
    /// The key goes on with this nibble.
    GoesOn(u8),
}

fn meet(path: &[u8], rest: &[u8]) -> Meeting {
    let common = path.iter().zip(rest).take_while(|(a, b)| a == b).count();
    if common < path.len() {
        return Meeting::Parts(common);
    }
    rest.get(common)
        .map_or(Meeting::Ends, |nibble| Meeting::GoesOn(*nibble))
}

fn nibbles(key: &[u8]) -> Vec<u8> {
    key.iter().flat_map(|byte| [byte >> 4, byte & 15]).collect()
}

fn bytes(nibbles: &[u8]) -> Vec<u8> {
    nibbles
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |byte, nibble| (byte << 4) | nibble))
        .collect()
}

fn after(slice: &[u8], at: usize) -> &[u8] {
    slice.get(at..).unwrap_or_default()
}

impl Trie {
    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Option<&Value> {
        self.look_up(key).0
    }

    /// The value of a key, and how many of NEAR's trie nodes lie on the way to it.
    pub fn look_up(&self, key: &[u8]) -> (Option<&Value>, u64) {
        let key = nibbles(key);
        let (mut rest, mut touched) = (key.as_slice(), 0_u64);
        let mut next = self.root.as_ref();
        while let Some(node) = next {
            match meet(&node.path, rest) {
                Meeting::Parts(_) => return (None, touched.saturating_add(1)),
                Meeting::Ends => {
                    return (
                        node.value.as_ref(),
                        touched.saturating_add(node.stored_nodes()),
                    );
                }
                Meeting::GoesOn(nibble) => {
                    touched = touched.saturating_add(node.stored_nodes());
                    rest = after(rest, node.path.len().saturating_add(1));
                    next = node.child(nibble);
                }
            }
        }
        (None, touched)
    }

    /// Sets a key and gives back its old value.
    pub fn insert(&mut self, key: &[u8], value: Value) -> Option<Value> {
        let key = nibbles(key);
        let mut rest = key.as_slice();
        let Some(root) = &mut self.root else {
            self.root = Some(Arc::new(Node::leaf(rest.into(), value)));
            return None;
        };
        let mut node = Arc::make_mut(root);
        loop {
            match meet(&node.path, rest) {
                Meeting::Parts(common) => {
                    part(node, common);
                    match rest.get(common) {
                        None => node.value = Some(value),
                        Some(nibble) => {
                            add(node, *nibble, after(rest, common.saturating_add(1)), value);
                        }
                    }
                    return None;
                }
                Meeting::Ends => return node.value.replace(value),
                Meeting::GoesOn(nibble) => {
                    rest = after(rest, node.path.len().saturating_add(1));
                    if node.child(nibble).is_none() {
                        add(node, nibble, rest, value);
                        return None;
                    }
                    node = child_mut(node, nibble)?;
                }
            }
        }
    }

    /// Removes a key and gives back its value.
    pub fn remove(&mut self, key: &[u8]) -> Option<Value> {
        let old = self.get(key)?.clone();
        let key = nibbles(key);
        let mut rest = key.as_slice();
        let mut node = Arc::make_mut(self.root.as_mut()?);
        while let Meeting::GoesOn(nibble) = meet(&node.path, rest) {
            rest = after(rest, node.path.len().saturating_add(1));
            let child = node.child(nibble)?;
            if child.children.is_empty() {
                node.children.retain(|(n, _)| *n != nibble);
                node.squash();
                return Some(old);
            }
            node = child_mut(node, nibble)?;
        }
        node.value = None;
        if node.children.is_empty() {
            self.root = None; // only the root can be a leaf here: a leaf below is dropped by its branch
        } else {
            node.squash();
        }
        Some(old)
    }

    /// All keys that start so, ascending, with their values.
    pub fn with_prefix(&self, prefix: &[u8]) -> Vec<(Vec<u8>, Value)> {
        let prefix = nibbles(prefix);
        let (mut rest, mut above) = (prefix.as_slice(), Vec::new());
        let mut next = self.root.as_ref();
        let mut found = Vec::new();
        while let Some(node) = next {
            let common = node
                .path
                .iter()
                .zip(rest)
                .take_while(|(a, b)| a == b)
                .count();
            if common == rest.len() {
                collect(node, &above, &mut |key, value| {
                    found.push((key, value.clone()));
                });
                break;
            }
            let Meeting::GoesOn(nibble) = meet(&node.path, rest) else {
                break;
            };
            above.extend_from_slice(&node.path);
            above.push(nibble);
            rest = after(rest, node.path.len().saturating_add(1));
            next = node.child(nibble);
        }
        found
    }

    /// What makes `self` out of `old`.
    pub fn changes_since(&self, old: &Self) -> Changes {
        let mut changes = Changes::new();
        let mut pairs = vec![(Vec::new(), old.root.clone(), self.root.clone())];
        while let Some((above, old, new)) = pairs.pop() {
            match (old, new) {
                (None, None) => {}
                (Some(old), None) => collect(&old, &above, &mut |key, _| changes.push((key, None))),
                (None, Some(new)) => collect(&new, &above, &mut |key, v| {
                    changes.push((key, Some(v.clone())));
                }),
                (Some(old), Some(new)) if Arc::ptr_eq(&old, &new) => {}
                (Some(old), Some(new)) => compare(&above, &old, &new, &mut changes, &mut pairs),
            }
        }
        changes
    }

    /// Makes changes that [`Self::changes_since`] found.
    pub fn apply(&mut self, changes: &[(Vec<u8>, Option<Value>)]) {
        for (key, value) in changes {
            match value {
                Some(value) => drop(self.insert(key, value.clone())),
                None => drop(self.remove(key)),
            }
        }
    }
}

type Pair = (Vec<u8>, Option<Arc<Node>>, Option<Arc<Node>>);

/// Compares two nodes that stand at the same place, leaving their children for later.
fn compare(
    above: &[u8],
    old: &Arc<Node>,
    new: &Arc<Node>,
    changes: &mut Changes,
    pairs: &mut Vec<Pair>,
) {
    let common = old
        .path
        .iter()
        .zip(&new.path)
        .take_while(|(a, b)| a == b)
        .count();
    if common < old.path.len() || common < new.path.len() {
        return compare_parted(above, old, new, common, pairs);
    }
    let here: Vec<u8> = above.iter().chain(&new.path).copied().collect();
    let same = match (&old.value, &new.value) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b) || a == b,
        (None, None) => true,
        _ => false,
    };
    if !same {
        changes.push((bytes(&here), new.value.clone()));
    }
    for nibble in 0..16 {
        let (a, b) = (old.child(nibble), new.child(nibble));
        if a.is_some() || b.is_some() {
            let below = here.iter().copied().chain([nibble]).collect();
            pairs.push((below, a.cloned(), b.cloned()));
        }
    }
}

/// Brings the paths of two nodes to the same length by splitting, then compares on.
fn compare_parted(
    above: &[u8],
    old: &Arc<Node>,
    new: &Arc<Node>,
    common: usize,
    pairs: &mut Vec<Pair>,
) {
    let split = |node: &Arc<Node>| {
        let mut node = Node::clone(node);
        if common < node.path.len() {
            part(&mut node, common);
        }
        Some(Arc::new(node))
    };
    pairs.push((above.to_vec(), split(old), split(new)));
}

/// Cuts a node's path, so that it becomes a branch with its old self as only child.
fn part(node: &mut Node, common: usize) {
    let path = std::mem::take(&mut node.path);
    let below = Node {
        path: after(&path, common.saturating_add(1)).into(),
        ..std::mem::take(node)
    };
    node.path = path.get(..common).unwrap_or_default().into();
    if let Some(nibble) = path.get(common) {
        node.children.push((*nibble, Arc::new(below)));
    }
}

fn add(node: &mut Node, nibble: u8, path: &[u8], value: Value) {
    let at = node.children.partition_point(|(n, _)| *n < nibble);
    node.children
        .insert(at, (nibble, Arc::new(Node::leaf(path.into(), value))));
}

fn child_mut(node: &mut Node, nibble: u8) -> Option<&mut Node> {
    let at = node
        .children
        .binary_search_by_key(&nibble, |(n, _)| *n)
        .ok()?;
    node.children
        .get_mut(at)
        .map(|(_, child)| Arc::make_mut(child))
}

/// Every key at and below a node, ascending. Not recursive: keys, and so tries, may be thousands of nibbles deep.
fn collect(node: &Arc<Node>, above: &[u8], found: &mut impl FnMut(Vec<u8>, &Value)) {
    let mut stack = vec![(above.to_vec(), node)];
    while let Some((mut key, node)) = stack.pop() {
        key.extend_from_slice(&node.path);
        if let Some(value) = &node.value {
            found(bytes(&key), value);
        }
        for (nibble, child) in node.children.iter().rev() {
            let mut below = key.clone();
            below.push(*nibble);
            stack.push((below, child));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn steps() -> impl Strategy<Value = Vec<(Vec<u8>, Option<u8>)>> {
        let key = prop::collection::vec(prop::sample::select(vec![0_u8, 1, 16, 17, 255]), 0..5);
        prop::collection::vec((key, prop::option::of(any::<u8>())), 0..80)
    }

    fn build(
        steps: &[(Vec<u8>, Option<u8>)],
        trie: &mut Trie,
        model: &mut BTreeMap<Vec<u8>, Value>,
    ) {
        for (key, value) in steps {
            match value.map(|v| Value::from([v])) {
                Some(v) => assert_eq!(trie.insert(key, v.clone()), model.insert(key.clone(), v)),
                None => assert_eq!(trie.remove(key), model.remove(key)),
            }
        }
    }

    proptest! {
        #[test]
        fn is_an_ordered_map(steps in steps(), prefix in prop::collection::vec(0_u8..2, 0..3)) {
            let (mut trie, mut model) = (Trie::default(), BTreeMap::new());

            build(&steps, &mut trie, &mut model);

            let all: Vec<_> = model.clone().into_iter().collect();
            let some: Vec<_> = all.iter().filter(|(k, _)| k.starts_with(&prefix)).cloned().collect();
            prop_assert_eq!(trie.with_prefix(b""), all);
            prop_assert_eq!(trie.with_prefix(&prefix), some);
        }

        #[test]
        fn has_one_shape_for_one_content(steps in steps()) {
            let (mut trie, mut model) = (Trie::default(), BTreeMap::new());
            build(&steps, &mut trie, &mut model);

            let mut again = Trie::default();
            for (key, value) in &model {
                again.insert(key, value.clone());
            }

            for key in model.keys() {
                prop_assert_eq!(trie.look_up(key).1, again.look_up(key).1);
            }
        }

        #[test]
        fn finds_what_changed(first in steps(), second in steps()) {
            let (mut trie, mut model) = (Trie::default(), BTreeMap::new());
            build(&first, &mut trie, &mut model);
            let old = trie.clone();
            build(&second, &mut trie, &mut model);

            let mut again = old.clone();
            again.apply(&trie.changes_since(&old));

            prop_assert_eq!(again.with_prefix(b""), trie.with_prefix(b""));
            prop_assert!(trie.changes_since(&trie.clone()).is_empty());
        }
    }

    #[test]
    fn counts_the_nodes_that_near_would_touch() {
        let mut trie = Trie::default();
        for key in [&[0x12, 0x34][..], &[0x12, 0x56], &[0x12, 0x57]] {
            trie.insert(key, Value::from([0]));
        }

        let touched = |key: &[u8]| trie.look_up(key).1;

        // extension 12, branch, then a leaf, or an extension-less branch and a leaf
        assert_eq!(touched(&[0x12, 0x34]), 3);
        assert_eq!(touched(&[0x12, 0x56]), 4);
        assert_eq!(touched(&[0x22]), 1);
        assert_eq!(touched(&[0x12, 0x99]), 2);
    }
}
