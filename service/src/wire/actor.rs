//! Actors and deletions, from and to messages.

use std::str::FromStr;

use planledger_core::domain::view::DeletionView;
use planledger_core::domain::{Actor, Deletion};
use planledger_core::ids::IdError;

use super::fields::Fields;
use super::instant::timestamp;
use super::proto;
use super::scalar::string;

/// Reads an actor from its message.
pub(super) fn read_actor(fields: &mut Fields, actor: proto::Actor) -> Option<Actor> {
    match actor.actor {
        Some(proto::actor::Actor::PersonId(id)) => fields.id("person_id", &id).map(Actor::Person),
        Some(proto::actor::Actor::SystemId(id)) => fields.id("system_id", &id).map(Actor::System),
        None => fields.missing("actor"),
    }
}

/// Writes the message of an actor.
pub(super) fn write_actor(actor: Actor) -> proto::Actor {
    let actor = match actor {
        Actor::Person(id) => proto::actor::Actor::PersonId(id.to_string()),
        Actor::System(id) => proto::actor::Actor::SystemId(id.to_string()),
    };
    proto::Actor { actor: Some(actor) }
}

/// An actor that somebody typed: `person/UUID` or `system/UUID`.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedActor(pub proto::Actor);

impl FromStr for NamedActor {
    type Err = IdError;

    fn from_str(name: &str) -> Result<Self, IdError> {
        let actor: Actor = name.parse()?;
        Ok(Self(write_actor(actor)))
    }
}

/// Writes the message of a deletion as a viewer sees it. Who and why are set for staff only.
pub(super) fn write_told(view: &DeletionView) -> proto::Deletion {
    match view.whole() {
        Some(deletion) => write_deletion(deletion),
        None => proto::Deletion {
            deleted_at: Some(timestamp(view.at())),
            deleted_by: None,
            reason: None,
        },
    }
}

/// Writes the message of a deletion, with everything it says. For staff.
pub(super) fn write_deletion(deletion: &Deletion) -> proto::Deletion {
    proto::Deletion {
        deleted_at: Some(timestamp(deletion.at)),
        deleted_by: Some(write_actor(deletion.by)),
        reason: string(deletion.reason.as_ref()),
    }
}
