//! What a ledger's journal says, read from its files and written again, altered at will.

use planledger_fixtures::place::segments_of;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use planledger_core::domain::Event;
use planledger_core::domain::ledger::LedgerEvent;
use planledger_core::entry::{self, Entry};
use planledger_core::heads::{StreamHead, head_of};
use planledger_core::ids::{
    CommandId, CommitSeq, KeyId, LedgerId, Position, Revision, StreamId, StreamKind,
};
use planledger_core::journal::{CommandRecord, Commit, CommitLog, NewEntry, OsDisk, SegmentLog};
use planledger_core::merkle::Frontier;
use planledger_core::seal::{self, KeyStore};
use planledger_core::time::Timestamp;
use planledger_core::tlog::Signer;

use crate::audit::directory::{open_journal, open_keys, sign};
use crate::audit::forge::heads_tree;
use planledger_fixtures::place::command_id;

/// Small, so that there are several.
const SEGMENT_BYTES: u64 = 4 << 10;

/// What a ledger's journal says, commit by commit, to be altered.
pub(crate) struct Story {
    pub(crate) ledger: LedgerId,
    keys: KeyStore,
    pub(crate) commits: Vec<Told>,
}

/// A commit.
pub(crate) struct Told {
    pub(crate) recorded_at: Timestamp,
    pub(crate) commands: Vec<CommandRecord>,
    pub(crate) events: Vec<Tale>,
}

/// An event with its entry.
#[derive(Clone)]
pub(crate) struct Tale {
    pub(crate) back: Position,
    pub(crate) entry: Entry,
    pub(crate) event: Event,
    pub(crate) sealed: Vec<u8>,
}

impl Story {
    pub(crate) fn read(dir: &Path) -> Self {
        let log = open_journal(dir);
        let keys = open_keys(dir, log.ledger_id());
        let mut commits = Vec::new();
        for frame in log.read_commits(CommitSeq::new(1)) {
            let frame = frame.unwrap();
            let events = frame.entries().map(|record| {
                let entry = Entry::decode(record.entry).unwrap();
                let key = keys.by_id(entry.key).unwrap().key_of(&entry);
                let prefix = entry::prefix(record.entry);
                let json = seal::open(&key, &entry.nonce, prefix, record.sealed).unwrap();
                Tale {
                    back: record.back,
                    event: Event::from_json(entry.event_type, entry.schema, &json).unwrap(),
                    entry,
                    sealed: record.sealed.to_vec(),
                }
            });
            commits.push(Told {
                recorded_at: frame.header().recorded_at,
                commands: frame.commands().collect(),
                events: events.collect(),
            });
        }
        Self {
            ledger: log.ledger_id(),
            keys,
            commits,
        }
    }

    /// The event at a position.
    pub(crate) fn at(&mut self, position: u64) -> &mut Tale {
        let mut events = self.commits.iter_mut().flat_map(|told| &mut told.events);
        events.nth(position as usize - 1).unwrap()
    }

    /// The positions of a stream's events.
    pub(crate) fn of_stream(&self, stream: impl Into<StreamId>) -> Vec<u64> {
        let stream = stream.into();
        let events = self.commits.iter().flat_map(|told| &told.events);
        let found = (1..).zip(events);
        let found = found.filter(|(_, tale)| tale.entry.stream == stream);
        found.map(|(position, _)| position).collect()
    }

    /// The positions of the events of the stream of keys.
    pub(crate) fn of_ledger(&self) -> Vec<u64> {
        self.of_stream(self.ledger)
    }

    /// The key that a stream's events are sealed under.
    pub(crate) fn key_of(&self, stream: StreamId) -> KeyId {
        let mut events = self.commits.iter().flat_map(|told| &told.events);
        let found = events.find(|tale| tale.entry.stream == stream);
        found.unwrap().entry.key
    }

    /// The place of the commit that holds an event.
    fn commit_of(&self, position: u64) -> usize {
        let mut last = 0;
        let holds = |told: &Told| {
            last += told.events.len() as u64;
            position <= last
        };
        self.commits.iter().position(holds).unwrap()
    }

    /// Exchanges two commits of one event each; the journal's own instants stay in order.
    pub(crate) fn swap(&mut self, one: u64, other: u64) {
        let (one, other) = (self.commit_of(one), self.commit_of(other));
        self.commits.swap(one, other);
        self.point_back();
        self.put_in_time();
    }

    /// Makes commits' instants increase, over which no leaf is hashed.
    fn put_in_time(&mut self) {
        let mut latest = Timestamp::default();
        for told in &mut self.commits {
            told.recorded_at = told.recorded_at.max(latest.plus(1));
            let last = told.events.last().map(|tale| tale.entry.recorded_at);
            latest = told.recorded_at.max(last.unwrap_or_default());
        }
    }

