//! Reads which item is part of which.

use planledger_core::ids::CatalogueItemId;
use serde_json::Value;
use uuid::Uuid;

use super::package::{identify, item_id};
use super::values::{Object, Values, whole_number};
use crate::import::fault::{FaultCode, Problem};

/// An association of type `isChildOf`.
pub(super) struct Association {
    pub(super) place: usize,
    /// Its identifier, if that is a UUID.
    id: Option<Uuid>,
    pub(super) origin: End,
    pub(super) destination: End,
    pub(super) number: Option<i64>,
}

impl Association {
    /// Reads an association; `None` if it is of another type or faulty.
    pub(super) fn read(
        object: &Object,
        place: usize,
        path: &str,
        values: &mut Values<'_>,
    ) -> Option<Self> {
        let kind = values.required(object, path, "associationType", |text| {
            Ok::<_, FaultCode>(text == "isChildOf")
        });
        if kind != Some(true) {
            return None;
        }
        let origin = End::read(object, path, "originNodeURI", values);
        let destination = End::read(object, path, "destinationNodeURI", values);
        let (origin, destination) = origin.zip(destination)?;
        let identifier = object.get("identifier").and_then(Value::as_str);
        Some(Self {
            place,
            id: identifier.and_then(|text| Uuid::parse_str(text).ok()),
            origin,
            destination,
            number: sequence_number(object, path, values),
        })
    }
}

/// One end of an association. Whether it names an item or the document is not known yet, and an
/// identifier that is no UUID gives another id for an item than for a document. So both are kept.
pub(super) struct End {
    pub(super) item: CatalogueItemId,
    pub(super) document: Uuid,
}

impl End {
    fn read(association: &Object, path: &str, name: &str, values: &mut Values<'_>) -> Option<Self> {
        let path = format!("{path}.{name}");
        let end = values.required_object(association.get(name), &path)?;
        values.required(end, &path, "identifier", |text| {
            Ok::<_, Problem>(Self {
                item: item_id(identify(text, "item")?),
                document: identify(text, "document")?,
            })
        })
    }
}

/// Adds the fault of an association whose origin is not in the package.
pub(super) fn dangling(association: &Association, values: &mut Values<'_>) {
    // Only a UUID is repeated: it says nothing about anybody.
    let which = match association.id {
        Some(id) => format!("of the association {id}"),
        None => "of this association".to_owned(),
    };
    let problem = Problem::new(
        FaultCode::ReferenceDangling,
        format!(
            "the origin {which} is not in the package; download the whole package, or ask its \
             publisher"
        ),
    );
    values.fault(
        problem,
        format!(
            "CFAssociations[{}].originNodeURI.identifier",
            association.place
        ),
    );
}

/// The `sequenceNumber` of an item or association: a whole number, which some write as text.
pub(super) fn sequence_number(object: &Object, path: &str, values: &mut Values<'_>) -> Option<i64> {
    let number = match object.get("sequenceNumber") {
        None | Some(Value::Null) => return None,
        Some(Value::String(text)) if text.trim().is_empty() => return None,
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(value) => whole_number(value),
    };
    if number.is_none() {
        let problem = Problem::new(
            FaultCode::TypeWrong,
            "the value is not a whole number; write one, or leave it out",
        );
        values.fault(problem, format!("{path}.sequenceNumber"));
    }
    number
}
