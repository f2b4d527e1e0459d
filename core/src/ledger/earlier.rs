//! Commands that are sent again: each is known by its id and by a digest of what it says, and is answered
//! with the receipt of the first time.

use super::ExecuteError;
use super::carrying_out::{SealedUnder, internal, reused};
use super::envelope::{Envelope, Receipt};
use super::writer::Writer;
use crate::derived::CommandEntry;
use crate::domain::Actor;
use crate::ids::{CommandId, PersonId, StreamId, StreamKind};
use crate::seal::KeyScope;
use crate::text;

/// What is recorded under the id of a command.
enum Recorded {
    Nothing,
    /// The same command, with this receipt.
    Same(Receipt),
    Another,
}

impl Writer {
    /// What is recorded under the id of a command.
    fn recorded(
        &self,
        id: &CommandId,
        actor: Actor,
        envelope: &Envelope,
    ) -> Result<Recorded, ExecuteError> {
        let Some(ordinal) = self.window.get(id) else {
            return Ok(Recorded::Nothing);
        };
        let entry = self
            .fold
            .command(ordinal)
            .map_err(|error| self.faulty(&error))?;
        let Some(entry) = entry.filter(|entry| entry.id == *id) else {
            return Ok(Recorded::Another);
        };
        if !self.is_same(&entry, actor, envelope)? {
            return Ok(Recorded::Another);
        }
        Ok(Recorded::Same(Receipt {
            command: entry.id,
            stream: entry.stream,
            position: entry.position,
            revision: entry.revision,
            recorded_at: entry.recorded_at,
            events: entry.events,
            replayed: true,
            kept: Vec::new(),
            dropped: Vec::new(),
        }))
    }

    /// For each command, the receipt of the earlier time if it was carried out before.
    pub(super) fn earlier_receipts(
        &self,
        actor: Actor,
        envelopes: &[Envelope],
    ) -> Result<Vec<Option<Receipt>>, ExecuteError> {
        let mut receipts = Vec::with_capacity(envelopes.len());
        for (index, envelope) in envelopes.iter().enumerate() {
            receipts.push(match self.recorded(&envelope.id, actor, envelope)? {
                Recorded::Nothing if self.lost.has(&envelope.id) => {
                    return Err(ExecuteError::LostInRestore {
                        index,
                        command: envelope.id,
                    });
                }
                Recorded::Nothing => None,
                Recorded::Same(receipt) => Some(receipt),
                Recorded::Another => return Err(reused(index, envelope)),
            });
        }
        // A batch is carried out whole, so a batch of which only some commands are known is another
        // batch. There is one exception: a command that changed nothing may not have been recorded,
        // and is decided again.
        let known = receipts.iter().position(Option::is_some);
        let other = envelopes
            .iter()
            .zip(&receipts)
            .any(|(envelope, receipt)| receipt.is_none() && !envelope.discard_if_unchanged);
        match known.and_then(|index| Some((index, envelopes.get(index)?))) {
            Some((index, envelope)) if other => Err(reused(index, envelope)),
            Some(_) | None => Ok(receipts),
        }
    }

    /// The same for a command of the ledger's own, which may also be recorded under the id that it
    /// had in earlier versions. What else is recorded under either id keeps it from nothing: a
    /// client may have used its earlier id, and if the ledger itself was asked for the same in other
    /// words, the rules judge that.
    pub(super) fn earlier_receipts_of_own(
        &self,
        actor: Actor,
        envelopes: &[Envelope],
        formerly: Option<CommandId>,
    ) -> Result<Vec<Option<Receipt>>, ExecuteError> {
        let receipt = |envelope: &Envelope| {
            for id in [Some(envelope.id), formerly].iter().flatten() {
                match self.recorded(id, actor, envelope)? {
                    Recorded::Same(receipt) => return Ok(Some(receipt)),
                    Recorded::Nothing | Recorded::Another => {}
                }
            }
            Ok(None)
        };
        envelopes.iter().map(receipt).collect()
    }

    /// Whether a command is the one that was recorded. Texts are digested in form C. Earlier versions
    /// digested them as they came, and from a Mac they may have come decomposed: such a command is
    /// known when it is sent again after the upgrade (P2).
    fn is_same(
        &self,
        recorded: &CommandEntry,
        actor: Actor,
        envelope: &Envelope,
    ) -> Result<bool, ExecuteError> {
        // Only the opening of a plan may be recorded at another stream than it names. What is recorded
        // of somebody who was erased has no key left to compare with, and of a command that is about
        // something else that need not be asked.
        if recorded.stream != envelope.command.stream() && recorded.stream.kind != StreamKind::Plan
        {
            return Ok(false);
        }
        if recorded.digest == self.digest(actor, envelope, recorded.stream, None)? {
            return Ok(true);
        }
        let content = envelope.content(actor).map_err(internal)?;
        let Some(content) = text::decomposed(&content) else {
            return Ok(false);
        };
        let key = self.key(self.digest_scope(recorded.stream)?)?;
        Ok(recorded.digest == key.keyed_digest(&content))
    }

    /// The digest is keyed, so that short texts cannot be guessed from it. The scope of the key
    /// never changes: for persons and plans it is the person, for all other streams it is the
    /// ledger. `at_hand` is a key that need not be looked up if it is the one.
    pub(super) fn digest(
        &self,
        actor: Actor,
        envelope: &Envelope,
        stream: StreamId,
        at_hand: SealedUnder,
    ) -> Result<[u8; 16], ExecuteError> {
        let content = envelope.content(actor).map_err(internal)?;
        let scope = self.digest_scope(stream)?;
        let key = match at_hand.filter(|(known, _)| *known == scope) {
            Some((_, key)) => key,
            None => self.key(scope)?,
        };
        Ok(key.keyed_digest(&content))
    }

    fn digest_scope(&self, stream: StreamId) -> Result<KeyScope, ExecuteError> {
        Ok(match stream.kind {
            StreamKind::Person => KeyScope::Person(PersonId::from_uuid(stream.id)),
            StreamKind::Plan => match self.present(stream)? {
                Some(doc) => KeyScope::of(stream, &doc.state),
                None => KeyScope::Ledger,
            },
            StreamKind::Institution
            | StreamKind::SchoolYear
            | StreamKind::Team
            | StreamKind::YearPlan
            | StreamKind::Catalogue
            | StreamKind::Ledger
            | StreamKind::Recovery
            | StreamKind::RosterSource
            | StreamKind::System
            | StreamKind::Grants
            | StreamKind::Erasure => KeyScope::Ledger,
        })
    }
}
