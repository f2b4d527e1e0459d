//! What reaches whom: every text that people write, held against every viewer, with every gate open
//! or closed.

mod story;
mod table;

use std::collections::BTreeSet;

use planledger_core::domain::erasure::Left;
use planledger_core::domain::plan::Audience;
use planledger_core::domain::view::{Viewer, diff};
use planledger_core::domain::{Event, EventType};
use planledger_core::text::REDACTED;
use planledger_fixtures::Memory;
use planledger_fixtures::school::*;
use serde::Serialize;
use serde_json::Value;

use self::story::{Gates, changed_and_deleted, first_written};
use self::table::{NOT_WRITTEN, Reach, TABLE};
use crate::format::events::present_examples;

const VIEWERS: [Viewer; 4] = [
    Viewer::Staff,
    Viewer::Audience(Audience::Student),
    Viewer::Audience(Audience::Guardians),
    Viewer::Audience(Audience::Others),
];

type Texts = BTreeSet<String>;

/// Calls `each` with every string of a JSON value and the path to it.
fn walk(value: &mut Value, each: &mut impl FnMut(&str, &mut String)) {
    fn step(value: &mut Value, path: &str, each: &mut impl FnMut(&str, &mut String)) {
        match value {
            Value::String(text) => each(path, text),
            Value::Array(items) => {
                for item in items {
                    step(item, &format!("{path}.[]"), each);
                }
            }
            Value::Object(fields) => {
                for (name, field) in fields {
                    step(field, &format!("{path}.{name}"), each);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    step(value, "", each);
}

/// The name of a place in an event's JSON. The path begins with the name of the event's variant.
fn place(event: &str, path: &str) -> String {
    let variant = event.split_once('.').unwrap().1;
    let inside = path.trim_start_matches('.').strip_prefix(variant).unwrap();
    format!("{event}:{}", inside.trim_start_matches('.'))
}

/// Whether a string is text that people write. Ids and days are known by how they look; all other
/// strings that nobody writes are listed by their places.
fn is_text(place: &str, value: &str) -> bool {
    let is_id = uuid::Uuid::try_parse(value).is_ok();
    let is_day = value.parse::<jiff::civil::Date>().is_ok();
    !is_id && !is_day && !NOT_WRITTEN.contains(&place)
}

/// The texts that are in a view.
fn texts(view: &impl Serialize) -> Texts {
    let mut found = Texts::new();
    let mut value = serde_json::to_value(view).unwrap();
    walk(&mut value, &mut |_, text| {
        let named = text.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        found.extend(named.map(str::to_owned));
    });
    found
}

fn texts_of_facts(memory: &Memory) -> Texts {
    let events = memory.recorded().iter();
    let events = events.map(|recorded| {
        let json = recorded.event.to_json().unwrap();
        serde_json::from_slice::<Value>(&json).unwrap()
    });
    events.flat_map(|json| texts(&json)).collect()
}

impl Reach {
    fn covers(self, viewer: Viewer, gates: Gates) -> bool {
        let plan = gates.shared && gates.visible;
        let shown = match self {
            Self::Nobody => return false,
            Self::Staff => false,
            Self::Plan => plan,
            Self::Unit => plan && gates.included,
            Self::Goals => plan && gates.included && gates.goals,
            Self::Status => plan && gates.status,
            Self::FollowUp => plan && gates.follow_up,
            Self::Talk => plan && gates.talk,
            Self::Reader => true,
        };
        viewer == Viewer::Staff || shown
    }
}

/// What the table lets through. The columns are those of [`TABLE`].
fn expected(column: usize, viewer: Viewer, gates: Gates) -> Texts {
    let rows = TABLE.iter();
    let rows = rows.filter(|(_, reach)| reach[column].covers(viewer, gates));
    rows.map(|(name, _)| (*name).to_owned()).collect()
}

#[test]
fn the_table_names_every_text_of_every_event_and_the_story_holds_each() {
    let mut written = Texts::new();
    for (name, json) in present_examples() {
        walk(
            &mut serde_json::from_str(json).unwrap(),
            &mut |path, text| {
                let place = place(name, path);
                if is_text(&place, text) {
                    written.insert(place);
                }
            },
        );
    }
    let rows: Texts = TABLE.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(rows.len(), TABLE.len(), "no row is there twice");
    let place = |row: &String| row.split(' ').next().unwrap().to_owned();
    let places: Texts = rows.iter().map(place).collect();
    let missing: Vec<_> = written.symmetric_difference(&places).collect();
    assert!(
        missing.is_empty(),
        "in the events or in the table only; decide who may read: {missing:#?}"
    );
    let gates = Gates::every().next().unwrap();
    let mut memory = Memory::of(first_written(gates));
    for fact in changed_and_deleted() {
        memory.record(fact);
    }
    assert_eq!(texts_of_facts(&memory), rows);
}

#[test]
fn each_viewer_gets_the_texts_that_the_table_lets_through_and_no_other_whatever_gate_is_open() {
    for gates in Gates::every() {
        let first = Memory::of(first_written(gates));
        let mut last = first.clone();
        for fact in changed_and_deleted() {
            last.record(fact);
        }
        for viewer in VIEWERS {
            for (column, memory) in [&first, &last].into_iter().enumerate() {
                assert_reaches(memory, column, viewer, gates);
            }
            assert_difference_reaches(&first, &last, viewer, gates);
        }
    }
}

fn assert_reaches(memory: &Memory, column: usize, viewer: Viewer, gates: Gates) {
    let says = format!("{viewer:?}, column {column}, {gates:?}");
    let allowed = expected(column, viewer, gates);
    let plan = memory.view(PLAN, viewer);
    assert_eq!(texts(&plan), allowed, "plan: {says}");

    // The collected view holds the plan's texts. Without a plan it names the student, except to
    // others.
    let collected = memory.collected(STUDENT, viewer);
    let mut in_collected = allowed;
    if viewer != Viewer::Audience(Audience::Others) {
        let open = Gates {
            shared: true,
            visible: true,
            ..gates
        };
        let named = expected(column, viewer, open).into_iter();
        in_collected.extend(named.filter(|row| row.ends_with(":name student")));
    }
    assert_eq!(texts(&collected), in_collected, "collected: {says}");

    let year_plan = memory.year_plan(YEAR_PLAN, viewer);
    let allowed = expected(column + 2, viewer, gates);
    assert_eq!(texts(&year_plan), allowed, "year plan: {says}");

    // Who deleted is an id, not a text. The leader is in the views for nothing else.
    let everything = serde_json::to_string(&(plan, collected, year_plan)).unwrap();
    let names_leader = everything.contains(&LEADER.to_string());
    let deleted = column == 1;
    assert_eq!(names_leader, deleted && viewer == Viewer::Staff, "{says}");
}

/// A difference holds what is in one view only, and nothing that is in neither.
fn assert_difference_reaches(first: &Memory, last: &Memory, viewer: Viewer, gates: Gates) {
    let (was, is) = (first.view(PLAN, viewer), last.view(PLAN, viewer));
    let changes = diff(was.as_ref(), is.as_ref());
    let told = texts(&changes);
    let before = expected(0, viewer, gates);
    let after = expected(1, viewer, gates);
    let either: Texts = before.union(&after).cloned().collect();
    let one: Texts = before.symmetric_difference(&after).cloned().collect();
    assert!(told.is_subset(&either), "{viewer:?} {gates:?} {told:#?}");
    assert!(told.is_superset(&one), "{viewer:?} {gates:?} {told:#?}");
    let names_leader = serde_json::to_string(&changes).unwrap();
    let names_leader = names_leader.contains(&LEADER.to_string());
    assert_eq!(names_leader, viewer == Viewer::Staff);
}

/// Strings that people may have written and that stay when the text of an event is redacted: others are
/// found by them.
const STAYS: [&str; 17] = [
    "code",
    "grade",
    "version",
    "language",
    "source",
    "sourced_id",
    "kind",
    "id",
    "user_name",
    "spiffe",
    "dns",
    "issuer",
    "client",
    "roster_source.registered:name",
    "sealed",
    "last_seen",
    "fingerprint",
];

/// Titles that are no kind of anything but are called so.
const GOES: [&str; 1] = ["catalogue.item_defined:details.kind"];

#[test]
fn a_redaction_takes_every_text_of_every_event_and_nothing_else() {
    let mut texts = 0;
    for (name, json) in present_examples() {
        let known = EventType::from_name(name).unwrap();
        let event = Event::from_json(known.code, known.schema, json.as_bytes()).unwrap();
        let mut expected: Value = serde_json::from_str(json).unwrap();
        let mut found = 0;
        walk(&mut expected, &mut |path, text| {
            let place = place(name, path);
            let last = place.rsplit(['.', ':']).next().unwrap();
            let stays = STAYS.iter().any(|stays| *stays == last || *stays == place);
            if is_text(&place, text) && (!stays || GOES.contains(&&*place)) {
                *text = REDACTED.to_owned();
                found += 1;
            }
        });
        texts += found;
        match event.without_text() {
            Left::NoText => assert_eq!(found, 0, "{name} {json}"),
            Left::Nothing => assert!(name.starts_with("year_plan.subject_"), "{name}"),
            Left::Event(left) => {
                assert!(found > 0, "{name} {json}");
                let left: Value = serde_json::from_slice(&left.to_json().unwrap()).unwrap();
                // Subjects are a set, so several redacted ones are one.
                assert_eq!(once(left), once(expected), "{name}");
            }
        }
    }
    assert!(texts > TABLE.len());
}

/// The same JSON with each repeated value of a list once.
fn once(mut value: Value) -> Value {
    match &mut value {
        Value::Array(items) => {
            *items = items.drain(..).map(once).collect();
            items.dedup();
        }
        Value::Object(fields) => {
            for field in fields.values_mut() {
                *field = once(field.take());
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    value
}
