//! Reads the JSON of a package piece by piece. One item, association or rubric at a time is a JSON
//! value of bounded size; the whole package never is, because that takes several times the memory of the
//! file.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::import::json::Element;

/// Takes the pieces of a package.
pub(super) trait Sink: Sized {
    /// One of the same sort that has taken nothing yet.
    fn afresh(&self) -> Self;
    /// Takes the document; `None` if it is too large.
    fn document(&mut self, value: Option<Value>);
    /// Takes the element at a place of a list; `None` if it is too large.
    fn element(&mut self, list: List, place: usize, value: Option<Value>);
    /// Takes what stands where a list should be, after its elements.
    fn held(&mut self, list: List, held: Held);
}

/// The lists of a package that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Items,
    Associations,
    Rubrics,
    Licences,
}

/// What stands where a list should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Held {
    /// Nothing, or `null`.
    #[default]
    Nothing,
    /// A list of this length.
    Elements(usize),
    /// A value of another type.
    Other,
}

/// Reads a package from JSON. The answer is whether the JSON is an object.
pub(super) fn read<'de, R: serde_json::de::Read<'de>, S: Sink>(
    mut json: serde_json::Deserializer<R>,
    sink: &mut S,
) -> serde_json::Result<bool> {
    let object = Package(sink).deserialize(&mut json)?;
    json.end()?;
    Ok(object)
}

/// Answers for a value of a type that is not wanted.
macro_rules! otherwise {
    ($scalar:expr, $nothing:expr) => {
        fn expecting(&self, told: &mut fmt::Formatter<'_>) -> fmt::Result {
            told.write_str("a value")
        }
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok($scalar)
        }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok($scalar)
        }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok($scalar)
        }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok($scalar)
        }
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok($scalar)
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($nothing)
        }
    };
}

struct Package<'s, S>(&'s mut S);

impl<'de, S: Sink> DeserializeSeed<'de> for Package<'_, S> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<bool, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for Package<'_, S> {
    type Value = bool;

    otherwise!(false, false);

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<bool, A::Error> {
        // CASE's own examples wrap a package in an object; some programs write it so. Then the object
        // around it says nothing.
        let mut wrapped = None;
        while let Some(name) = object.next_key::<String>()? {
            match name.as_str() {
                "CFPackage" => {
                    let mut inner = self.0.afresh();
                    if object.next_value_seed(Package(&mut inner))? {
                        wrapped = Some(inner);
                    }
                }
                "CFDocument" => {
                    let Element(document) = object.next_value()?;
                    self.0.document(document);
                }
                "CFDefinitions" => object.next_value_seed(Definitions(&mut *self.0))?,
                "CFItems" => object.next_value_seed(Elements(&mut *self.0, List::Items))?,
                "CFAssociations" => {
                    object.next_value_seed(Elements(&mut *self.0, List::Associations))?;
                }
                "CFRubrics" => object.next_value_seed(Elements(&mut *self.0, List::Rubrics))?,
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        if let Some(inner) = wrapped {
            *self.0 = inner;
        }
        Ok(true)
    }
}

struct Definitions<'s, S>(&'s mut S);

impl<'de, S: Sink> DeserializeSeed<'de> for Definitions<'_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for Definitions<'_, S> {
    type Value = ();

    otherwise!((), ());

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(name) = object.next_key::<String>()? {
            match name.as_str() {
                "CFLicenses" => object.next_value_seed(Elements(&mut *self.0, List::Licences))?,
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

struct Elements<'s, S>(&'s mut S, List);

impl<'de, S: Sink> DeserializeSeed<'de> for Elements<'_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        let Self(sink, list) = self;
        let held = json.deserialize_any(Elements(&mut *sink, list))?;
        sink.held(list, held);
        Ok(())
    }
}

impl<'de, S: Sink> Visitor<'de> for Elements<'_, S> {
    type Value = Held;

    otherwise!(Held::Other, Held::Nothing);

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Held, A::Error> {
        let mut place = 0;
        while let Some(Element(value)) = list.next_element()? {
            self.0.element(self.1, place, value);
            place += 1;
        }
        Ok(Held::Elements(place))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Held, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Held::Other)
    }
}
