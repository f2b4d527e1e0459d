//! Writes the new ledger, event by event: the same positions, a new id, new keys.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use super::acts::{Acts, Written};
use super::error::{CarryError, at};
use super::look::Known;
use super::scopes::Spoken;
use super::{Content, Taken};
use crate::domain::erasure::EventPlace;
use crate::domain::ledger::{LedgerEvent, LostPlace, OwnEvent, PlaceHeld, origin_stream};
use crate::domain::{Actor, Event};
use crate::hash::{Context, Hash32};
use crate::ids::{
    CommandId, KeyId, LedgerId, PersonId, Position, Revision, StreamId, StreamKind, SystemId,
};
use crate::journal::{
    CommandRecord, Commit, CommitLog, MAX_ENTRIES, NewEntry, SegmentLog, SegmentOptions, Tail,
};
use crate::ledger::directory::os_disk;
use crate::ledger::nonces::Nonces;
use crate::ledger::sealer::{About, read_event, seal_payload};
use crate::ledger::{OpenError, Options, OwnId};
use crate::origin::{ENTRIES, Entries};
use crate::seal::{KeyScope, KeyStore, KeyStoreMode, KeyStoreOptions};
use crate::time::Timestamp;

/// How many bytes are appended together.
const TOGETHER: usize = 4 << 20;
/// How many commits are appended together.
const COMMITS: usize = 4_096;
/// How many bytes one commit may have. A frame has at most 16 MiB, and a command of before had its place in
/// one.
const OF_COMMIT: usize = 15 << 20;
/// What is sealed in place of a text that is gone. It is overwritten, or its key is destroyed.
const NOTHING: &[u8] = b"{}";

static LOST: Context = Context::new("planledger v1 2026-11-30 place held");

/// The end of a stream.
struct End {
    position: Position,
    revision: Revision,
    link: Hash32,
    scope: KeyScope,
}

/// What the new ledger is written with.
pub(super) struct Writing<'a> {
    known: &'a Known,
    options: &'a Options,
    from: LedgerId,
    ledger: LedgerId,
    log: SegmentLog,
    keys: KeyStore,
    nonces: Nonces,
    entries: Entries,
    streams: HashMap<StreamId, End>,
    spoken: Spoken,
    acts: Acts,
    renumbered: BTreeSet<StreamId>,
    events: u64,
    last: Position,
    last_at: Timestamp,
    /// The events of the command at hand, and the bytes of them.
    run: Vec<NewEntry>,
    run_of: Option<(CommandId, StreamId, Timestamp)>,
    run_bytes: usize,
    /// What is appended next.
    commits: Vec<Commit>,
    bytes: usize,
    /// The payloads that are overwritten at the end.
    overwritten: Vec<Position>,
    /// Where the lost places at hand begin, and the last of them.
    lost_since: Option<Position>,
    last_lost: Position,
}

/// What was written.
pub(super) struct Done {
    pub(super) ledger: LedgerId,
    pub(super) tail: Tail,
    pub(super) entries: Hash32,
    pub(super) events: u64,
    pub(super) renumbered: BTreeSet<StreamId>,
    /// The keys of persons who were erased.
    pub(super) destroyed: BTreeMap<PersonId, KeyId>,
}

