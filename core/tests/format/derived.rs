//! Documents that the fixture has none of: snapshots, documents in parts, full lists of commands.

use std::collections::BTreeMap;
use std::sync::Arc;

use planledger_core::derived::{Cursor, Doc, DocKey, Head, Store, StreamDoc, testing};
use planledger_core::domain::catalogue::{Catalogue, CatalogueCommand};
use planledger_core::domain::institution::Institution;
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::{Aggregate, Command};
use planledger_core::ids::{
    CatalogueId, CatalogueItemId, CommandId, LedgerId, Position, Revision, StreamId,
};
use planledger_core::journal::FaultyDisk;
use planledger_core::ledger::{Envelope, Ledger, Options};
use planledger_core::seal::{KeyScope, KeyStore, KeyStoreMode, KeyStoreOptions, MasterKey};

use crate::format::fixture::{bytes, hex};
use crate::format::reader::{self, Keys};
use crate::format::story::{self, CREATED, MASTER, PRIVATE};
use planledger_fixtures::school::*;
use planledger_fixtures::{ActsAs, repeatable};

const LEDGER: LedgerId = LedgerId::from_bytes([0x11; 16]);
const OTHER_CATALOGUE: CatalogueId = CatalogueId::from_bytes([0xC7; 16]);
/// Parts are at most this long.
const PART: usize = 98_304;

/// Keys of the ledger and of the school, made of fixed randomness.
fn keys() -> (FaultyDisk, KeyStore) {
    let disk = FaultyDisk::new();
    let keys = KeyStore::open(&KeyStoreOptions {
        disk: Arc::new(disk.clone()),
        ledger: LEDGER,
        master: MasterKey::from_bytes(MASTER),
        rescue: Some(story::rescue_key()),
        mode: KeyStoreMode::Create,
    })
    .unwrap();
    let entropy = repeatable::entropy();
    for scope in [KeyScope::Ledger, KeyScope::Institution(SCHOOL)] {
        keys.active_or_new(scope, CREATED, &entropy).unwrap();
    }
    keys.sync().unwrap();
    (disk, keys)
}

fn secrets(disk: &FaultyDisk) -> Keys {
    reader::read_keys(&disk.bytes("keys.log").unwrap(), &MASTER, &PRIVATE).1
}

fn dump(store: &Store) -> BTreeMap<Vec<u8>, Vec<u8>> {
    store.dump().map(Result::unwrap).collect()
}

fn document(position: u64, revision: u64, state: Aggregate) -> Doc {
    let head = Head {
        position: Position::new(position),
        revision: Revision::new(revision),
        link: [0xEE; 32],
    };
    let state = Arc::new(state);
    Doc::Stream(Arc::new(StreamDoc { head, state }))
}

const SNAPSHOT_KEY: &str = "04 01 11111111111111111111111111111111 0000000000000040";
const SNAPSHOT: &str = "
    00
    00000000000000c8
    0000000000000040
    eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee
    68eae1066fca29e3236b08eb29b363fb
    ead21966ede06ecbb5749988bc935de09224e36c4c01c96e
    c2f1ebc4faf996625effb2501420f371cb2bda55823772abc8c680133dc10863
    aa75d5f64f01b96cd273df19f56d2c734bd94a4eaa5268da0048b037376db9f8
    37072383c725f90db7ca19d1d857255b339ee7
";

#[test]
fn a_snapshot_is_written_byte_for_byte() {
    let dir = tempfile::tempdir().unwrap();
    let store = store_in(dir.path());
    let (disk, keys) = keys();
    let state = Aggregate::Institution(Institution {
        details: institution_details("Nordvestskolen"),
        survey_discussions: Default::default(),
        closed: true,
        by_hand: Default::default(),
        roster_details: None,
        succeeded_by: None,
    });
    let key = DocKey::Snapshot(SCHOOL.into(), Revision::new(64));
    let doc = document(200, 64, state);
    store
        .apply([(&key, &doc)], &Cursor::start(LEDGER), &keys)
        .unwrap();
    let found = dump(&store);
    let value = &found[&bytes(&SNAPSHOT_KEY.replace(' ', ""))];
    assert_eq!(hex(value), SNAPSHOT.replace([' ', '\n'], ""));
    let told = reader::read_document(&key.to_bytes(), value, &secrets(&disk));
    assert_eq!(
        told,
        format!(
            "snapshot of institution/{} at revision 64: position 200 revision 64 link {} {}",
            "11".repeat(16),
            "ee".repeat(32),
            r#"{"institution":{"details":{"name":"Nordvestskolen"},"closed":true}}"#
        )
    );
    let around = store.snapshots_around(SCHOOL.into(), Position::new(200), &keys);
    let (snapshot, beyond) = around.unwrap();
    assert_eq!((snapshot.map(Doc::Stream), beyond), (Some(doc), None));
}

