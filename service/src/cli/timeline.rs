//! Events as people read them: when, who, what.

use planledger_proto::v1::{Event, event};
use serde_json::Value;
use uuid::Uuid;

use super::names::{Names, short};
use super::output;

/// Most characters of a text that a line shows.
const EXCERPT: usize = 60;

/// A row for each event, after a heading.
pub(super) fn rows(events: &[Event], names: &Names) -> Vec<Vec<String>> {
    let heading = ["position", "when", "who", "what", "details"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for event in events {
        let who = names.actor(&event.actor);
        let who = match event.on_behalf_of.as_str() {
            "" => who,
            principal => format!("{who} for {}", names.actor(principal)),
        };
        let what = event.r#type.split_once('.').map_or("", |(_, what)| what);
        rows.push(vec![
            event.position.to_string(),
            output::instant(event.recorded_at.as_ref()),
            who,
            what.replace('_', " "),
            details(event, names),
        ]);
    }
    rows
}

fn details(event: &Event, names: &Names) -> String {
    let payload = match &event.content {
        Some(event::Content::Payload(payload)) => payload,
        Some(event::Content::Unreadable(_)) | None => return "(not readable any more)".to_owned(),
    };
    let Ok(payload) = serde_json::from_str::<Value>(payload) else {
        return String::new();
    };
    let mut parts = Vec::new();
    for (_, fields) in payload.as_object().into_iter().flatten() {
        leaves("", fields, names, &mut parts);
    }
    parts.join(", ")
}

/// Every value with the name of its field.
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

/// The beginning of a text on one line.
pub(super) fn excerpt(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    let line = line.join(" ");
    match line.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("“{}…”", line.get(..end).unwrap_or_default()),
        None => format!("“{line}”"),
    }
}