impl<'a> Writing<'a> {
    /// Begins journal and key store in a directory that does not open yet.
    pub(super) fn begin(
        options: &'a Options,
        from: LedgerId,
        known: &'a Known,
    ) -> Result<Self, CarryError> {
        let dir: &Path = &options.dir;
        let (first, first_at) = known.first.ok_or(CarryError::Nothing)?;
        let mut id = [0; 16];
        options.entropy.fill(&mut id).map_err(OpenError::Entropy)?;
        let ledger = LedgerId::from_uuid(uuid::Builder::from_random_bytes(id).into_uuid());
        let created = Timestamp::from_nanos(first_at.nanos().saturating_sub(first.get()));
        let disk = os_disk(&dir.join("journal"))?;
        let log = SegmentLog::create(disk, ledger, created, SegmentOptions::default())
            .map_err(OpenError::from)?;
        let keys = KeyStore::open(&KeyStoreOptions {
            disk: os_disk(&dir.join("keys"))?,
            ledger,
            master: options.master.clone(),
            rescue: options.rescue,
            mode: KeyStoreMode::Create,
        })?;
        Ok(Self {
            known,
            options,
            from,
            ledger,
            log,
            keys,
            nonces: Nonces::new(Arc::clone(&options.entropy)),
            entries: Entries::begin(dir, from).map_err(at(&dir.join(ENTRIES)))?,
            streams: HashMap::new(),
            spoken: Spoken::default(),
            acts: Acts::default(),
            renumbered: BTreeSet::new(),
            events: 0,
            last: Position::ZERO,
            last_at: created,
            run: Vec::new(),
            run_of: None,
            run_bytes: 0,
            commits: Vec::new(),
            bytes: 0,
            overwritten: Vec::new(),
            lost_since: None,
            last_lost: Position::ZERO,
        })
    }

    /// Writes the next event, and holds the places that are lost before it.
    pub(super) fn take(&mut self, taken: Taken) -> Result<(), CarryError> {
        while self.last.next() < taken.position {
            let position = self.last.next();
            self.lost(position, self.known.named(position))?;
        }
        let (position, stream) = (taken.position, taken.entry.stream);
        self.speak(&taken);
        let put = self.entries.put(position, &taken.bytes);
        put.map_err(at(&self.options.dir.join(ENTRIES)))?;
        if self.known.unreadable.contains(&position) {
            return self.lost(position, Some((stream, taken.entry.revision)));
        }
        self.events += 1;
        if self.known.targets.contains(&position) {
            let place = EventPlace {
                position,
                stream,
                revision: taken.entry.revision,
            };
            self.acts.were.insert(position, place);
        }
        match stream.kind {
            StreamKind::Ledger => self.own(&taken),
            StreamKind::Institution
            | StreamKind::SchoolYear
            | StreamKind::Person
            | StreamKind::Team
            | StreamKind::YearPlan
            | StreamKind::Plan
            | StreamKind::Catalogue
            | StreamKind::Recovery
            | StreamKind::RosterSource
            | StreamKind::System
            | StreamKind::Grants
            | StreamKind::Erasure => self.event(taken),
        }
    }

    /// Notes of whom an event speaks. Of a whole ledger everybody has a key anyway.
    fn speak(&mut self, taken: &Taken) {
        if self.known.lost.is_empty() {
            return;
        }
        self.spoken.stream(taken.entry.stream);
        if let Content::Json(json) = &taken.content {
            self.spoken.payload(json);
        }
    }

    fn event(&mut self, taken: Taken) -> Result<(), CarryError> {
        let (position, stream) = (taken.position, taken.entry.stream);
        let entry = &taken.entry;
        let mut kind = (entry.event_type, entry.schema);
        let (event, plain) = match taken.content {
            Content::Json(json) => {
                let event = read_event(position, entry, entry.schema, &json);
                let event = event.map_err(|error| wrong(position, error))?;
                if let Event::Erasure(act) = event {
                    self.flush()?;
                    let new = Written {
                        log: &self.log,
                        keys: &self.keys,
                        known: self.known,
                    };
                    let act = Event::Erasure(self.acts.rewritten(stream, act, &new)?);
                    kind = (act.event_type().code, act.event_type().schema);
                    let json = act.to_json().map_err(|error| wrong(position, error))?;
                    (Some(act), json)
                } else {
                    (Some(event), json)
                }
            }
            Content::Redacted => {
                self.overwritten.push(position);
                let left = self.known.left.get(&position);
                let left = left.map(|(schema, json)| read_event(position, entry, *schema, json));
                let left = left.transpose().map_err(|error| wrong(position, error))?;
                (left, NOTHING.to_vec())
            }
            Content::Erased | Content::Gone => (None, NOTHING.to_vec()),
        };
        // As whoever checks a ledger finds out whose key an event has to have.
        let says = event.and_then(|event| KeyScope::of_event(stream, &event));
        let before = self.streams.get(&stream).map(|end| end.scope);
        let scope = says.or(before).or(taken.scope);
        let scope = scope.ok_or_else(|| wrong(position, "nobody knows whose key seals it"))?;
        let about = Told {
            position,
            stream,
            command: taken.entry.command,
            actor: taken.entry.actor,
            on_behalf_of: taken.entry.on_behalf_of,
            recorded_at: taken.entry.recorded_at,
        };
        let revision = self.append(&about, kind, plain, scope)?;
        if revision != taken.entry.revision {
            self.renumbered.insert(stream);
        }
        Ok(())
    }

