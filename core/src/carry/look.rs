//! Looks at everything before anything is written: what is lost, and what is unreadable by right.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::report::{LostPlaces, LostRevisions};
use super::{CarryError, Content, Source, Taken};
use crate::doctor::person_of;
use crate::domain::erasure::{Erasure, ErasureEvent, EventPlace, SealedRest, Target};
use crate::domain::ledger::LedgerEvent;
use crate::domain::{Aggregate, Event};
use crate::entry::{self, EntryBytes};
use crate::hash::Hash32;
use crate::ids::{ErasureId, KeyId, LedgerId, PersonId, Position, Revision, StreamId, StreamKind};
use crate::ledger::sealer;
use crate::merkle::Frontier;
use crate::note::VerifierKey;
use crate::seal::{self, EventKey, KeyScope};
use crate::time::Timestamp;

/// What is known of the earlier ledger once all of it was looked at.
#[derive(Default)]
pub(super) struct Known {
    /// The last position that is there.
    pub(super) last: Position,
    /// When the first event that is there was recorded, and its position.
    pub(super) first: Option<(Position, Timestamp)>,
    /// The places that are lost.
    pub(super) lost: Vec<LostPlaces>,
    /// Those of them whose entries are there.
    pub(super) unreadable: HashSet<Position>,
    /// What is known of lost places without an entry.
    pub(super) named: HashMap<Position, (StreamId, Revision)>,
    /// The revisions that are lost.
    pub(super) missing: Vec<LostRevisions>,
    /// What is left of redacted events: schema and JSON.
    pub(super) left: HashMap<Position, (u16, Vec<u8>)>,
    /// The events that acts are about.
    pub(super) targets: HashSet<Position>,
    /// The persons who were erased.
    pub(super) erased: BTreeSet<PersonId>,
    /// Those of them whose erasure is on record.
    pub(super) on_record: BTreeSet<PersonId>,
    /// Root over all entries; `None` if some are missing.
    pub(super) root: Option<Hash32>,
    /// Root over the first entries, as many as the checkpoint in question has.
    pub(super) root_then: Option<Hash32>,
    /// The keys that signed checkpoints.
    pub(super) log_keys: Vec<VerifierKey>,
}

impl Known {
    /// How many places are lost.
    pub(super) fn places(&self) -> u64 {
        let counts = self.lost.iter();
        counts
            .map(|lost| lost.last.get() + 1 - lost.first.get())
            .sum()
    }

    /// What is known of a lost place.
    pub(super) fn named(&self, position: Position) -> Option<(StreamId, Revision)> {
        self.named.get(&position).copied()
    }
}

/// Looks at all events of a source. `erased` are persons whose erasure is known from elsewhere, `size` is
/// that of the checkpoint in question.
pub(super) fn look(
    source: &mut dyn Source,
    erased: &BTreeSet<PersonId>,
    size: Option<u64>,
) -> Result<Known, CarryError> {
    let mut looking = Looking {
        known: Known {
            erased: erased.clone(),
            ..Known::default()
        },
        ledger: source.ledger(),
        size,
        leaves: Some(Frontier::default()),
        last_at: Timestamp::default(),
        streams: HashMap::new(),
        acts: HashMap::new(),
        rests: HashMap::new(),
        redacted: Vec::new(),
        erased: Vec::new(),
        gone: BTreeMap::new(),
        persons: HashMap::new(),
        of_keys: HashMap::new(),
    };
    source.each(&mut |taken| {
        looking.take(&taken);
        Ok(())
    })?;
    Ok(looking.finish())
}

struct Looking {
    known: Known,
    ledger: LedgerId,
    size: Option<u64>,
    leaves: Option<Frontier>,
    last_at: Timestamp,
    streams: HashMap<StreamId, (Position, u64)>,
    acts: HashMap<StreamId, Option<Aggregate>>,
    rests: HashMap<ErasureId, SealedRest>,
    redacted: Vec<Overwritten>,
    erased: Vec<(EventPlace, Option<KeyScope>)>,
    /// The places of events that cannot be read, in order.
    gone: BTreeMap<Position, EventPlace>,
    persons: HashMap<StreamId, PersonId>,
    /// Whose a key is, as far as entries say it.
    of_keys: HashMap<KeyId, PersonId>,
}

