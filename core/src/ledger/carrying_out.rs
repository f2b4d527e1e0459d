//! Carries out the commands of one request: decides, and adds what came of it to the group of the writer.

use std::fmt::Display;
use std::sync::Arc;

use super::envelope::{Envelope, Receipt};
use super::fold::Stream;
use super::own::Ids;
use super::sealer::{About, Unsealed, event_key, read_entry, read_event};
use super::sealing::Decided;
use super::still_due;
use super::stream_fold::StreamFold;
use super::writer::{MOST_BYTES, MOST_COMMANDS, MOST_EVENTS, Writer};
use super::{EngineFault, ExecuteError};
use crate::derived::{CommandEntry, Head, StreamDoc};
use crate::domain::erasure::{self, ErasureCommand, Left, Target};
use crate::domain::world::Context;
use crate::domain::{Actor, Command, Decision, Event, EventMeta, Refusal, Stop, Without, decide};
use crate::ids::{Position, StreamId};
use crate::journal::CommandRecord;
use crate::seal::{self, KeyScope, KeyStoreError, ScopeKey};
use crate::time::Timestamp;

/// A commit that is still being put together.
#[derive(Default)]
struct Draft {
    commands: Vec<CommandRecord>,
    events: Vec<Unsealed>,
    bytes: usize,
    receipts: Vec<Receipt>,
    recorded_at: Option<Timestamp>,
}

impl Draft {
    /// For so many commands. Most have one event.
    fn of(commands: usize) -> Self {
        Self {
            commands: Vec::with_capacity(commands),
            events: Vec::with_capacity(commands),
            receipts: Vec::with_capacity(commands),
            ..Self::default()
        }
    }
}

/// The key under which the events of a command were sealed, and its scope.
pub(super) type SealedUnder = Option<(KeyScope, ScopeKey)>;

impl Writer {
    pub(super) fn carry_out(
        &mut self,
        actor: Actor,
        envelopes: &[Envelope],
        ids: Ids,
    ) -> Result<Vec<Receipt>, ExecuteError> {
        if let Some(reason) = self.durable.stopped() {
            return Err(ExecuteError::WriterStopped(reason.to_owned()));
        }
        if let Some(reason) = self.fold.docs().doubt() {
            return Err(ExecuteError::NotReady(reason.to_owned()));
        }
        if envelopes.is_empty() || envelopes.len() > MOST_COMMANDS {
            return Err(ExecuteError::BatchSize(format!(
                "this batch has {} commands",
                envelopes.len()
            )));
        }
        check_ids(envelopes, ids)?;
        let result = self.drafted(actor, envelopes, ids);
        // Keys are stored only with a commit that uses them.
        if !matches!(&result, Ok(draft) if !draft.commands.is_empty()) {
            self.keys.drop_drafts();
        }
        result.and_then(|draft| self.commit(draft))
    }

    /// Carries a batch out, as far as deciding goes.
    fn drafted(
        &mut self,
        actor: Actor,
        envelopes: &[Envelope],
        ids: Ids,
    ) -> Result<Draft, ExecuteError> {
        let earlier = match ids {
            Ids::Clients => self.earlier_receipts(actor, envelopes)?,
            Ids::Ledgers { formerly } => {
                self.earlier_receipts_of_own(actor, envelopes, formerly)?
            }
        };
        self.fold.save();
        let mut draft = Draft::of(envelopes.len());
        let result = envelopes.iter().zip(earlier).enumerate().try_for_each(
            |(index, (envelope, earlier))| match earlier {
                Some(receipt) => {
                    draft.receipts.push(receipt);
                    Ok(())
                }
                None => {
                    // Another command of the same batch may have the id.
                    if matches!(ids, Ids::Clients)
                        && !draft.commands.is_empty()
                        && self.window.get(&envelope.id).is_some()
                    {
                        return Err(reused(index, envelope));
                    }
                    self.one(index, actor, envelope, &mut draft)
                }
            },
        );
        let kept = result.and_then(|()| match draft.commands.is_empty() {
            true => Ok(()),
            false => self
                .keys
                .keep_drafts()
                .map_err(|error| EngineFault::from(error).into()),
        });
        match kept {
            Ok(()) => {
                self.fold.keep();
                self.window.forget();
                Ok(draft)
            }
            Err(error) => {
                self.fold.roll_back();
                for command in &draft.commands {
                    self.window.remove(&command.id);
                }
                Err(error)
            }
        }
    }

