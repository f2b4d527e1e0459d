//! What an event's JSON can hold, by what its reader asks for: a reader names every field of an object
//! and every name of an enumeration, those that a given JSON lacks among them.

use std::collections::{BTreeMap, BTreeSet};

use planledger_core::domain::Event;
use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde_json::{Error, Map, Value};

/// Reason codes of refusals, in what recoveries left out. They are named in the API, grow with the
/// rules, and are tested there.
const LISTED_ELSEWHERE: &str = "Reason";

/// What was asked for so far, and whether it was there.
#[derive(Default)]
pub(crate) struct Shape(BTreeMap<String, bool>);

impl Shape {
    /// Reads an event again from its JSON, and notes what its reader asks for.
    pub(crate) fn take(&mut self, event: &Event, json: &str) {
        let value: Value = serde_json::from_str(json).unwrap();
        match event {
            Event::Institution(event) => self.read(event, &value),
            Event::SchoolYear(event) => self.read(event, &value),
            Event::Person(event) => self.read(event, &value),
            Event::Team(event) => self.read(event, &value),
            Event::YearPlan(event) => self.read(event, &value),
            Event::Plan(event) => self.read(event, &value),
            Event::Catalogue(event) => self.read(event, &value),
            Event::Ledger(event) => self.read(event, &value),
            Event::Recovery(event) => self.read(event, &value),
            Event::RosterSource(event) => self.read(event, &value),
            Event::System(event) => self.read(event, &value),
            Event::Grants(event) => self.read(event, &value),
            Event::Erasure(event) => self.read(event, &value),
        }
    }

    fn read<'de, T>(&mut self, event: &T, value: &'de Value)
    where
        T: Deserialize<'de> + PartialEq + std::fmt::Debug,
    {
        // The types of events themselves are enumerations too, but one example is of one type.
        let mut inner = Self::default();
        let reader = Reader {
            value,
            shape: &mut inner,
        };
        assert_eq!(&T::deserialize(reader).unwrap(), event);
        let outer = std::any::type_name::<T>().rsplit("::").next().unwrap();
        for (what, seen) in inner.0 {
            let variant = what
                .strip_prefix(outer)
                .and_then(|of| of.strip_prefix(" is "));
            if variant.is_none() {
                *self.0.entry(what).or_default() |= seen;
            }
        }
    }

    /// What no JSON so far has held.
    pub(crate) fn unseen(&self) -> impl Iterator<Item = &str> {
        let unseen = self.0.iter().filter(|(_, seen)| !**seen);
        unseen.map(|(what, _)| &**what)
    }

    fn note(&mut self, what: String, seen: bool) {
        *self.0.entry(what).or_default() |= seen;
    }

    fn object(&mut self, name: &str, fields: &[&str], value: &Value) {
        let held = value.as_object();
        for field in fields {
            let seen = held.is_some_and(|held| held.contains_key(*field));
            self.note(format!("{name} has {field}"), seen);
        }
        let known: BTreeSet<_> = fields.iter().copied().collect();
        for field in held.into_iter().flat_map(Map::keys) {
            assert!(known.contains(&**field), "nobody reads {name}.{field}");
        }
    }
}

struct Reader<'de, 's> {
    value: &'de Value,
    shape: &'s mut Shape,
}

impl<'de> Deserializer<'de> for Reader<'de, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Array(items) => visitor.visit_seq(Items {
                items: items.iter(),
                shape: self.shape,
            }),
            Value::Object(fields) => visitor.visit_map(Fields {
                fields: fields.iter(),
                value: None,
                shape: self.shape,
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.value.deserialize_any(visitor)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.shape.object(name, fields, self.value);
        self.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let (chosen, value) = match self.value {
            Value::String(chosen) => (chosen, &Value::Null),
            Value::Object(fields) => fields.iter().next().unwrap(),
            other => panic!("{other} is none of {name}"),
        };
        if name != LISTED_ELSEWHERE {
            for variant in variants {
                let seen = chosen == variant;
                self.shape.note(format!("{name} is {variant}"), seen);
            }
        }
        visitor.visit_enum(Choice {
            name: format!("{name}.{chosen}"),
            chosen,
            reader: Reader {
                value,
                shape: self.shape,
            },
        })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

struct Items<'de, 's> {
    items: std::slice::Iter<'de, Value>,
    shape: &'s mut Shape,
}

impl<'de> SeqAccess<'de> for Items<'de, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let next = self.items.next().map(|value| {
            seed.deserialize(Reader {
                value,
                shape: self.shape,
            })
        });
        next.transpose()
    }
}

struct Fields<'de, 's> {
    fields: serde_json::map::Iter<'de>,
    value: Option<&'de Value>,
    shape: &'s mut Shape,
}

impl<'de> MapAccess<'de> for Fields<'de, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((name, value)) = self.fields.next() else {
            return Ok(None);
        };
        self.value = Some(value);
        let name: StrDeserializer<'_, Error> = name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(Reader {
            value: self.value.take().unwrap(),
            shape: self.shape,
        })
    }
}

struct Choice<'de, 's> {
    name: String,
    chosen: &'de str,
    reader: Reader<'de, 's>,
}

impl<'de, 's> EnumAccess<'de> for Choice<'de, 's> {
    type Error = Error;
    type Variant = Content<'de, 's>;

    fn variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, Self::Variant), Error> {
        let chosen: StrDeserializer<'_, Error> = self.chosen.into_deserializer();
        let content = Content {
            name: self.name,
            reader: self.reader,
        };
        Ok((seed.deserialize(chosen)?, content))
    }
}

/// What stands under the name that was chosen.
struct Content<'de, 's> {
    name: String,
    reader: Reader<'de, 's>,
}

impl<'de> VariantAccess<'de> for Content<'de, '_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.reader)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.reader.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.reader
            .shape
            .object(&self.name, fields, self.reader.value);
        self.reader.deserialize_any(visitor)
    }
}