fn catalogue(items: u8, words: usize) -> Aggregate {
    let items = (0..items).map(|number| {
        let item = catalogue_item(&"ord ".repeat(words));
        (CatalogueItemId::from_bytes([number; 16]), item)
    });
    Aggregate::Catalogue(Catalogue {
        details: catalogue_details(),
        items: items.collect(),
        retired: BTreeMap::new(),
    })
}

fn store_in(dir: &std::path::Path) -> Store {
    testing::store(dir, &MasterKey::from_bytes(MASTER), LEDGER).unwrap()
}

/// The key of a part: what a document in parts is stored under besides its own key.
fn part_key(key: &DocKey, part: u32) -> Vec<u8> {
    [&[5], key.to_bytes().as_slice(), &part.to_be_bytes()].concat()
}

#[test]
fn a_long_document_is_written_in_parts_and_shrinks_again_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (disk, keys) = keys();
    let key = DocKey::Stream(CATALOGUE.into());
    let cursor = Cursor::start(LEDGER);
    let write = |store: &Store, doc: &Doc| store.apply([(&key, doc)], &cursor, &keys).unwrap();
    let cursor_alone = {
        let store = store_in(dir.path());
        write(&store, &Doc::Absent);
        dump(&store)
    };
    for (items, parts) in [(200, 5), (60, 2), (1, 0), (120, 3)] {
        // Opened anew, it has to find out by itself which parts there are.
        let store = store_in(dir.path());
        let doc = document(9, 3, catalogue(items, 500));
        write(&store, &doc);
        assert_eq!(store.get(&key, &keys).unwrap(), doc);
        let mut found = dump(&store);
        let value = found.remove(&key.to_bytes()).unwrap();
        let whole = match parts {
            0 => value,
            count => {
                assert_eq!(value, [&[1], u32::to_be_bytes(count).as_slice()].concat());
                let mut whole = vec![0];
                for part in 0..count {
                    let bytes = found.remove(&part_key(&key, part)).unwrap();
                    assert!(bytes.len() == PART || part == count - 1 && bytes.len() < PART);
                    whole.extend(bytes);
                }
                whole
            }
        };
        assert_eq!(found, cursor_alone, "nothing else is left");
        let told = reader::read_document(&key.to_bytes(), &whole, &secrets(&disk));
        assert!(told.contains(r#"{"catalogue":{"details":{"title":"Fælles Mål""#));
    }
    let store = store_in(dir.path());
    write(&store, &Doc::Absent);
    assert_eq!(dump(&store), cursor_alone);
}

/// A ledger whose plan is written to this often.
fn written(dir: &std::path::Path, writes: u64) -> Ledger {
    let ledger = Ledger::open(Options {
        dir: dir.to_owned(),
        master: MasterKey::from_bytes(MASTER),
        rescue: Some(story::rescue_key()),
        clock: Arc::new(repeatable::clock(CREATED)),
        entropy: Arc::new(repeatable::entropy()),
        progress: None,
        undone: planledger_core::ledger::Undone::Refuse,
    })
    .unwrap();
    for (actor, envelopes) in story::commits() {
        ledger.execute_batch(actor, envelopes).unwrap();
    }
    let envelopes = (0..writes).map(|number| {
        let mut id = [0xF0; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        let text = text(&format!("Status nummer {number}"));
        let command = Command::Plan(PLAN, PlanCommand::WriteStatus { text });
        Envelope::new(CommandId::from_bytes(id), command)
    });
    ledger
        .execute_batch(TEACHER.actor(), envelopes.collect())
        .unwrap();
    ledger.settle();
    ledger
}

#[test]
fn a_stream_has_a_snapshot_at_every_64th_revision() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = written(dir.path(), 130);
    let keys = std::fs::read(dir.path().join("keys/keys.log")).unwrap();
    let keys = reader::read_keys(&keys, &MASTER, &PRIVATE).1;
    let documents = dump(&ledger.derived());
    let stream = StreamId::from(PLAN);
    let snapshots = documents.iter().filter(|(key, _)| key[0] == 4);
    let mut revisions = Vec::new();
    for (key, value) in snapshots {
        assert_eq!(key[1..18], stream.to_bytes());
        let revision = u64::from_be_bytes(key[18..].try_into().unwrap());
        // The plan had eight revisions, the ledger 25 positions, before the first write.
        let position = Position::new(revision + 17);
        let read = ledger.read_at(position, |reading| reading.stream(PLAN));
        let (state, at) = read.unwrap().0.unwrap();
        assert_eq!(at, Revision::new(revision));
        let told = reader::read_document(key, value, &keys);
        assert!(
            told.ends_with(&serde_json::to_string(&*state).unwrap()),
            "{told}"
        );
        revisions.push(revision);
    }
    assert_eq!(revisions, [64, 128]);
}

/// A catalogue has an event for each item. At every 64th its snapshots would be many times as large as
/// the catalogue.
#[test]
fn snapshots_of_a_large_catalogue_are_together_a_few_times_as_large_as_it() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = written(dir.path(), 1);
    let before = ledger.position();
    for part in 0..4_u16 {
        let items = (0..1_000).map(|number| {
            let mut id = [0xC7; 16];
            id[..2].copy_from_slice(&(part * 1_000 + number).to_be_bytes());
            (
                CatalogueItemId::from_bytes(id),
                catalogue_item("Eleven kan læse"),
            )
        });
        let put = CatalogueCommand::PutPart {
            details: catalogue_details(),
            items: items.collect(),
            retire: Default::default(),
        };
        let id = CommandId::from_bytes([0xE0 + part as u8; 16]);
        let put = Envelope::new(id, Command::Catalogue(OTHER_CATALOGUE, put));
        ledger.execute_batch(SYSTEM.actor(), vec![put]).unwrap();
    }
    ledger.settle();
    let stream = StreamId::from(OTHER_CATALOGUE);
    let documents = dump(&ledger.derived());
    let snapshots = documents.keys().filter(|key| key[0] == 4);
    let snapshots = snapshots.filter(|key| key[1..18] == stream.to_bytes());
    let revisions = snapshots.map(|key| u64::from_be_bytes(key[18..].try_into().unwrap()));
    let revisions: Vec<_> = revisions.collect();
    assert_eq!(revisions, [64, 128, 256, 512, 1_024, 2_048]);
    // Every state of the past can still be read.
    for revision in [1, 63, 64, 700, 2_047, 2_048, 3_500, 4_001] {
        let position = Position::new(before.get() + revision);
        let read = ledger.read_at(position, |reading| reading.stream(OTHER_CATALOGUE));
        let (state, at) = read.unwrap().0.unwrap();
        let Aggregate::Catalogue(then) = &*state else {
            panic!()
        };
        assert_eq!(at.get(), revision);
        assert_eq!(then.items.len() as u64, revision - 1);
    }
}

#[test]
fn commands_are_listed_128_to_a_document() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = written(dir.path(), 130);
    let documents = dump(&ledger.derived());
    let lists = documents.iter().filter(|(key, _)| key[0] == 3);
    let lengths = lists.map(|(key, value)| {
        assert_eq!((value.len() - 1) % 77, 0);
        (
            u64::from_be_bytes(key[1..].try_into().unwrap()),
            (value.len() - 1) / 77,
        )
    });
    // 23 commands of the story, and 130 more.
    assert_eq!(lengths.collect::<Vec<_>>(), [(0, 128), (1, 25)]);
}
