//! Reads JSON values of bounded size. A value in memory takes up to sixteen times as much as its text: so
//! what a file or a service gives is read element by element, and no element may hold too much.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Number, Value};

/// The most values that one element may hold, all within each other. The largest real elements are
/// rubrics, with some thousand.
pub(super) const MOST_VALUES: usize = 100_000;

/// An element; `None` if it holds more than [`MOST_VALUES`] values. What is too much is read past.
pub(super) struct Element(pub(super) Option<Value>);

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        let mut room = Room {
            left: MOST_VALUES,
            is_over: false,
        };
        let value = One(&mut room).deserialize(json)?;
        Ok(Self((!room.is_over).then_some(value)))
    }
}

/// How many more values an element may hold.
struct Room {
    left: usize,
    is_over: bool,
}

impl Room {
    fn take(&mut self) -> bool {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => self.is_over = true,
        }
        !self.is_over
    }
}

/// Reads a value, as far as there is room.
struct One<'r>(&'r mut Room);

impl<'de> DeserializeSeed<'de> for One<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for One<'_> {
    type Value = Value;

    fn expecting(&self, told: &mut fmt::Formatter<'_>) -> fmt::Result {
        told.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while self.0.take() {
            match list.next_element_seed(One(&mut *self.0))? {
                Some(value) => values.push(value),
                None => return Ok(Value::Array(values)),
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while self.0.take() {
            let Some(name) = object.next_key::<String>()? else {
                return Ok(Value::Object(values));
            };
            values.insert(name, object.next_value_seed(One(&mut *self.0))?);
        }
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Option<Value> {
        serde_json::from_str::<Element>(text).unwrap().0
    }

    #[test]
    fn an_element_is_read_as_any_json_unless_it_holds_too_much() {
        let value = json!({"a": [1, -2, 2.5, null, true, "å\n", {"b": {}, "c": []}]});
        assert_eq!(read(&value.to_string()), Some(value));
        let list = |length: usize| format!("[{}]", vec!["0"; length].join(","));
        assert!(read(&list(MOST_VALUES - 1)).is_some());
        for too_much in [
            list(MOST_VALUES),
            format!("{{\"a\": {}, \"b\": 1}}", list(MOST_VALUES)),
            format!("[{0}, {0}]", list(MOST_VALUES / 2)),
            format!("[{}]", vec!["{\"a\":0}"; MOST_VALUES / 2].join(",")),
        ] {
            assert_eq!(read(&too_much), None);
        }
        // What comes after it is read.
        let both = format!("[{}, 7]", list(MOST_VALUES));
        let both: Vec<Element> = serde_json::from_str(&both).unwrap();
        let both: Vec<Option<Value>> = both.into_iter().map(|element| element.0).collect();
        assert_eq!(both, [None, Some(json!(7))]);
        for wrong in ["", "[1", "{\"a\" 1}", "[1 2]", "x"] {
            assert!(serde_json::from_str::<Element>(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_json_here_if_it_is_elsewhere(text in "[\\[\\]{}\":,0-9a\\- .eE]{0,24}") {
            let here = serde_json::from_str::<Element>(&text).ok();
            let there = serde_json::from_str::<Value>(&text).ok();
            prop_assert_eq!(here.map(|element| element.0), there.map(Some));
        }
    }
}
