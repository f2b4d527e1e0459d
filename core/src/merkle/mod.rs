//! The RFC 6962 tree over all entries' leaves: appending, proofs, tiles.

mod proof;
mod tile;

pub(crate) use self::proof::{Part, consistency_nodes, growth_nodes, inclusion_nodes, known_root};
pub use self::proof::{
    ProofError, Subtrees, check_consistency, check_inclusion, consistency, inclusion, peaks, root,
    root_of_beginning,
};
pub use self::tile::{FromTiles, TILE_WIDTH, Tile, TileSource, partial_tiles, subtree_root};

use sha2::{Digest, Sha256};

use crate::hash::Hash32;

/// Hash of a leaf.
pub fn hash_leaf(data: &[u8]) -> Hash32 {
    Sha256::new()
        .chain_update([0])
        .chain_update(data)
        .finalize()
        .into()
}

/// Hash of an inner node.
pub fn node(left: &Hash32, right: &Hash32) -> Hash32 {
    Sha256::new()
        .chain_update([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// What is needed to append leaves and to know the root: the roots of the perfect subtrees that
/// the tree is made of, largest first. At most 64 hashes however large the tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash32>,
}

impl Frontier {
    /// The frontier of a tree with `size` leaves; `None` if the number of peaks does not fit it.
    pub fn from_parts(size: u64, peaks: Vec<Hash32>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Roots of the perfect subtrees, largest first.
    pub fn peaks(&self) -> &[Hash32] {
        &self.peaks
    }

    /// Adds a leaf hash.
    pub fn push(&mut self, leaf: Hash32) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root; SHA-256 of nothing for an empty tree.
    pub fn root(&self) -> Hash32 {
        let mut peaks = self.peaks.iter().rev().copied();
        match peaks.next() {
            Some(last) => peaks.fold(last, |right, left| node(&left, &right)),
            None => Sha256::digest([]).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Hash32 {
        let mut out = [0; 32];
        for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        }
        out
    }

    /// The definition in RFC 6962, section 2.1, as it is written there.
    fn root_by_definition(leaves: &[Hash32]) -> Hash32 {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => *leaf,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                node(
                    &root_by_definition(&leaves[..split]),
                    &root_by_definition(&leaves[split..]),
                )
            }
        }
    }

    #[test]
    fn roots_are_those_of_the_definition() {
        let mut frontier = Frontier::default();
        let mut leaves = Vec::new();
        for n in 0u8..100 {
            assert_eq!(frontier.root(), root_by_definition(&leaves));
            assert_eq!(frontier.peaks().len(), (n as u32).count_ones() as usize);
            let leaf = Sha256::digest([0, n]).into();
            leaves.push(leaf);
            frontier.push(leaf);
        }
    }

    /// Leaves and roots as the Certificate Transparency reference implementations publish them
    /// (transparency-dev/merkle, testonly/reference test vectors).
    #[test]
    fn roots_are_those_of_the_published_vectors() {
        let leaves: [&[u8]; 3] = [b"", &[0x00], &[0x10]];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        ];
        let mut frontier = Frontier::default();
        for (leaf, root) in leaves.iter().zip(roots) {
            frontier.push(
                Sha256::new()
                    .chain_update([0])
                    .chain_update(leaf)
                    .finalize()
                    .into(),
            );
            assert_eq!(frontier.root(), hex(root));
        }
    }
}
