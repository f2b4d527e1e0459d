//! The fixture, read by the library, by the second reader, and written again.

use std::path::Path;
use std::sync::{Arc, Mutex};

use planledger_core::domain::plan::Audience;
use planledger_core::domain::view::{Viewer, plan_view};
use planledger_core::entry::{self, Entry};
use planledger_core::ids::{CommitSeq, InstitutionId, KeyId, LedgerId, PersonId};
use planledger_core::journal::{
    Commit, CommitLog, FaultyDisk, Frame, NewEntry, SegmentLog, SegmentOptions,
};
use planledger_core::ledger::{Envelope, Ledger, Options};
use planledger_core::seal::{
    self, KeyScope, KeyStore, KeyStoreMode, KeyStoreOptions, MasterKey, ScopeKey,
};
use planledger_core::time::{Entropy, Timestamp};
use planledger_core::verify::{Depth, verify_dir};

use crate::format::fixture::{Fixture, hex};
use crate::format::reader::{self, Keys};
use crate::format::story::{self, CREATED, MASTER, PRIVATE};
use planledger_fixtures::school::*;
use planledger_fixtures::{place, repeatable};

pub(crate) fn options(dir: &Path) -> Options {
    Options {
        dir: dir.to_owned(),
        master: MasterKey::from_bytes(MASTER),
        rescue: Some(story::rescue_key()),
        clock: Arc::new(repeatable::clock(CREATED.plus(3_600_000_000_000))),
        entropy: Arc::new(repeatable::entropy()),
        progress: None,
        undone: planledger_core::ledger::Undone::Refuse,
    }
}

const TOLD: &str = include_str!("ledger-v1.txt");

/// What the second reader says of the fixture.
fn told() -> (String, Keys, [u8; 32]) {
    let fixture = Fixture::read();
    let (mut said, keys) = reader::read_keys(fixture.keys(), &MASTER, &PRIVATE);
    let (journal, root) = reader::read_segment(fixture.segment(), keys.clone());
    said += &journal;
    for (key, value) in fixture.documents() {
        said += &reader::read_document(&key, &value, &keys);
        said += "\n";
    }
    (said, keys, root)
}

#[test]
fn a_ledger_is_read_with_nothing_but_its_description() {
    let (said, ..) = told();
    for (number, (line, expected)) in said.lines().zip(TOLD.lines()).enumerate() {
        assert_eq!(line, expected, "line {}", number + 1);
    }
    assert_eq!(said.lines().count(), TOLD.lines().count());
}

/// Journal and keys are all that a ledger needs; the rest comes of them, byte for byte (P3).
#[test]
fn the_library_opens_it_and_derives_the_same_documents() {
    let dir = tempfile::tempdir().unwrap();
    let fixture = Fixture::read();
    fixture.unpack(dir.path());
    let found = verify_dir(&options(dir.path()), Depth::Full, &|_, _, _| {}).unwrap();
    assert!(found.is_sound(), "{found:?}");
    assert_eq!(found.unfinished, 0);
    assert_eq!(found.root, told().2);
    let ledger = Ledger::open(options(dir.path())).unwrap();
    let documents = place::dump(&ledger);
    let differing = documents
        .iter()
        .zip(fixture.documents())
        .find(|(derived, golden)| *derived != golden);
    if let Some(((key, _), _)) = differing {
        panic!("document {}", hex(key));
    }
    assert_eq!(documents.len(), fixture.documents().len());
    assert_eq!(ledger.status().root, found.root);
    let guardians = Viewer::Audience(Audience::Guardians);
    let read = ledger.read(|reading| plan_view(reading, PLAN, guardians));
    let view = read.unwrap().0.unwrap();
    assert_eq!(view.status.unwrap().text, text("Læser flydende og gerne"));
    assert!(view.team.unwrap().deleted.is_some());
}

/// A command that was sent before an upgrade and again after it must be known by its digest.
#[test]
fn its_commands_are_known_again() {
    let dir = tempfile::tempdir().unwrap();
    Fixture::read().unpack(dir.path());
    let ledger = Ledger::open(options(dir.path())).unwrap();
    let position = ledger.position();
    for (actor, envelopes) in story::commits() {
        let receipts = ledger.execute_batch(actor, envelopes.clone()).unwrap();
        for (receipt, envelope) in receipts.iter().zip(&envelopes) {
            assert!(receipt.replayed, "{}", envelope.id);
        }
        let mut other: Vec<Envelope> = envelopes;
        other[0].on_behalf_of = Some(SYSTEM);
        assert!(ledger.execute_batch(actor, other).is_err());
    }
    assert_eq!(ledger.position(), position);
}

#[test]
fn command_digests_are_made_of_what_was_asked() {
    let fixture = Fixture::read();
    let (_, keys) = reader::read_keys(fixture.keys(), &MASTER, &PRIVATE);
    let frames = frames(&fixture).1;
    let teacher = TEACHER.uuid();
    let deletion = format!(
        r#"{{"actor":{{"system":"{}"}},"on_behalf_of":{{"person":"{teacher}"}},"expected_revision":null,"command":{{"team":["{}",{{"delete":{{"reason":"Rydder op"}}}}]}}}}"#,
        uuid::Uuid::from_bytes([0xAA; 16]),
        TEAM.uuid(),
    );
    let status = format!(
        r#"{{"actor":{{"person":"{teacher}"}},"on_behalf_of":null,"expected_revision":7,"command":{{"plan":["{}",{{"write_status":{{"text":"Læser flydende og gerne"}}}}]}}}}"#,
        PLAN.uuid(),
    );
    let opening = format!(
        r#"{{"actor":{{"person":"{teacher}"}},"on_behalf_of":null,"expected_revision":null,"command":{{"plan":["{}",{{"open":{{"student":"{}","year_plan":"{}","owner":null}}}}]}}}}"#,
        PLAN.uuid(),
        STUDENT.uuid(),
        YEAR_PLAN.uuid(),
    );
    // The frame, the slot of the scope key, and the content.
    for (frame, slot, content) in [(13, 2, deletion), (12, 3, status), (6, 3, opening)] {
        let id = &fixture.keys()[slot * 256 + 22..][..16];
        let secret = keys[id];
        let key = blake3::derive_key("planledger v1 2026-11-23 command digest key", &secret);
        let digest = blake3::keyed_hash(&key, content.as_bytes());
        let command = frames[frame].commands().next().unwrap();
        assert_eq!(command.digest, digest.as_bytes()[..16], "{content}");
    }
}

