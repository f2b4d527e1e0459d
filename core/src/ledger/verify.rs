//! Checking a journal from its first byte to its last, without trusting anything derived.

use std::collections::HashMap;

use super::ReadError;
use super::sealer::{open_payload, read_entry, read_event};
use crate::entry::{self, Hash32};
use crate::ids::{CommitSeq, Position, Revision, StreamId};
use crate::journal::{CommitLog, EntryRef, Tail};
use crate::merkle::Frontier;
use crate::seal::{KeyStore, SealError, commitment};
use crate::time::Timestamp;

/// What is wrong at a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where; the first position that cannot be relied on.
    pub position: Position,
    /// What is wrong.
    pub what: String,
}

/// What checking found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Frames checked.
    pub commits: CommitSeq,
    /// Events checked.
    pub events: Position,
    /// Streams there are.
    pub streams: u64,
    /// Payloads that have been redacted.
    pub redacted: u64,
    /// Bytes at the end of the journal that a crash left of a write that was never receipted;
    /// they are cut off when the ledger is opened.
    pub unfinished: u64,
    /// Root of the RFC 6962 tree over the events checked.
    pub root: Hash32,
    /// The first fault, if there is one. What stands after it is not checked, because nothing
    /// there can be relied on.
    pub fault: Option<Fault>,
}

/// Where a stream is while it is checked.
struct Place {
    revision: Revision,
    position: Position,
    link: Hash32,
}

/// Checks every frame, entry, link, back pointer, leaf, payload hash, key commitment and payload,
/// and builds the tree. `progress` is told how many of how many events have been checked.
///
/// # Errors
/// Only when the disk fails; damage is in the answer.
pub fn verify(
    log: &dyn CommitLog,
    keys: &KeyStore,
    progress: &dyn Fn(u64, u64),
) -> Result<Verification, ReadError> {
    let end = log.tail();
    let mut checking = Checking {
        keys,
        streams: HashMap::new(),
        redacted: 0,
        last: None,
    };
    let mut frontier = Frontier::default();
    let mut tail: Option<Tail> = None;
    let mut fault = None;
    for frame in log.read_commits(CommitSeq::ZERO.next()) {
        let position = Position::new(frontier.size() + 1);
        let frame = match frame {
            Ok(frame) => frame,
            Err(crate::journal::ReadError::Damaged(damage)) => {
                fault = Some(Fault {
                    position: damage.position,
                    what: damage.to_string(),
                });
                break;
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(before) = &tail
            && let Err(error) = before.after(&frame)
        {
            fault = Some(Fault {
                position,
                what: format!("the frame there {error}"),
            });
            break;
        }
        for record in frame.entries() {
            if let Err(what) = checking.check(&record) {
                fault = Some(Fault {
                    position: record.position,
                    what,
                });
                break;
            }
            frontier.push(*record.leaf);
        }
        if fault.is_some() {
            break;
        }
        tail = Some(Tail::at(&frame));
        progress(frontier.size(), end.position.get());
    }
    let commits = tail.map(|tail| tail.commit).unwrap_or_default();
    if fault.is_none() && commits < end.commit {
        let position = Position::new(frontier.size() + 1);
        fault = Some(Fault {
            position,
            what: "the journal ends early".to_owned(),
        });
    }
    Ok(Verification {
        commits,
        events: Position::new(frontier.size()),
        streams: checking.streams.len() as u64,
        redacted: checking.redacted,
        unfinished: 0,
        root: frontier.root(),
        fault,
    })
}

struct Checking<'a> {
    keys: &'a KeyStore,
    streams: HashMap<StreamId, Place>,
    redacted: u64,
    last: Option<Timestamp>,
}

impl Checking<'_> {
    fn check(&mut self, record: &EntryRef<'_>) -> Result<(), String> {
        let position = record.position;
        let entry = read_entry(position, record.entry).map_err(|error| error.to_string())?;
        if entry::leaf(record.entry) != *record.leaf {
            return Err("the leaf is not the hash of the entry".to_owned());
        }
        if self.last.is_some_and(|last| entry.recorded_at <= last) {
            return Err("it is not recorded later than the event before it".to_owned());
        }
        self.last = Some(entry.recorded_at);
        let link = entry::link(record.entry);
        let before = self.streams.insert(
            entry.stream,
            Place {
                revision: entry.revision,
                position,
                link,
            },
        );
        let (revision, back, previous) = match before {
            Some(place) => (place.revision.next(), place.position, place.link),
            None => (Revision::new(1), Position::ZERO, [0; 32]),
        };
        if entry.revision != revision {
            return Err(format!(
                "its revision is {}, not {revision}",
                entry.revision
            ));
        }
        if entry.previous_link != previous {
            return Err("its link is not that of the stream's event before it".to_owned());
        }
        if record.back != back {
            return Err(format!(
                "it points back to position {}, not {back}",
                record.back
            ));
        }
        self.check_payload(record, &entry)
    }

    fn check_payload(&mut self, record: &EntryRef<'_>, entry: &entry::Entry) -> Result<(), String> {
        let position = record.position;
        match open_payload(position, entry, record.entry, record.sealed, self.keys) {
            Ok(_) if entry::sealed_hash(record.sealed) != entry.sealed_hash => {
                Err("the payload is not what the entry's hash says".to_owned())
            }
            Ok(json) => {
                let key = self.keys.by_id(entry.key);
                let key = key.map(|key| key.event_key(entry.stream, entry.revision));
                if key.map(|key| commitment(&key)) != Some(entry.key_commitment) {
                    return Err("the key is not the one that the entry commits to".to_owned());
                }
                read_event(position, entry, &json)
                    .map(drop)
                    .map_err(|error| error.to_string())
            }
            Err(ReadError::Seal {
                source: SealError::Redacted,
                ..
            }) => {
                self.redacted += 1;
                Ok(())
            }
            Err(error) => Err(error.to_string()),
        }
    }
}
