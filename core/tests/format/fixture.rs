//! A ledger of format version 1, as text: headings, and hexadecimal beneath them.

use std::collections::BTreeMap;
use std::path::Path;

const LEDGER: &str = include_str!("ledger-v1.hex");
const DEPARTURES: &str = include_str!("departed-v1.hex");
const ACTS: &str = include_str!("acts-v1.hex");

/// What is under each heading, by heading: the files of a ledger, the documents of its derived
/// state (`document` and the key), and the randomness that each key was made from (`entropy` and
/// the number of its slot).
pub(crate) struct Fixture(BTreeMap<String, Vec<u8>>);

impl Fixture {
    pub(crate) fn read() -> Self {
        Self::parse(LEDGER)
    }

    /// A ledger that a version wrote which knew `person.departed` at schema 1 only: the first eight
    /// commits of the story, then two persons who leave. Of derived state it has the documents that
    /// this version derived of these two and of the plan.
    pub(crate) fn departures() -> Self {
        Self::parse(DEPARTURES)
    }

    /// A ledger whose own commands have ids that clients could use too, as versions gave them that
    /// knew no others: a small school, the checkpoint's key, a record of heads, a recovery of three
    /// steps, and its undo. It has the checkpoint, and nothing derived.
    pub(crate) fn acts() -> Self {
        Self::parse(ACTS)
    }

    fn parse(text: &str) -> Self {
        let mut parts: Vec<(String, Vec<u8>)> = Vec::new();
        for line in text.lines() {
            match line.strip_prefix("# ") {
                Some(heading) => parts.push((heading.to_owned(), Vec::new())),
                None => parts.last_mut().unwrap().1.extend(bytes(line)),
            }
        }
        Self(parts.into_iter().collect())
    }

    pub(crate) fn file(&self, name: &str) -> &[u8] {
        &self.0[name]
    }

    pub(crate) fn segment(&self) -> &[u8] {
        self.file("journal/segment-00000001.log")
    }

    pub(crate) fn keys(&self) -> &[u8] {
        self.file("keys/keys.log")
    }

    /// Everything in derived state, in the order of the keys.
    pub(crate) fn documents(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        // The version that made them put a zero before each, but not before the cursor.
        let stored = self.beginning_with("document ").into_iter();
        let documents = stored.map(|(key, mut value)| {
            if key != [0] {
                assert_eq!(value.remove(0), 0);
            }
            (key, value)
        });
        documents.collect()
    }

    /// Slot by slot.
    pub(crate) fn entropy(&self) -> Vec<Vec<u8>> {
        let found = self.beginning_with("entropy ");
        found.into_iter().map(|(_, random)| random).collect()
    }

    fn beginning_with(&self, what: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        let found = self.0.iter();
        let found = found.filter_map(|(name, content)| {
            let rest = name.strip_prefix(what)?;
            Some((bytes(rest), content.clone()))
        });
        found.collect()
    }

    /// Puts journal and keys into a directory.
    pub(crate) fn unpack(&self, dir: &Path) {
        for name in ["journal/segment-00000001.log", "keys/keys.log"] {
            let path = dir.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, self.file(name)).unwrap();
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    let pairs = (0..hex.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}
