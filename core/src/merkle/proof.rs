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
    // The largest power of two that is smaller; also of sizes that have no next power of two.
    1 << (u64::BITS - 1 - (size - 1).leading_zeros())
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

/// Leaves `from..to`, which are a node of a tree or its right edge.
pub(crate) type Part = (u64, u64);

/// Which nodes an inclusion proof consists of: from the leaf's sibling up to the root's child.
pub(crate) fn inclusion_nodes(index: u64, size: u64) -> Vec<Part> {
    let mut nodes = Vec::new();
    let (mut from, mut to) = (0, size);
    while index < size && to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            nodes.push((middle, to));
            to = middle;
        } else {
            nodes.push((from, middle));
            from = middle;
        }
    }
    nodes.reverse();
    nodes
}

/// Which nodes show the root of the older tree and that of the newer one: first the node where the
/// older tree ends, then those from its sibling up to the root's child. None when `old` is 0 or not
/// below `size`.
pub(crate) fn growth_nodes(old: u64, size: u64) -> Vec<Part> {
    let mut nodes = Vec::new();
    if old == 0 || old >= size {
        return nodes;
    }
    let (mut from, mut to) = (0, size);
    // Down to the node where the older tree ends.
    while old != to {
        let middle = from + split(to - from);
        if old <= middle {
            nodes.push((middle, to));
            to = middle;
        } else {
            nodes.push((from, middle));
            from = middle;
        }
    }
    nodes.push((from, to));
    nodes.reverse();
    nodes
}

/// Which nodes a consistency proof consists of. A checker knows the node where the older tree ends
/// if that is the whole older tree, so then the proof does not have it.
pub(crate) fn consistency_nodes(old: u64, size: u64) -> Vec<Part> {
    let mut nodes = growth_nodes(old, size);
    if nodes.first().is_some_and(|(from, _)| *from == 0) {
        nodes.remove(0);
    }
    nodes
}

/// The part of a tree that is a node, or its right edge, from the parts of it that are known. `None`
/// if too little is known.
pub(crate) fn known_root(
    (from, to): Part,
    known: &mut dyn FnMut(Part) -> Option<Hash32>,
) -> Option<Hash32> {
    if let Some(hash) = known((from, to)) {
        return Some(hash);
    }
    if to - from < 2 {
        return None;
    }
    let middle = from + split(to - from);
    let left = known_root((from, middle), known)?;
    let right = known_root((middle, to), known)?;
    Some(node(&left, &right))
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
    let nodes = inclusion_nodes(index, size).into_iter();
    nodes
        .map(|(from, to)| range_root(source, from, to))
        .collect()
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
    let nodes = consistency_nodes(old, size).into_iter();
    nodes
        .map(|(from, to)| range_root(source, from, to))
        .collect()
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
    let expected = growth_len(old, size);
    length(expected - usize::from(whole))?;
    let first = match whole {
        true => Some((old_root, proof)),
        false => proof.split_first(),
    };
    let Some((first, rest)) = first else {
        return length(expected);
    };
    let (old_hash, hash) = grown(old, size, first, rest);
    same(&old_hash, old_root, old)?;
    same(&hash, root, size)
}

/// The root of the first `old` leaves of the tree of `size` leaves whose root is `root`, as these
/// nodes show it: the node where the older tree ends, and those from its sibling up to the root's
/// child. A consistency proof is these nodes without the first, if that is the whole older tree.
///
/// # Errors
/// [`ProofError`] if the nodes do not lead to `root`, or there is no such part of the tree.
pub fn root_of_beginning(
    old: u64,
    size: u64,
    nodes: &[Hash32],
    root: &Hash32,
) -> Result<Hash32, ProofError> {
    if old >= size {
        return Err(ProofError::Range { smaller: old, size });
    }
    if old == 0 {
        return Err(ProofError::Empty);
    }
    let length = ProofError::Length {
        found: nodes.len(),
        expected: growth_len(old, size),
    };
    let Some((first, rest)) = nodes.split_first() else {
        return Err(length);
    };
    if nodes.len() != growth_len(old, size) {
        return Err(length);
    }
    let (old_hash, hash) = grown(old, size, first, rest);
    match hash == *root {
        true => Ok(old_hash),
        false => Err(ProofError::Root { size }),
    }
}

/// The node where the older tree ends, as its number on its level, and the number of the newer
/// tree's last node there.
fn end_of(old: u64, size: u64) -> (u64, u64) {
    let (mut place, mut last) = (old - 1, size - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    (place, last)
}

/// The roots of both trees, from the node where the older one ends and the nodes from there up.
fn grown(old: u64, size: u64, first: &Hash32, rest: &[Hash32]) -> (Hash32, Hash32) {
    let (mut place, mut last) = end_of(old, size);
    let (mut old_hash, mut hash) = (*first, *first);
    for sibling in rest {
        if place & 1 == 1 || place == last {
            old_hash = node(sibling, &old_hash);
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
    (old_hash, hash)
}

/// How many nodes show that a tree grew: the node where the older tree ends, and the path from there.
fn growth_len(old: u64, size: u64) -> usize {
    let (place, last) = end_of(old, size);
    inclusion_len(place, last + 1) + 1
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
    fn the_root_of_a_beginning_is_shown_by_its_nodes_and_by_no_others() {
        let leaves = tree(40);
        let roots: Vec<_> = (0..=40).map(|size| root(&leaves, size).unwrap()).collect();
        for size in 1..=40u64 {
            let top = &roots[size as usize];
            for old in 1..size {
                let nodes = growth_nodes(old, size).into_iter();
                let nodes: Vec<_> = nodes
                    .map(|(from, to)| range_root(&leaves, from, to).unwrap())
                    .collect();
                let found = root_of_beginning(old, size, &nodes, top);
                assert_eq!(found, Ok(roots[old as usize]));
                for at in 0..nodes.len() {
                    let mut changed = nodes.clone();
                    changed[at][7] ^= 1;
                    assert!(root_of_beginning(old, size, &changed, top).is_err());
                    changed.remove(at);
                    assert!(root_of_beginning(old, size, &changed, top).is_err());
                }
                for other in (0..=size).filter(|other| *other != old) {
                    let moved = root_of_beginning(other, size, &nodes, top);
                    // The same nodes may end another beginning; then its root is the right one.
                    let right = moved.map(|root| root == roots[other as usize]);
                    assert_ne!(right, Ok(false), "{old} as {other} of {size}");
                }
                // What is known of a tree is enough to know the rest of it.
                let mut known = |part| match part {
                    (from, to) if to - from == 1 => Some(leaves.0[from as usize]),
                    _ => None,
                };
                assert_eq!(known_root((0, old), &mut known), Some(roots[old as usize]));
                assert_eq!(known_root((0, old), &mut |_| None), None);
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
