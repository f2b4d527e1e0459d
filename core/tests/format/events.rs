//! What stands in payloads: the JSON of every type of event, at every schema that was ever written.

use std::collections::BTreeSet;

use planledger_core::domain::{Event, EventType};

use crate::format::shape::Shape;

/// A line for each example: number, name, schema and JSON as it was written. At the present schema of
/// its type the JSON is what is written now, byte for byte, and the examples of a type together show
/// every field and every value that a field can be one of. An example of an earlier schema is followed
/// by a line that begins with `=>`: the JSON of the present schema that it is brought up to.
///
/// **An example that was released is never changed or removed.** If a test here fails because an event's
/// JSON changed, the event needs a new schema in `event_type.rs`, a step in `upcast.rs`, and examples of
/// the new schema here. The examples of the schemas before then get lines that begin with `=>`; only
/// these follow the present schema.
const EVENTS: &str = include_str!("events-v1.txt");

struct Example {
    code: u16,
    name: &'static str,
    schema: u16,
    json: &'static str,
    /// What it is brought up to, if its schema is an earlier one.
    brought_up: Option<&'static str>,
}

impl Example {
    fn read(&self) -> Event {
        let read = Event::from_json(self.code, self.schema, self.json.as_bytes());
        read.unwrap_or_else(|error| panic!("{} {}: {error}", self.name, self.json))
    }
}

fn examples() -> Vec<Example> {
    let mut lines = EVENTS.lines().peekable();
    let mut examples = Vec::new();
    while let Some(line) = lines.next() {
        let mut parts = line.splitn(4, ' ');
        let code = parts.next().unwrap().trim_start_matches("0x");
        let next = lines.next_if(|next| next.starts_with("=> "));
        examples.push(Example {
            code: u16::from_str_radix(code, 16).unwrap(),
            name: parts.next().unwrap(),
            schema: parts.next().unwrap().parse().unwrap(),
            json: parts.next().unwrap(),
            brought_up: next.map(|next| next.trim_start_matches("=> ")),
        });
    }
    examples
}

/// The name and JSON of each example of the present schema of its type.
pub(crate) fn present_examples() -> Vec<(&'static str, &'static str)> {
    let present = |example: &Example| {
        let known = EventType::from_name(example.name);
        known.is_some_and(|known| known.schema == example.schema)
    };
    let examples = examples().into_iter().filter(present);
    examples
        .map(|example| (example.name, example.json))
        .collect()
}

#[test]
fn every_event_is_read_as_it_was_written_and_written_at_the_present_schema() {
    for example in examples() {
        let event = example.read();
        let known = event.event_type();
        assert_eq!((known.code, known.name), (example.code, example.name));
        assert_eq!(
            example.brought_up.is_some(),
            example.schema < known.schema,
            "{} has schema {}: the examples of earlier ones, and no others, say what they are \
             brought up to",
            known.name,
            known.schema
        );
        let present = example.brought_up.unwrap_or(example.json);
        assert_eq!(
            String::from_utf8(event.to_json().unwrap()).unwrap(),
            present
        );
    }
}

#[test]
fn every_type_and_every_schema_that_was_ever_written_has_an_example() {
    let shown: BTreeSet<_> = examples().iter().map(|it| (it.code, it.schema)).collect();
    let written = EventType::ALL.iter();
    let written = written.flat_map(|known| (1..=known.schema).map(|schema| (known.code, schema)));
    assert_eq!(shown, written.collect());
    let codes: BTreeSet<_> = EventType::ALL.iter().map(|known| known.code).collect();
    assert_eq!(codes.len(), EventType::ALL.len(), "no number is used twice");
    for known in EventType::ALL {
        assert_eq!(EventType::from_name(known.name), Some(*known));
        assert_eq!(EventType::from_code(known.code), Some(*known));
    }
}

/// A field that may be absent, or one more value that a field can be one of, changes no example that
/// is there. Yet it changes what older versions have to read: an example has to show it, which there
/// is none of at a schema that was released.
#[test]
fn the_examples_of_a_type_show_all_that_its_present_schema_can_hold() {
    let mut missing = Vec::new();
    for known in EventType::ALL {
        let mut shape = Shape::default();
        for example in examples() {
            if (example.code, example.schema) == (known.code, known.schema) {
                shape.take(&example.read(), example.json);
            }
        }
        missing.extend(shape.unseen().map(|what| format!("{}: {what}", known.name)));
    }
    assert!(
        missing.is_empty(),
        "no example shows:\n{}",
        missing.join("\n")
    );
}