    /// Adds a finished draft to the group.
    fn commit(&mut self, draft: Draft) -> Result<Vec<Receipt>, ExecuteError> {
        let Draft {
            commands,
            events,
            bytes,
            receipts,
            recorded_at,
        } = draft;
        if !commands.is_empty() {
            self.bytes += bytes;
            self.commits.push(Decided {
                recorded_at: recorded_at.unwrap_or_default(),
                commands,
                events,
            });
        }
        Ok(receipts)
    }

    fn one(
        &mut self,
        index: usize,
        actor: Actor,
        envelope: &Envelope,
        draft: &mut Draft,
    ) -> Result<(), ExecuteError> {
        self.check_revision(index, envelope)?;
        let now = self.next_instant();
        let Decision {
            stream,
            events,
            kept,
            dropped,
        } = self.decide(index, actor, envelope, now)?;
        self.check_redaction(index, &envelope.command)?;
        self.check_due(index, &envelope.command, &events, now)?;
        let mut begun = self.begin(index, stream)?;
        let folded = &mut begun.folded;
        let count = events.len() as u32;
        if events.is_empty() && envelope.discard_if_unchanged {
            draft.receipts.push(Receipt {
                command: envelope.id,
                stream,
                position: self.fold.cursor.position,
                revision: folded.head().revision,
                recorded_at: self.fold.cursor.recorded_at,
                events: 0,
                replayed: false,
                kept,
                dropped,
            });
            return Ok(());
        }
        // The journal stores no instant for a command without events. Such a command shares the
        // instant of the command before it in its commit, or has the instant of the commit.
        let recorded_at = match draft.recorded_at {
            Some(_) if events.is_empty() => self.fold.cursor.recorded_at,
            Some(_) | None => now,
        };
        draft.recorded_at.get_or_insert(recorded_at);
        self.fold.cursor.recorded_at = recorded_at;
        let mut sealed_under: SealedUnder = None;
        for (offset, event) in events.into_iter().enumerate() {
            let recorded_at = recorded_at.plus(offset as u64);
            self.fold.cursor.recorded_at = recorded_at;
            let Head {
                position: back,
                revision,
                link: previous_link,
            } = *folded.head();
            let meta = EventMeta {
                stream,
                revision: revision.next(),
                recorded_at,
                actor,
                on_behalf_of: envelope.on_behalf_of,
            };
            folded.apply(&meta, Some(&event));
            let no_state = || EngineFault::Internal("an event made no state".to_owned());
            let state = folded.state().ok_or_else(no_state)?;
            let scope = KeyScope::of(stream, state);
            let (_, key) = match sealed_under.take().filter(|(known, _)| *known == scope) {
                Some(known) => sealed_under.insert(known),
                None => sealed_under.insert((scope, self.key(scope)?)),
            };
            let nonce = self.nonces.next().map_err(no_randomness)?;
            let about = About {
                stream,
                revision: meta.revision,
                previous_link,
                back,
                command: envelope.id,
                actor,
                on_behalf_of: envelope.on_behalf_of,
                recorded_at,
                nonce,
            };
            let unsealed = Unsealed::new(about, &event, key.clone()).map_err(internal)?;
            folded.place_unsealed(self.fold.cursor.position.next());
            self.fold.note(folded);
            draft.bytes += unsealed.len() + 64;
            draft.events.push(unsealed);
        }
        let revision = folded.head().revision;
        let ended = self.fold.end(begun);
        ended.map_err(|error| self.faulty(&error))?;
        let receipt = Receipt {
            command: envelope.id,
            stream,
            position: self.fold.cursor.position,
            revision,
            recorded_at,
            events: count,
            replayed: false,
            kept,
            dropped,
        };
        self.record(actor, envelope, receipt, sealed_under, draft)?;
        within_limits(draft)
    }

