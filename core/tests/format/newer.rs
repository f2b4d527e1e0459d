//! A ledger to which a newer version has written events that this version does not know.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use planledger_core::audit::FaultKind;
use planledger_core::domain::EventType;
use planledger_core::entry::{self, Entry};
use planledger_core::ids::{CommandId, StreamId};
use planledger_core::journal::{
    CommandRecord, Commit, CommitLog, NewEntry, OsDisk, SegmentLog, SegmentOptions,
};
use planledger_core::ledger::{Ledger, OpenError, ReadError};
use planledger_core::seal::{self, KeyStore, KeyStoreMode, KeyStoreOptions, MasterKey};
use planledger_core::verify::{Depth, PartName, verify_dir};

use crate::format::fixture::Fixture;
use crate::format::golden::options;
use crate::format::story::{self, MASTER};
use planledger_fixtures::school::*;

const SEGMENT: &str = "journal/segment-00000001.log";

/// Appends an event to the plan, of any type and schema, as whoever has the keys can; gives its sealed
/// bytes.
fn append(dir: &Path, code: u16, schema: u16) -> Vec<u8> {
    let disk = Arc::new(OsDisk::new(dir.join("journal")).unwrap());
    let log = SegmentLog::open(disk, SegmentOptions::default()).unwrap();
    let keys = KeyStore::open(&KeyStoreOptions {
        disk: Arc::new(OsDisk::new(dir.join("keys")).unwrap()),
        ledger: log.ledger_id(),
        master: MasterKey::from_bytes(MASTER),
        rescue: Some(story::rescue_key()),
        mode: KeyStoreMode::ReadOnly,
    })
    .unwrap();
    let plan = StreamId::from(PLAN);
    let entries = log.read_commits(Default::default()).flat_map(|frame| {
        let frame = frame.unwrap();
        let records = frame.entries();
        records
            .map(|record| (record.position, *record.entry))
            .collect::<Vec<_>>()
    });
    let (back, last) = entries
        .filter(|(_, bytes)| Entry::decode(bytes).unwrap().stream == plan)
        .last()
        .unwrap();
    let before = Entry::decode(&last).unwrap();
    let recorded_at = log.tail().recorded_at.plus(1_000);
    let revision = before.revision.next();
    let key = keys.by_id(before.key).unwrap().event_key(plan, revision);
    let mut entry = Entry {
        revision,
        previous_link: entry::link(&last),
        event_type: code,
        schema,
        command: CommandId::from_bytes([revision.get() as u8; 16]),
        recorded_at,
        key_commitment: seal::commitment(&key),
        ..before
    };
    let prefix = entry.encode();
    let json = br#"{"status_written":{"words":["newer"]}}"#;
    let sealed = seal::seal(&key, &entry.nonce, entry::prefix(&prefix), json).unwrap();
    entry.sealed_len = sealed.len() as u32;
    entry.sealed_hash = entry::sealed_hash(&sealed);
    let commit = Commit {
        recorded_at,
        commands: vec![CommandRecord {
            id: entry.command,
            digest: [0; 16],
            stream: plan,
            revision,
            entries: 1,
        }],
        entries: vec![NewEntry::new(back, entry.encode(), sealed.clone())],
    };
    log.append(&log.tail(), &[commit]).unwrap();
    sealed
}

fn refused(dir: &Path) -> String {
    match Ledger::open(options(dir)).map(drop).unwrap_err() {
        OpenError::Read(error @ ReadError::Newer { .. }) => error.to_string(),
        other => panic!("{other}"),
    }
}

fn status_written() -> EventType {
    EventType::from_name("plan.status_written").unwrap()
}

#[test]
fn a_newer_schema_is_refused_at_the_start_with_all_that_is_needed_to_go_on() {
    let dir = tempfile::tempdir().unwrap();
    Fixture::read().unpack(dir.path());
    let known = status_written();
    // Derived state has come up to the event before.
    Ledger::open(options(dir.path())).unwrap().settle();
    append(dir.path(), known.code, known.schema + 1);
    let expected = format!(
        "event at position 26: plan.status_written has schema {}, but this version knows its \
         schemas only up to {}; a newer version of planledger is needed",
        known.schema + 1,
        known.schema
    );
    // However often it is tried, and also when everything is read again.
    assert_eq!(refused(dir.path()), expected);
    assert_eq!(refused(dir.path()), expected);
    fs::remove_dir_all(dir.path().join("derived")).unwrap();
    assert_eq!(refused(dir.path()), expected);
    let left = fs::read_dir(dir.path().join("derived")).unwrap();
    assert_eq!(
        left.count(),
        0,
        "what a newer version derives is in nobody's way"
    );
}

#[test]
fn an_unknown_type_of_event_is_refused_likewise() {
    let dir = tempfile::tempdir().unwrap();
    Fixture::read().unpack(dir.path());
    append(dir.path(), 0x06FE, 1);
    assert_eq!(
        refused(dir.path()),
        "event at position 26: event type 0x06fe is not known to this version; a newer version of \
         planledger is needed"
    );
}

/// The text is gone, but a newer version may make something of the event all the same.
#[test]
fn a_redacted_event_of_a_newer_version_is_not_skipped() {
    let dir = tempfile::tempdir().unwrap();
    Fixture::read().unpack(dir.path());
    let known = status_written();
    let sealed = append(dir.path(), known.code, known.schema + 1);
    append(dir.path(), 0x06FE, 1);
    let mut bytes = fs::read(dir.path().join(SEGMENT)).unwrap();
    let mut windows = bytes.windows(sealed.len());
    let at = windows.position(|window| window == sealed).unwrap();
    bytes[at..at + sealed.len()].fill(0);
    fs::write(dir.path().join(SEGMENT), bytes).unwrap();
    assert!(
        refused(dir.path()).starts_with("event at position 26: plan.status_written has schema")
    );
}

#[test]
fn verification_names_the_event_and_says_that_a_newer_version_is_needed() {
    let dir = tempfile::tempdir().unwrap();
    Fixture::read().unpack(dir.path());
    let known = status_written();
    append(dir.path(), known.code, known.schema + 1);
    let found = verify_dir(&options(dir.path()), Depth::Full, &|_, _, _| {}).unwrap();
    assert!(found.part(PartName::Journal).unwrap().fault.is_none());
    let contents = found.part(PartName::Contents).unwrap();
    let fault = contents.fault.as_ref().unwrap();
    assert_eq!((fault.position.get(), fault.kind), (26, FaultKind::Event));
    assert!(
        fault
            .what
            .ends_with("a newer version of planledger is needed")
    );
}
