//! Prints events for people: when, who, for whom, what, why.

use planledger_proto::v1::{Event, event};
use serde_json::Value;
use uuid::Uuid;

use super::names::{Names, short};
use super::output;

/// The most characters of a text that one line shows.
const EXCERPT: usize = 60;

/// A heading, and one row for each event.
pub(super) fn rows(events: &[Event], names: &Names) -> Vec<Vec<String>> {
    let heading = [
        "position",
        "when (Copenhagen)",
        "who",
        "for",
        "what",
        "why",
        "details",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for event in events {
        let principal = match event.on_behalf_of.as_str() {
            "" => String::new(),
            principal => names.actor(principal),
        };
        let (details, why) = details(event, names);
        let what = event.r#type.split_once('.').map_or("", |(_, what)| what);
        rows.push(vec![
            event.position.to_string(),
            output::instant(event.recorded_at.as_ref()),
            names.actor(&event.actor),
            principal,
            what.replace('_', " "),
            why,
            details,
        ]);
    }
    rows
}

/// The content of an event, and the reason that was given for it.
fn details(event: &Event, names: &Names) -> (String, String) {
    let payload = match &event.content {
        Some(event::Content::Payload(payload)) => payload,
        Some(event::Content::Unreadable(_)) | None => {
            return ("(not readable any more)".to_owned(), String::new());
        }
    };
    let Ok(Value::Object(mut payload)) = serde_json::from_str::<Value>(payload) else {
        return Default::default();
    };
    let mut parts = Vec::new();
    let mut why = String::new();
    for fields in payload.values_mut() {
        let reason = fields.as_object_mut().and_then(|it| it.remove("reason"));
        if let Some(Value::String(reason)) = reason {
            why = excerpt(&reason);
        }
        leaves("", fields, names, &mut parts);
    }
    (parts.join(", "), why)
}

/// Collects every value of a payload, with the name of its field.
fn leaves(name: &str, value: &Value, names: &Names, parts: &mut Vec<String>) {
    let mut say = |value: String| {
        parts.push(match name {
            "" => value,
            name => format!("{} {value}", name.replace('_', " ")),
        });
    };
    match value {
        Value::Null => {}
        Value::Bool(value) => say(value.to_string()),
        Value::Number(value) => say(value.to_string()),
        Value::String(text) if Uuid::try_parse(text).is_ok() => {
            say(names
                .get(text)
                .map_or_else(|| short(text).to_owned(), str::to_owned));
        }
        Value::String(text) => say(excerpt(text)),
        Value::Array(values) => {
            for value in values {
                leaves(name, value, names, parts);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                leaves(name, value, names, parts);
            }
        }
    }
}

/// The beginning of a text, on one line.
pub(super) fn excerpt(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    let line = line.join(" ");
    match line.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("“{}…”", line.get(..end).unwrap_or_default()),
        None => format!("“{line}”"),
    }
}

#[cfg(test)]
mod tests {
    use planledger_proto::v1::Unreadable;
    use prost_types::Timestamp;

    use super::*;

    fn row(content: event::Content) -> Vec<String> {
        let event = Event {
            position: 7,
            r#type: "plan.ownership_transferred".to_owned(),
            actor: "person/7f9c0102-0304-4506-8708-010203040506".to_owned(),
            on_behalf_of: "system/8f9c0102-0304-4506-8708-010203040506".to_owned(),
            recorded_at: Some(Timestamp {
                seconds: 1_792_891_800,
                nanos: 0,
            }),
            content: Some(content),
            ..Event::default()
        };
        rows(&[event], &Names::default()).remove(1)
    }

    #[test]
    fn who_for_whom_what_and_why_stand_in_columns_of_their_own() {
        let payload = r#"{"ownership_transferred":{"to":"9f9c0102-0304-4506-8708-010203040506",
            "reason":"går på barsel"}}"#;
        let expected = [
            "7",
            // Half past two, the second time that night.
            "2026-10-25 02:30:00",
            "person 7f9c0102",
            "system 8f9c0102",
            "ownership transferred",
            "“går på barsel”",
            "to 9f9c0102",
        ];
        assert_eq!(row(event::Content::Payload(payload.to_owned())), expected);
    }

    #[test]
    fn an_event_that_cannot_be_read_still_says_who_and_when() {
        let redacted = row(event::Content::Unreadable(Unreadable::Redacted.into()));
        assert_eq!(redacted[2], "person 7f9c0102");
        assert_eq!(redacted[5..], ["", "(not readable any more)"]);
    }
}
