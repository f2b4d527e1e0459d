//! Inclusion and consistency proofs (RFC 6962, section 2.1): made from hashes of perfect subtrees,
//! checked from nothing but the roots.

use super::{Frontier, node};
use crate::hash::Hash32;

/// Gives hashes of perfect subtrees: `subtree(level, index)` covers leaves
/// `index · 2^level .. (index + 1) · 2^level`.
pub trait Subtrees {
    /// Why a hash cannot be given.
    type Error;

    /// The hash of a perfect subtree that is whole.
    ///
    /// # Errors
    /// When it cannot be read.
    fn subtree(&self, level: u32, index: u64) -> Result<Hash32, Self::Error>;
}

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The leaf's index is not below the tree's size, or the older tree is larger than the newer.
    #[error("{smaller} is outside a tree of {size} leaves")]
    Range {
        /// The index or older size.
        smaller: u64,
        /// The tree's size.
        size: u64,
    },
    /// The older tree is empty. It is the beginning of every tree, so there is nothing to prove: ask
    /// for a proof from a tree of one leaf or more.
    #[error("the older tree is empty; ask for a proof from a tree of at least one leaf")]
    Empty,
    /// The proof has another number of hashes than such a proof has.
    #[error("the proof has {found} hashes, not {expected}")]
    Length {
        /// Hashes there are.
        found: usize,
        /// Hashes there must be.
        expected: usize,
    },
    /// The hashes do not lead to the root.
    #[error("the proof does not lead to the root of the tree of {size} leaves")]
    Root {
        /// The size of the tree whose root is missed.
        size: u64,
    },
}

/// Leaves in the left subtree of a tree with `size` ≥ 2 leaves.
fn split(size: u64) -> u64 {
    size.next_power_of_two() / 2
}

/// The root over leaves `from..to`, which has to be a node of a tree or its right edge.
fn range_root<S: Subtrees + ?Sized>(source: &S, from: u64, to: u64) -> Result<Hash32, S::Error> {
    let size = to - from;
    if size.is_power_of_two() {
        let level = size.trailing_zeros();
        return source.subtree(level, from >> level);
    }
    let middle = from + split(size);
    Ok(node(
        &range_root(source, from, middle)?,
        &range_root(source, middle, to)?,
    ))
}

/// The root of the first `size` leaves.
///
/// # Errors
/// When a hash cannot be read.
pub fn root<S: Subtrees + ?Sized>(source: &S, size: u64) -> Result<Hash32, S::Error> {
    match size {
        0 => Ok(Frontier::default().root()),
        _ => range_root(source, 0, size),
    }
}

/// The peaks of the tree of the first `size` leaves: what is needed to go on from there.
///
/// # Errors
/// When a hash cannot be read.
pub fn peaks<S: Subtrees + ?Sized>(source: &S, size: u64) -> Result<Vec<Hash32>, S::Error> {
    let mut peaks = Vec::new();
    let mut from = 0;
    for level in (0..u64::BITS).rev().filter(|level| size >> level & 1 == 1) {
        peaks.push(source.subtree(level, from >> level)?);
        from += 1 << level;
    }
    Ok(peaks)
}

