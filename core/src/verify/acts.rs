//! Compares what cannot be read with the redactions and erasures on record (P6). Text is unreadable if
//! and only if such an act, decided by two people, is on record.

use std::collections::{BTreeMap, HashMap};

use crate::audit::{Fault, FaultKind};
use crate::domain::erasure::{Erasure, EventPlace, RemovedReads, Target};
use crate::domain::{Aggregate, Event, EventMeta};
use crate::ids::{ErasureId, PersonId, Position, StreamId};
use crate::journal::CommitLog;
use crate::ledger::{OpenError, ReadError, sealer};
use crate::seal::{KeyScope, KeyStore};

/// The acts on record, and what cannot be read, as far as the journal was read.
#[derive(Default)]
pub(super) struct Acts {
    acts: HashMap<StreamId, (Position, Option<Aggregate>)>,
    redacted: Vec<EventPlace>,
    /// The first event of each scope whose key is destroyed.
    erased: BTreeMap<KeyScope, Position>,
}

impl Acts {
    /// Takes in an event of an act.
    pub(super) fn take(&mut self, position: Position, meta: &EventMeta, event: &Event) {
        let (last, state) = self.acts.entry(meta.stream).or_default();
        *last = position;
        Aggregate::apply(state, meta, event);
    }

    /// Notes that a payload was overwritten.
    pub(super) fn redacted(&mut self, place: EventPlace) {
        self.redacted.push(place);
    }

    /// Notes that an event is sealed under a key that is destroyed.
    pub(super) fn erased(&mut self, scope: KeyScope, position: Position) {
        self.erased.entry(scope).or_insert(position);
    }

    fn act(&self, target: Target) -> Option<&Erasure> {
        let (_, state) = self.acts.get(&ErasureId::of(target).into())?;
        match state {
            Some(Aggregate::Erasure(act)) if act.target == target => Some(act),
            Some(_) | None => None,
        }
    }

    /// What the acts remove from the access log that two people have decided, and whether they are
    /// carried out.
    pub(super) fn removals(&self) -> Vec<(RemovedReads, bool)> {
        let acts = self.acts.values().filter_map(|(_, state)| match state {
            Some(Aggregate::Erasure(act)) if act.is_proved() => {
                Some((act.reads?, act.is_carried_out()))
            }
            Some(_) | None => None,
        });
        acts.collect()
    }

    fn is_proved(&self, target: Target) -> bool {
        self.act(target).is_some_and(Erasure::is_proved)
    }

    /// The first fault: text that is gone without an act, or an act whose text is still there.
    pub(super) fn fault(
        &self,
        log: &dyn CommitLog,
        keys: &KeyStore,
    ) -> Result<Option<Fault>, OpenError> {
        let unproved = self.unproved(keys).into_iter();
        let undone = self.undone(log, keys)?.into_iter();
        Ok(unproved.chain(undone).min_by_key(|fault| fault.position))
    }

    fn unproved(&self, keys: &KeyStore) -> Vec<Fault> {
        let mut faults = Vec::new();
        for place in &self.redacted {
            if !self.is_proved(Target::Event(*place)) {
                let what = "it was overwritten with zeros, but no redaction is on record";
                faults.push(Fault::new(place.position, FaultKind::Payload, what));
            }
        }
        for (scope, key) in keys.destroyed() {
            let proved = match scope {
                KeyScope::Person(person) => self.is_proved(Target::Person(person)),
                KeyScope::Institution(_) | KeyScope::Ledger => false,
            };
            if !proved {
                let first = self.erased.get(&scope).copied().unwrap_or_default();
                let what =
                    format!("key {key} of {scope} was destroyed, but no erasure is on record");
                faults.push(Fault::new(first, FaultKind::Key, what));
            }
        }
        faults
    }

    fn undone(&self, log: &dyn CommitLog, keys: &KeyStore) -> Result<Vec<Fault>, OpenError> {
        let mut faults = Vec::new();
        for (position, state) in self.acts.values() {
            let Some(Aggregate::Erasure(act)) = state else {
                continue;
            };
            if !act.is_carried_out() {
                continue;
            }
            let fault = |what: &str| Fault::new(*position, FaultKind::Event, what);
            if !act.is_proved() {
                faults.push(fault(
                    "it says that text was destroyed, but two people have not decided it",
                ));
            } else if !is_gone(log, keys, act.target)? {
                faults.push(fault(
                    "it says that text was destroyed, but the text can still be read",
                ));
            }
        }
        Ok(faults)
    }
}

fn is_gone(log: &dyn CommitLog, keys: &KeyStore, target: Target) -> Result<bool, OpenError> {
    let place = match target {
        Target::Person(person) => return Ok(is_erased(keys, person)),
        Target::Event(place) => place,
        // That is checked with the access log.
        Target::Reads { .. } => return Ok(true),
    };
    let Some(stored) = log.entry(place.position).map_err(ReadError::from)? else {
        return Ok(true);
    };
    let entry = sealer::read_entry(place.position, &stored.entry)?;
    let is_there = (entry.stream, entry.revision) == (place.stream, place.revision);
    Ok(!is_there || stored.sealed.is_none() || keys.is_destroyed(entry.key))
}

fn is_erased(keys: &KeyStore, person: PersonId) -> bool {
    keys.active(KeyScope::Person(person)).is_none()
}