fn commit(frame: &Frame) -> Commit {
    let entries = frame.entries();
    let entries = entries.map(|entry| NewEntry {
        leaf: *entry.leaf,
        ..NewEntry::new(entry.back, *entry.entry, entry.sealed.to_vec())
    });
    Commit {
        recorded_at: frame.header().recorded_at,
        commands: frame.commands().collect(),
        entries: entries.collect(),
    }
}

fn frames(fixture: &Fixture) -> (LedgerId, Vec<Frame>) {
    let disk = FaultyDisk::new();
    disk.put_bytes("segment-00000001.log", fixture.segment().to_vec());
    let log = SegmentLog::open(Arc::new(disk), SegmentOptions::default()).unwrap();
    let frames = log.read_commits(CommitSeq::ZERO).map(Result::unwrap);
    (log.ledger_id(), frames.collect())
}

#[test]
fn the_same_commits_are_written_as_the_same_bytes() {
    let fixture = Fixture::read();
    let (ledger, frames) = frames(&fixture);
    let disk = FaultyDisk::new();
    let how = SegmentOptions::default();
    let log = SegmentLog::create(Arc::new(disk.clone()), ledger, CREATED, how).unwrap();
    for group in frames.chunk_by(|one, next| one.header().group_start == next.header().group_start)
    {
        let commits: Vec<_> = group.iter().map(commit).collect();
        log.append(&log.tail(), &commits).unwrap();
    }
    let written = disk.bytes("segment-00000001.log").unwrap();
    assert!(
        written == fixture.segment(),
        "the journal is written differently"
    );
}

#[test]
fn the_same_entries_and_payloads_are_sealed_as_the_same_bytes() {
    let fixture = Fixture::read();
    let (_, keys) = reader::read_keys(fixture.keys(), &MASTER, &PRIVATE);
    let mut entries = 0;
    for frame in frames(&fixture).1 {
        for record in frame.entries() {
            let read = Entry::decode(record.entry).unwrap();
            assert_eq!(read.encode(), *record.entry);
            let scope = ScopeKey::new(read.key, keys[read.key.as_bytes()]);
            let key = scope.event_key(read.stream, read.revision);
            assert_eq!(seal::commitment(&key), read.key_commitment);
            let prefix = entry::prefix(record.entry);
            let plain = seal::open(&key, &read.nonce, prefix, record.sealed).unwrap();
            let sealed = seal::seal(&key, &read.nonce, prefix, &plain).unwrap();
            assert_eq!(sealed, record.sealed);
            assert_eq!(entry::sealed_hash(&sealed), read.sealed_hash);
            assert_eq!(entry::leaf(record.entry), *record.leaf);
            entries += 1;
        }
    }
    assert_eq!(entries, 25);
}

/// Gives what a key was made from, key after key.
struct Recorded(Mutex<std::vec::IntoIter<Vec<u8>>>);

impl Entropy for Recorded {
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
        bytes.copy_from_slice(&self.0.lock().unwrap().next().unwrap());
        Ok(())
    }
}

#[test]
fn the_same_keys_are_written_as_the_same_bytes() {
    let fixture = Fixture::read();
    let disk = FaultyDisk::new();
    let keys = KeyStore::open(&KeyStoreOptions {
        disk: Arc::new(disk.clone()),
        ledger: frames(&fixture).0,
        master: MasterKey::from_bytes(MASTER),
        rescue: Some(story::rescue_key()),
        mode: KeyStoreMode::Create,
    })
    .unwrap();
    let entropy = Recorded(Mutex::new(fixture.entropy().into_iter()));
    let mut slots = fixture.keys().chunks(256).skip(1).peekable();
    while let Some(slot) = slots.next() {
        let id = slot[6..22].try_into().unwrap();
        let scope = match slot[5] {
            1 => KeyScope::Ledger,
            2 => KeyScope::Institution(InstitutionId::from_bytes(id)),
            _ => KeyScope::Person(PersonId::from_bytes(id)),
        };
        let created = u64::from_be_bytes(slot[38..46].try_into().unwrap());
        let key = keys
            .active_or_new(scope, Timestamp::from_nanos(created), &entropy)
            .unwrap();
        assert_eq!(key.id, KeyId::from_bytes(slot[22..38].try_into().unwrap()));
        // Slots of one write have the same group start.
        let group = |slot: &[u8]| slot[198..206].to_vec();
        if slots.peek().is_none_or(|next| group(next) != group(slot)) {
            keys.sync().unwrap();
        }
    }
    let written = disk.bytes("keys.log").unwrap();
    // The header of the fixture has no tag yet: its version wrote zeros there.
    let parts = |bytes: &[u8]| (bytes[..89].to_vec(), bytes[256..].to_vec());
    assert!(
        parts(&written) == parts(fixture.keys()),
        "keys are written differently"
    );
    let told = |bytes| reader::read_keys(bytes, &MASTER, &PRIVATE).0;
    assert_eq!(told(&written), told(fixture.keys()));
    assert_ne!(written[89..121], [0; 32]);
}
