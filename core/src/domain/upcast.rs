//! Bringing up payloads of earlier schemas.
//!
//! A journal keeps every payload as it was written, for ever, and its hashes cover those bytes. So an
//! event whose JSON changes gets a new schema, and a step that turns JSON of the schema before into
//! JSON of the new one. Whoever reads an old payload goes up the steps one by one; rules, states and
//! views know the present shape only.

use serde_json::{Map, Value};

/// Turns JSON of one schema into JSON of the next. Pure, and total: JSON that is not of its schema is
/// answered with why, in words that hold nothing of the payload.
type Step = fn(Value) -> Result<Value, &'static str>;

/// Every step there is: the event type, the schema that it leads from, and what it does.
const STEPS: &[(&str, u16, Step)] = &[("person.departed", 1, name_the_last_day)];

/// Brings a payload of an earlier schema up to the present one.
///
/// # Errors
/// What is wrong with the payload, when it is not JSON of its schema.
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
            // A test keeps the table without gaps.
            None => return Err("this version has no step for it"),
        };
    }
    Ok(payload)
}

/// The last day was called `on`, which says neither that it is a day nor whether the person is still
/// there on it. Guardianships and the API call it `last_day`.
fn name_the_last_day(mut payload: Value) -> Result<Value, &'static str> {
    rename(fields(&mut payload, "departed")?, "on", "last_day")?;
    Ok(payload)
}

/// The fields of an event: what stands under its name.
fn fields<'a>(
    payload: &'a mut Value,
    event: &str,
) -> Result<&'a mut Map<String, Value>, &'static str> {
    let fields = payload.get_mut(event).and_then(Value::as_object_mut);
    fields.ok_or("it is not an object with the fields of the event")
}

/// Gives a field another name. It may be absent, but must not have the new name already: at its schema
/// that name meant nothing.
fn rename(fields: &mut Map<String, Value>, from: &str, to: &str) -> Result<(), &'static str> {
    if fields.contains_key(to) {
        return Err("it has a field that its schema does not know");
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

    fn any_json() -> impl Strategy<Value = Value> {
        // Names that steps look for are among those tried.
        let known = prop::sample::select(vec!["departed", "on", "last_day"]);
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
        /// Whatever a journal holds, a step answers, and the same each time.
        #[test]
        fn no_json_brings_a_step_down(payload in any_json()) {
            for (_, _, step) in STEPS {
                prop_assert_eq!(step(payload.clone()), step(payload.clone()));
            }
        }
    }
}
