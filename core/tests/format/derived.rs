//! Documents that the fixture has none of: snapshots, long documents, full lists of commands; and the files
//! in which documents lie.

use std::collections::BTreeMap;
use std::sync::Arc;

use planledger_core::derived::{Cursor, Doc, DocKey, Head, Store, StreamDoc, Term, testing};
use planledger_core::domain::catalogue::{Catalogue, CatalogueCommand};
use planledger_core::domain::institution::Institution;
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::{Aggregate, Command};
use planledger_core::ids::{
    CatalogueId, CatalogueItemId, CommandId, CommitSeq, InstitutionId, LedgerId, PersonId,
    Position, Revision, StreamId,
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
    store.dump().unwrap()
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
    00000000000000c8
    0000000000000040
    eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee
    68eae1066fca29e3236b08eb29b363fb
    78a2098505c9f16411b94e8f37eb6d9ca709158cbf25afbc
    911baa9dc1dcef5b1b00dcbdcb265cc78b2f8e8aca739e986fae7b1ed8fbf9
    816c2ce9c204ffc120de8e7eb61b073bba984fe02b9d3978e2d1
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
    assert_eq!(store.get(&key, &keys).unwrap(), doc);
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

/// How long a list is that fills a part of a file.
const LONG: u8 = 200;

/// A list that begins with the institution of this number, so that no two are alike.
fn list(number: u8) -> Doc {
    let ids = (0..LONG).map(|last| {
        let mut id = [0x11; 16];
        (id[0], id[15]) = (number, last);
        StreamId::from(InstitutionId::from_bytes(id))
    });
    Doc::Postings(Arc::new(ids.collect()))
}

fn owned_by(number: u8) -> DocKey {
    DocKey::Postings(Term::Owner(PersonId::from_bytes([number; 16])))
}

/// How many bytes the files beside sled have.
fn bytes_beside(dir: &std::path::Path) -> u64 {
    let sled = testing::sled_folder(dir).unwrap();
    let files = std::fs::read_dir(sled.with_file_name("values")).unwrap();
    files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum()
}

/// Documents lie in files that are only appended to. However often they are written, the files stay about
/// as large as the documents, and each is what was written last, whenever the store is opened anew.
#[test]
fn what_is_out_of_date_is_removed_and_everything_else_stays_as_it_is() {
    const DOCUMENTS: u8 = 100;
    let dir = tempfile::tempdir().unwrap();
    let (_disk, keys) = keys();
    let mut store = Some(store_in(dir.path()));
    let mut expected: BTreeMap<u8, Doc> = BTreeMap::new();
    for round in 1..=60_u64 {
        let mut cursor = Cursor::start(LEDGER);
        cursor.commit = CommitSeq::new(round);
        // Some are never written again, most are, and some are removed.
        let written = (0..DOCUMENTS).filter(|number| round == 1 || number % 5 > 0);
        let written: Vec<_> = written
            .map(|number| {
                let gone = number % 7 == 3 && round % 2 == 0;
                let doc = match gone {
                    true => Doc::Absent,
                    false => list(number.wrapping_add(round as u8)),
                };
                (number, owned_by(number), doc)
            })
            .collect();
        let open = store.get_or_insert_with(|| store_in(dir.path()));
        open.apply(
            written.iter().map(|(_, key, doc)| (key, doc)),
            &cursor,
            &keys,
        )
        .unwrap();
        expected.extend(written.into_iter().map(|(number, _, doc)| (number, doc)));
        for (number, doc) in &expected {
            assert_eq!(
                open.get(&owned_by(*number), &keys).unwrap(),
                *doc,
                "round {round}"
            );
        }
        if round % 9 == 0 {
            store = None;
        }
    }
    drop(store);
    let live: usize = dump(&store_in(dir.path())).values().map(Vec::len).sum();
    let files = bytes_beside(dir.path());
    assert!(
        files < 2 * live as u64 + 4 * (32 << 10),
        "{files} of {live}"
    );
}

#[test]
fn a_long_document_is_one_as_any_other() {
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
    for items in [200, 60, 1, 120] {
        let store = store_in(dir.path());
        let doc = document(9, 3, catalogue(items, 500));
        write(&store, &doc);
        assert_eq!(store.get(&key, &keys).unwrap(), doc);
        let mut found = dump(&store);
        let whole = found.remove(&key.to_bytes()).unwrap();
        assert_eq!(found, cursor_alone, "nothing else is there");
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
    let envelopes: Vec<_> = envelopes.collect();
    for batch in envelopes.chunks(500) {
        let written = ledger.execute_batch(TEACHER.actor(), batch.to_vec());
        written.unwrap();
    }
    ledger.settle();
    ledger
}

#[test]
fn the_longer_a_stream_is_the_further_apart_lie_its_snapshots() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = written(dir.path(), 1_200);
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
    assert_eq!(revisions, [64, 128, 192, 256, 384, 512, 768, 1_024]);
    // Between them, before the first and after the last, the past is folded.
    for revision in [9, 63, 65, 300, 511, 767, 900, 1_023, 1_200] {
        let read = ledger.read_at(Position::new(revision + 17), |reading| reading.stream(PLAN));
        let (state, at) = read.unwrap().0.unwrap();
        let Aggregate::Plan(then) = &*state else {
            panic!()
        };
        assert_eq!(at.get(), revision);
        let status = &then.status.as_ref().unwrap().text;
        assert_eq!(*status, text(&format!("Status nummer {}", revision - 9)));
    }
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
        assert_eq!(value.len() % 77, 0);
        (
            u64::from_be_bytes(key[1..].try_into().unwrap()),
            value.len() / 77,
        )
    });
    // 23 commands of the story, and 130 more.
    assert_eq!(lengths.collect::<Vec<_>>(), [(0, 128), (1, 25)]);
}
