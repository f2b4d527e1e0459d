//! Events as they were recorded.

use planledger_core::domain::{Actor, EventType};
use planledger_core::entry::Entry;
use planledger_core::ids::Position;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use super::proto;
use super::shared::timestamp;

/// What is readable of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Its payload, JSON.
    Payload(String),
    /// Nothing: this payload was redacted.
    Redacted,
    /// Nothing: the key of the person it is about was destroyed.
    Erased,
}

/// An event. Replays are measured in events a second, so nothing is formatted twice here.
pub fn event(
    position: Position,
    entry: &Entry,
    event_type: EventType,
    content: Content,
) -> proto::Event {
    let content = match content {
        Content::Payload(payload) => proto::event::Content::Payload(payload),
        Content::Redacted => unreadable(proto::Unreadable::Redacted),
        Content::Erased => unreadable(proto::Unreadable::Erased),
    };
    proto::Event {
        position: position.get(),
        stream: named(entry.stream.kind.name(), entry.stream.id),
        revision: entry.revision.get(),
        r#type: event_type.name.to_owned(),
        schema: entry.schema.into(),
        command_id: named("", entry.command.uuid()),
        actor: actor_name(entry.actor),
        on_behalf_of: entry.on_behalf_of.map(actor_name).unwrap_or_default(),
        recorded_at: Some(timestamp(entry.recorded_at)),
        content: Some(content),
    }
}

fn unreadable(why: proto::Unreadable) -> proto::event::Content {
    proto::event::Content::Unreadable(why.into())
}

fn actor_name(actor: Actor) -> String {
    match actor {
        Actor::Person(id) => named("person", id.uuid()),
        Actor::System(id) => named("system", id.uuid()),
    }
}

/// `kind/id`, or the id alone; by hand, because the formatting machinery takes longer than all the
/// rest of an event.
fn named(kind: &str, id: Uuid) -> String {
    let mut buffer = [0; Hyphenated::LENGTH];
    let id = id.hyphenated().encode_lower(&mut buffer);
    let mut name = String::with_capacity(kind.len() + 1 + id.len());
    if !kind.is_empty() {
        name.push_str(kind);
        name.push('/');
    }
    name.push_str(id);
    name
}

#[cfg(test)]
mod tests {
    use planledger_core::ids::{CommandId, KeyId, PersonId, PlanId, Revision, SystemId};
    use planledger_core::time::Timestamp;

    use super::*;

    fn entry() -> Entry {
        Entry {
            stream: PlanId::from_bytes([7; 16]).into(),
            revision: Revision::new(3),
            previous_link: [0; 32],
            event_type: 0x0608,
            schema: 1,
            command: CommandId::from_bytes([8; 16]),
            actor: Actor::Person(PersonId::from_bytes([9; 16])),
            on_behalf_of: Some(Actor::System(SystemId::from_bytes([10; 16]))),
            recorded_at: Timestamp::from_nanos(1_500_000_000),
            key: KeyId::from_bytes([1; 16]),
            key_commitment: [0; 32],
            nonce: [0; 24],
            sealed_len: 16,
            sealed_hash: [0; 32],
        }
    }

    #[test]
    fn streams_and_actors_are_named_as_the_library_prints_them() {
        let entry = entry();
        let event_type = EventType::from_code(entry.event_type).unwrap();
        let payload = r#"{"status_written":{"text":"…"}}"#.to_owned();
        let event = event(
            Position::new(5),
            &entry,
            event_type,
            Content::Payload(payload.clone()),
        );
        assert_eq!(event.position, 5);
        assert_eq!(event.stream, entry.stream.to_string());
        assert_eq!(event.r#type, "plan.status_written");
        assert_eq!(event.command_id, entry.command.to_string());
        assert_eq!(event.actor, entry.actor.to_string());
        assert_eq!(event.on_behalf_of, entry.on_behalf_of.unwrap().to_string());
        assert_eq!(event.content, Some(proto::event::Content::Payload(payload)));
    }

    #[test]
    fn an_unreadable_event_says_why() {
        let entry = entry();
        let event_type = EventType::from_code(entry.event_type).unwrap();
        for (content, why) in [
            (Content::Redacted, proto::Unreadable::Redacted),
            (Content::Erased, proto::Unreadable::Erased),
        ] {
            let event = event(Position::new(1), &entry, event_type, content);
            assert_eq!(event.content, Some(unreadable(why)));
        }
    }
}
