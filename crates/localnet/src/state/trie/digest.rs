//! Hashes of trie nodes, exactly as a node computes them.
//!
//! A stored node is the borsh of nearcore's `RawTrieNodeWithSize`: a leaf, a branch with or without value, or an extension,
//! followed by the memory usage of everything at and below it, which is part of what is hashed. Nearcore names a node by the
//! hash of these bytes. Ours joins an extension with the branch it leads to, so one of ours may be two of those.

use super::{Node, Trie};
use near_primitives::hash::{CryptoHash, hash};
use std::sync::{Arc, OnceLock};

/// What a byte of a key costs in memory usage. Source of this and the next two: nearcore's `TRIE_COSTS`.
const BYTE_OF_KEY: u64 = 2;

/// What a byte of a value costs.
const BYTE_OF_VALUE: u64 = 1;

/// What a node costs, and what a value costs beside its bytes.
const NODE_COST: u64 = 50;

/// The kinds of stored nodes, by nearcore's numbers.
const LEAF: u8 = 0;
const BRANCH: u8 = 1;
const BRANCH_WITH_VALUE: u8 = 2;
const EXTENSION: u8 = 3;

/// What a parent has to know of a node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Digest {
    hash: CryptoHash,
    memory_usage: u64,
}

/// A digest that is computed when it is first asked for. A copy does not have it, since nodes are copied to be changed.
#[derive(Debug, Default)]
pub(super) struct Remembered(OnceLock<Digest>);

impl Clone for Remembered {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Remembered {
    fn get(&self) -> Option<Digest> {
        self.0.get().copied()
    }
}

/// A node as nearcore would store it.
pub(super) struct Stored {
    /// The extension that leads to it, when it is a branch with a path.
    pub(super) extension: Option<Arc<[u8]>>,
    /// The branch or the leaf.
    pub(super) node: Arc<[u8]>,
    digest: Digest,
}

impl Trie {
    /// What a node calls the state root; all zeros for an empty trie.
    pub fn root_hash(&self) -> CryptoHash {
        let root = self.root.as_ref();
        root.map_or(CryptoHash::default(), |root| root.digest().hash)
    }
}

impl Node {
    /// Computes what is not known yet, from below. Not recursive, for tries may be thousands of nodes deep.
    fn digest(&self) -> Digest {
        let mut stack = vec![self];
        while let Some(node) = stack.last().copied() {
            let known = stack.len();
            let children = node.children.iter().map(|(_, child)| child.as_ref());
            stack.extend(children.filter(|child| child.digest.get().is_none()));
            if stack.len() == known {
                node.digest.0.get_or_init(|| node.store().digest);
                stack.pop();
            }
        }
        self.digest.get().unwrap_or_default()
    }

    /// The node in nearcore's form.
    pub(super) fn stored(&self) -> Stored {
        self.digest();
        self.store()
    }

    /// The same, when all children have their digests.
    fn store(&self) -> Stored {
        if self.children.is_empty() {
            return self.store_leaf();
        }
        let (node, digest) = self.store_branch();
        if self.path.is_empty() {
            return Stored {
                extension: None,
                node,
                digest,
            };
        }
        let mut bytes = vec![EXTENSION];
        let path_cost = put_path(&mut bytes, &self.path, false);
        bytes.extend_from_slice(&digest.hash.0);
        let (extension, digest) = seal(bytes, &[NODE_COST, path_cost, digest.memory_usage]);
        Stored {
            extension: Some(extension),
            node,
            digest,
        }
    }

    fn store_branch(&self) -> (Arc<[u8]>, Digest) {
        let children = || {
            self.children
                .iter()
                .map(|(nibble, child)| (*nibble, child.digest.get().unwrap_or_default()))
        };
        let mut costs = vec![NODE_COST];
        let mut bytes = Vec::new();
        match &self.value {
            None => bytes.push(BRANCH),
            Some(value) => {
                bytes.push(BRANCH_WITH_VALUE);
                costs.push(put_value(&mut bytes, value));
            }
        }
        let bit = |nibble: u8| 1_u16.checked_shl(nibble.into()).unwrap_or_default();
        let mask = children().fold(0, |mask, (nibble, _)| mask | bit(nibble));
        bytes.extend_from_slice(&mask.to_le_bytes());
        for (_, child) in children() {
            bytes.extend_from_slice(&child.hash.0);
            costs.push(child.memory_usage);
        }
        seal(bytes, &costs)
    }

