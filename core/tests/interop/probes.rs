//! The probes that the transparency-dev `merkle` repository publishes for checkers of inclusion and
//! consistency proofs: every one, those that have to be refused too. They are made here from the
//! facts in them, as `README.md` tells.

use planledger_core::entry::Hash32;
use planledger_core::merkle::{
    ProofError, check_consistency, check_inclusion, consistency, hash_leaf, inclusion,
};
use sha2::{Digest, Sha256};

use crate::interop::leaves::Leaves;

/// The roots of the trees of 0 to 8 of the published leaves.
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
/// The published inclusion proofs, by place and size, and consistency proofs, by sizes. Other nodes
/// of the same trees: leaves 0 and 1, then their neighbours.
const LEAF_0: &str = ROOTS[1];
const LEAF_1: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const LEAF_4: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const LEAF_6: &str = "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f";
const LEAVES_2_3: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const LEAVES_4_5: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
const LEAVES_6_7: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
const LEAVES_4_7: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
const INCLUSION: [(u64, u64, &[&str]); 5] = [
    (0, 1, &[]),
    (0, 8, &[LEAF_1, LEAVES_2_3, LEAVES_4_7]),
    (5, 8, &[LEAF_4, LEAVES_6_7, ROOTS[4]]),
    (2, 3, &[ROOTS[2]]),
    (1, 5, &[LEAF_0, LEAVES_2_3, LEAF_4]),
];
const CONSISTENCY: [(u64, u64, &[&str]); 5] = [
    (1, 1, &[]),
    (1, 8, &[LEAF_1, LEAVES_2_3, LEAVES_4_7]),
    (6, 8, &[LEAVES_4_5, LEAVES_6_7, ROOTS[4]]),
    (2, 5, &[LEAVES_2_3, LEAF_4]),
    (6, 7, &[LEAVES_4_5, LEAF_6, ROOTS[4]]),
];
/// A hash that is of nothing.
const SOME: &str = "abacaba000000000000000000000000000000000000000000060061e00123456";

/// A hash as a probe has it: some have other lengths.
type Bytes = Vec<u8>;