struct Overwritten {
    place: EventPlace,
    scope: Option<KeyScope>,
    key: Option<EventKey>,
    bytes: EntryBytes,
}

impl Looking {
    fn take(&mut self, taken: &Taken) {
        let (position, entry) = (taken.position, &taken.entry);
        self.known
            .first
            .get_or_insert((position, entry.recorded_at));
        if position > self.known.last.next() {
            self.known.lost.push(LostPlaces {
                first: self.known.last.next(),
                last: Position::new(position.get() - 1),
            });
            self.leaves = None;
        }
        self.known.last = position;
        if let Some(leaves) = &mut self.leaves {
            leaves.push(entry::leaf(&taken.bytes));
            if self.size == Some(leaves.size()) {
                self.known.root_then = Some(leaves.root());
            }
        }
        self.note_person(taken);
        self.follow(taken);
        let place = EventPlace {
            position,
            stream: entry.stream,
            revision: entry.revision,
        };
        match &taken.content {
            // Times in a journal only grow. One that goes back was put there by somebody.
            _ if entry.recorded_at <= self.last_at => {
                self.gone.insert(position, place);
                return;
            }
            Content::Json(json) => self.read(taken, place, json),
            Content::Redacted => self.redacted.push(Overwritten {
                place,
                scope: taken.scope,
                key: taken.key.clone(),
                bytes: taken.bytes,
            }),
            Content::Erased => self.erased.push((place, taken.scope)),
            Content::Gone => {
                self.gone.insert(position, place);
            }
        }
        self.last_at = entry.recorded_at;
    }

    /// Notes whom a stream is of: the person of its key. If the key itself is lost, entries still name it, and
    /// those of a person's own stream say whose it is.
    fn note_person(&mut self, taken: &Taken) {
        let entry = &taken.entry;
        if entry.stream.kind == StreamKind::Person {
            let person = PersonId::from_uuid(entry.stream.id);
            self.of_keys.entry(entry.key).or_insert(person);
        }
        let of_key = || self.of_keys.get(&entry.key).copied();
        if let Some(person) = person_of(taken.scope).or_else(of_key) {
            self.persons.entry(entry.stream).or_insert(person);
        }
    }

    /// Finds the revisions that are missing before an event, and what its back pointer says of them.
    fn follow(&mut self, taken: &Taken) {
        let (stream, revision) = (taken.entry.stream, taken.entry.revision.get());
        let now = (taken.position, revision);
        let (last, before) = self.streams.insert(stream, now).unwrap_or_default();
        if revision > before + 1 {
            self.known.missing.push(LostRevisions {
                stream,
                person: person_of(taken.scope),
                first: before + 1,
                last: revision - 1,
                unreadable: false,
            });
            if taken.back > last {
                let named = (stream, Revision::new(revision - 1));
                self.known.named.insert(taken.back, named);
            }
        }
    }

    fn read(&mut self, taken: &Taken, place: EventPlace, json: &[u8]) {
        let (entry, position) = (&taken.entry, taken.position);
        if !matches!(entry.stream.kind, StreamKind::Erasure | StreamKind::Ledger) {
            return;
        }
        let Ok(event) = sealer::read_event(position, entry, entry.schema, json) else {
            self.gone.insert(position, place);
            return;
        };
        match &event {
            Event::Erasure(act) => {
                let meta = sealer::meta_of(entry);
                Aggregate::apply(self.acts.entry(entry.stream).or_default(), &meta, &event);
                self.note_act(ErasureId::from_uuid(entry.stream.id), act);
            }
            Event::Ledger(
                LedgerEvent::KeyIntroduced { key } | LedgerEvent::KeyRotated { to: key, .. },
            ) if entry.stream == StreamId::from(self.ledger) => {
                self.known.log_keys.push(key.clone());
            }
            Event::Ledger(_)
            | Event::Institution(_)
            | Event::SchoolYear(_)
            | Event::Person(_)
            | Event::Team(_)
            | Event::YearPlan(_)
            | Event::Plan(_)
            | Event::Catalogue(_)
            | Event::Recovery(_)
            | Event::RosterSource(_)
            | Event::System(_)
            | Event::Grants(_) => {}
        }
    }

