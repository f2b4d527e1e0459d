//! No sizes and hashes bring the checkers of proofs down, and the crate `ct-merkle` is of one mind
//! about them. An input is: what to prove, two sizes, a number of bits to flip, and hashes.

use std::convert::Infallible;

use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use planledger_core::merkle::{
    Frontier, Subtrees, check_consistency, check_inclusion, consistency, hash_leaf, inclusion, root,
};
use sha2::Sha256;

const LEAF: &[u8] = b"leaf";

/// A tree of leaves that are all the same.
struct Same;

impl Subtrees for Same {
    type Error = Infallible;

    fn subtree(&self, level: u32, _: u64) -> Result<[u8; 32], Infallible> {
        let leaf = hash_leaf(LEAF);
        Ok((0..level).fold(leaf, |hash, _| planledger_core::merkle::node(&hash, &hash)))
    }
}

pub(crate) fn check(bytes: &[u8]) {
    let Some((head, rest)) = bytes.split_first_chunk::<18>() else {
        return;
    };
    let number = |from: usize| {
        let bytes = head[from..from + 8].try_into().expect("eight bytes");
        // Small ones are as likely as large ones.
        u64::from_le_bytes(bytes) >> (head[17] % 64)
    };
    let (first, second, kind) = (number(0), number(8), head[16]);
    let (hashes, rest) = rest.as_chunks::<32>();
    let size = second % (1 << 40) + 1;
    let index = first % size;
    let (first, second, mut proof) = match kind % 3 {
        // Sound, and then changed.
        0 => (index, size, inclusion(&Same, index, size).expect("a proof")),
        1 => (
            index + 1,
            size,
            consistency(&Same, index + 1, size).expect("a proof"),
        ),
        _ => (first, second, hashes.to_vec()),
    };
    for (place, change) in rest
        .chunks(2)
        .filter_map(|pair| Some((pair.first()?, pair.get(1)?)))
    {
        let at = usize::from(*place) % (proof.len() + 1);
        let within = at.min(proof.len().saturating_sub(1));
        match change % 4 {
            0 if !proof.is_empty() => drop(proof.remove(within)),
            1 => proof.insert(at, hash_leaf(LEAF)),
            2 if !proof.is_empty() => proof.swap(0, within),
            _ => proof
                .iter_mut()
                .skip(at)
                .take(1)
                .for_each(|hash| hash[0] ^= change),
        }
        if proof.is_empty() {
            break;
        }
    }
    let leaf = hash_leaf(LEAF);
    let root_of = |size: u64| match size {
        0 => Frontier::default().root(),
        _ if size > 1 << 62 => [9; 32],
        _ => root(&Same, size).expect("a root"),
    };
    let (before, top) = (root_of(first), root_of(second));
    let included = check_inclusion(first, second, &leaf, &proof, &top).is_ok();
    let consistent = check_consistency(first, second, &proof, &before, &top).is_ok();
    // Larger trees are more than it can count.
    if second <= 1 << 62 {
        let there = RootHash::<Sha256>::new(top.into(), second);
        let given = InclusionProof::try_from_bytes(proof.concat()).expect("whole hashes");
        let theirs = there.verify_inclusion(&LEAF, first, &given);
        assert_eq!(included, theirs.is_ok());
        let old = RootHash::<Sha256>::new(before.into(), first);
        let given = ConsistencyProof::try_from_bytes(proof.concat()).expect("whole hashes");
        let theirs = there.verify_consistency(&old, &given);
        assert_eq!(consistent, theirs.is_ok());
    }
    let _ = Frontier::from_parts(first, proof);
}