    /// Holds the place of an event of the earlier ledger itself.
    fn own(&mut self, taken: &Taken) -> Result<(), CarryError> {
        let (position, entry) = (taken.position, &taken.entry);
        let Content::Json(json) = &taken.content else {
            return Err(wrong(
                position,
                "it is an event of the ledger itself, without a text",
            ));
        };
        let event = read_event(position, entry, entry.schema, json);
        let Event::Ledger(event) = event.map_err(|error| wrong(position, error))? else {
            return Err(wrong(position, "it is not an event of the ledger itself"));
        };
        let held = match event {
            // The earlier ledger was carried over too.
            LedgerEvent::PlaceHeld(held) => held,
            event => PlaceHeld::Own(OwnEvent {
                stream: entry.stream,
                revision: entry.revision,
                event: Box::new(event),
            }),
        };
        self.held(
            held,
            Told {
                position,
                stream: origin_stream(self.ledger).into(),
                command: entry.command,
                actor: entry.actor,
                on_behalf_of: entry.on_behalf_of,
                recorded_at: entry.recorded_at,
            },
        )
    }

    /// Holds the place of an event that is lost.
    fn lost(
        &mut self,
        position: Position,
        named: Option<(StreamId, Revision)>,
    ) -> Result<(), CarryError> {
        // Places that follow each other count as one command.
        let first = match self.lost_since {
            Some(first) if self.last_lost.next() == position && position < first.plus(4_096) => {
                first
            }
            Some(_) | None => position,
        };
        self.lost_since = Some(first);
        self.last_lost = position;
        let mut hasher = LOST.hasher();
        hasher.update(self.from.as_bytes());
        hasher.update(&first.get().to_be_bytes());
        self.held(
            PlaceHeld::Lost(LostPlace {
                stream: named.map(|(stream, _)| stream),
                revision: named.map(|(_, revision)| revision),
            }),
            Told {
                position,
                stream: origin_stream(self.ledger).into(),
                command: OwnId::of(hasher.finalize().as_bytes()).command(),
                actor: Actor::System(SystemId::from_uuid(self.ledger.uuid())),
                on_behalf_of: None,
                // The event after it was recorded later: nanoseconds only grow.
                recorded_at: self.last_at.plus(1),
            },
        )
    }

    fn held(&mut self, held: PlaceHeld, told: Told) -> Result<(), CarryError> {
        let event = Event::Ledger(LedgerEvent::PlaceHeld(held));
        let kind = (event.event_type().code, event.event_type().schema);
        let json = event
            .to_json()
            .map_err(|error| wrong(told.position, error))?;
        self.append(&told, kind, json, KeyScope::Ledger).map(drop)
    }