    fn note_act(&mut self, act: ErasureId, event: &ErasureEvent) {
        let (target, left) = match event {
            ErasureEvent::Requested { target, .. } => (Some(*target), None),
            ErasureEvent::AppliedAgain(record) => (Some(record.target), record.left.clone()),
            ErasureEvent::TextSettled(left) => (None, Some(left.clone())),
            ErasureEvent::Approved { .. }
            | ErasureEvent::Withdrawn { .. }
            | ErasureEvent::CarriedOut { .. }
            | ErasureEvent::ReadsSettled(_) => (None, None),
        };
        if let Some(Target::Event(place)) = target {
            self.known.targets.insert(place.position);
        }
        if let Some(left) = left {
            self.rests.insert(act, left);
        }
    }

    fn act(&self, target: Target) -> Option<&Erasure> {
        match self.acts.get(&ErasureId::of(target).into())? {
            Some(Aggregate::Erasure(act)) if act.target == target && act.is_proved() => Some(act),
            Some(_) | None => None,
        }
    }

    fn is_erased(&self, scope: Option<KeyScope>) -> bool {
        let Some(person) = person_of(scope) else {
            return false;
        };
        self.known.erased.contains(&person) || self.act(Target::Person(person)).is_some()
    }

    /// What is unreadable by right stays so. Everything else that cannot be read is lost.
    fn finish(mut self) -> Known {
        for overwritten in std::mem::take(&mut self.redacted) {
            let place = overwritten.place;
            match self.left_of(&overwritten) {
                // Without the key nobody knows under whose key the new ledger would seal it.
                _ if overwritten.scope.is_none() => {
                    self.gone.insert(place.position, place);
                }
                Ok(Some(left)) => {
                    self.known.left.insert(place.position, left);
                }
                Ok(None) => {}
                Err(Unproved) => {
                    self.gone.insert(place.position, place);
                }
            }
        }
        for (place, scope) in std::mem::take(&mut self.erased) {
            if !self.is_erased(scope) {
                self.gone.insert(place.position, place);
            }
        }
        for state in self.acts.values() {
            if let Some(Aggregate::Erasure(act)) = state
                && let Target::Person(person) = act.target
                && act.is_proved()
                && act.is_carried_out()
            {
                self.known.erased.insert(person);
                self.known.on_record.insert(person);
            }
        }
        for (position, place) in self.gone {
            self.known.unreadable.insert(position);
            self.known.lost.push(LostPlaces {
                first: position,
                last: position,
            });
            self.known.missing.push(LostRevisions {
                stream: place.stream,
                person: None,
                first: place.revision.get(),
                last: place.revision.get(),
                unreadable: true,
            });
        }
        for missing in &mut self.known.missing {
            let of_stream = self.persons.get(&missing.stream).copied();
            missing.person = missing.person.or(of_stream);
        }
        self.known.lost.sort_unstable_by_key(|lost| lost.first);
        self.known
            .missing
            .sort_unstable_by_key(|lost| (lost.stream, lost.first));
        self.known.root = self.leaves.map(|leaves| leaves.root());
        self.known
    }

    /// What an act leaves of an event that was overwritten.
    fn left_of(&self, it: &Overwritten) -> Result<Option<(u16, Vec<u8>)>, Unproved> {
        // An event of the ledger itself stands in another place in the new one, where no act is about it.
        if it.place.stream.kind == StreamKind::Ledger {
            return Err(Unproved);
        }
        self.act(Target::Event(it.place)).ok_or(Unproved)?;
        let Some(rest) = self.rests.get(&ErasureId::of_event(it.place.position)) else {
            return Ok(None);
        };
        let Some(key) = &it.key else {
            // With the person everything else went too.
            return match self.is_erased(it.scope) {
                true => Ok(None),
                false => Err(Unproved),
            };
        };
        let key = seal::rest_key(key);
        let json = seal::open_document(&key, entry::prefix(&it.bytes), &rest.sealed);
        let json = json.map_err(|_| Unproved)?;
        Ok(Some((rest.schema, json)))
    }
}

/// No act says that the text should be gone.
struct Unproved;
