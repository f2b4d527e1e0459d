//! A second reader of the format, made from `core/DESIGN.md` alone. It uses none of the library's
//! code, checks everything that can be checked, and tells in words what it finds.

use std::collections::BTreeMap;
use std::fmt::Write;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use x25519_dalek::{PublicKey, StaticSecret};

use crate::format::fixture::hex;
use crate::format::packed;

/// Secrets by key id.
pub(crate) type Keys = BTreeMap<[u8; 16], [u8; 32]>;

fn hash(context: &str, bytes: &[u8]) -> [u8; 32] {
    blake3::derive_key(&format!("planledger v1 2026-11-23 {context}"), bytes)
}

fn open(key: &[u8; 32], nonce: &[u8], associated: &[u8], sealed: &[u8]) -> Vec<u8> {
    let nonce: [u8; 24] = nonce.try_into().unwrap();
    let payload = Payload {
        msg: sealed,
        aad: associated,
    };
    let cipher = XChaCha20Poly1305::new(&Key::from(*key));
    cipher.decrypt(&XNonce::from(nonce), payload).unwrap()
}

/// Takes bytes off the front.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (field, rest) = self.0.split_at(count);
        self.0 = rest;
        field
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        self.take(N).try_into().unwrap()
    }

    fn number(&mut self, bytes: usize) -> u64 {
        let field = self.take(bytes).iter();
        field.fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// Kind and id.
    fn stream(&mut self) -> String {
        let kinds = [
            "institution",
            "school_year",
            "person",
            "team",
            "year_plan",
            "plan",
            "catalogue",
        ];
        let kind = kinds[self.number(1) as usize - 1];
        format!("{kind}/{}", hex(self.take(16)))
    }

    fn actor(&mut self) -> String {
        let kind = ["nobody", "person", "system"][self.number(1) as usize];
        match hex(self.take(16)) {
            id if kind == "nobody" => {
                assert_eq!(id, "0".repeat(32));
                kind.to_owned()
            }
            id => format!("{kind}/{id}"),
        }
    }

    fn zeros(&mut self, count: usize) {
        assert!(self.take(count).iter().all(|byte| *byte == 0));
    }
}

/// The key store, unwrapped with the master key and, to compare, with the rescue key.
pub(crate) fn read_keys(file: &[u8], master: &[u8; 32], private: &[u8; 32]) -> (String, Keys) {
    let mut said = String::new();
    let mut keys = Keys::new();
    let private = StaticSecret::from(*private);
    let public = PublicKey::from(&private);
    let mut slots = file.chunks(256).enumerate();
    assert_eq!(file.len() % 256, 0);
    let (_, header) = slots.next().unwrap();
    assert_eq!(header[224..], hash("key slot", &header[..224]));
    let mut rest = Rest(header);
    assert_eq!(rest.take(8), b"PLKEYSv1");
    writeln!(said, "key store of ledger {}", hex(rest.take(16))).unwrap();
    assert_eq!(rest.array(), hash("master key fingerprint", master));
    assert_eq!(rest.number(1), 1);
    assert_eq!(rest.array(), *public.as_bytes());
    // Versions before the tag left zeros.
    let tag: [u8; 32] = rest.array();
    let tag_key = blake3::derive_key("planledger v1 2026-11-29 key store header", master);
    let expected = blake3::keyed_hash(&tag_key, &header[..89]);
    assert!(tag == [0; 32] || tag == *expected.as_bytes());
    rest.zeros(103);
    for (number, slot) in slots {
        assert_eq!(slot[224..], hash("key slot", &slot[..224]));
        let about = &slot[..46];
        let mut rest = Rest(slot);
        assert_eq!(rest.take(4), b"PLK1");
        assert_eq!(rest.number(1), 1);
        let scope = ["ledger", "institution", "person"][rest.number(1) as usize - 1];
        let of = hex(rest.take(16));
        let id: [u8; 16] = rest.array();
        let created = rest.number(8);
        let (nonce, wrapped) = (rest.take(24), rest.take(48));
        let secret = open(master, nonce, about, wrapped);
        let ephemeral: [u8; 32] = rest.array();
        let shared = private.diffie_hellman(&PublicKey::from(ephemeral));
        let parts = [&shared.as_bytes()[..], &ephemeral, public.as_bytes()].concat();
        let rescue_key = hash("recovery key", &parts);
        assert_eq!(open(&rescue_key, &[0; 24], about, rest.take(48)), secret);
        let group = rest.number(8);
        rest.zeros(18);
        assert!(group < number as u64);
        let (id_hex, secret_hex) = (hex(&id), hex(&secret));
        writeln!(
            said,
            "key {id_hex} of {scope} {of}, made at {created}, written after {group}: {secret_hex}"
        )
        .unwrap();
        keys.insert(id, secret.try_into().unwrap());
    }
    (said, keys)
}

