//! Roots and proofs against `ct-merkle`: what is made here is checked there, and the other way.

use std::collections::BTreeSet;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use planledger_core::entry::Hash32;
use planledger_core::merkle::{
    check_consistency, check_inclusion, consistency, inclusion, peaks, root,
};
use proptest::prelude::*;
use sha2::Sha256;

use crate::interop::leaves::{Leaves, content};

type Theirs = MemoryBackedTree<Sha256, Vec<u8>>;

fn as_root(root: &Hash32, size: u64) -> RootHash<Sha256> {
    RootHash::new((*root).into(), size)
}

fn as_hashes(bytes: &[u8]) -> Vec<Hash32> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    assert!(rest.is_empty());
    hashes.to_vec()
}

/// One tree of theirs and the proofs from all its beginnings, or some, against one of ours.
fn compare(theirs: &Theirs, ours: &Leaves, roots: &[Hash32], indexes: &BTreeSet<u64>) {
    let size = theirs.len();
    let top = &roots[size as usize];
    assert_eq!(theirs.root().as_bytes().as_slice(), top, "root of {size}");
    assert_eq!(root(ours, size), Ok(*top));
    assert_eq!(peaks(ours, size).unwrap().len(), size.count_ones() as usize);
    for &index in indexes.iter().filter(|index| **index < size) {
        let leaf = ours.leaf(index);
        let made = inclusion(ours, index, size).unwrap();
        let proof = theirs.prove_inclusion(index as usize);
        assert_eq!(made, as_hashes(proof.as_bytes()), "{index} of {size}");
        check_inclusion(index, size, leaf, &as_hashes(proof.as_bytes()), top).unwrap();
        let made = InclusionProof::try_from_bytes(made.concat()).unwrap();
        let checked = as_root(top, size).verify_inclusion(&content(index), index, &made);
        checked.unwrap();
        // A beginning that ends with that leaf.
        let old = index + 1;
        let before = &roots[old as usize];
        let made = consistency(ours, old, size).unwrap();
        let proof = theirs.prove_consistency((size - old) as usize);
        assert_eq!(made, as_hashes(proof.as_bytes()), "{old} to {size}");
        check_consistency(old, size, &as_hashes(proof.as_bytes()), before, top).unwrap();
        let made = ConsistencyProof::try_from_bytes(made.concat()).unwrap();
        let checked = as_root(top, size).verify_consistency(&as_root(before, old), &made);
        checked.unwrap();
    }
}

#[test]
fn roots_and_proofs_of_every_small_tree_are_those_of_ct_merkle() {
    const LARGEST: u64 = 320;
    let ours = Leaves::count(LARGEST);
    let roots = ours.roots();
    let all: BTreeSet<u64> = (0..LARGEST).collect();
    let mut theirs = Theirs::new();
    for size in 1..=LARGEST {
        theirs.push(content(size - 1));
        compare(&theirs, &ours, &roots, &all);
    }
}

#[test]
fn roots_and_proofs_of_large_trees_are_those_of_ct_merkle() {
    const LARGEST: u64 = 70_000;
    let ours = Leaves::count(LARGEST);
    let roots = ours.roots();
    let mut theirs = Theirs::new();
    let edges = [
        0, 1, 2, 3, 254, 255, 256, 257, 511, 512, 4_095, 4_096, 65_534, 65_535, 65_536,
    ];
    let sizes = BTreeSet::from([
        1_000, 4_095, 4_096, 4_097, 9_999, 32_767, 32_769, 65_535, 65_536, 65_537, LARGEST,
    ]);
    for size in 1..=LARGEST {
        theirs.push(content(size - 1));
        if sizes.contains(&size) {
            let mut indexes = BTreeSet::from(edges);
            indexes.extend((1..40).map(|step| size * step / 40));
            indexes.extend([size - 1, size.saturating_sub(2)]);
            compare(&theirs, &ours, &roots, &indexes);
        }
    }
}

/// Whether theirs takes a proof. It refuses an empty older tree, too, and trees of more than 2^63.
fn theirs_takes(
    (old, before): (u64, &Hash32),
    (size, top): (u64, &Hash32),
    proof: &[Hash32],
) -> bool {
    let proof = ConsistencyProof::try_from_bytes(proof.concat()).unwrap();
    let top = as_root(top, size);
    top.verify_consistency(&as_root(before, old), &proof)
        .is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The two say the same of proofs that are shortened, lengthened, changed, or given for sizes
    /// and places that they were not made for.
    #[test]
    fn a_changed_proof_is_judged_as_ct_merkle_judges_it(
        (size, index) in (1u64..600).prop_flat_map(|size| (Just(size), 0..size)),
        (other_size, other_index) in (0u64..700, 0u64..700),
        cut in any::<prop::sample::Index>(), flip in any::<bool>(), longer in any::<bool>(),
    ) {
        let ours = Leaves::count(size);
        let roots = ours.roots();
        let top = &roots[size as usize];
        let damage = |mut proof: Vec<Hash32>| {
            if flip && !proof.is_empty() {
                let at = cut.index(proof.len());
                proof[at][31] ^= 1;
            } else if longer {
                proof.insert(cut.index(proof.len() + 1), *top);
            } else {
                proof.truncate(cut.index(proof.len() + 1));
            }
            proof
        };
        let proof = inclusion(&ours, index, size).unwrap();
        for proof in [proof.clone(), damage(proof)] {
            for (index, size) in [(index, size), (other_index, size), (index, other_size)] {
                let leaf = ours.leaf(other_index.min(roots.len() as u64 - 2));
                for (leaf, content) in
                    [(ours.leaf(index.min(roots.len() as u64 - 2)), content(index)),
                     (leaf, content(other_index.min(roots.len() as u64 - 2)))]
                {
                    if *leaf != planledger_core::merkle::hash_leaf(&content) {
                        continue;
                    }
                    let here = check_inclusion(index, size, leaf, &proof, top).is_ok();
                    let theirs = InclusionProof::try_from_bytes(proof.concat()).unwrap();
                    let there = as_root(top, size).verify_inclusion(&content, index, &theirs);
                    prop_assert_eq!(here, there.is_ok());
                }
            }
        }
        let old = index + 1;
        let before = &roots[old as usize];
        let proof = consistency(&ours, old, size).unwrap();
        for proof in [proof.clone(), damage(proof)] {
            for (old, size) in [(old, size), (other_index, size), (old, other_size)] {
                let here = check_consistency(old, size, &proof, before, top).is_ok();
                let there = theirs_takes((old, before), (size, top), &proof);
                prop_assert_eq!(here, there, "{} to {}", old, size);
            }
        }
    }
}
