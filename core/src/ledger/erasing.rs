//! Carries out redactions and erasures (P6).
//!
//! An act that two people have decided is carried out in steps, each of which can be repeated:
//! 1. What is left of an event without its text is recorded, and the act is noted in a file beside the
//!    journal, so that it is known after a restore.
//! 2. The payload is overwritten, or the person's key is destroyed.
//! 3. Derived state is made again from the journal, which no longer has the text.
//! 4. Every earlier derived state is removed, also what was set aside.
//! 5. An event records that it is carried out.
//!
//! A crash before the last step leaves the act approved, and the next start begins at the first step.

use super::history::stored;
use super::opener::seal_rest;
use super::sealer::{Opened, read_event};
use super::{ErasureError, Ledger, OpenError, OwnCommand, OwnId, ReadError, Reading};
use crate::derived::Term;
use crate::domain::erasure::{
    ActRecord, Done, Erasure, ErasureCommand, EventPlace, Left, Phase, RemovedReads, SealedRest,
    Target,
};
use crate::domain::{Actor, Aggregate, Command};
use crate::hash::Context;
use crate::ids::{ErasureId, KeyId, Position, StreamId, StreamKind, SystemId};
use crate::seal::KeyScope;
use crate::turns;

static COMMAND: Context = Context::new("planledger v1 2026-11-29 erasure command");

/// What an act makes unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Affected {
    /// How many events.
    pub events: u64,
    /// How many of the person's plans; 0 for one event.
    pub plans: u64,
    /// How many records of the access log; 0 for events and persons. Only the access log can say.
    pub reads: u64,
}

impl Affected {
    const fn of_events(events: u64) -> Self {
        Self {
            events,
            plans: 0,
            reads: 0,
        }
    }
}

/// Whether opening a ledger carries acts out again that a restore has undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Undone {
    /// The ledger does not open.
    #[default]
    Refuse,
    /// They are carried out again.
    CarryOutAgain,
}

impl Ledger {
    /// Carries out every act that is approved and not carried out yet. Gives those that are carried
    /// out now. Derived state is made again from the journal, which takes as long as the journal is.
    ///
    /// # Errors
    /// [`ErasureError`]. What is not carried out stays approved; try again, or open the ledger again.
    pub fn carry_out_erasures(&self) -> Result<Vec<ErasureId>, ErasureError> {
        let _one_at_a_time = turns::lock(&self.inner.erasing);
        // What is to be removed from the access log is removed by whoever has it open.
        let pending = self.acts(|act| {
            let of_ledger = !matches!(act.target, Target::Reads { .. });
            of_ledger && matches!(act.phase, Phase::Approved(_))
        })?;
        let mut records = Vec::new();
        for (id, mut act) in pending {
            let Phase::Approved(approved) = act.phase else {
                continue;
            };
            // The rules see to this; a journal that somebody else wrote may not.
            if !act.is_proved() {
                tracing::error!(erasure = %id, "an act is not carried out: two people have not decided it");
                continue;
            }
            if act.left.is_none()
                && let Some(left) = self.left_of(act.target)?
            {
                self.record(id, ErasureCommand::SettleText(left.clone()), 4)?;
                act.left = Some(left);
            }
            records.push((id, self.record_of(act, approved)));
        }
        if records.is_empty() {
            return Ok(Vec::new());
        }
        self.destroy(records.iter().map(|(_, record)| record))?;
        for (id, record) in &records {
            let key = record.key;
            self.record(*id, ErasureCommand::CarryOut { key }, 1)?;
            tracing::info!(erasure = %id, "a redaction or erasure is carried out");
        }
        Ok(records.into_iter().map(|(id, _)| id).collect())
    }

    /// The acts that a restore of an older copy has undone: they were carried out, and the text is
    /// readable again, or the journal does not know them.
    fn undone(&self, noted: &[ActRecord]) -> Result<Vec<ActRecord>, ReadError> {
        let on_record = self.acts(Erasure::is_carried_out)?;
        let mut undone = Vec::new();
        for record in noted {
            let id = ErasureId::of(record.target);
            let phase = self.act(id)?.map(|act| act.phase);
            let known = matches!(phase, Some(Phase::Approved(_) | Phase::CarriedOut { .. }));
            if !known || (!self.is_gone(record.target)? && phase_is_over(phase.as_ref())) {
                undone.push(record.clone());
            }
        }
        for record in on_record.iter().filter_map(|(_, act)| act.record()) {
            let again = undone.iter().any(|other| other.target == record.target);
            if !again && !self.is_gone(record.target)? {
                undone.push(record);
            }
        }
        Ok(undone)
    }

    /// Looks for acts that a restore has undone, and carries them out again if that is wanted.
    pub(super) fn check_erasures(
        &self,
        noted: &[ActRecord],
        undone: Undone,
    ) -> Result<(), OpenError> {
        let found = self.undone(noted)?;
        match (found.len(), undone) {
            (0, _) => self.note_acts(noted),
            (count, Undone::Refuse) => Err(OpenError::ErasuresUndone { count }),
            (_, Undone::CarryOutAgain) => self
                .apply_again(&found)
                .map_err(|error| OpenError::Erasure(Box::new(error))),
        }
    }