/// What has been read of a journal.
#[derive(Default)]
struct Journal {
    said: String,
    keys: Keys,
    /// Revision, position and link of each stream's last entry.
    streams: BTreeMap<String, (u64, u64, [u8; 32])>,
    position: u64,
    recorded_at: u64,
    checksum: [u8; 16],
    leaves: Vec<[u8; 32]>,
}

/// The first segment of a journal, and the root of its tree.
pub(crate) fn read_segment(file: &[u8], keys: Keys) -> (String, [u8; 32]) {
    let mut journal = Journal {
        keys,
        ..Journal::default()
    };
    let mut rest = Rest(file);
    let header = rest.take(128);
    assert_eq!(header[96..], hash("segment header", &header[..96]));
    let mut fields = Rest(header);
    assert_eq!(fields.take(8), b"PLSEGv1\n");
    let ledger = hex(fields.take(16));
    let (number, position, commit) = (fields.number(8), fields.number(8), fields.number(8));
    assert_eq!((number, position, commit), (1, 1, 1));
    fields.zeros(16);
    journal.recorded_at = fields.number(8);
    writeln!(
        journal.said,
        "journal of ledger {ledger}, created at {}",
        journal.recorded_at
    )
    .unwrap();
    fields.zeros(8 + 16);
    let mut commit = 1;
    while !rest.0.is_empty() {
        journal.frame(&mut rest, commit);
        commit += 1;
    }
    let root = root(&journal.leaves);
    (journal.said, root)
}

impl Journal {
    fn frame(&mut self, rest: &mut Rest<'_>, expected: u64) {
        let frame = rest.0;
        assert_eq!(rest.take(4), b"PLF1");
        let (records_len, payloads_len) = (rest.number(4) as usize, rest.number(4) as usize);
        let (commands, entries) = (rest.number(4), rest.number(4));
        let (commit, first) = (rest.number(8), rest.number(8));
        assert_eq!((commit, first), (expected, self.position + 1));
        let group = rest.number(8);
        let recorded_at = rest.number(8);
        assert!(recorded_at > self.recorded_at && (1..=commit).contains(&group));
        self.recorded_at = recorded_at;
        assert_eq!(rest.array(), self.checksum);
        assert_eq!(rest.take(4), &hash("frame header", &frame[..68])[..4]);
        let mut records = Rest(rest.take(records_len));
        let checksum: [u8; 32] = rest.array();
        assert_eq!(checksum, hash("frame", &frame[..72 + records_len]));
        self.checksum = checksum[..16].try_into().unwrap();
        let payloads = rest.take(payloads_len);
        writeln!(
            self.said,
            "commit {commit} of group {group} at {recorded_at}"
        )
        .unwrap();
        let mut claimed = 0;
        for _ in 0..commands {
            let (id, digest) = (hex(records.take(16)), hex(records.take(16)));
            let (stream, revision) = (records.stream(), records.number(8));
            let count = records.number(4);
            records.zeros(3);
            claimed += count;
            writeln!(
                self.said,
                "  command {id} with digest {digest} led to {count} events, {stream} to revision \
                 {revision}"
            )
            .unwrap();
        }
        assert_eq!(claimed, entries);
        for _ in 0..entries {
            self.entry(&mut records, payloads);
        }
        assert!(records.0.is_empty());
    }

    fn entry(&mut self, records: &mut Rest<'_>, payloads: &[u8]) {
        self.position += 1;
        let (back, offset) = (records.number(8), records.number(4) as usize);
        let leaf: [u8; 32] = records.array();
        let entry = records.take(230);
        assert_eq!(
            leaf[..],
            Sha256::digest([&[0], entry].concat())[..],
            "RFC 6962"
        );
        self.leaves.push(leaf);
        let mut rest = Rest(entry);
        assert_eq!((rest.number(2), rest.number(1)), (228, 1));
        let scope = &rest.0[..17 + 8];
        let (stream, revision) = (rest.stream(), rest.number(8));
        let before = self.streams.get(&stream).copied().unwrap_or_default();
        assert_eq!((revision - 1, back), (before.0, before.1));
        assert_eq!(rest.array(), before.2);
        let link = hash("entry link", entry);
        self.streams
            .insert(stream.clone(), (revision, self.position, link));
        let (code, schema) = (rest.number(2), rest.number(2));
        let command = hex(rest.take(16));
        let (actor, on_behalf_of) = (rest.actor(), rest.actor());
        let recorded_at = rest.number(8);
        let secret = self.keys[&rest.array()];
        let commitment: [u8; 32] = rest.array();
        let nonce = rest.take(24);
        // With the nonce, or as earlier versions made it.
        let context = "planledger v1 2026-11-29 event key";
        let parts = [&secret[..], scope, nonce].concat();
        let keys = [
            blake3::derive_key(context, &parts),
            hash("event key", &[&secret[..], scope].concat()),
        ];
        let mut keys = keys.into_iter();
        let event_key = keys
            .find(|key| commitment == hash("key commitment", key))
            .unwrap();
        let sealed = &payloads[offset..][..rest.number(4) as usize];
        assert_eq!(rest.array(), hash("sealed payload", sealed));
        let json = open(&event_key, nonce, &entry[..194], sealed);
        writeln!(
            self.said,
            "  event {} in {stream} revision {revision} at {recorded_at} by {actor} for \
             {on_behalf_of}, command {command}, type {code:#06x} schema {schema}: {}",
            self.position,
            String::from_utf8(json).unwrap()
        )
        .unwrap();
    }
}