    /// Records the command, so that it is known when it is sent again, and its receipt.
    fn record(
        &mut self,
        actor: Actor,
        envelope: &Envelope,
        receipt: Receipt,
        sealed_under: SealedUnder,
        draft: &mut Draft,
    ) -> Result<(), ExecuteError> {
        let Receipt {
            command: id,
            stream,
            position,
            revision,
            recorded_at,
            events,
            ..
        } = receipt;
        let digest = self.digest(actor, envelope, stream, sealed_under)?;
        let entry = CommandEntry {
            id,
            digest,
            stream,
            revision,
            position,
            recorded_at,
            events,
        };
        let recorded = self.fold.record(entry);
        let ordinal = recorded.map_err(|error| self.faulty(&error))?;
        self.window.insert(id, ordinal);
        draft.commands.push(CommandRecord {
            id,
            digest,
            stream,
            revision,
            entries: events,
        });
        draft.bytes += 64;
        draft.receipts.push(receipt);
        Ok(())
    }

    fn check_revision(&self, index: usize, envelope: &Envelope) -> Result<(), ExecuteError> {
        let Some(expected) = envelope.expected_revision else {
            return Ok(());
        };
        let stream = envelope.command.stream();
        let doc = self.present(stream)?;
        let actual = doc.map(|doc| doc.head.revision).unwrap_or_default();
        if actual == expected {
            Ok(())
        } else {
            Err(ExecuteError::Conflict {
                index,
                stream,
                expected,
                actual,
            })
        }
    }

    fn decide(
        &self,
        index: usize,
        actor: Actor,
        envelope: &Envelope,
        at: Timestamp,
    ) -> Result<Decision, ExecuteError> {
        let context = Context {
            actor,
            on_behalf_of: envelope.on_behalf_of,
            at,
        };
        let world = Without::new(&self.fold, &envelope.unseen);
        match decide(&world, &context, &envelope.command) {
            Ok(decision) => Ok(decision),
            Err(Stop::Refused(refusal)) => Err(ExecuteError::Refused { index, refusal }),
            Err(Stop::Unread(error)) => Err(self.faulty(&error)),
        }
    }

    pub(super) fn key(&self, scope: KeyScope) -> Result<ScopeKey, ExecuteError> {
        if let Some(key) = self.keys.active(scope) {
            return Ok(key);
        }
        let key = self
            .keys
            .active_or_draft(scope, self.clock.now(), self.entropy.as_ref());
        key.map_err(|error| match (error, scope) {
            (KeyStoreError::Destroyed, KeyScope::Person(person)) => {
                refused(0, erasure::erased(person))
            }
            (error, _) => EngineFault::from(error).into(),
        })
    }

    /// Refuses a redaction of an event that is not where the command says, or that holds no text
    /// that can go alone. The rules do not see the journal.
    fn check_redaction(&self, index: usize, command: &Command) -> Result<(), ExecuteError> {
        let Command::Erasure(_, ErasureCommand::Request { target, .. }) = command else {
            return Ok(());
        };
        let Target::Event(place) = target else {
            return Ok(());
        };
        let stored = self.log.entry(place.position).map_err(EngineFault::from)?;
        let event = stored.and_then(|stored| {
            let entry = read_entry(place.position, &stored.entry).ok()?;
            let is_it = (entry.stream, entry.revision) == (place.stream, place.revision);
            let key = event_key(place.position, &entry, &self.keys).ok()?;
            let prefix = crate::entry::prefix(&stored.entry);
            let sealed = stored.sealed.filter(|_| is_it)?;
            let json = seal::open(&key, &entry.nonce, prefix, &sealed).ok()?;
            read_event(place.position, &entry, entry.schema, &json).ok()
        });
        match event.map(|event| event.without_text()) {
            Some(Left::Event(_) | Left::Nothing) => Ok(()),
            Some(Left::NoText) | None => Err(refused(index, erasure::not_redactable())),
        }
    }

