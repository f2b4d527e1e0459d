//! Turns payloads of earlier schemas into the present shape.
//!
//! A journal keeps every payload for ever as it was written, and its hashes cover those bytes. So
//! an event type whose JSON changes gets a new schema, and a step that turns JSON of the schema
//! before into JSON of the new one. An old payload passes through the steps one by one. Rules,
//! states and views know only the present shape.

use serde_json::{Map, Value};

/// Turns JSON of one schema into JSON of the next. A step is pure and always answers. If the JSON
/// is not of the step's schema, the answer says why, in words that contain nothing of the payload.
type Step = fn(Value) -> Result<Value, &'static str>;

/// Every step: the event type, the schema that the step starts from, and the function.
const STEPS: &[(&str, u16, Step)] = &[
    ("person.departed", 1, name_the_last_day),
    ("catalogue.defined", 1, leave_unlicensed),
    ("catalogue.item_defined", 1, leave_unnumbered),
    ("catalogue.item_defined", 2, leave_item_unlicensed),
    ("catalogue.item_defined", 3, leave_orders_alike),
    ("plan.talk_recorded", 1, held_by_its_recorder),
    ("plan.talk_corrected", 1, held_by_its_recorder),
    ("institution.left_to_roster", 1, leave_no_value),
    ("person.left_to_roster", 1, leave_no_value),
    ("team.left_to_roster", 1, leave_no_value),
    ("recovery.started", 1, leave_no_successor),
    ("erasure.requested", 1, leave_no_retention),
    ("erasure.applied_again", 1, leave_nothing_left),
];

/// Turns a payload of an earlier schema into the present shape.
///
/// # Errors
/// Says what is wrong with the payload when it is not JSON of its schema.
pub(super) fn bring_up(
    event: &str,
    from: u16,
    to: u16,
    mut payload: Value,
) -> Result<Value, &'static str> {
    for from in from..to {
        let mut steps = STEPS.iter();
        let step = steps.find(|(name, of, _)| (*name, *of) == (event, from));
        payload = match step {
            Some((_, _, step)) => step(payload)?,
            // A test makes sure that the table has no gaps.
            None => return Err("this version cannot convert that schema"),
        };
    }
    Ok(payload)
}

/// The last day was called `on`. That name says neither that it is a day nor whether the person is
/// still there on that day. Guardianships and the API call it `last_day`.
fn name_the_last_day(mut payload: Value) -> Result<Value, &'static str> {
    rename(fields(&mut payload, "departed")?, "on", "last_day")?;
    Ok(payload)
}

/// Items had no number that orders them. None is what they keep, so that the payload stays as it is.
fn leave_unnumbered(mut payload: Value) -> Result<Value, &'static str> {
    let details = fields(&mut payload, "item_defined")?.get("details");
    let details = details.and_then(Value::as_object);
    if details.is_some_and(|details| details.contains_key("sequence")) {
        return Err(UNKNOWN_FIELD);
    }
    Ok(payload)
}

/// Catalogues had no licence and no holder of rights. The payload stays as it is.
fn leave_unlicensed(mut payload: Value) -> Result<Value, &'static str> {
    let fields = fields(&mut payload, "defined")?;
    if fields.contains_key("licence") || fields.contains_key("rights_holder") {
        return Err(UNKNOWN_FIELD);
    }
    Ok(payload)
}

/// Items had one number under all their parents. The payload stays as it is.
fn leave_orders_alike(mut payload: Value) -> Result<Value, &'static str> {
    let details = fields(&mut payload, "item_defined")?.get("details");
    let details = details.and_then(Value::as_object);
    if details.is_some_and(|details| details.contains_key("orders")) {
        return Err(UNKNOWN_FIELD);
    }
    Ok(payload)
}

/// Items had no licence of their own. The payload stays as it is.
fn leave_item_unlicensed(mut payload: Value) -> Result<Value, &'static str> {
    let details = fields(&mut payload, "item_defined")?.get("details");
    let details = details.and_then(Value::as_object);
    if details.is_some_and(|details| details.contains_key("licence")) {
        return Err(UNKNOWN_FIELD);
    }
    Ok(payload)
}

/// Talks did not name who held them. Nobody named means the person who recorded the talk, so the
/// payload stays as it is.
fn held_by_its_recorder(payload: Value) -> Result<Value, &'static str> {
    let mut events = payload.as_object().into_iter().flat_map(Map::values);
    let named = events.any(|event| {
        let details = event.get("details").and_then(Value::as_object);
        details.is_some_and(|details| details.contains_key("held_by"))
    });
    match named {
        true => Err(UNKNOWN_FIELD),
        false => Ok(payload),
    }
}

/// Values, such as a name, were no facts that are left to a roster. The payload stays as it is.
fn leave_no_value(mut payload: Value) -> Result<Value, &'static str> {
    let facts = fields(&mut payload, "left_to_roster")?.get("facts");
    let mut facts = facts.and_then(Value::as_array).into_iter().flatten();
    let is_value = |fact: &Value| fact.get("detail").is_some() || fact.as_str() == Some("name");
    match facts.any(is_value) {
        true => Err("the payload names a fact that its schema does not have"),
        false => Ok(payload),
    }
}

/// No step said which institution carries on for another one. The payload stays as it is.
fn leave_no_successor(mut payload: Value) -> Result<Value, &'static str> {
    let steps = fields(&mut payload, "started")?.get("steps");
    let mut steps = steps.and_then(Value::as_array).into_iter().flatten();
    match steps.any(|step| step.get("succeed").is_some()) {
        true => Err("the payload has a step that its schema does not have"),
        false => Ok(payload),
    }
}