    fn store_leaf(&self) -> Stored {
        let mut bytes = vec![LEAF];
        let path_cost = put_path(&mut bytes, &self.path, true);
        let value_cost = put_value(&mut bytes, self.value.as_deref().unwrap_or_default());
        let (node, digest) = seal(bytes, &[NODE_COST, path_cost, value_cost]);
        Stored {
            extension: None,
            node,
            digest,
        }
    }
}

/// Adds the memory usage, and hashes it all.
fn seal(mut bytes: Vec<u8>, costs: &[u64]) -> (Arc<[u8]>, Digest) {
    let memory_usage = costs.iter().copied().fold(0, u64::saturating_add);
    bytes.extend_from_slice(&memory_usage.to_le_bytes());
    let digest = Digest {
        hash: hash(&bytes),
        memory_usage,
    };
    (bytes.into(), digest)
}

/// Adds a value by its length and hash, and gives its cost.
fn put_value(bytes: &mut Vec<u8>, value: &[u8]) -> u64 {
    let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&hash(value).0);
    u64::from(length)
        .saturating_mul(BYTE_OF_VALUE)
        .saturating_add(NODE_COST)
}

/// Adds nibbles two to a byte, after a byte that says whether they end in a leaf and has the odd one, and gives their cost.
fn put_path(bytes: &mut Vec<u8>, nibbles: &[u8], is_leaf: bool) -> u64 {
    let (odd, even) = nibbles.split_at(nibbles.len() % 2);
    let first = if is_leaf { 0x20 } else { 0 };
    let first = odd
        .iter()
        .fold(first, |first, nibble| first | 0x10 | nibble);
    let pairs = u32::try_from(even.len() / 2).unwrap_or(u32::MAX);
    let length = pairs.saturating_add(1);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.push(first);
    bytes.extend(super::bytes(even));
    u64::from(length).saturating_mul(BYTE_OF_KEY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Value;
    use near_primitives::state::ValueRef;

    fn stored(keys: &[(&[u8], &[u8])]) -> Stored {
        let mut trie = Trie::default();
        for (key, value) in keys {
            trie.insert(key, Value::from(*value));
        }
        trie.root.unwrap().stored()
    }

    /// A leaf as borsh has it: kind, path, value, memory usage.
    fn leaf(path: &[u8], value: &[u8], memory_usage: u64) -> Vec<u8> {
        borsh::to_vec(&(LEAF, path, ValueRef::new(value), memory_usage)).unwrap()
    }

    #[test]
    fn an_empty_trie_has_the_root_of_zeros() {
        assert_eq!(Trie::default().root_hash(), CryptoHash::default());
    }

    #[test]
    fn a_leaf_is_stored_as_nearcore_stores_it() {
        let even = stored(&[(&[0x12, 0x34], b"abc")]);

        // 50 for the node, 2 for each of 3 bytes of path, 3 for the value and 50 more for there being one
        assert_eq!(*even.node, leaf(&[0x20, 0x12, 0x34], b"abc", 109));
        assert_eq!(even.digest.hash, hash(&even.node));
    }

    #[test]
    fn a_branch_behind_an_extension_is_stored_as_two_nodes() {
        let both = stored(&[(&[0x12, 0x34], b"a"), (&[0x12, 0x56], b"b")]);

        let below = [(0x34, b"a"), (0x36, b"b")].map(|(odd, value)| {
            let leaf = leaf(&[odd], value, 103);
            hash(&leaf)
        });
        let mask = (1_u16 << 3) | (1 << 5);
        let branch = borsh::to_vec(&(BRANCH, mask, below[0], below[1], 256_u64)).unwrap();
        let path: &[u8] = &[0x00, 0x12];
        let extension = borsh::to_vec(&(EXTENSION, path, hash(&branch), 310_u64)).unwrap();
        assert_eq!(*both.node, branch);
        assert_eq!(both.extension.as_deref(), Some(extension.as_slice()));
        assert_eq!(both.digest.hash, hash(&extension));
    }

    #[test]
    fn a_key_that_starts_another_is_a_branch_with_a_value() {
        let both = stored(&[(&[], b"root"), (&[0x70], b"x")]);

        let below = hash(&leaf(&[0x30], b"x", 103));
        let value = ValueRef::new(b"root");
        let branch =
            borsh::to_vec(&(BRANCH_WITH_VALUE, value, 1_u16 << 7, below, 207_u64)).unwrap();
        assert_eq!(*both.node, branch);
        assert!(both.extension.is_none());
    }

    #[test]
    fn a_trie_thousands_of_nodes_deep_has_a_root() {
        let mut trie = Trie::default();
        for length in 0..2048 {
            trie.insert(&vec![7; length], Value::from([1]));
        }

        assert_ne!(trie.root_hash(), CryptoHash::default());
    }
}
