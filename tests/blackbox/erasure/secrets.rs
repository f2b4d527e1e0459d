//! Looks for bytes in every file of a directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use planledger_core::seal::{EventKey, open};
use planledger_fixtures::place::{dump, files};
use uuid::Uuid;

use crate::support::*;

/// Bytes that must not be found, by what they are.
#[derive(Default)]
pub(super) struct Secrets(BTreeMap<String, Vec<u8>>);

impl Secrets {
    pub(super) fn add(&mut self, what: impl Into<String>, bytes: &[u8]) {
        assert!(bytes.len() >= 8, "that can be there by chance");
        self.0.insert(what.into(), bytes.to_vec());
    }

    /// A text as programs write it: also with letters taken apart, escaped, and in capitals.
    pub(super) fn add_text(&mut self, text: &str) {
        let words = text.split_whitespace().filter(|word| word.len() >= 8);
        for text in words.chain([text]) {
            let apart = text.replace('å', "a\u{30a}").replace('Å', "A\u{30a}");
            let apart = apart.replace('é', "e\u{301}");
            let units = || text.encode_utf16();
            let escaped: String = units()
                .map(|unit| match u8::try_from(unit) {
                    Ok(ascii) if ascii.is_ascii() => char::from(ascii).to_string(),
                    _ => format!("\\u{unit:04x}"),
                })
                .collect();
            let latin: Vec<u8> = text.chars().map(|letter| letter as u8).collect();
            let forms = [
                ("UTF-8", text.as_bytes().to_vec()),
                ("form D", apart.into_bytes()),
                ("JSON", escaped.into_bytes()),
                ("Latin-1", latin),
                ("UTF-16LE", units().flat_map(u16::to_le_bytes).collect()),
                ("UTF-16BE", units().flat_map(u16::to_be_bytes).collect()),
                ("small", text.to_lowercase().into_bytes()),
                ("capitals", text.to_uppercase().into_bytes()),
            ];
            for (form, bytes) in forms {
                // What is shorter can be there by chance.
                if bytes.len() >= 8 {
                    self.add(format!("{text} in {form}"), &bytes);
                }
            }
        }
    }

    /// A key, and how a key is written as text.
    pub(super) fn add_key(&mut self, what: &str, key: &[u8]) {
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        self.add(what, key);
        self.add(format!("{what} in base64"), BASE64.encode(key).as_bytes());
        self.add(format!("{what} in hexadecimal"), hex.as_bytes());
    }

    /// The key that the slot wraps, and everything from which somebody could get it.
    pub(super) fn add_slot(&mut self, slot: &[u8], master: &[u8; 32]) {
        let nonce = slot[46..70].try_into().unwrap();
        let master = EventKey::from_bytes(*master);
        let key = open(&master, &nonce, &slot[..46], &slot[70..118]).unwrap();
        assert_eq!(key.len(), 32);
        self.add_key("key", &key);
        self.add("nonce of the wrapped key", &slot[46..70]);
        self.add("wrapped key", &slot[70..118]);
        self.add("key of the wrapped key for the rescue", &slot[118..150]);
        self.add("wrapped key for the rescue", &slot[150..198]);
    }

    /// What derived state holds of these streams: the ends of the sealed documents.
    /// Each time that derived state is made, they are sealed anew.
    pub(super) fn add_documents(&mut self, what: &str, home: &Home, streams: &[&str]) {
        let ids = streams.iter().map(|id| id.parse::<Uuid>().unwrap());
        let ids: Vec<_> = ids.map(Uuid::into_bytes).collect();
        let ledger = planledger_core::ledger::Ledger::open(home.options()).unwrap();
        for (number, (key, value)) in dump(&ledger).into_iter().enumerate() {
            let is_of = |id: &[u8; 16]| key.windows(16).any(|at| at == id);
            if ids.iter().any(is_of) && value.len() >= 64 {
                let end = &value[value.len() - 48..];
                self.add(format!("{what} {number}"), end);
            }
        }
    }

    /// How many secrets there are whose description begins like this.
    pub(super) fn count(&self, what: &str) -> usize {
        self.0.keys().filter(|name| name.starts_with(what)).count()
    }

    /// Which of them are in which files below the directory.
    pub(super) fn found(&self, dir: &Path) -> BTreeMap<&str, Vec<PathBuf>> {
        let mut beginning = vec![Vec::new(); 1 << 16];
        for (what, bytes) in &self.0 {
            beginning[pair(bytes)].push((what.as_str(), bytes));
        }
        let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (path, bytes) in files(dir) {
            let path = path.strip_prefix(dir).unwrap();
            for at in 0..bytes.len().saturating_sub(1) {
                let rest = &bytes[at..];
                for (what, secret) in &beginning[pair(rest)] {
                    let places: &mut Vec<PathBuf> = match rest.starts_with(secret) {
                        true => found.entry(*what).or_default(),
                        false => continue,
                    };
                    if places.last().is_none_or(|last| last != path) {
                        places.push(path.to_owned());
                    }
                }
            }
        }
        found
    }
}

fn pair(bytes: &[u8]) -> usize {
    usize::from(u16::from_be_bytes([bytes[0], bytes[1]]))
}

/// The keys of single events that a bundle discloses.
pub(super) fn disclosed(bundle: &str) -> Vec<Vec<u8>> {
    let lines = bundle.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["event"]["key"].as_str().map(str::to_owned)
    });
    let keys = lines.flatten().map(|key| BASE64.decode(key).unwrap());
    keys.collect()
}

#[test]
fn what_is_there_is_found_in_each_form() {
    let dir = tempfile::tempdir().unwrap();
    let mut secrets = Secrets::default();
    secrets.add_text("Kanariefuglen på Ærø");
    secrets.add_key("key", &[7; 32]);
    assert!(secrets.found(dir.path()).is_empty());
    for (number, bytes) in secrets.0.values().enumerate() {
        let folder = dir.path().join(format!("deep/{number}"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(
            folder.join("file"),
            [b"before", &bytes[..], b"after"].concat(),
        )
        .unwrap();
    }
    assert_eq!(secrets.found(dir.path()).len(), secrets.0.len());
}
