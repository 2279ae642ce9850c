//! Merkle trees as NEAR has them: a hash without a neighbour goes up a level as it is.

use borsh::BorshSerialize;
use near_primitives::hash::CryptoHash;
use near_primitives::merkle::{Direction, MerklePath, MerklePathItem, combine_hash};

/// A tree that is kept whole, so that a path costs a few look-ups.
#[derive(Clone, Debug, Default)]
pub struct MerkleTree {
    /// From the leaves up to the root; all of them hashes.
    levels: Vec<Vec<CryptoHash>>,
}

impl MerkleTree {
    /// A tree over hashes.
    pub fn new(leaves: Vec<CryptoHash>) -> Self {
        let mut levels = vec![leaves];
        while let Some(last) = levels.last().filter(|last| last.len() > 1) {
            let above = last.chunks(2).filter_map(|pair| match pair {
                [left, right] => Some(combine_hash(left, right)),
                alone => alone.first().copied(),
            });
            let above = above.collect();
            levels.push(above);
        }
        Self { levels }
    }

    /// A tree over values, each by the hash of its borsh.
    pub fn of<T: BorshSerialize>(values: impl IntoIterator<Item = T>) -> Self {
        Self::new(values.into_iter().map(CryptoHash::hash_borsh).collect())
    }

    /// The root; zeros if there are no leaves.
    pub fn root(&self) -> CryptoHash {
        let top = self.levels.last().and_then(|top| top.first());
        top.copied().unwrap_or_default()
    }

    /// How to get from a leaf to the root.
    pub fn path(&self, leaf: usize) -> MerklePath {
        let mut at = leaf;
        let mut path = MerklePath::new();
        for level in &self.levels {
            let direction = if at.is_multiple_of(2) {
                Direction::Right
            } else {
                Direction::Left
            };
            let neighbour = level.get(at ^ 1).copied();
            path.extend(neighbour.map(|hash| MerklePathItem { hash, direction }));
            at /= 2;
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use near_primitives::merkle::merklize;

    #[test]
    fn roots_and_paths_are_those_of_nearcore() {
        for count in 0_u8..20 {
            let values: Vec<u8> = (0..count).collect();

            let tree = MerkleTree::of(&values);

            let (root, paths) = merklize(&values);
            assert_eq!(tree.root(), root);
            for (at, path) in paths.iter().enumerate() {
                assert_eq!(tree.path(at), *path, "{at} of {count}");
            }
        }
    }
}
