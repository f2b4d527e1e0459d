//! What stands in payloads: the JSON of every type of event.

use std::collections::BTreeSet;

use planledger_core::domain::{Event, EventType};

/// Number, name, schema and JSON, a line each: every type with everything left out that may be, and
/// with everything in.
const EVENTS: &str = include_str!("events-v1.txt");

#[test]
fn every_event_is_written_and_read_as_it_always_was() {
    let mut seen = BTreeSet::new();
    for line in EVENTS.lines() {
        let mut parts = line.splitn(4, ' ');
        let code = parts.next().unwrap().trim_start_matches("0x");
        let code = u16::from_str_radix(code, 16).unwrap();
        let name = parts.next().unwrap();
        let schema: u16 = parts.next().unwrap().parse().unwrap();
        let json = parts.next().unwrap();
        let event = Event::from_json(code, schema, json.as_bytes()).unwrap();
        let known = event.event_type();
        assert_eq!((known.code, known.name), (code, name));
        assert_eq!(String::from_utf8(event.to_json().unwrap()).unwrap(), json);
        assert_eq!(EventType::from_name(name), EventType::from_code(code));
        seen.insert(code);
    }
    let all: BTreeSet<_> = EventType::ALL.iter().map(|known| known.code).collect();
    assert_eq!(seen, all, "every type has an example");
    assert_eq!(all.len(), EventType::ALL.len(), "no number is used twice");
}
