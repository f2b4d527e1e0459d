//! Writes every event that can be read as text: JSON Lines, of which `service/schema/` has the schema.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde::Serialize;
use serde_json::value::RawValue;

use super::examine::enter;
use super::finding::Finding;
use super::lines::{EndLine, EventLine, FORMAT, HeadLine, MissingOfStream, MissingPlaces, VERSION};
use super::reading;
use crate::domain::ledger::LedgerEvent;
use crate::domain::{Event, EventType};
use crate::entry::Entry;
use crate::hex;
use crate::ids::{LedgerId, PersonId, Position, StreamId};
use crate::journal::{EntryRef, Frame, Survey, survey, survey_with};
use crate::ledger::directory::{open_keys, os_disk};
use crate::ledger::{OpenError, Options};
use crate::merkle::Frontier;
use crate::seal::{KeyScope, KeyStore, KeyStoreMode};
use crate::tlog::{Kept, SignedCheckpoint};

/// What came of an export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// How many events have a line.
    pub events: u64,
    /// Of how many of them the payload is there.
    pub opened: u64,
    /// What the journal no longer has.
    pub journal: Survey,
    /// Revisions of streams that are missing before one that is there. That the last ones of a stream are
    /// missing cannot be seen.
    pub missing: Vec<MissingRevisions>,
}

impl Exported {
    /// Whether the journal has no gap. A text that was redacted or erased is none.
    pub fn is_whole(&self) -> bool {
        self.journal.gaps.is_empty() && self.missing.is_empty()
    }
}

/// Revisions of a stream that are missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingRevisions {
    /// The stream.
    pub stream: StreamId,
    /// The person whose key seals it; `None` if it is nobody's, or that cannot be known.
    pub person: Option<PersonId>,
    /// The first revision that is missing.
    pub first: u64,
    /// The last one.
    pub last: u64,
}

/// Why nothing was exported, or not everything.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The directory cannot be looked at. `planledger ledger doctor` says more.
    #[error("{0}")]
    Directory(String),
    /// The keys or the journal cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The journal has no sound header, so nobody can say whose it is.
    #[error("no segment of the journal has a sound header; restore the journal")]
    Nobody,
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Writes every event that can be read, in the order of positions, whether the journal is whole or not.
/// The first line says what it is and which positions are missing, the last one which revisions of which
/// streams. It reads the journal twice, and changes nothing.
///
/// # Errors
/// [`ExportError`]. Damage of the journal is not an error: the answer tells of it.
pub fn export(options: &Options, out: &mut dyn Write) -> Result<Exported, ExportError> {
    let _lock = enter(&options.dir).map_err(|findings| {
        let words: Vec<_> = findings.iter().map(Finding::to_string).collect();
        ExportError::Directory(words.join("; "))
    })?;
    let disk = os_disk(&options.dir.join("journal"))?;
    let journal = survey(&*disk)?;
    let ledger = journal.ledger.ok_or(ExportError::Nobody)?;
    let keys = open_keys(options, ledger, KeyStoreMode::ReadOnly)?;
    let missing = journal.gaps.iter().map(|gap| MissingPlaces {
        first: gap.first.get(),
        last: gap.last.map(Position::get),
        why: gap.reason.to_string(),
    });
    let head = HeadLine {
        format: FORMAT.into(),
        version: VERSION,
        ledger: ledger.to_string(),
        events: journal.events,
        last_position: journal.last.get(),
        missing: missing.collect(),
        checkpoint: newest_checkpoint(options, journal.last).map(|signed| signed.note.to_string()),
    };
    line(out, &head)?;
    let mut writing = Writing {
        keys: &keys,
        out: &mut *out,
        streams: BTreeMap::new(),
        ledger,
        leaves: Some(Frontier::default()),
        log_key: None,
        done: Exported::default(),
        failed: None,
    };
    let journal = survey_with(&*disk, &mut |frame| writing.frame(frame))?;
    let Writing {
        mut done,
        failed,
        leaves,
        log_key,
        ..
    } = writing;
    if let Some(error) = failed {
        return Err(error.into());
    }
    let rest = done.missing.iter().map(|missing| MissingOfStream {
        stream: missing.stream.to_string(),
        person: missing.person.map(|person| person.to_string()),
        first_revision: missing.first,
        last_revision: missing.last,
    });
    let leaves = leaves.filter(|leaves| leaves.size() == journal.last.get());
    let end = EndLine {
        end: done.events,
        missing_revisions: rest.collect(),
        root: leaves.map(|leaves| hex::encode(&leaves.root())),
        log_key,
    };
    line(out, &end)?;
    out.flush()?;
    done.journal = journal;
    Ok(done)
}

