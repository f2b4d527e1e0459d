//! No bytes bring the reader of payloads down, and an event that is read is written, read and
//! folded alike ever after.
//!
//! The input is an event's type and schema version, two bytes each, and JSON.

use planledger_core::domain::{Actor, Aggregate, Event, EventMeta, EventType};
use planledger_core::ids::{PersonId, Revision, StreamId, StreamKind};
use planledger_core::time::Timestamp;

pub(crate) fn check(bytes: &[u8]) {
    let Some((&[a, b, c, d], json)) = bytes.split_first_chunk::<4>() else {
        return;
    };
    let (code, schema) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    read(code, schema, json);
    let known = EventType::ALL[usize::from(code) % EventType::ALL.len()];
    for schema in 1..=known.schema {
        read(known.code, schema, json);
    }
}

fn read(code: u16, schema: u16, json: &[u8]) {
    let Ok(event) = Event::from_json(code, schema, json) else {
        return;
    };
    let known = event.event_type();
    assert!(known.code == code && (1..=known.schema).contains(&schema));
    // One of an earlier schema is written at the present one.
    let written = event.to_json().expect("what was read is written");
    let again = Event::from_json(code, known.schema, &written).expect("what was written is read");
    assert_eq!(again, event);
    assert_eq!(again.to_json().expect("twice"), written);
    // On nothing, and on what it made.
    let mut state = None;
    for revision in 1..=2 {
        let meta = EventMeta {
            stream: StreamId {
                kind: event.kind(),
                id: PersonId::from_bytes([1; 16]).uuid(),
            },
            revision: Revision::new(revision),
            recorded_at: Timestamp::from_nanos(revision),
            actor: Actor::Person(PersonId::from_bytes([2; 16])),
            on_behalf_of: None,
        };
        Aggregate::apply(&mut state, &meta, &event);
    }
    if let Some(state) = state {
        assert!(StreamKind::ALL.contains(&state.kind()));
        let json = serde_json::to_vec(&state).expect("a state is written");
        let again: Aggregate = serde_json::from_slice(&json).expect("a state is read");
        assert_eq!(again, state);
    }
}
