//! A journal as an earlier version could leave it: it had fallen back to an older state, and went on
//! from there. Nothing in the program does that any more, so it is done to the files.

use std::sync::Arc;

use planledger_core::entry::{self, Entry};
use planledger_core::ids::{Position, StreamId};
use planledger_core::journal::{
    CommandRecord, Commit, CommitLog, NewEntry, OsDisk, SegmentLog, SegmentOptions,
};
use planledger_core::seal::{self, KeyStore, KeyStoreMode, KeyStoreOptions};

use super::server::Home;

impl Home {
    /// Positions of a stream's events.
    pub(crate) fn positions_of(&self, stream: StreamId) -> Vec<u64> {
        let log = open(self);
        let frames = log.read(Position::new(1)).map(Result::unwrap);
        let mut positions = Vec::new();
        for frame in frames {
            let of_stream = frame
                .entries()
                .filter(|record| Entry::decode(record.entry).unwrap().stream == stream);
            positions.extend(of_stream.map(|record| record.position.get()));
        }
        positions
    }

    /// Carries the command that led to the event at `again` out once more, as it was done then, but
    /// as if its stream had ended with the event at `after`. Gives the new event's position.
    pub(crate) fn fork(&self, after: u64, again: u64) -> u64 {
        self.forge(after, again, |_, json| json)
    }

    /// The same with something changed: in the entry, or in what it says. Whoever has the keys and can write
    /// to the journal can do that.
    pub(crate) fn forge(
        &self,
        after: u64,
        again: u64,
        change: impl FnOnce(&mut Entry, Vec<u8>) -> Vec<u8>,
    ) -> u64 {
        let log = open(self);
        let keys = KeyStore::open(&KeyStoreOptions {
            disk: Arc::new(OsDisk::new(self.path().join("keys")).unwrap()),
            ledger: log.ledger_id(),
            master: self.options().master,
            rescue: None,
            mode: KeyStoreMode::Existing,
        })
        .unwrap();
        let [(before, _), (mut entry, sealed)] = [after, again].map(|position| {
            let stored = log.entry(Position::new(position)).unwrap().unwrap();
            (
                Entry::decode(&stored.entry).unwrap(),
                stored.sealed.unwrap(),
            )
        });
        let prefix = entry.encode();
        let key = keys.by_id(entry.key).unwrap();
        let opened = key.key_of(&entry);
        let json = seal::open(&opened, &entry.nonce, entry::prefix(&prefix), &sealed).unwrap();
        entry.revision = before.revision.next();
        entry.previous_link = entry::link(&before.encode());
        entry.recorded_at = log.tail().recorded_at.plus(1_000);
        let json = change(&mut entry, json);
        let key = key.new_event_key(entry.stream, entry.revision, &entry.nonce);
        entry.key_commitment = seal::commitment(&key);
        let prefix = entry.encode();
        let sealed = seal::seal(&key, &entry.nonce, entry::prefix(&prefix), &json).unwrap();
        entry.sealed_hash = entry::sealed_hash(&sealed);
        let bytes = entry.encode();
        let commit = Commit {
            recorded_at: entry.recorded_at,
            commands: vec![CommandRecord {
                id: entry.command,
                digest: [1; 16],
                stream: entry.stream,
                revision: entry.revision,
                entries: 1,
            }],
            entries: vec![NewEntry::new(Position::new(after), bytes, sealed)],
        };
        log.append(&log.tail(), &[commit]).unwrap().position.get()
    }
}

fn open(home: &Home) -> SegmentLog {
    let disk = Arc::new(OsDisk::new(home.path().join("journal")).unwrap());
    SegmentLog::open(disk, SegmentOptions::default()).unwrap()
}