/// Proves that leaf `index` is in the tree of `size` leaves: from the leaf's sibling up to the
/// root's child. Empty when the index is not below the size.
///
/// # Errors
/// When a hash cannot be read.
pub fn inclusion<S: Subtrees + ?Sized>(
    source: &S,
    index: u64,
    size: u64,
) -> Result<Vec<Hash32>, S::Error> {
    let mut path = Vec::new();
    let (mut from, mut to) = (0, size);
    while index < size && to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            path.push(range_root(source, middle, to)?);
            to = middle;
        } else {
            path.push(range_root(source, from, middle)?);
            from = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// Proves that the tree of `old` leaves is a beginning of the tree of `size` leaves. Empty when
/// `old` is 0 or not below `size`.
///
/// # Errors
/// When a hash cannot be read.
pub fn consistency<S: Subtrees + ?Sized>(
    source: &S,
    old: u64,
    size: u64,
) -> Result<Vec<Hash32>, S::Error> {
    let mut proof = Vec::new();
    if old == 0 || old >= size {
        return Ok(proof);
    }
    let (mut from, mut to) = (0, size);
    // Down to the node where the older tree ends.
    while old != to {
        let middle = from + split(to - from);
        if old <= middle {
            proof.push(range_root(source, middle, to)?);
            to = middle;
        } else {
            proof.push(range_root(source, from, middle)?);
            from = middle;
        }
    }
    // A checker knows that node only if it is the whole older tree.
    if from > 0 {
        proof.push(range_root(source, from, to)?);
    }
    proof.reverse();
    Ok(proof)
}

/// How many hashes an inclusion proof has.
fn inclusion_len(index: u64, size: u64) -> usize {
    let inner = u64::BITS - (index ^ (size - 1)).leading_zeros();
    let border = index.checked_shr(inner).unwrap_or(0).count_ones();
    (inner + border) as usize
}

/// Checks an inclusion proof (RFC 9162, section 2.1.3.2, whose trees are those of RFC 6962).
///
/// # Errors
/// [`ProofError`] saying what does not hold.
pub fn check_inclusion(
    index: u64,
    size: u64,
    leaf: &Hash32,
    proof: &[Hash32],
    root: &Hash32,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Range {
            smaller: index,
            size,
        });
    }
    let expected = inclusion_len(index, size);
    if proof.len() != expected {
        return Err(ProofError::Length {
            found: proof.len(),
            expected,
        });
    }
    let (mut place, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if place & 1 == 1 || place == last {
            hash = node(sibling, &hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    match hash == *root {
        true => Ok(()),
        false => Err(ProofError::Root { size }),
    }
}

/// Checks a consistency proof (RFC 9162, section 2.1.4.2). From an empty tree there is none
/// (RFC 6962, section 2.1.2): whatever was said about it would be said about every tree.
///
/// # Errors
/// [`ProofError`] saying what does not hold.
pub fn check_consistency(
    old: u64,
    size: u64,
    proof: &[Hash32],
    old_root: &Hash32,
    root: &Hash32,
) -> Result<(), ProofError> {
    if old > size {
        return Err(ProofError::Range { smaller: old, size });
    }
    let length = |expected| match proof.len() == expected {
        true => Ok(()),
        false => Err(ProofError::Length {
            found: proof.len(),
            expected,
        }),
    };
    let same = |found: &Hash32, expected: &Hash32, size| match found == expected {
        true => Ok(()),
        false => Err(ProofError::Root { size }),
    };
    if old == 0 {
        return Err(ProofError::Empty);
    }
    if old == size {
        length(0)?;
        return same(old_root, root, size);
    }
    // A perfect older tree is its own first node, which the proof leaves out.
    let whole = old.is_power_of_two();
    let known = whole.then_some(old_root).into_iter();
    let mut nodes = known.chain(proof).copied();
    let (mut place, mut last) = (old - 1, size - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let expected = consistency_len(place, last, whole);
    length(expected)?;
    let Some(first) = nodes.next() else {
        return length(expected.max(1));
    };
    let (mut old_hash, mut hash) = (first, first);
    for sibling in nodes {
        if place & 1 == 1 || place == last {
            old_hash = node(&sibling, &old_hash);
            hash = node(&sibling, &hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, &sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    same(&old_hash, old_root, old)?;
    same(&hash, root, size)
}

/// How many hashes a consistency proof has: the node where the older tree ends unless that is the
/// whole of it, and the path from there.
fn consistency_len(place: u64, last: u64, whole: bool) -> usize {
    inclusion_len(place, last + 1) + usize::from(!whole)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::merkle::hash_leaf;

    struct Leaves(Vec<Hash32>);

    impl Subtrees for Leaves {
        type Error = Infallible;

        fn subtree(&self, level: u32, index: u64) -> Result<Hash32, Infallible> {
            let from = (index << level) as usize;
            let mut frontier = Frontier::default();
            for leaf in &self.0[from..from + (1 << level)] {
                frontier.push(*leaf);
            }
            Ok(frontier.root())
        }
    }

    fn tree(size: u64) -> Leaves {
        Leaves((0..size).map(|n| hash_leaf(&n.to_be_bytes())).collect())
    }

    #[test]
    fn every_proof_of_small_trees_holds_and_for_nothing_else() {
        let leaves = tree(40);
        let roots: Vec<_> = (0..=40).map(|size| root(&leaves, size).unwrap()).collect();
        for size in 1..=40u64 {
            let top = &roots[size as usize];
            for index in 0..size {
                let proof = inclusion(&leaves, index, size).unwrap();
                let leaf = &leaves.0[index as usize];
                assert_eq!(check_inclusion(index, size, leaf, &proof, top), Ok(()));
                for other in (0..size).filter(|other| *other != index) {
                    let moved = check_inclusion(other, size, leaf, &proof, top);
                    assert!(moved.is_err(), "{index} as {other} of {size}");
                }
                for at in 0..proof.len() {
                    let mut changed = proof.clone();
                    changed[at][7] ^= 1;
                    assert!(check_inclusion(index, size, leaf, &changed, top).is_err());
                    changed.remove(at);
                    assert!(check_inclusion(index, size, leaf, &changed, top).is_err());
                }
            }
            let of_nothing = check_consistency(0, size, &[], &roots[0], top);
            assert_eq!(of_nothing, Err(ProofError::Empty));
            for old in 1..=size {
                let proof = consistency(&leaves, old, size).unwrap();
                let before = &roots[old as usize];
                assert_eq!(check_consistency(old, size, &proof, before, top), Ok(()));
                for other in (0..=size).filter(|other| *other != old) {
                    let moved = check_consistency(other, size, &proof, before, top);
                    assert!(moved.is_err(), "{old} as {other} of {size}");
                }
                for at in 0..proof.len() {
                    let mut changed = proof.clone();
                    changed[at][7] ^= 1;
                    assert!(check_consistency(old, size, &changed, before, top).is_err());
                    changed.remove(at);
                    assert!(check_consistency(old, size, &changed, before, top).is_err());
                }
            }
        }
    }

    #[test]
    fn peaks_go_on_where_the_tree_stood() {
        let leaves = tree(33);
        for size in 0..33u64 {
            let mut frontier = Frontier::from_parts(size, peaks(&leaves, size).unwrap()).unwrap();
            frontier.push(leaves.0[size as usize]);
            assert_eq!(frontier.root(), root(&leaves, size + 1).unwrap());
        }
    }
}
