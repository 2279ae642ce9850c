//! Merkle proofs: the stored nodes that show what a trie holds under a prefix.

use super::{Node, Trie, after, nibbles};
use std::sync::Arc;

impl Trie {
    /// The stored nodes that whoever knows only the root needs to see, to know that the keys under a prefix are these and no
    /// others.
    ///
    /// They are those, and in that order, that nearcore's iterator visits: from the root to where the prefix ends, then all
    /// below. Where nothing starts with the prefix they end with the node that shows it.
    pub fn prove_prefix(&self, prefix: &[u8]) -> Vec<Arc<[u8]>> {
        let prefix = nibbles(prefix);
        let mut rest = prefix.as_slice();
        let mut proof = Vec::new();
        let mut next = self.root.as_ref();
        while let Some(node) = next {
            if node.path.starts_with(rest) {
                prove_all(node, &mut proof);
                break;
            }
            let stored = node.stored();
            let (goes_on, is_alone) = (rest.starts_with(&node.path), stored.extension.is_none());
            proof.extend(stored.extension);
            if goes_on || is_alone {
                proof.push(stored.node);
            }
            next = rest
                .get(node.path.len())
                .filter(|_| goes_on)
                .and_then(|nibble| node.child(*nibble));
            rest = after(rest, node.path.len().saturating_add(1));
        }
        proof
    }
}

fn prove_all(node: &Node, proof: &mut Vec<Arc<[u8]>>) {
    let mut stack = vec![node];
    while let Some(node) = stack.pop() {
        let stored = node.stored();
        proof.extend(stored.extension);
        proof.push(stored.node);
        stack.extend(node.children.iter().rev().map(|(_, child)| child.as_ref()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Value;
    use near_primitives::hash::hash;

    fn trie() -> Trie {
        let mut trie = Trie::default();
        for key in ["near", "neat", "net", "no"] {
            trie.insert(key.as_bytes(), Value::from(key.as_bytes()));
        }
        trie
    }

    #[test]
    fn a_proof_of_everything_is_every_node_once_from_the_root_on() {
        let trie = trie();

        let mut proof = trie.prove_prefix(b"");

        assert_eq!(hash(&proof[0]), trie.root_hash());
        // two for "n" and what "e" and "o" share, "o", one where "a" and "t" part, "t", two for "a", "r", "t"
        assert_eq!(proof.len(), 9);
        proof.sort();
        proof.dedup();
        assert_eq!(proof.len(), 9);
    }

    #[test]
    fn a_proof_of_a_prefix_is_the_way_there_and_all_below() {
        let trie = trie();
        let whole = trie.prove_prefix(b"");

        let proof = trie.prove_prefix(b"nea");

        assert_eq!(proof.first(), whole.first());
        assert!(proof.iter().all(|node| whole.contains(node)));
        assert_eq!(proof.len(), 7);
    }

    #[test]
    fn nodes_are_byte_for_byte_those_of_a_real_node() {
        let mut trie = Trie::default();
        for (key, value) in [
            ("\x09alice.near,test123", "123"),
            ("\x09alice.near,test321", "321"),
            ("\x09alina,qqq", "321"),
            ("\x09alex,qqq", "321"),
            ("\0anything", ""),
        ] {
            trie.insert(key.as_bytes(), Value::from(value.as_bytes()));
        }

        let proof = trie.prove_prefix(b"\x09alice.near,test");

        // Nearcore's test of `view_state` has this state and lists the eight nodes below the one that parts the columns.
        let nodes = proof[2..].concat();
        assert_eq!(
            hash(&nodes).to_string(),
            "34EoS13mSZufYQKzMhuN6LvXhJRsoaHBFS1pbku4bEQX"
        );
        assert_eq!(proof.len(), 10);
    }

    #[test]
    fn what_is_not_there_is_shown_by_the_node_where_the_way_ends() {
        let trie = trie();
        let whole = trie.prove_prefix(b"");

        let by_extension = trie.prove_prefix(b"xylophone");
        let by_leaf = trie.prove_prefix(b"nobody");

        assert_eq!(by_extension, whole[..1]);
        assert_eq!(by_leaf, [&whole[..2], &whole[8..]].concat());
    }
}