    fn apply_again(&self, records: &[ActRecord]) -> Result<(), ErasureError> {
        let mut records = records.to_vec();
        for record in &mut records {
            let act = self.act(ErasureId::of(record.target))?;
            match act.filter(Erasure::is_carried_out) {
                // What is on record of it stays as it is.
                Some(act) => record.left = act.left,
                // The older copy can hold another event at that place than the one that was redacted.
                None => {
                    if let Some(left) = self.left_of(record.target)? {
                        record.left = Some(left);
                    }
                }
            }
        }
        self.destroy(records.iter())?;
        for record in &records {
            let id = ErasureId::of(record.target);
            let again = ErasureCommand::ApplyAgain(Box::new(record.clone()));
            self.record(id, again, 2)?;
            tracing::warn!(erasure = %id, "a redaction or erasure is carried out again");
        }
        Ok(())
    }

    /// Notes the acts on record that are not noted beside the journal, as after a master key was lost.
    fn note_acts(&self, noted: &[ActRecord]) -> Result<(), OpenError> {
        let on_record = self.acts(Erasure::is_carried_out)?;
        for record in on_record.iter().filter_map(|(_, act)| act.record()) {
            if !noted.iter().any(|other| other.target == record.target) {
                let put = self.inner.acts.put(&record);
                put.map_err(|error| OpenError::Erasure(Box::new(error.into())))?;
            }
        }
        Ok(())
    }

    /// Destroys the text, and every copy of it.
    fn destroy<'a>(
        &self,
        records: impl Iterator<Item = &'a ActRecord>,
    ) -> Result<(), ErasureError> {
        let mut of_acts = Vec::new();
        for record in records {
            self.inner.acts.put(record)?;
            match record.target {
                Target::Person(person) => {
                    self.inner.keys.destroy(KeyScope::Person(person))?;
                }
                Target::Event(place) => {
                    let act = ErasureId::of_event(place.position);
                    self.inner.rests.note(act, record.left.clone());
                    if self.is_where_it_says(&place)? {
                        self.inner.log.redact(place.position)?;
                        of_acts.extend(
                            (place.stream.kind == StreamKind::Erasure).then_some(place.stream.id),
                        );
                    }
                }
                // Opening the access log removes what is there of it.
                Target::Reads { .. } => {}
            }
        }
        self.derive_again("text was destroyed by an act on record, so every copy of it goes")?;
        // What was said of an act stands beside the journal too.
        for id in of_acts {
            let act = self.act(ErasureId::from_uuid(id))?;
            if let Some(record) = act.and_then(|act| act.record()) {
                self.inner.acts.put(&record)?;
            }
        }
        let kept = self.generation();
        self.inner.deriving.generations.purge(kept)?;
        Ok(())
    }

    fn record(
        &self,
        id: ErasureId,
        command: ErasureCommand,
        purpose: u8,
    ) -> Result<(), ErasureError> {
        let (revision, _) = self.read(|now| {
            let found = now.stream(id)?;
            Ok::<_, ReadError>(found.map_or(0, |(_, revision)| revision.get()))
        })?;
        let mut hasher = COMMAND.hasher();
        hasher.update(id.as_bytes()).update(&[purpose]);
        hasher.update(&revision.to_be_bytes());
        let command_id = OwnId::of(hasher.finalize().as_bytes());
        let ledger = Actor::System(SystemId::from_uuid(self.inner.log.ledger_id().uuid()));
        self.execute_own(
            ledger,
            OwnCommand::new(command_id, Command::Erasure(id, command)),
        )?;
        Ok(())
    }

    fn key_of(&self, target: Target) -> Option<KeyId> {
        match target {
            Target::Person(person) => self.inner.keys.id_of(KeyScope::Person(person)),
            Target::Event(_) | Target::Reads { .. } => None,
        }
    }

    fn record_of(&self, act: Erasure, approved: Done) -> ActRecord {
        ActRecord {
            target: act.target,
            basis: act.basis,
            reason: act.reason,
            requested: act.requested,
            approved,
            key: self.key_of(act.target),
            reads: act.reads,
            left: act.left,
        }
    }

    /// What is left of an event when its text is redacted. `None` if nothing is, if the text is gone
    /// already, and for other targets.
    fn left_of(&self, target: Target) -> Result<Option<SealedRest>, ReadError> {
        let Target::Event(place) = target else {
            return Ok(None);
        };
        if !self.is_where_it_says(&place)? {
            return Ok(None);
        }
        let position = place.position;
        let (stored, entry) = stored(self.log(), position)?;
        let sealed = stored.sealed.as_deref();
        let opened = self
            .opener()
            .open(position, &entry, &stored.entry, sealed)?;
        let Opened::Json(json) = opened else {
            return Ok(None);
        };
        let event = read_event(position, &entry, entry.schema, &json)?;
        match event.without_text() {
            Left::Event(left) => {
                let keys = &self.inner.keys;
                seal_rest(&entry, &stored.entry, keys, position, &left).map(Some)
            }
            Left::Nothing | Left::NoText => Ok(None),
        }
    }

    /// The acts on the access log that two people have decided.
    pub(crate) fn acts_on_reads(&self) -> Result<Vec<(ErasureId, Erasure)>, ReadError> {
        self.acts(|act| {
            let on_reads = matches!(act.target, Target::Reads { .. });
            on_reads && act.approval().is_some() && act.is_proved()
        })
    }

    /// Records which records of the access log an approved act removes, and notes it beside the
    /// journal. Gives the act as it is then.
    pub(crate) fn settle_reads(
        &self,
        id: ErasureId,
        reads: RemovedReads,
    ) -> Result<Option<RemovedReads>, ErasureError> {
        self.record(id, ErasureCommand::SettleReads(reads), 3)?;
        let Some(act) = self.act(id)? else {
            return Ok(None);
        };
        if let Some(approved) = act.approval().copied() {
            let record = self.record_of(act, approved);
            self.inner.acts.put(&record)?;
            return Ok(record.reads);
        }
        Ok(None)
    }

    /// Records that an act on the access log is carried out.
    pub(crate) fn reads_removed(&self, id: ErasureId) -> Result<(), ErasureError> {
        self.record(id, ErasureCommand::CarryOut { key: None }, 1)
    }

    /// Whether the text of a target cannot be read any more.
    fn is_gone(&self, target: Target) -> Result<bool, ReadError> {
        Ok(match target {
            // Opening the access log sees to that.
            Target::Reads { .. } => true,
            Target::Person(person) => self.inner.keys.active(KeyScope::Person(person)).is_none(),
            Target::Event(place) => {
                if !self.is_where_it_says(&place)? {
                    return Ok(true);
                }
                let (stored, entry) = stored(self.log(), place.position)?;
                stored.sealed.is_none() || self.inner.keys.is_destroyed(entry.key)
            }
        })
    }

    /// Whether the journal has that event. An older copy may have another one there, or none.
    fn is_where_it_says(&self, place: &EventPlace) -> Result<bool, ReadError> {
        if place.position > self.position() {
            return Ok(false);
        }
        let (_, entry) = stored(self.log(), place.position)?;
        Ok((entry.stream, entry.revision) == (place.stream, place.revision))
    }

    fn act(&self, id: ErasureId) -> Result<Option<Erasure>, ReadError> {
        let found = self.present(id.into())?;
        Ok(found.and_then(|doc| match &*doc.state {
            Aggregate::Erasure(act) => Some(act.clone()),
            _ => None,
        }))
    }

    fn acts(
        &self,
        wanted: impl Fn(&Erasure) -> bool,
    ) -> Result<Vec<(ErasureId, Erasure)>, ReadError> {
        let (streams, _) = self.read(|now| now.find(Term::All(StreamKind::Erasure)))?;
        let mut found = Vec::new();
        for stream in streams.iter() {
            let id = ErasureId::from_uuid(stream.id);
            if let Some(act) = self.act(id)?.filter(|act| wanted(act)) {
                found.push((id, act));
            }
        }
        Ok(found)
    }
}