    /// Refuses an erasure by a retention class of somebody who is not due. The rules do not see everything
    /// that the time depends on.
    fn check_due(
        &self,
        index: usize,
        command: &Command,
        events: &[Event],
        at: Timestamp,
    ) -> Result<(), ExecuteError> {
        // What changes nothing, such as a second approval, is as it was.
        if events.is_empty() {
            return Ok(());
        }
        match still_due::check(&self.fold, &*self.log, command, at) {
            Ok(()) => Ok(()),
            Err(Stop::Refused(refusal)) => Err(refused(index, refusal)),
            Err(Stop::Unread(error)) => Err(self.faulty(&error)),
        }
    }

    /// Prepares a stream so that a command's events can be folded into it. A stream whose events
    /// were all redacted has no state, but new events still follow the redacted ones.
    fn begin(&self, index: usize, stream: StreamId) -> Result<Stream, ExecuteError> {
        let begun = self.fold.begin(stream);
        let mut begun = begun.map_err(|error| self.faulty(&error))?;
        if begun.folded.state().is_none() {
            let end = self.fold.docs().store().register().end_of(stream);
            if end.position != Position::ZERO {
                let stored = self.log.entry(end.position).map_err(EngineFault::from)?;
                let gone = || {
                    EngineFault::Journal(format!("there is no entry at position {}", end.position))
                };
                let stored = stored.ok_or_else(gone)?;
                let entry = read_entry(end.position, &stored.entry).map_err(internal)?;
                if let Some(KeyScope::Person(person)) = self.keys.scope_of(entry.key)
                    && self.keys.is_destroyed(entry.key)
                {
                    return Err(refused(index, erasure::erased(person)));
                }
                let head = Head {
                    position: end.position,
                    revision: end.revision,
                    link: crate::entry::link(&stored.entry),
                };
                begun.folded = StreamFold::at(stream, head, None);
            }
        }
        Ok(begun)
    }

    pub(super) fn present(&self, stream: StreamId) -> Result<Option<Arc<StreamDoc>>, ExecuteError> {
        let found = self.fold.stream(stream);
        found.map_err(|error| self.faulty(&error))
    }

    /// Puts derived state in doubt because of an error, and gives the answer for the command.
    pub(super) fn faulty(&self, error: &dyn Display) -> ExecuteError {
        let reason = error.to_string();
        self.fold.docs().put_in_doubt(&reason);
        ExecuteError::NotReady(reason)
    }

    /// An instant later than everything recorded so far, whatever the clock says.
    fn next_instant(&self) -> Timestamp {
        let latest = self.fold.cursor.recorded_at.max(self.passed);
        self.clock.now().max(latest.plus(1))
    }
}

/// Refuses clients the ids of the ledger's own commands. This is the only door: every command comes
/// through here.
fn check_ids(envelopes: &[Envelope], ids: Ids) -> Result<(), ExecuteError> {
    let of_ledger = |(_, envelope): &(usize, &Envelope)| envelope.id.is_of_ledger();
    match (ids, envelopes.iter().enumerate().find(of_ledger)) {
        (Ids::Clients, Some((index, envelope))) => Err(ExecuteError::IdReserved {
            index,
            command: envelope.id,
        }),
        (Ids::Clients, None) | (Ids::Ledgers { .. }, _) => Ok(()),
    }
}

pub(super) fn reused(index: usize, envelope: &Envelope) -> ExecuteError {
    ExecuteError::IdReused {
        index,
        command: envelope.id,
    }
}

fn within_limits(draft: &Draft) -> Result<(), ExecuteError> {
    if draft.events.len() > MOST_EVENTS || draft.bytes > MOST_BYTES {
        let text = format!(
            "this batch makes {} events of {} bytes",
            draft.events.len(),
            draft.bytes
        );
        return Err(ExecuteError::BatchSize(text));
    }
    Ok(())
}

fn refused(index: usize, refusal: Refusal) -> ExecuteError {
    ExecuteError::Refused { index, refusal }
}

pub(super) fn internal(error: impl ToString) -> ExecuteError {
    EngineFault::Internal(error.to_string()).into()
}

fn no_randomness(error: impl ToString) -> ExecuteError {
    EngineFault::Randomness(error.to_string()).into()
}
