//! What the files say of the tree of one checkpoint: enough to prove single entries of it, and the
//! root of some of its beginnings.

use std::collections::HashMap;

use crate::audit::bundle::{Bytes, Header, Scope};
use crate::hash::Hash32;
use crate::merkle::{
    Frontier, Part, consistency_nodes, growth_nodes, inclusion_nodes, known_root, root_of_beginning,
};
use crate::tlog::Checkpoint;

use super::check::hashes;

/// How many leaves are hashed together once, so that not every proof hashes all of them.
const BLOCK: u64 = 4_096;

/// The tree of a checkpoint, as far as it is known.
#[derive(Default)]
pub(super) struct Tree {
    size: u64,
    root: Hash32,
    /// Roots of parts of the tree.
    known: HashMap<Part, Hash32>,
    /// The index of the first leaf.
    from: u64,
    /// The leaves of a range, without a gap.
    leaves: Vec<Hash32>,
}

impl Tree {
    pub(super) fn of(checkpoint: &Checkpoint) -> Self {
        Self {
            size: checkpoint.size,
            root: checkpoint.root,
            ..Self::default()
        }
    }

    /// The tree of a bundle's checkpoint, with what the header says. For a range these are the parts
    /// before and behind it. Nothing of that is proved before [`Tree::check_range`]. `None` if the
    /// header does not have the hashes that its scope needs.
    pub(super) fn of_bundle(checkpoint: &Checkpoint, header: &Header) -> Option<Self> {
        let mut tree = Self::of(checkpoint);
        if let Scope::Range { from, to } = header.scope {
            let (before, end) = (from.get().checked_sub(1)?, to.get());
            if before >= end || end > tree.size {
                return None;
            }
            tree.from = before;
            tree.add(peak_parts(before), &header.peaks, |_| true)?;
            let behind = consistency_nodes(end, tree.size);
            // The others are made of the leaves.
            tree.add(behind, &header.growth, |part| part.0 >= end)?;
        }
        Some(tree)
    }

    fn add(
        &mut self,
        parts: Vec<Part>,
        given: &[Bytes],
        is_new: impl Fn(&Part) -> bool,
    ) -> Option<()> {
        let given = hashes(given)?;
        if parts.len() != given.len() {
            return None;
        }
        let pairs = parts.into_iter().zip(given);
        self.known.extend(pairs.filter(|(part, _)| is_new(part)));
        Some(())
    }

    /// Takes the next leaf of a range, and says which index it has.
    pub(super) fn push(&mut self, leaf: Hash32) -> u64 {
        let index = self.next();
        self.leaves.push(leaf);
        index
    }

    /// How many leaves are before the next leaf of the range.
    pub(super) fn next(&self) -> u64 {
        self.from.saturating_add(self.leaves.len() as u64)
    }

    /// Whether the leaves of a range and what is before and behind them are the tree.
    pub(super) fn check_range(&mut self) -> bool {
        let before = self.from.wrapping_neg() % BLOCK;
        let whole = self.leaves.get(before as usize..).unwrap_or_default();
        let mut start = self.from.saturating_add(before);
        for leaves in whole.chunks_exact(BLOCK as usize) {
            let mut block = Frontier::default();
            leaves.iter().for_each(|leaf| block.push(*leaf));
            let end = start.saturating_add(BLOCK);
            self.known.insert((start, end), block.root());
            start = end;
        }
        self.part((0, self.size)) == Some(self.root)
    }

    /// Notes a part of the tree that was proved.
    pub(super) fn know(&mut self, part: Part, hash: Hash32) {
        self.known.insert(part, hash);
    }

    /// Takes the consistency proof from a beginning of the tree. Nothing is known from one that does
    /// not have the root of the beginning in it (which is then a power of two).
    pub(super) fn take_since(&mut self, size: u64, proof: &[Bytes]) {
        let Some(nodes) = hashes(proof) else { return };
        if root_of_beginning(size, self.size, &nodes, &self.root).is_ok() {
            self.known
                .extend(growth_nodes(size, self.size).into_iter().zip(nodes));
        }
    }

    fn part(&self, part: Part) -> Option<Hash32> {
        let mut known = |part: Part| {
            let leaf = || {
                let index = part.0.checked_sub(self.from)?;
                let leaf = self.leaves.get(usize::try_from(index).ok()?);
                leaf.filter(|_| part.1 - part.0 == 1)
            };
            self.known.get(&part).or_else(leaf).copied()
        };
        known_root(part, &mut known)
    }

    fn parts(&self, parts: Vec<Part>) -> Option<Vec<Hash32>> {
        parts.into_iter().map(|part| self.part(part)).collect()
    }

    /// The inclusion proof of a leaf, if enough is known.
    pub(super) fn path(&self, index: u64) -> Option<Vec<Hash32>> {
        match index < self.size {
            true => self.parts(inclusion_nodes(index, self.size)),
            false => None,
        }
    }

    /// The nodes that show the root of a beginning, and that root, if enough is known.
    pub(super) fn beginning(&self, size: u64) -> Option<(Vec<Hash32>, Hash32)> {
        let nodes = self.parts(growth_nodes(size, self.size))?;
        let root = root_of_beginning(size, self.size, &nodes, &self.root).ok()?;
        Some((nodes, root))
    }
}

/// The parts whose roots are the peaks of a tree.
fn peak_parts(size: u64) -> Vec<Part> {
    let mut from = 0;
    let levels = (0..u64::BITS).rev().filter(|level| size >> level & 1 == 1);
    levels
        .map(|level| {
            let part = (from, from + (1 << level));
            from = part.1;
            part
        })
        .collect()
}