fn hex(text: &str) -> Bytes {
    let pairs = text.as_bytes().chunks(2);
    let digits = pairs.map(|pair| std::str::from_utf8(pair).unwrap());
    digits
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

fn root(size: u64) -> Bytes {
    hex(ROOTS[size as usize])
}

fn tree() -> Leaves {
    let contents: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    Leaves::of(contents.map(<[u8]>::to_vec))
}

/// What a probe gives to a checker.
#[derive(Clone, Debug)]
struct Probe {
    /// Index and size, or older and newer size.
    sizes: (u64, u64),
    /// Leaf and root, or older and newer root.
    hashes: (Bytes, Bytes),
    proof: Vec<Bytes>,
    /// What is wrong with it; `None` if it holds.
    wrong: Option<String>,
}

impl Probe {
    fn but(&self, wrong: impl Into<String>, change: impl FnOnce(&mut Self)) -> Self {
        let mut changed = self.clone();
        changed.wrong = Some(wrong.into());
        change(&mut changed);
        changed
    }

    /// The proof with something before or behind it.
    fn beside(&self, names: [&str; 2], hash: &Bytes) -> [Self; 2] {
        let [before, behind] = names;
        [
            self.but(before, |probe| probe.proof.insert(0, hash.clone())),
            self.but(behind, |probe| probe.proof.push(hash.clone())),
        ]
    }

    /// Sizes that are not those of the proof.
    fn elsewhere(&self) -> [Self; 5] {
        [
            self.but("first - 1", |p| p.sizes.0 = p.sizes.0.wrapping_sub(1)),
            self.but("first + 1", |p| p.sizes.0 += 1),
            self.but("first ^ 2", |p| p.sizes.0 ^= 2),
            self.but("second * 2", |p| p.sizes.1 *= 2),
            self.but("second / 2", |p| p.sizes.1 /= 2),
        ]
    }

    fn flipped(&self, bit: u8) -> Vec<Self> {
        let places = 0..self.proof.len();
        let flip = |at: usize| self.but(format!("flipped {at}"), |p| p.proof[at][0] ^= bit);
        places.map(flip).collect()
    }

    fn cut(&self) -> Option<Self> {
        let cut = || self.but("cut", |probe| drop(probe.proof.pop()));
        (!self.proof.is_empty()).then(cut)
    }

    /// Whether a checker takes it. A root or leaf of another length stands for one that is merely
    /// wrong; in a proof, or where there is none, it is no hash, which is found when it is read.
    fn holds(&self, check: fn(&Hash32s) -> Result<(), ProofError>) -> bool {
        let stand_in = |bytes: &Bytes| match bytes.len() {
            0 => None,
            32 => bytes.as_slice().try_into().ok(),
            _ => Some(Sha256::digest(bytes).into()),
        };
        let exact = |bytes: &Bytes| bytes.as_slice().try_into().ok();
        let proof: Option<Vec<Hash32>> = self.proof.iter().map(exact).collect();
        let hashes = stand_in(&self.hashes.0).zip(stand_in(&self.hashes.1));
        let given = hashes.zip(proof);
        given.is_some_and(|((first, second), proof)| {
            let (sizes, hashes) = (self.sizes, (first, second));
            check(&Hash32s {
                sizes,
                hashes,
                proof,
            })
            .is_ok()
        })
    }
}

struct Hash32s {
    sizes: (u64, u64),
    hashes: (Hash32, Hash32),
    proof: Vec<Hash32>,
}

fn inclusion_holds(given: &Hash32s) -> Result<(), ProofError> {
    let ((index, size), (leaf, root)) = (given.sizes, given.hashes);
    check_inclusion(index, size, &leaf, &given.proof, &root)
}

fn consistency_holds(given: &Hash32s) -> Result<(), ProofError> {
    let ((old, size), (before, root)) = (given.sizes, given.hashes);
    check_consistency(old, size, &given.proof, &before, &root)
}

fn inclusion_probes() -> Vec<Probe> {
    let tree = tree();
    let mut probes = Vec::new();
    for (index, size, proof) in INCLUSION {
        let sound = Probe {
            sizes: (index, size),
            hashes: (tree.leaf(index).to_vec(), root(size)),
            proof: proof.iter().map(|hash| hex(hash)).collect(),
            wrong: None,
        };
        let top = &sound.hashes.1;
        probes.extend(sound.elsewhere());
        probes.extend(sound.beside(["garbage before", "garbage behind"], &Bytes::new()));
        probes.extend(sound.beside(["root before", "root behind"], top));
        probes.extend(sound.flipped(8));
        probes.extend(sound.cut());
        probes.push(sound.but("leaf", |probe| probe.hashes.0 = b"WrongLeaf".to_vec()));
        probes.push(sound.but("empty tree's root", |probe| probe.hashes.1 = root(0)));
        probes.push(sound.but("random root", |probe| probe.hashes.1 = hex(SOME)));
        if proof.len() > 1 {
            probes.push(sound.but("inserted", |probe| probe.proof.insert(1, hex(SOME))));
        }
        probes.push(sound);
    }
    let none = |sizes, leaf: Bytes, root: Bytes, wrong: Option<&str>| Probe {
        sizes,
        hashes: (leaf, root),
        proof: Vec::new(),
        wrong: wrong.map(str::to_owned),
    };
    for sizes in [(0, 0), (0, 1), (1, 0), (2, 1)] {
        probes.push(none(sizes, hex(SOME), Bytes::new(), Some("random leaf")));
        probes.push(none(sizes, Bytes::new(), root(0), Some("empty root")));
        probes.push(none(
            sizes,
            hex(SOME),
            root(0),
            Some("random leaf, empty root"),
        ));
    }
    let data = hash_leaf(b"data").to_vec();
    let no = Bytes::new;
    probes.push(none((0, 1), data.clone(), data.clone(), None));
    probes.push(none((0, 1), no(), data.clone(), Some("no leaf")));
    probes.push(none((0, 1), data, no(), Some("no root")));
    probes.push(none((0, 1), no(), no(), Some("neither")));
    probes
}

fn consistency_probes() -> Vec<Probe> {
    let mut probes = Vec::new();
    for (old, size, proof) in CONSISTENCY {
        let sound = Probe {
            sizes: (old, size),
            hashes: (root(old), root(size)),
            proof: proof.iter().map(|hash| hex(hash)).collect(),
            wrong: None,
        };
        if !proof.is_empty() {
            let (before, top) = &sound.hashes;
            probes.extend(sound.elsewhere());
            probes.extend(sound.beside(["garbage before", "garbage behind"], &Bytes::new()));
            probes.extend(sound.beside(["older before", "older behind"], before));
            probes.extend(sound.beside(["newer before", "newer behind"], top));
            probes.extend(sound.flipped(16));
            probes.extend(sound.cut());
            let first = sound.proof[0].clone();
            probes.push(sound.but("first twice", |probe| probe.proof.insert(0, first)));
            let wrong = || b"WrongRoot".to_vec();
            probes.push(sound.but("older root", |probe| probe.hashes.0 = wrong()));
            probes.push(sound.but("newer root", |probe| probe.hashes.1 = wrong()));
            let swapped = (top.clone(), before.clone());
            probes.push(sound.but("swapped", |probe| probe.hashes = swapped));
            probes.push(sound.but("no proof", |probe| probe.proof.clear()));
        }
        probes.push(sound);
    }
    let (one, two) = (b"don't care 1".to_vec(), b"don't care 2".to_vec());
    let empty = root(0);
    let mut add = |sizes, first: &Bytes, second: &Bytes, proof: &[&Bytes], wrong: Option<&str>| {
        probes.push(Probe {
            sizes,
            hashes: (first.clone(), second.clone()),
            proof: proof.iter().map(|hash| (*hash).clone()).collect(),
            wrong: wrong.map(str::to_owned),
        });
    };
    add((0, 0), &one, &two, &[], Some("nothing, other roots"));
    add((1, 1), &one, &two, &[], Some("one, other roots"));
    add((0, 0), &one, &one, &[], Some("nothing, no root of nothing"));
    add(
        (0, 1),
        &one,
        &two,
        &[],
        Some("from nothing, no root of nothing"),
    );
    add((1, 1), &two, &two, &[], None);
    add((1, 0), &one, &two, &[], Some("back to nothing"));
    add((2, 1), &one, &two, &[], Some("back"));
    add((1, 2), &one, &two, &[], Some("no proof"));
    add((0, 0), &empty, &two, &[], Some("nothing, another root"));
    add((1, 1), &empty, &two, &[], Some("one, another root"));
    add((0, 0), &empty, &empty, &[&empty], Some("nothing, a proof"));
    add((1, 1), &empty, &empty, &[&empty], Some("one, a proof"));
    add((0, 1), &empty, &two, &[], Some("from nothing"));
    add(
        (0, 1),
        &empty,
        &empty,
        &[&empty],
        Some("from nothing, a proof"),
    );
    probes
}

#[test]
fn the_published_trees_and_proofs_are_made_here() {
    let tree = tree();
    let roots: Vec<_> = tree.roots().iter().map(|root| root.to_vec()).collect();
    assert_eq!(roots, ROOTS.map(hex));
    let hashes = |proof: &[&str]| proof.iter().flat_map(|hash| hex(hash)).collect::<Vec<_>>();
    for (index, size, proof) in INCLUSION {
        assert_eq!(
            inclusion(&tree, index, size).unwrap().concat(),
            hashes(proof)
        );
    }
    for (old, size, proof) in CONSISTENCY {
        assert_eq!(
            consistency(&tree, old, size).unwrap().concat(),
            hashes(proof)
        );
    }
}

#[test]
fn every_published_probe_is_taken_or_refused_as_it_says() {
    let inclusion = inclusion_probes();
    let consistency = consistency_probes();
    assert_eq!((inclusion.len(), consistency.len()), (98, 98));
    for probe in &inclusion {
        let sound = probe.wrong.is_none();
        assert_eq!(probe.holds(inclusion_holds), sound, "{probe:?}");
    }
    for probe in &consistency {
        let sound = probe.wrong.is_none();
        assert_eq!(probe.holds(consistency_holds), sound, "{probe:?}");
    }
}
