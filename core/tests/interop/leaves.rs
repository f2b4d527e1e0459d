//! A tree in memory, made with nothing but the definition of a leaf and a node, for proofs to be
//! made of.

use std::convert::Infallible;

use planledger_core::entry::Hash32;
use planledger_core::merkle::{Frontier, Subtrees, hash_leaf, node};

/// Every node of the perfect subtrees of a tree, level by level.
pub(crate) struct Leaves(Vec<Vec<Hash32>>);

impl Leaves {
    pub(crate) fn of(contents: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut level: Vec<_> = contents.into_iter().map(|leaf| hash_leaf(&leaf)).collect();
        let mut levels = Vec::new();
        while !level.is_empty() {
            let (pairs, _) = level.as_chunks::<2>();
            let above = pairs
                .iter()
                .map(|[left, right]| node(left, right))
                .collect();
            levels.push(std::mem::replace(&mut level, above));
        }
        Self(levels)
    }

    /// Leaves that all differ, and are as long as their number is large.
    pub(crate) fn count(size: u64) -> Self {
        Self::of((0..size).map(content))
    }

    pub(crate) fn leaf(&self, index: u64) -> &Hash32 {
        &self.0[0][index as usize]
    }

    /// The roots of the trees of 0, 1, 2, … leaves.
    pub(crate) fn roots(&self) -> Vec<Hash32> {
        let mut frontier = Frontier::default();
        let mut roots = vec![frontier.root()];
        for leaf in self.0.first().into_iter().flatten() {
            frontier.push(*leaf);
            roots.push(frontier.root());
        }
        roots
    }
}

pub(crate) fn content(index: u64) -> Vec<u8> {
    index.to_be_bytes()[(index.leading_zeros() / 8) as usize..].to_vec()
}

impl Subtrees for Leaves {
    type Error = Infallible;

    fn subtree(&self, level: u32, index: u64) -> Result<Hash32, Infallible> {
        Ok(self.0[level as usize][index as usize])
    }
}
