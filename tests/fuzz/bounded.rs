//! Makes a check on a few inputs: every seed, seeds with something changed, and bytes at random. Shared by
//! the tests of several crates.

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

/// A change of an input.
#[derive(Clone, Debug)]
enum Change {
    Byte(Index, u8),
    Cut(Index),
    Remove(Index, u8),
    Insert(Index, Vec<u8>),
    /// A stretch of another seed over this one.
    Splice(Index, Index, Index),
}

impl Change {
    fn apply(&self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let within = |index: &Index, input: &[u8]| index.index(input.len() + 1);
        match self {
            Self::Byte(at, value) => {
                let at = within(at, input);
                if let Some(byte) = input.get_mut(at) {
                    *byte = *value;
                }
            }
            Self::Cut(at) => input.truncate(within(at, input)),
            Self::Remove(at, count) => {
                let at = within(at, input);
                let end = input.len().min(at + usize::from(*count));
                input.drain(at..end);
            }
            Self::Insert(at, bytes) => {
                let at = within(at, input);
                input.splice(at..at, bytes.iter().copied());
            }
            Self::Splice(seed, from, at) => {
                let other = seed.get(seeds);
                let stretch = &other[within(from, other)..];
                input.truncate(within(at, input));
                input.extend_from_slice(stretch);
            }
        }
    }
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let at = any::<Index>;
    let change = prop_oneof![
        6 => (at(), any::<u8>()).prop_map(|(at, value)| Change::Byte(at, value)),
        1 => at().prop_map(Change::Cut),
        1 => (at(), any::<u8>()).prop_map(|(at, count)| Change::Remove(at, count)),
        1 => (at(), prop::collection::vec(any::<u8>(), 1..300))
            .prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        1 => (at(), at(), at()).prop_map(|(seed, from, at)| Change::Splice(seed, from, at)),
    ];
    prop::collection::vec(change, 1..6)
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/seeds");
    let mut files: Vec<_> = std::fs::read_dir(dir.join(target))
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect()
}

pub(crate) fn run(target: &str, cases: u32, check: fn(&[u8])) {
    let seeds = seeds(target);
    assert!(!seeds.is_empty());
    for seed in &seeds {
        check(seed);
    }
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let changed = (any::<Index>(), changes());
    let result = runner.run(&changed, |(seed, changes)| {
        let mut input = seed.get(&seeds).clone();
        for change in changes {
            change.apply(&mut input, &seeds);
        }
        check(&input);
        Ok(())
    });
    assert!(result.is_ok(), "{}", result.unwrap_err());
    let random = prop::collection::vec(any::<u8>(), 0..1_000);
    let result = runner.run(&random, |input| {
        check(&input);
        Ok(())
    });
    assert!(result.is_ok(), "{}", result.unwrap_err());
}