    /// The same, with the entries' instants.
    pub(crate) fn swap_with_times(&mut self, one: u64, other: u64) {
        let (first, second) = (self.commit_of(one), self.commit_of(other));
        self.commits.swap(first, second);
        let [early, late] = [second, first].map(|at| {
            let told = &self.commits[at];
            (told.recorded_at, told.events[0].entry.recorded_at)
        });
        for (at, (of_commit, of_event)) in [(first, early), (second, late)] {
            let told = &mut self.commits[at];
            told.recorded_at = of_commit;
            told.events[0].entry.recorded_at = of_event;
        }
    }

    /// Puts an event in before the one at a position, just before it in time, for the rest like
    /// another.
    pub(crate) fn insert_before(&mut self, position: u64, like: u64, event: Event) {
        let mut tale = self.at(like).clone();
        let at = self.commit_of(position);
        let recorded_at = Timestamp::from_nanos(self.commits[at].recorded_at.nanos() - 1);
        let event_type = event.event_type();
        tale.entry.event_type = event_type.code;
        tale.entry.schema = event_type.schema;
        tale.entry.recorded_at = recorded_at;
        tale.entry.command = CommandId::from_bytes([0x77; 16]);
        tale.event = event;
        let command = CommandRecord {
            id: tale.entry.command,
            digest: [0; 16],
            stream: tale.entry.stream,
            revision: tale.entry.revision,
            entries: 1,
        };
        let told = Told {
            recorded_at,
            commands: vec![command],
            events: vec![tale],
        };
        self.commits.insert(at, told);
    }

    /// Appends an event that goes on from the one at a position, 0 for none, whatever its stream had
    /// last: as a server does that believes an older state. Gives its position.
    pub(crate) fn go_on(&mut self, stream: StreamId, from: u64, event: Event) -> u64 {
        let revision = match from {
            0 => Revision::ZERO,
            from => self.at(from).entry.revision,
        };
        self.go_on_as(stream, from, revision.next(), event)
    }

    /// The same, with any revision.
    pub(crate) fn go_on_as(
        &mut self,
        stream: StreamId,
        from: u64,
        revision: Revision,
        event: Event,
    ) -> u64 {
        let events = self.commits.iter().map(|told| told.events.len() as u64);
        let position = events.sum::<u64>() + 1;
        let key = match stream.kind {
            StreamKind::Ledger => self.key_of(self.ledger.into()),
            _ => self.key_of(stream),
        };
        let previous_link = match from {
            0 => [0; 32],
            from => entry::link(&self.at(from).entry.encode()),
        };
        let last = self.commits.last().unwrap();
        let recorded_at = last
            .recorded_at
            .max(self.at(position - 1).entry.recorded_at);
        let mut tale = self.at(position - 1).clone();
        let nonce = [position as u8; 24];
        let scope_key = self.keys.by_id(key).unwrap();
        let event_key = scope_key.new_event_key(stream, revision, &nonce);
        let event_type = event.event_type();
        tale.back = Position::new(from);
        tale.entry = Entry {
            stream,
            revision,
            previous_link,
            event_type: event_type.code,
            schema: event_type.schema,
            command: command_id(1_000 + position),
            recorded_at: recorded_at.plus(1_000),
            key,
            key_commitment: seal::commitment(&event_key),
            nonce,
            ..tale.entry
        };
        tale.event = event;
        let command = CommandRecord {
            id: tale.entry.command,
            digest: [position as u8; 16],
            stream,
            revision,
            entries: 1,
        };
        self.commits.push(Told {
            recorded_at: tale.entry.recorded_at,
            commands: vec![command],
            events: vec![tale],
        });
        self.reseal(position);
        position
    }

    /// Seals the event at a position again, under the key and nonce that it has.
    pub(crate) fn reseal(&mut self, position: u64) {
        let entry = self.at(position).entry.clone();
        let key = self.keys.by_id(entry.key).unwrap().key_of(&entry);
        let tale = self.at(position);
        let json = tale.event.to_json().unwrap();
        let prefix = tale.entry.encode();
        tale.sealed = seal::seal(&key, &tale.entry.nonce, entry::prefix(&prefix), &json).unwrap();
        tale.entry.sealed_len = tale.sealed.len() as u32;
        tale.entry.sealed_hash = entry::sealed_hash(&tale.sealed);
    }