/// As RFC 6962 defines it.
pub(crate) fn root(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => *leaf,
        _ => {
            let split = leaves.len().next_power_of_two() / 2;
            let (left, right) = (root(&leaves[..split]), root(&leaves[split..]));
            Sha256::digest([&[1][..], &left, &right].concat()).into()
        }
    }
}

/// A document of derived state that is in one piece, by its key.
pub(crate) fn read_document(key: &[u8], value: &[u8], keys: &Keys) -> String {
    let mut name = Rest(key);
    match name.number(1) {
        0 => {
            assert_eq!(key, [0]);
            read_cursor(value)
        }
        tag => {
            let value = Rest(value);
            match tag {
                1 => format!("state of {}: {}", name.stream(), state(key, value.0, keys)),
                2 => format!("found by {}: {}", hex(name.0), streams(value)),
                3 => format!("commands {} {}", name.number(8), commands(value)),
                4 => format!(
                    "snapshot of {} at revision {}: {}",
                    name.stream(),
                    name.number(8),
                    state(key, value.0, keys)
                ),
                6 => format!(
                    "standing of person/{}: {}",
                    hex(name.0),
                    sealed_json(key, value.0, keys)
                ),
                7 => format!(
                    "count of {}: {}",
                    cell(&mut name),
                    sealed_json(key, value.0, keys)
                ),
                8 => format!(
                    "count of {} as of {}: {}",
                    cell(&mut name),
                    name.number(4),
                    sealed_json(key, value.0, keys)
                ),
                other => panic!("a document with tag {other}"),
            }
        }
    }
}

fn state(key: &[u8], value: &[u8], keys: &Keys) -> String {
    let mut rest = Rest(value);
    let (position, revision) = (rest.number(8), rest.number(8));
    let link = hex(rest.take(32));
    let json = packed::json(&sealed(key, value, 64, keys));
    format!("position {position} revision {revision} link {link} {json}")
}

/// What an institution, or a team of it, is counted under.
fn cell(name: &mut Rest<'_>) -> String {
    let (institution, flags) = (hex(name.take(16)), name.number(1));
    let (team, year) = (hex(name.take(16)), hex(name.take(16)));
    let zeros = "00".repeat(16);
    assert_eq!(
        (flags & 2 == 0, flags & 1 == 0),
        (team == zeros, year == zeros)
    );
    format!("institution/{institution}, team {team}, school year {year}")
}

fn sealed_json(key: &[u8], value: &[u8], keys: &Keys) -> String {
    packed::json(&sealed(key, value, 16, keys))
}

/// What is sealed behind a head in the clear, which ends with the id of the key.
fn sealed(key: &[u8], value: &[u8], head: usize, keys: &Keys) -> Vec<u8> {
    let mut rest = Rest(&value[head - 16..]);
    let secret = keys[&rest.array()];
    let document_key = hash("document key", &secret);
    let associated = [key, &value[..head]].concat();
    let nonce = rest.take(24);
    let plain = open(&document_key, nonce, &associated, rest.0);
    let length = (associated.len() as u64).to_be_bytes();
    let parts = [&document_key[..], &length, &associated, &plain].concat();
    assert_eq!(nonce, &hash("document nonce", &parts)[..24]);
    plain
}

fn streams(mut value: Rest<'_>) -> String {
    let mut found = Vec::new();
    while !value.0.is_empty() {
        found.push(value.stream());
    }
    found.join(", ")
}

fn commands(mut value: Rest<'_>) -> String {
    let mut said = String::new();
    while !value.0.is_empty() {
        let (id, digest) = (hex(value.take(16)), hex(value.take(16)));
        let (stream, revision) = (value.stream(), value.number(8));
        let (position, recorded_at) = (value.number(8), value.number(8));
        let events = value.number(4);
        write!(
            said,
            "\n  {id} with digest {digest}: {stream} revision {revision} position {position} at \
             {recorded_at}, {events} events"
        )
        .unwrap();
    }
    said
}

fn read_cursor(value: &[u8]) -> String {
    let mut rest = Rest(value);
    assert_eq!(rest.number(1), 2);
    let ledger = hex(rest.take(16));
    let (commit, position) = (rest.number(8), rest.number(8));
    let (commands, recorded_at) = (rest.number(8), rest.number(8));
    let checksum = hex(rest.take(16));
    assert_eq!(rest.0.len(), position.count_ones() as usize * 32);
    let peaks: Vec<_> = rest.0.chunks(32).map(hex).collect();
    format!(
        "cursor of ledger {ledger}: commit {commit} with checksum {checksum}, position {position}, \
         {commands} commands, at {recorded_at}, peaks {}",
        peaks.join(" ")
    )
}
