//! Recorded events, from and to messages.

use planledger_core::domain::{Actor, Event, EventMeta, EventType};
use planledger_core::ids::Revision;
use planledger_core::ledger::{Payload, RecordedEvent};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use super::instant::{instant, timestamp};
use super::proto;

/// Writes the message of an event. Replays must be fast, so this function formats nothing twice.
pub fn event(event: RecordedEvent) -> proto::Event {
    let redacted = matches!(event.payload, Payload::Left(_) | Payload::Redacted);
    let content = match event.payload {
        // The sealed payload is JSON, so it is UTF-8.
        Payload::Json(json) => match String::from_utf8(json) {
            Ok(json) => proto::event::Content::Payload(json),
            Err(_) => unreadable(proto::Unreadable::Unspecified),
        },
        Payload::Left(json) => match String::from_utf8(json) {
            Ok(json) => proto::event::Content::Payload(json),
            Err(_) => unreadable(proto::Unreadable::Redacted),
        },
        Payload::Redacted => unreadable(proto::Unreadable::Redacted),
        Payload::Erased => unreadable(proto::Unreadable::Erased),
    };
    proto::Event {
        position: event.position.get(),
        stream: named(event.stream.kind.name(), event.stream.id),
        revision: event.revision.get(),
        r#type: event
            .event_type
            .map(|event_type| event_type.name.to_owned())
            .unwrap_or_default(),
        schema: event.schema.into(),
        command_id: named("", event.command.uuid()),
        actor: actor_name(event.actor),
        on_behalf_of: event.on_behalf_of.map(actor_name).unwrap_or_default(),
        recorded_at: Some(timestamp(event.recorded_at)),
        redacted,
        content: Some(content),
    }
}

/// Writes the message of an event, and says how many bytes it has when it is sent.
pub fn sized_event(recorded: RecordedEvent) -> (proto::Event, usize) {
    let event = event(recorded);
    let length = prost::Message::encoded_len(&event);
    (event, length)
}

/// Reads the content of an event, for clients. `None` if the content can no longer be read.
///
/// # Errors
/// A text for people that says which part of the event this program does not know.
pub fn recorded(event: &proto::Event) -> Result<Option<(EventMeta, Event)>, String> {
    let Some(proto::event::Content::Payload(json)) = &event.content else {
        return Ok(None);
    };
    let kind = EventType::from_name(&event.r#type).ok_or("the type of the event is not known")?;
    let schema =
        u16::try_from(event.schema).map_err(|_| "the schema of the event is not a valid number")?;
    let read = Event::from_json(kind.code, schema, json.as_bytes());
    let read = read.map_err(|error| error.to_string())?;
    let meta = EventMeta {
        stream: event
            .stream
            .parse()
            .map_err(|_| "the event has no valid stream")?,
        revision: Revision::new(event.revision),
        recorded_at: instant(event.recorded_at.as_ref()).ok_or("the event has no valid instant")?,
        actor: event
            .actor
            .parse()
            .map_err(|_| "the event has no valid actor")?,
        on_behalf_of: match event.on_behalf_of.as_str() {
            "" => None,
            name => Some(
                name.parse()
                    .map_err(|_| "the event has no valid actor that was acted for")?,
            ),
        },
    };
    Ok(Some((meta, read)))
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

/// `kind/id`, or the id alone. It is formatted by hand, because Rust's formatting takes longer than
/// all other work on an event.
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
    use planledger_core::domain::EventType;
    use planledger_core::ids::{CommandId, KeyId, PersonId, PlanId, Position, Revision, SystemId};
    use planledger_core::time::Timestamp;

    use super::*;

    fn recorded(payload: Payload) -> RecordedEvent {
        RecordedEvent {
            position: Position::new(5),
            stream: PlanId::from_bytes([7; 16]).into(),
            revision: Revision::new(3),
            event_type: EventType::from_name("plan.status_written"),
            schema: 1,
            command: CommandId::from_bytes([8; 16]),
            actor: Actor::Person(PersonId::from_bytes([9; 16])),
            on_behalf_of: Some(Actor::System(SystemId::from_bytes([10; 16]))),
            recorded_at: Timestamp::from_nanos(1_500_000_000),
            key: KeyId::from_bytes([11; 16]),
            payload,
        }
    }

    #[test]
    fn streams_and_actors_are_named_as_the_library_prints_them() {
        let payload = r#"{"status_written":{"text":"…"}}"#;
        let recorded = recorded(Payload::Json(payload.as_bytes().to_vec()));
        let event = event(recorded.clone());
        assert_eq!(event.position, 5);
        assert_eq!(event.stream, recorded.stream.to_string());
        assert_eq!(event.r#type, "plan.status_written");
        assert_eq!(event.command_id, recorded.command.to_string());
        assert_eq!(event.actor, recorded.actor.to_string());
        let principal = recorded.on_behalf_of.unwrap().to_string();
        assert_eq!(event.on_behalf_of, principal);
        let payload = payload.to_owned();
        assert_eq!(event.content, Some(proto::event::Content::Payload(payload)));
    }

    #[test]
    fn an_unreadable_event_says_why() {
        let event = event(recorded(Payload::Redacted));
        let redacted = unreadable(proto::Unreadable::Redacted);
        assert_eq!((event.content, event.redacted), (Some(redacted), true));
        let left = r#"{"status_written":{"text":"[redacted]"}}"#;
        let event = super::event(recorded(Payload::Left(left.as_bytes().to_vec())));
        let payload = proto::event::Content::Payload(left.to_owned());
        assert_eq!((event.content, event.redacted), (Some(payload), true));
        let event = super::event(recorded(Payload::Erased));
        let erased = unreadable(proto::Unreadable::Erased);
        assert_eq!((event.content, event.redacted), (Some(erased), false));
    }
}
