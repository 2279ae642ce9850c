//! A persistent map from bytes to bytes, shaped as NEAR's trie.
//!
//! Its shape is NEAR's so that the number of nodes a lookup touches, for which contracts pay gas, is the number a real node
//! counts, and its root hash is the one a real node would have for the same content. Copies share everything that is equal, so
//! a copy is one pointer.

mod digest;
mod proof;

use digest::Remembered;
use std::sync::Arc;

/// What a key holds.
pub type Value = Arc<[u8]>;

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
    digest: Remembered,
}

impl Node {
    fn leaf(path: Box<[u8]>, value: Value) -> Self {
        Self {
            path,
            value: Some(value),
            children: Vec::new(),
            digest: Remembered::default(),
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
            *self = Self {
                path,
                digest: Remembered::default(),
                ..child
            };
        }
    }
}

/// A node to be changed: from here on its hash is another.
fn change(node: &mut Arc<Node>) -> &mut Node {
    let node = Arc::make_mut(node);
    node.digest = Remembered::default();
    node
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
        let mut node = change(root);
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
        let mut node = change(self.root.as_mut()?);
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
}

/// Cuts a node's path, so that it becomes a branch with its old self as only child.
fn part(node: &mut Node, common: usize) {
    let path = std::mem::take(&mut node.path);
    let below = Node {
        path: after(&path, common.saturating_add(1)).into(),
        digest: Remembered::default(),
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
    node.children.get_mut(at).map(|(_, child)| change(child))
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
        fn has_one_hash_for_one_content(steps in steps()) {
            let (mut trie, mut model) = (Trie::default(), BTreeMap::new());
            // Hashing now and then shows that no hash is remembered for longer than it is true.
            for (at, step) in steps.chunks(7).enumerate() {
                build(step, &mut trie, &mut model);
                if at % 2 == 0 {
                    trie.root_hash();
                }
            }

            let mut again = Trie::default();
            for (key, value) in &model {
                again.insert(key, value.clone());
            }

            prop_assert_eq!(trie.root_hash(), again.root_hash());
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