/// The newest kept checkpoint of at most so many events, with all its signatures. One that cannot be read is
/// as if it were not there: `planledger ledger doctor` tells of it.
pub(crate) fn newest_checkpoint(options: &Options, last: Position) -> Option<SignedCheckpoint> {
    let kept = Kept::read_all(&options.dir.join("checkpoints")).ok()?;
    let mut newest: Option<SignedCheckpoint> = None;
    for signed in kept.notes {
        let size = newest.as_ref().map_or(0, |other| other.checkpoint.size);
        // A later note of the same size has more signatures.
        if signed.checkpoint.position() <= last && signed.checkpoint.size >= size {
            newest = Some(signed);
        }
    }
    newest
}

fn line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

struct Writing<'a> {
    keys: &'a KeyStore,
    out: &'a mut dyn Write,
    /// The last revision of each stream that was read.
    streams: BTreeMap<StreamId, u64>,
    ledger: LedgerId,
    /// The tree over the entries so far; `None` after a gap.
    leaves: Option<Frontier>,
    /// The key that signs checkpoints, as the events so far say.
    log_key: Option<String>,
    done: Exported,
    failed: Option<io::Error>,
}

impl Writing<'_> {
    fn frame(&mut self, frame: &Frame) {
        for record in frame.entries() {
            // A record whose entry is not sound has nothing that could be believed.
            let Some(entry) = Entry::decode(record.entry)
                .ok()
                .filter(|_| record.leaf_is_sound())
            else {
                continue;
            };
            self.revision(&entry);
            self.leaves = self.leaves.take().and_then(|mut leaves| {
                let follows = leaves.size() + 1 == record.position.get();
                leaves.push(*record.leaf);
                follows.then_some(leaves)
            });
            if self.failed.is_none() {
                self.failed = self.event(&record, &entry).err();
            }
        }
    }

    fn revision(&mut self, entry: &Entry) {
        let now = entry.revision.get();
        let before = self.streams.insert(entry.stream, now).unwrap_or(0);
        if now > before + 1 {
            self.done.missing.push(MissingRevisions {
                stream: entry.stream,
                person: person_of(self.keys.scope_of(entry.key)),
                first: before + 1,
                last: now - 1,
            });
        }
    }

    fn event(&mut self, record: &EntryRef<'_>, entry: &Entry) -> io::Result<()> {
        let opened = reading::open(record, entry, self.keys);
        self.done.events += 1;
        self.done.opened += u64::from(opened.payload.is_ok());
        if let Ok(json) = &opened.payload {
            self.note_key(entry, json);
        }
        let payload: Option<&RawValue> = match &opened.payload {
            Ok(json) => Some(serde_json::from_slice(json)?),
            Err(_) => None,
        };
        let value = EventLine {
            position: record.position.get(),
            back: record.back.get(),
            stream: entry.stream.to_string(),
            revision: entry.revision.get(),
            recorded_at_nanos: entry.recorded_at.nanos().to_string(),
            actor: entry.actor.to_string(),
            on_behalf_of: entry.on_behalf_of.map(|actor| actor.to_string()),
            command: entry.command.to_string(),
            event_type: entry.event_type,
            name: EventType::from_code(entry.event_type).map(|known| Cow::Borrowed(known.name)),
            schema: entry.schema,
            scope: self.keys.scope_of(entry.key).map(scope_text),
            entry: BASE64.encode(record.entry),
            leaf: hex::encode(record.leaf),
            why: opened.payload.as_ref().err().map(|why| why.code().into()),
            key: opened.key.map(|key| BASE64.encode(key.as_bytes())),
            payload,
        };
        line(self.out, &value)
    }

    fn note_key(&mut self, entry: &Entry, json: &[u8]) {
        if entry.stream != StreamId::from(self.ledger) {
            return;
        }
        let event = Event::from_json(entry.event_type, entry.schema, json);
        if let Ok(Event::Ledger(
            LedgerEvent::KeyIntroduced { key } | LedgerEvent::KeyRotated { to: key, .. },
        )) = event
        {
            self.log_key = Some(key.to_string());
        }
    }
}

/// The person whose key a scope is.
pub(crate) fn person_of(scope: Option<KeyScope>) -> Option<PersonId> {
    match scope {
        Some(KeyScope::Person(person)) => Some(person),
        Some(KeyScope::Institution(_) | KeyScope::Ledger) | None => None,
    }
}

/// A scope as an export says it.
fn scope_text(scope: KeyScope) -> String {
    match scope {
        KeyScope::Ledger => "ledger".to_owned(),
        KeyScope::Institution(id) => format!("institution/{id}"),
        KeyScope::Person(id) => format!("person/{id}"),
    }
}

/// The scope that such a text stands for.
pub(crate) fn scope_from(text: &str) -> Option<KeyScope> {
    match text.split_once('/') {
        None if text == "ledger" => Some(KeyScope::Ledger),
        Some(("institution", id)) => id.parse().ok().map(KeyScope::Institution),
        Some(("person", id)) => id.parse().ok().map(KeyScope::Person),
        None | Some(_) => None,
    }
}
