//! Bytes flipped at random over a whole directory: each flip is found, or provably without effect.
//!
//! The seed says which bytes, and how many for each kind of file can be told too, with
//! `PLANLEDGER_MUTATION_SEED` and `PLANLEDGER_MUTATION_FLIPS`. Both are printed. Keys and nonces
//! are other ones in each run.

use std::fs;
use std::path::Path;

use planledger_core::derived::testing;
use planledger_core::ids::LedgerId;
use planledger_core::verify::{Depth, verify_dir};

use crate::audit::directory::Directory;
use planledger_fixtures::place::{TempLedger, copy};

/// Flips in the files of each kind.
const FLIPS: u64 = 60;

/// A kind of file, and what the directory is checked by when one of them is changed.
struct Kind {
    name: &'static str,
    of: fn(&str) -> bool,
    /// Derived state is left out where it has nothing to do with the file: checking is quicker, and
    /// what is found is found without it.
    with_derived: bool,
}

/// Every byte of every kind but one belongs to something that is checked whole: there is no padding
/// and no free space that is not hashed. sled has both, and old versions of documents.
const KINDS: [Kind; 6] = [
    Kind {
        name: "segments",
        of: |file| file.starts_with("journal/") && file.ends_with(".log"),
        with_derived: false,
    },
    Kind {
        name: "indexes",
        of: |file| file.starts_with("journal/") && file.ends_with(".idx"),
        with_derived: false,
    },
    Kind {
        name: "keys",
        of: |file| file == "keys/keys.log",
        with_derived: false,
    },
    Kind {
        name: "checkpoints",
        of: |file| file == "checkpoints/checkpoints.txt" || file == "tlog/checkpoint",
        with_derived: false,
    },
    Kind {
        name: "tiles",
        of: |file| {
            file.starts_with("tlog/tile/") || file.starts_with("tlog/heads/") || file == "tlog/size"
        },
        with_derived: false,
    },
    Kind {
        name: "derived",
        of: |file| file.starts_with("derived/"),
        with_derived: true,
    },
];

#[test]
fn every_flipped_byte_is_found_or_without_effect() {
    let setting = |name: &str| std::env::var(name).ok().map(|text| text.parse().unwrap());
    let seed = setting("PLANLEDGER_MUTATION_SEED").unwrap_or(20_261_124);
    let flips = setting("PLANLEDGER_MUTATION_FLIPS").unwrap_or(FLIPS);
    println!("PLANLEDGER_MUTATION_SEED={seed} PLANLEDGER_MUTATION_FLIPS={flips}");
    let mut random = Random(seed | 1);
    let directory = Directory::new();
    let names: Vec<String> = directory
        .files()
        .iter()
        .map(|file| {
            let name = file.strip_prefix(directory.path()).unwrap();
            name.to_str().unwrap().to_owned()
        })
        .collect();
    // No file is forgotten; an empty one has nothing to flip.
    let known = |name: &String| KINDS.iter().any(|kind| (kind.of)(name));
    let unknown = names.iter().filter(|name| !known(name));
    assert_eq!(unknown.collect::<Vec<_>>(), ["lock", "tlog/rotations"]);
    for empty in ["lock", "tlog/rotations"] {
        assert_eq!(fs::read(directory.file(empty)).unwrap(), b"");
    }
    let documents = dump(&directory.file("derived"));
    let aside = tempfile::tempdir().unwrap();
    let aside = aside.path().join("derived");
    for kind in KINDS {
        let files: Vec<_> = names.iter().filter(|name| (kind.of)(name)).collect();
        let lengths = files.iter().map(|name| length(&directory, name));
        let lengths: Vec<u64> = lengths.collect();
        let all: u64 = lengths.iter().sum();
        if !kind.with_derived {
            fs::rename(directory.file("derived"), &aside).unwrap();
        }
        let (mut found, mut without) = (0, 0);
        for _ in 0..flips {
            // Each file as often as each, whatever its length.
            let file = random.below(files.len() as u64) as usize;
            let (name, at) = (files[file], random.below(lengths[file]));
            let mask = 1 + random.below(255) as u8;
            let whole = fs::read(directory.file(name)).unwrap();
            directory.edit(name, |bytes| bytes[at as usize] ^= mask);
            match is_found(&directory) {
                true => found += 1,
                false => {
                    // Nothing that is read from it is another than before.
                    let flip = format!("byte {at} of {name} ^ {mask:#04x}, unnoticed");
                    assert!(kind.with_derived, "{flip}");
                    let copied = tempfile::tempdir().unwrap();
                    copy(&directory.file("derived"), &copied.path().join("derived"));
                    assert_eq!(dump(&copied.path().join("derived")), documents, "{flip}");
                    without += 1;
                }
            }
            fs::write(directory.file(name), whole).unwrap();
        }
        if !kind.with_derived {
            fs::rename(&aside, directory.file("derived")).unwrap();
        }
        println!(
            "{}: {} files, {all} bytes: {found} flips found, {without} without effect",
            kind.name,
            files.len()
        );
        assert!(found > 0, "{}", kind.name);
    }
    assert_eq!(directory.faults(), []);
}

/// Whether checking or opening says that something is wrong.
fn is_found(directory: &Directory) -> bool {
    let options = TempLedger::options_in(directory.path());
    match verify_dir(&options, Depth::Full, &|_, _, _| {}) {
        Ok(found) => !found.is_sound(),
        Err(_) => true,
    }
}

fn length(directory: &Directory, name: &str) -> u64 {
    fs::metadata(directory.file(name)).unwrap().len()
}

/// Every document, and what sled holds.
fn dump(dir: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let master = TempLedger::options_in(dir).master;
    let store = testing::store(dir, &master, LedgerId::from_bytes([0; 16])).unwrap();
    let mut all: Vec<_> = store.dump().unwrap().into_iter().collect();
    drop(store);
    let files = testing::sled_folder(dir).unwrap();
    let heads = sled::open(files).unwrap().open_tree("heads").unwrap();
    all.extend(heads.iter().map(|item| {
        let (key, value) = item.unwrap();
        (key.to_vec(), value.to_vec())
    }));
    all
}

/// Numbers that look random and come again with their seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        // xorshift64*, by Marsaglia and Vigna.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16) % limit
    }
}
