//! Writes every event that can be read as text: JSON Lines, of which `service/schema/` has the schema.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::examine::enter;
use super::finding::Finding;
use crate::domain::EventType;
use crate::entry::{self, Entry};
use crate::hex;
use crate::ids::{PersonId, StreamId};
use crate::journal::{EntryRef, Frame, Survey, survey, survey_with};
use crate::ledger::directory::{open_keys, os_disk};
use crate::ledger::{OpenError, Options, sealer};
use crate::seal::{self, KeyScope, KeyStore, KeyStoreMode};

/// The version of the form.
const VERSION: u32 = 1;

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
    let missing = journal.gaps.iter().map(|gap| {
        json!({
            "first": gap.first.get(),
            "last": gap.last.map(|last| last.get()),
            "why": gap.reason.to_string(),
        })
    });
    line(
        out,
        &json!({
            "format": "planledger-export",
            "version": VERSION,
            "ledger": ledger.to_string(),
            "events": journal.events,
            "lastPosition": journal.last.get(),
            "missing": missing.collect::<Vec<_>>(),
        }),
    )?;
    let mut writing = Writing {
        keys: &keys,
        out: &mut *out,
        streams: BTreeMap::new(),
        done: Exported::default(),
        failed: None,
    };
    let journal = survey_with(&*disk, &mut |frame| writing.frame(frame))?;
    let Writing {
        mut done, failed, ..
    } = writing;
    if let Some(error) = failed {
        return Err(error.into());
    }
    let rest = done.missing.iter().map(|missing| {
        json!({
            "stream": missing.stream.to_string(),
            "person": missing.person.map(|person| person.to_string()),
            "firstRevision": missing.first,
            "lastRevision": missing.last,
        })
    });
    let end = json!({"end": done.events, "missingRevisions": rest.collect::<Vec<_>>()});
    line(out, &end)?;
    out.flush()?;
    done.journal = journal;
    Ok(done)
}

fn line(out: &mut dyn Write, value: &Value) -> io::Result<()> {
    writeln!(out, "{value}")
}

struct Writing<'a> {
    keys: &'a KeyStore,
    out: &'a mut dyn Write,
    /// The last revision of each stream that was read.
    streams: BTreeMap<StreamId, u64>,
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
            if self.failed.is_none() {
                self.failed = self.event(&record, &entry).err();
            }
        }
    }

    fn revision(&mut self, entry: &Entry) {
        let now = entry.revision.get();
        let before = self.streams.insert(entry.stream, now).unwrap_or(0);
        if now > before + 1 {
            let person = match self.keys.scope_of(entry.key) {
                Some(KeyScope::Person(person)) => Some(person),
                Some(KeyScope::Institution(_) | KeyScope::Ledger) | None => None,
            };
            self.done.missing.push(MissingRevisions {
                stream: entry.stream,
                person,
                first: before + 1,
                last: now - 1,
            });
        }
    }

    fn event(&mut self, record: &EntryRef<'_>, entry: &Entry) -> io::Result<()> {
        let opened = self.open(record, entry);
        self.done.events += 1;
        self.done.opened += u64::from(opened.is_ok());
        let value = json!({
            "position": record.position.get(),
            "stream": entry.stream.to_string(),
            "revision": entry.revision.get(),
            "recordedAtNanos": entry.recorded_at.nanos().to_string(),
            "actor": entry.actor.to_string(),
            "onBehalfOf": entry.on_behalf_of.map(|actor| actor.to_string()),
            "command": entry.command.to_string(),
            "type": entry.event_type,
            "name": EventType::from_code(entry.event_type).map(|known| known.name),
            "schema": entry.schema,
            "previousLink": hex::encode(&entry.previous_link),
            "leaf": hex::encode(record.leaf),
            "why": opened.as_ref().err(),
            "payload": opened.as_ref().ok(),
        });
        line(self.out, &value)
    }

    /// The payload as it was sealed; or why it is not there.
    fn open(&self, record: &EntryRef<'_>, entry: &Entry) -> Result<Value, &'static str> {
        if record.is_redacted() {
            return Err("redacted");
        }
        if self.keys.is_destroyed(entry.key) {
            return Err("erased");
        }
        if !record.payload_is_sound() {
            return Err("damaged");
        }
        let key = sealer::event_key(record.position, entry, self.keys);
        let key = key.map_err(|_| "key missing")?;
        if seal::commitment(&key) != entry.key_commitment {
            return Err("wrong key");
        }
        let prefix = entry::prefix(record.entry);
        let plain = seal::open(&key, &entry.nonce, prefix, record.sealed);
        let plain = plain.map_err(|_| "wrong key")?;
        serde_json::from_slice(&plain).map_err(|_| "no JSON")
    }
}