    /// Appends a command that changes nothing, and is told that its stream has this revision.
    pub(crate) fn answer(&mut self, stream: StreamId, revision: Revision) {
        let last = self.commits.last().unwrap();
        let event = last.events.last().map(|tale| tale.entry.recorded_at);
        let recorded_at = last.recorded_at.max(event.unwrap_or_default()).plus(1_000);
        let command = CommandRecord {
            id: command_id(2_000 + recorded_at.nanos() % 1_000_000),
            digest: [0; 16],
            stream,
            revision,
            entries: 0,
        };
        self.commits.push(Told {
            recorded_at,
            commands: vec![command],
            events: Vec::new(),
        });
    }

    /// Makes back pointers right, which nothing is hashed over.
    pub(crate) fn point_back(&mut self) {
        let mut last = BTreeMap::new();
        let events = self.commits.iter_mut().flat_map(|told| &mut told.events);
        for (position, tale) in (1..).zip(events) {
            let before = last.insert(tale.entry.stream, Position::new(position));
            tale.back = before.unwrap_or_default();
        }
    }

    /// Takes out the commits that hold events at these positions.
    pub(crate) fn remove(&mut self, positions: &[u64]) {
        let mut next = 1;
        self.commits.retain(|told| {
            let first = next;
            next += told.events.len() as u64;
            !positions
                .iter()
                .any(|position| (first..next).contains(position))
        });
    }

    /// Numbers, links and seals every event again, as it says now, and records heads as they are.
    pub(crate) fn seal_anew(&mut self) {
        let mut last: BTreeMap<StreamId, (StreamHead, Position)> = BTreeMap::new();
        let mut heads: Vec<Vec<StreamHead>> = vec![Vec::new()];
        let mut position = Position::ZERO;
        for told in &mut self.commits {
            for tale in &mut told.events {
                if let Event::Ledger(LedgerEvent::HeadsRecorded { through, root }) = &mut tale.event
                {
                    *through = position;
                    *root = heads_tree(&heads[position.get() as usize]).root();
                }
                position = position.next();
                let entry = &mut tale.entry;
                let before = last.get(&entry.stream);
                entry.revision = before
                    .map(|(head, _)| head.revision)
                    .unwrap_or_default()
                    .next();
                entry.previous_link = before.map_or([0; 32], |(head, _)| head.link);
                tale.back = before.map(|(_, at)| *at).unwrap_or_default();
                let key = self.keys.by_id(entry.key).unwrap();
                let key = key.new_event_key(entry.stream, entry.revision, &entry.nonce);
                entry.key_commitment = seal::commitment(&key);
                let (json, bytes) = (tale.event.to_json().unwrap(), entry.encode());
                tale.sealed = seal::seal(&key, &entry.nonce, entry::prefix(&bytes), &json).unwrap();
                entry.sealed_len = tale.sealed.len() as u32;
                entry.sealed_hash = entry::sealed_hash(&tale.sealed);
                let (_, head) = head_of(entry, &entry.encode());
                last.insert(entry.stream, (head, position));
                heads.push(last.values().map(|(head, _)| *head).collect());
                for command in &mut told.commands {
                    if command.id == entry.command {
                        command.revision = entry.revision;
                    }
                }
            }
        }
    }

    /// Writes the journal into a directory, with frames and leaves that fit.
    pub(crate) fn write(&self, to: &Path) {
        let disk = Arc::new(OsDisk::new(to.join("journal")).unwrap());
        let options = segments_of(SEGMENT_BYTES);
        let created = Timestamp::from_nanos(1);
        let log = SegmentLog::create(disk, self.ledger, created, options).unwrap();
        for told in &self.commits {
            let entries = told.events.iter();
            let entries = entries
                .map(|tale| NewEntry::new(tale.back, tale.entry.encode(), tale.sealed.clone()));
            let commit = Commit {
                recorded_at: told.recorded_at,
                commands: told.commands.clone(),
                entries: entries.collect(),
            };
            log.append(&log.tail(), &[commit]).unwrap();
        }
    }

    /// Makes a checkpoint at every record of heads.
    pub(crate) fn sign(&self, dir: &Path, signer: &Signer) {
        let mut notes = String::new();
        let mut frontier = Frontier::default();
        for tale in self.commits.iter().flat_map(|told| &told.events) {
            frontier.push(entry::leaf(&tale.entry.encode()));
            if let Event::Ledger(LedgerEvent::HeadsRecorded { .. }) = tale.event {
                let signed = sign(frontier.size(), frontier.root(), signer);
                notes += &format!("{}\n", signed.note);
            }
        }
        fs::create_dir_all(dir.join("checkpoints")).unwrap();
        fs::write(dir.join("checkpoints/checkpoints.txt"), notes).unwrap();
    }
}
