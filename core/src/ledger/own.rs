//! The commands that the ledger itself makes: of the notary, of recoveries, of redactions and erasures.
//!
//! Clients choose the ids of their commands, and whoever may write may choose any. The id of one of the
//! ledger's own commands follows from what it is about, so that a repetition is recognised, and
//! everybody can compute it. So these ids are a range of their own, which the writer refuses to clients:
//! nobody can take one before the ledger needs it, and no event of a client looks like the ledger's.

use super::envelope::Envelope;
use crate::domain::{Actor, Command};
use crate::hash::{Hash32, first};
use crate::ids::CommandId;

/// The id of one of the ledger's own commands. There is no other way to make one than from what the
/// command is about, so no client's id ever becomes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnId(CommandId);

impl OwnId {
    /// The id that follows from a hash of what the command is about.
    pub(crate) fn of(hash: &Hash32) -> Self {
        let mut bytes = first(hash);
        for (to, from) in bytes.iter_mut().zip(CommandId::OWN) {
            *to = from;
        }
        Self(CommandId::from_uuid(
            uuid::Builder::from_custom_bytes(bytes).into_uuid(),
        ))
    }

    /// The id as the journal has it.
    pub(crate) const fn command(self) -> CommandId {
        self.0
    }
}

/// One of the ledger's own commands. It never fails because its id is taken.
pub(crate) struct OwnCommand {
    /// Its id.
    pub(crate) id: OwnId,
    /// The id under which an earlier version may have carried it out, if the receipt of then is to
    /// be found. Only for a command that no client can send: clients may use that id too.
    pub(crate) formerly: Option<CommandId>,
    /// For whom the actor acts.
    pub(crate) on_behalf_of: Option<Actor>,
    /// What is asked.
    pub(crate) command: Command,
}

impl OwnCommand {
    /// A command that nobody else than the actor asks for, and that is not looked for under an
    /// earlier id.
    pub(crate) const fn new(id: OwnId, command: Command) -> Self {
        Self {
            id,
            formerly: None,
            on_behalf_of: None,
            command,
        }
    }

    /// As the writer takes it.
    pub(super) fn envelope(self) -> (Envelope, Ids) {
        let ids = Ids::Ledgers {
            formerly: self.formerly,
        };
        let envelope = Envelope {
            on_behalf_of: self.on_behalf_of,
            ..Envelope::new(self.id.command(), self.command)
        };
        (envelope, ids)
    }
}

/// Whose ids the commands of a request have.
#[derive(Clone, Copy)]
pub(super) enum Ids {
    /// Clients chose them.
    Clients,
    /// It is one command of the ledger's own.
    Ledgers {
        /// The id under which an earlier version may have carried it out.
        formerly: Option<CommandId>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_of_the_ledgers_own_is_in_its_range_and_different_hashes_have_different_ones() {
        let ids: std::collections::HashSet<_> = (0..=u8::MAX)
            .map(|byte| OwnId::of(&[byte; 32]).command())
            .collect();
        assert_eq!(ids.len(), 256);
        assert!(ids.iter().all(CommandId::is_of_ledger));
    }
}