    /// Seals an event and adds it to the command at hand. Gives the revision that it gets.
    fn append(
        &mut self,
        told: &Told,
        kind: (u16, u16),
        plain: Vec<u8>,
        scope: KeyScope,
    ) -> Result<Revision, CarryError> {
        let entropy = self.options.entropy.as_ref();
        let key = self.keys.active_or_new(scope, told.recorded_at, entropy)?;
        let end = self.streams.get(&told.stream);
        let revision = end.map_or(Revision::ZERO, |end| end.revision).next();
        let about = About {
            stream: told.stream,
            revision,
            previous_link: end.map_or([0; 32], |end| end.link),
            back: end.map_or(Position::ZERO, |end| end.position),
            command: told.command,
            actor: told.actor,
            on_behalf_of: told.on_behalf_of,
            recorded_at: told.recorded_at,
            nonce: self.nonces.next().map_err(OpenError::Entropy)?,
        };
        let entry = seal_payload(about, kind, plain, &key);
        let entry = entry.map_err(|error| wrong(told.position, error))?;
        let of = (told.command, told.stream);
        let fits = self.run.len() < MAX_ENTRIES && self.run_bytes < OF_COMMIT;
        let same = self
            .run_of
            .is_some_and(|(command, stream, _)| (command, stream) == of);
        if !(same && fits) {
            self.close()?;
            self.run_of = Some((told.command, told.stream, told.recorded_at));
        }
        let end = End {
            position: told.position,
            revision,
            link: entry.link,
            scope,
        };
        self.streams.insert(told.stream, end);
        // The record of an entry takes 274 bytes beside its payload.
        self.run_bytes += entry.sealed.len() + 274;
        self.run.push(entry);
        self.last = told.position;
        self.last_at = told.recorded_at;
        Ok(revision)
    }

    /// Ends the command at hand.
    fn close(&mut self) -> Result<(), CarryError> {
        let Some((id, stream, recorded_at)) = self.run_of.take() else {
            return Ok(());
        };
        let entries = std::mem::take(&mut self.run);
        let revision = self.streams.get(&stream).map(|end| end.revision);
        self.commits.push(Commit {
            recorded_at,
            commands: vec![CommandRecord {
                id,
                // What was asked is not known any more, so nothing is a repetition of it.
                digest: [0; 16],
                stream,
                revision: revision.unwrap_or_default(),
                entries: entries.len() as u32,
            }],
            entries,
        });
        self.bytes += std::mem::take(&mut self.run_bytes);
        match self.bytes >= TOGETHER || self.commits.len() >= COMMITS {
            true => self.store(),
            false => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<(), CarryError> {
        self.close()?;
        self.store()
    }

    /// Keys first, as always.
    fn store(&mut self) -> Result<(), CarryError> {
        self.keys.sync()?;
        self.log.append(&self.log.tail(), &self.commits)?;
        self.commits.clear();
        self.bytes = 0;
        Ok(())
    }

    /// Destroys again what was destroyed, and waits until everything is on stable storage.
    pub(super) fn finish(mut self) -> Result<Done, CarryError> {
        self.flush()?;
        for position in std::mem::take(&mut self.overwritten) {
            let done = self.log.redact(position);
            done.map_err(|error| wrong(position, error))?;
        }
        let entropy = self.options.entropy.as_ref();
        for scope in self.spoken.scopes() {
            if self.keys.id_of(scope).is_none() {
                self.keys.active_or_new(scope, self.last_at, entropy)?;
            }
        }
        let mut destroyed = BTreeMap::new();
        for person in &self.known.erased {
            let scope = KeyScope::Person(*person);
            // Also for one of whom no event is left, so that nothing is ever sealed for that person.
            self.keys.active_or_new(scope, self.last_at, entropy)?;
            let key = self.keys.destroy(scope)?;
            destroyed.extend(key.map(|key| (*person, key)));
        }
        self.keys.sync()?;
        let entries = self.entries.finish();
        Ok(Done {
            ledger: self.ledger,
            tail: self.log.tail(),
            entries: entries.map_err(at(&self.options.dir.join(ENTRIES)))?,
            events: self.events,
            renumbered: self.renumbered,
            destroyed,
        })
    }
}

/// What is told of an event, apart from the event itself.
struct Told {
    position: Position,
    stream: StreamId,
    command: CommandId,
    actor: Actor,
    on_behalf_of: Option<Actor>,
    recorded_at: Timestamp,
}

fn wrong(position: Position, what: impl std::fmt::Display) -> CarryError {
    let what = what.to_string();
    CarryError::Event { position, what }
}