fn phase_is_over(phase: Option<&Phase>) -> bool {
    matches!(phase, Some(Phase::CarriedOut { .. }))
}

impl Reading<'_> {
    /// What an act would make unreadable, as it is now.
    ///
    /// # Errors
    /// [`ReadError`] when the person or a plan cannot be read.
    pub fn affected(&self, target: Target) -> Result<Affected, ReadError> {
        let person = match target {
            Target::Person(person) => person,
            Target::Event(_) => return Ok(Affected::of_events(1)),
            Target::Reads { .. } => return Ok(Affected::of_events(0)),
        };
        let plans = self.plans_of(person)?;
        let mut events = self.revision_of(person.into())?;
        for plan in &plans {
            events += self.revision_of(StreamId::from(*plan))?;
        }
        Ok(Affected {
            plans: plans.len() as u64,
            ..Affected::of_events(events)
        })
    }

    fn revision_of(&self, stream: StreamId) -> Result<u64, ReadError> {
        let found = self.stream(stream)?;
        Ok(found.map_or(0, |(_, revision)| revision.get()))
    }

    /// Whether a stream had events that nobody can read any more, because the person whom they were
    /// about was erased.
    ///
    /// # Errors
    /// [`ReadError`] when the journal cannot be read.
    pub fn was_erased(&self, stream: StreamId) -> Result<bool, ReadError> {
        let inner = &self.ledger.inner;
        let end = inner.docs().store().register().end_of(stream).position;
        // What is not on stable storage yet was not erased.
        if end == Position::ZERO || end > self.ledger.position() {
            return Ok(false);
        }
        let (_, entry) = stored(self.ledger.log(), end)?;
        Ok(inner.keys.is_destroyed(entry.key))
    }
}
