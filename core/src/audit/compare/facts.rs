//! What is proved of single entries and of recorded heads, and which two such facts cannot both be
//! true of one log that only grew. The search and the check of a proof use the same rules.

use std::cmp::Ordering;

use crate::domain::ledger::RecordedHeads;
use crate::entry::{self, Entry, EntryBytes};
use crate::hash::Hash32;
use crate::heads::{BucketProof, bucket_of};
use crate::ids::{KeyId, Position, Revision, StreamId, StreamKind};
use crate::note::VerifierKey;
use crate::time::Timestamp;

/// An entry that is in the log, and its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) position: Position,
    pub(super) stream: StreamId,
    pub(super) revision: Revision,
    pub(super) previous_link: Hash32,
    /// Hash of the whole entry: two entries are the same if their links are.
    pub(super) link: Hash32,
    pub(super) key: KeyId,
    pub(super) recorded_at: Timestamp,
}

impl Fact {
    pub(super) fn of(position: Position, entry: &Entry, bytes: &EntryBytes) -> Self {
        Self {
            position,
            stream: entry.stream,
            revision: entry.revision,
            previous_link: entry.previous_link,
            link: entry::link(bytes),
            key: entry.key,
            recorded_at: entry.recorded_at,
        }
    }
}

/// Why two entries cannot both be in one log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryConflict {
    /// They are different, and have the same position.
    Position,
    /// They belong to the same stream, and have the same revision at two positions.
    Revision,
    /// They belong to the same stream, and the one with the later position has the earlier revision.
    Order,
    /// They follow each other in the same stream, and the second does not link to the first.
    Link,
    /// They belong to the same stream of a person or plan, and are sealed under two keys.
    Key,
    /// The one with the later position was not recorded later.
    Time,
}

/// Whether two entries contradict each other. In whatever order they are given, the answer is the
/// same.
pub(super) fn entries(a: &Fact, b: &Fact) -> Option<EntryConflict> {
    let (first, second) = match a.position <= b.position {
        true => (a, b),
        false => (b, a),
    };
    if first.position == second.position {
        return (first.link != second.link).then_some(EntryConflict::Position);
    }
    let personal = matches!(first.stream.kind, StreamKind::Person | StreamKind::Plan);
    let follows = second.revision == first.revision.next();
    match first.stream == second.stream {
        true if second.revision == first.revision => Some(EntryConflict::Revision),
        true if second.revision < first.revision => Some(EntryConflict::Order),
        true if follows && second.previous_link != first.link => Some(EntryConflict::Link),
        true if personal && second.key != first.key => Some(EntryConflict::Key),
        true | false => {
            let back = second.recorded_at <= first.recorded_at;
            back.then_some(EntryConflict::Time)
        }
    }
}

/// The heads of one bucket as the log has recorded them.
#[derive(Clone, Debug)]
pub(super) struct HeadsFact {
    pub(super) recorded: RecordedHeads,
    pub(super) proof: BucketProof,
}

/// Why recorded heads cannot be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HeadConflict {
    /// They have no head of a stream that had an event by then.
    Missing,
    /// They say that a stream ended at a revision, and a later one was there by then.
    Short,
    /// They say that a stream had come to a revision by then, and an event up to that revision was
    /// recorded after it.
    Early,
    /// They say that a stream's event at some revision was another one.
    Other,
}

/// Whether recorded heads contradict an entry.
pub(super) fn head(heads: &HeadsFact, event: &Fact) -> Option<HeadConflict> {
    if bucket_of(event.stream, event.key) != heads.proof.bucket {
        return None;
    }
    let by_then = event.position <= heads.recorded.through;
    let Some(head) = heads.proof.head(event.stream) else {
        return by_then.then_some(HeadConflict::Missing);
    };
    match event.revision.cmp(&head.revision) {
        Ordering::Greater if by_then => Some(HeadConflict::Short),
        Ordering::Greater => {
            let follows = event.revision == head.revision.next();
            (follows && event.previous_link != head.link).then_some(HeadConflict::Other)
        }
        Ordering::Equal if event.link != head.link => Some(HeadConflict::Other),
        Ordering::Equal | Ordering::Less => (!by_then).then_some(HeadConflict::Early),
    }
}

/// Whether heads that were recorded twice contradict each other, and for which stream.
pub(super) fn heads(a: &HeadsFact, b: &HeadsFact) -> Option<(StreamId, HeadConflict)> {
    if a.proof.bucket != b.proof.bucket {
        return None;
    }
    match a.recorded.through.cmp(&b.recorded.through) {
        Ordering::Less => grew(a, b),
        Ordering::Greater => grew(b, a),
        Ordering::Equal => grew(a, b).or_else(|| grew(b, a)),
    }
}

/// Whether every stream goes on from where it was.
fn grew(older: &HeadsFact, newer: &HeadsFact) -> Option<(StreamId, HeadConflict)> {
    older.proof.heads.iter().find_map(|before| {
        let conflict = match newer.proof.head(before.stream) {
            None => Some(HeadConflict::Missing),
            Some(now) => match now.revision.cmp(&before.revision) {
                Ordering::Less => Some(HeadConflict::Short),
                Ordering::Equal => (now.link != before.link).then_some(HeadConflict::Other),
                Ordering::Greater => None,
            },
        };
        conflict.map(|conflict| (before.stream, conflict))
    })
}

/// Whether two records of heads contradict each other, whatever their heads are.
pub(super) fn records(a: &RecordedHeads, b: &RecordedHeads) -> bool {
    a.through == b.through && a.root != b.root
}

/// A key on record: an event of the ledger's own stream of keys.
#[derive(Clone, Debug)]
pub(super) struct KeyFact {
    pub(super) event: Fact,
    /// The key that handed over. `None` if this is the first key.
    pub(super) from: Option<VerifierKey>,
    pub(super) to: VerifierKey,
}

/// Why two changes of key cannot both be on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyConflict {
    /// The same change, by its revision, leads to two keys.
    TwoKeys,
    /// A key handed over that was not the key on record.
    NotOnRecord,
}

/// Whether two changes of key contradict each other. A key that hands over, gets back and hands over
/// to another one does not: only changes at one revision, or at two that follow each other, do.
pub(super) fn keys(a: &KeyFact, b: &KeyFact) -> Option<KeyConflict> {
    if a.event.stream != b.event.stream {
        return None;
    }
    let (first, second) = match a.event.revision <= b.event.revision {
        true => (a, b),
        false => (b, a),
    };
    if first.event.revision == second.event.revision {
        return (first.to != second.to).then_some(KeyConflict::TwoKeys);
    }
    let follows = second.event.revision == first.event.revision.next();
    (follows && second.from.as_ref() != Some(&first.to)).then_some(KeyConflict::NotOnRecord)
}