/// No request named a retention class. The payload stays as it is.
fn leave_no_retention(mut payload: Value) -> Result<Value, &'static str> {
    match fields(&mut payload, "requested")?.contains_key("retention") {
        true => Err(UNKNOWN_FIELD),
        false => Ok(payload),
    }
}

/// Nothing was left of a redacted event. The payload stays as it is.
fn leave_nothing_left(mut payload: Value) -> Result<Value, &'static str> {
    match fields(&mut payload, "applied_again")?.contains_key("left") {
        true => Err(UNKNOWN_FIELD),
        false => Ok(payload),
    }
}

const UNKNOWN_FIELD: &str = "the payload has a field that its schema does not have";

/// The fields of an event, which are stored under its name.
fn fields<'a>(
    payload: &'a mut Value,
    event: &str,
) -> Result<&'a mut Map<String, Value>, &'static str> {
    let fields = payload.get_mut(event).and_then(Value::as_object_mut);
    fields.ok_or("the payload is not a JSON object with the fields of this event")
}

/// Gives a field a new name. The field may be absent. The new name must not exist yet, because it
/// had no meaning in the earlier schema.
fn rename(fields: &mut Map<String, Value>, from: &str, to: &str) -> Result<(), &'static str> {
    if fields.contains_key(to) {
        return Err(UNKNOWN_FIELD);
    }
    if let Some(value) = fields.remove(from) {
        fields.insert(to.to_owned(), value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::EventType;

    #[test]
    fn every_earlier_schema_has_one_step_and_there_are_no_others() {
        let needed = EventType::ALL.iter();
        let needed = needed.flat_map(|event| (1..event.schema).map(|from| (event.name, from)));
        let mut needed: Vec<_> = needed.collect();
        let mut given: Vec<_> = STEPS.iter().map(|(name, from, _)| (*name, *from)).collect();
        needed.sort_unstable();
        given.sort_unstable();
        assert_eq!(given, needed);
    }

    #[test]
    fn a_departure_of_schema_1_gets_the_name_of_its_last_day() {
        let old = serde_json::json!({"departed": {"on": "2026-11-30", "reason": "Ny skole"}});
        let new = serde_json::json!({"departed": {"last_day": "2026-11-30", "reason": "Ny skole"}});
        assert_eq!(name_the_last_day(old), Ok(new));
        let without = serde_json::json!({"departed": {}});
        assert_eq!(name_the_last_day(without.clone()), Ok(without));
        let both = serde_json::json!({"departed": {"on": "2026-11-30", "last_day": "2026-12-01"}});
        assert!(name_the_last_day(both).is_err());
    }

    #[test]
    fn an_item_of_schema_1_has_no_number_and_is_otherwise_as_it_was() {
        let old = |details| serde_json::json!({"item_defined": {"item": "x", "details": details}});
        let plain = old(serde_json::json!({"text": "Læsning"}));
        assert_eq!(leave_unnumbered(plain.clone()), Ok(plain));
        let numbered = old(serde_json::json!({"text": "Læsning", "sequence": 1}));
        assert!(leave_unnumbered(numbered).is_err());
    }

    #[test]
    fn a_talk_of_schema_1_names_nobody_and_is_otherwise_as_it_was() {
        let old = |details| serde_json::json!({"talk_recorded": {"talk": "x", "details": details}});
        let plain = old(serde_json::json!({"notes": "Aftalt"}));
        assert_eq!(held_by_its_recorder(plain.clone()), Ok(plain));
        let named = old(serde_json::json!({"notes": "Aftalt", "held_by": []}));
        assert!(held_by_its_recorder(named).is_err());
    }

    #[test]
    fn facts_of_schema_1_are_no_values_and_otherwise_as_they_were() {
        let old = |facts| serde_json::json!({"left_to_roster": {"facts": facts}});
        let plain = old(serde_json::json!([{"guardian": "x"}, {"member": "y"}, "closed"]));
        assert_eq!(leave_no_value(plain.clone()), Ok(plain));
        for value in [
            serde_json::json!("name"),
            serde_json::json!({"detail": "title"}),
        ] {
            assert!(leave_no_value(old(serde_json::json!(["closed", value]))).is_err());
        }
    }

    #[test]
    fn steps_of_schema_1_name_no_successor_and_otherwise_stay_as_they_were() {
        let old = |steps| serde_json::json!({"started": {"steps": steps}});
        let plain = old(serde_json::json!([{"move_team": {"team": "x"}}]));
        assert_eq!(leave_no_successor(plain.clone()), Ok(plain));
        let named = serde_json::json!([{"move_team": {}}, {"succeed": {}}]);
        assert!(leave_no_successor(old(named)).is_err());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        // The names that the steps look for are among the names that are tried.
        let known = prop::sample::select(vec![
            "departed",
            "on",
            "last_day",
            "item_defined",
            "details",
            "sequence",
            "talk_recorded",
            "held_by",
            "left_to_roster",
            "facts",
            "detail",
            "started",
            "steps",
            "succeed",
        ]);
        let name = prop_oneof![known.prop_map(String::from), "[a-z_]{0,9}"];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,9}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(name.clone(), inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// Whatever JSON a journal holds, a step answers, and gives the same answer each time.
        #[test]
        fn no_json_brings_a_step_down(payload in any_json()) {
            for (_, _, step) in STEPS {
                prop_assert_eq!(step(payload.clone()), step(payload.clone()));
            }
        }
    }
}
