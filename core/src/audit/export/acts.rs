//! The acts that took texts of a bundle's events: what proves them comes before these events.

use std::collections::{BTreeMap, BTreeSet};

use super::{Export, ExportError, Show, read_entry, stored};
use crate::audit::bundle::{Disclosure, Gone, Line, Scope};
use crate::derived::Term;
use crate::domain::EventType;
use crate::entry::Entry;
use crate::ids::{ErasureId, KeyId, Position, StreamKind};
use crate::ledger::ReadError;
use crate::seal::KeyScope;

/// The type of the event that says that an act was carried out again after a restore.
const AGAIN: &str = "erasure.applied_again";

/// The texts in scope that are gone, and that acts in the checkpoint took.
#[derive(Default)]
pub(super) struct Explained {
    redacted: BTreeSet<Position>,
    erased: BTreeSet<KeyId>,
}

impl Explained {
    /// Whether it has the text of an event.
    pub(super) fn has(&self, position: Position, key: KeyId, gone: Gone) -> bool {
        match gone {
            Gone::Redacted => self.redacted.contains(&position),
            Gone::Erased => self.erased.contains(&key),
        }
    }
}

/// Texts that are gone, each with the first event whose text it is.
#[derive(Default)]
struct Missing {
    redacted: BTreeSet<Position>,
    erased: BTreeMap<KeyId, Position>,
}

impl Missing {
    fn take(&mut self, export: &Export, position: Position, entry: &Entry, redacted: bool) {
        if redacted {
            self.redacted.insert(position);
        } else if export.request.disclosure == Disclosure::Events
            && export.ledger.keys().is_destroyed(entry.key)
        {
            self.erased.entry(entry.key).or_insert(position);
        }
    }
}

impl Export {
    /// The positions of the events of every act that took a text in scope, oldest first.
    pub(super) fn acts(&mut self) -> Result<Vec<Position>, ExportError> {
        let (acts, _) = self
            .ledger
            .read(|now| now.find(Term::All(StreamKind::Erasure)))?;
        if acts.is_empty() {
            return Ok(Vec::new());
        }
        let missing = self.missing()?;
        let mut found = BTreeSet::new();
        for position in missing.redacted {
            found.extend(self.act(ErasureId::of_event(position), position)?);
            self.explained.redacted.insert(position);
        }
        for (scope, key) in self.ledger.keys().destroyed() {
            if let (KeyScope::Person(person), Some(position)) = (scope, missing.erased.get(&key)) {
                found.extend(self.act(ErasureId::of_person(person), *position)?);
                // It says whose key it was.
                found.extend(self.positions_of(person.into())?.last());
                self.explained.erased.insert(key);
            }
        }
        Ok(found.into_iter().collect())
    }

    /// The texts in scope that are gone.
    fn missing(&self) -> Result<Missing, ExportError> {
        let mut missing = Missing::default();
        let Scope::Range { to, .. } = self.request.scope else {
            for position in &self.positions {
                let stored = stored(&self.ledger, *position)?;
                let entry = read_entry(&stored)?;
                missing.take(self, *position, &entry, stored.sealed.is_none());
            }
            return Ok(missing);
        };
        for frame in self.ledger.log().read(self.next) {
            let frame = frame.map_err(ReadError::from)?;
            for record in frame.entries() {
                if record.position > to {
                    return Ok(missing);
                }
                if record.position >= self.next {
                    let entry =
                        Entry::decode(record.entry).map_err(|error| ReadError::Malformed {
                            position: record.position,
                            reason: error.to_string(),
                        })?;
                    missing.take(self, record.position, &entry, record.is_redacted());
                }
            }
        }
        Ok(missing)
    }

    /// The positions of the events of an act up to the one that says that it was carried out.
    fn act(&self, act: ErasureId, text: Position) -> Result<Vec<Position>, ExportError> {
        let mut positions = self.positions_of(act.into())?;
        positions.reverse();
        for (at, position) in positions.iter().enumerate() {
            let entry = read_entry(&stored(&self.ledger, *position)?)?;
            if is_end(&entry) {
                positions.truncate(at + 1);
                return Ok(positions);
            }
        }
        Err(ExportError::Destroyed(text))
    }

    /// Prepares the events of acts. What proves an act stands in the entries; only who decided an act that
    /// the journal had lost stands in a payload. The reasons that people gave are not shown otherwise.
    pub(super) fn act_lines(&mut self, positions: &[Position]) -> Result<(), ExportError> {
        let show = |entry: &Entry| match name_of(entry) {
            AGAIN => Show::Text,
            _ => Show::Entry,
        };
        let lines = self.event_lines(positions, true, &show)?;
        self.ready.extend(lines.into_iter().map(Line::Act));
        Ok(())
    }
}

fn name_of(entry: &Entry) -> &'static str {
    EventType::from_code(entry.event_type).map_or("", |known| known.name)
}

/// Whether an event of an act says that it was carried out.
fn is_end(entry: &Entry) -> bool {
    matches!(name_of(entry), "erasure.carried_out" | AGAIN)
}
