//! Reads a package: its document, its items, and which item is part of which.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use planledger_core::domain::catalogue::{CatalogueDetails, CatalogueItem};
use planledger_core::ids::{CatalogueId, CatalogueItemId};
use planledger_core::text::{Code, Text, TextError, Title};
use serde_json::Value;
use uuid::Uuid;

use super::values::{Object, Values};
use super::{cycles, statement};
use crate::import::fault::{FaultCode, ImportFaults, Problem};
use crate::import::names;

/// What a package without faults holds.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub(super) id: CatalogueId,
    pub(super) details: CatalogueDetails,
    pub(super) items: BTreeMap<CatalogueItemId, CatalogueItem>,
    /// How often an item names a parent that is not in the package.
    pub(super) foreign_parents: u64,
}

/// Reads and checks a package. `name` stands for it in faults.
pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Content, ImportFaults> {
    let mut values = Values::new(name);
    let package = values.parse(bytes)?;
    // CASE's own examples wrap a package in an object; some programs write it so.
    let package = match package.get("CFPackage") {
        Some(Value::Object(inner)) => inner,
        Some(_) | None => &package,
    };
    let document = document(package, &mut values);
    let mut items = Items::read(package, &mut values);
    let document_id = document.as_ref().map(|(id, _)| *id);
    if let Some(place) = document_id.and_then(|id| items.place(item_id(id))) {
        values.fault(
            FaultCode::IdDuplicated,
            format!("CFItems[{place}].identifier"),
        );
    }
    // If some ids could not be read, sound associations would seem to lead nowhere.
    if values.are_sound() {
        items.read_associations(package, document_id, &mut values);
        items.check_cycles(&mut values);
    }
    values.finish(document.map(|(id, details)| Content {
        id: CatalogueId::from_uuid(id),
        details,
        foreign_parents: items.foreign_parents.len() as u64,
        items: items.by_id,
    }))
}

fn document(package: &Object, values: &mut Values<'_>) -> Option<(Uuid, CatalogueDetails)> {
    let path = "CFDocument";
    let document = values.required_object(package.get(path), path)?;
    let id = id(document, path, "document", values);
    let title = values.required(document, path, "title", Title::published);
    let creator = values.optional(document, path, "creator", Title::published);
    let publisher = values.optional(document, path, "publisher", Title::published);
    let version = values.optional(document, path, "version", Code::published);
    let language = values.optional(document, path, "language", Code::published);
    let details = CatalogueDetails {
        title: title?,
        publisher: publisher.or(creator),
        version,
        language,
    };
    Some((id?, details))
}

/// The items of a package.
#[derive(Default)]
struct Items {
    by_id: BTreeMap<CatalogueItemId, CatalogueItem>,
    /// The place of each item in `CFItems`. Faulty items have one too.
    places: HashMap<CatalogueItemId, usize>,
    /// Items, each with a parent of it that is not in the package.
    foreign_parents: BTreeSet<(CatalogueItemId, CatalogueItemId)>,
    /// The least number that an association gives an item.
    numbers: HashMap<CatalogueItemId, i64>,
}

impl Items {
    fn read(package: &Object, values: &mut Values<'_>) -> Self {
        let mut items = Self::default();
        let name = "CFItems";
        let Some(list) = values.required_list(package.get(name), name) else {
            return items;
        };
        if list.is_empty() {
            // An empty list would take every goal of the catalogue out of use.
            values.fault(
                Problem::new(
                    FaultCode::ValueMissing,
                    "the package holds no items; check that it is the right file",
                ),
                name,
            );
        }
        for (place, value) in list.iter().enumerate() {
            let path = format!("{name}[{place}]");
            if let Some(object) = values.object(value, &path) {
                items.read_one(object, place, &path, values);
            }
        }
        items
    }

    fn read_one(&mut self, object: &Object, place: usize, path: &str, values: &mut Values<'_>) {
        let id = id(object, path, "item", values).map(item_id);
        let text = values.required(object, path, "fullStatement", words);
        let kind = values.optional(object, path, "CFItemType", Title::published);
        let code = values.optional(object, path, "humanCodingScheme", Code::published);
        let sequence = sequence_number(object, path, values);
        let Some(id) = id else { return };
        if self.places.insert(id, place).is_some() {
            values.fault(FaultCode::IdDuplicated, format!("{path}.identifier"));
        }
        let Some(text) = text else { return };
        let item = CatalogueItem {
            text,
            kind,
            code,
            parents: BTreeSet::new(),
            sequence,
        };
        self.by_id.insert(id, item);
    }

    /// Where an item stands in `CFItems`.
    fn place(&self, id: CatalogueItemId) -> Option<usize> {
        self.places.get(&id).copied()
    }

    /// Gives each item its parents.
    fn read_associations(
        &mut self,
        package: &Object,
        document: Option<Uuid>,
        values: &mut Values<'_>,
    ) {
        let name = "CFAssociations";
        if package.get(name).is_none_or(Value::is_null) {
            return;
        }
        let Some(list) = values.required_list(package.get(name), name) else {
            return;
        };
        for (place, value) in list.iter().enumerate() {
            let path = format!("{name}[{place}]");
            if let Some(association) = values.object(value, &path) {
                self.read_association(association, &path, document, values);
            }
        }
        // Associations tell the order of siblings; an item's own number may count through the document.
        for (id, number) in &self.numbers {
            if let Some(item) = self.by_id.get_mut(id) {
                item.sequence = Some(*number);
            }
        }
    }

    fn read_association(
        &mut self,
        association: &Object,
        path: &str,
        document: Option<Uuid>,
        values: &mut Values<'_>,
    ) {
        let kind = values.required(association, path, "associationType", |text| {
            Ok::<_, FaultCode>(text == "isChildOf")
        });
        if kind != Some(true) {
            return;
        }
        let origin = End::read(association, path, "originNodeURI", values);
        let destination = End::read(association, path, "destinationNodeURI", values);
        let (Some(origin), Some(destination)) = (origin, destination) else {
            return;
        };
        if let Some(number) = sequence_number(association, path, values) {
            let first = self.numbers.entry(origin.item).or_insert(number);
            *first = number.min(*first);
        }
        // A parent elsewhere belongs to another publisher. The item stays, without it.
        let in_package = self.by_id.contains_key(&destination.item);
        if !in_package && Some(destination.document) != document {
            self.foreign_parents.insert((origin.item, destination.item));
        }
        match self.by_id.get_mut(&origin.item) {
            Some(item) => item.parents.extend(in_package.then_some(destination.item)),
            None => dangling(association, path, values),
        }
    }

    fn check_cycles(&self, values: &mut Values<'_>) {
        for id in cycles::find(&self.by_id) {
            let place = self.place(id).unwrap_or_default();
            values.fault(FaultCode::ReferenceCycle, format!("CFItems[{place}]"));
        }
    }
}

/// One end of an association. Whether it names an item or the document is not known yet, and an
/// identifier that is no UUID gives another id for an item than for a document. So both are kept.
struct End {
    item: CatalogueItemId,
    document: Uuid,
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
fn dangling(association: &Object, path: &str, values: &mut Values<'_>) {
    let identifier = association.get("identifier").and_then(Value::as_str);
    // Only a UUID is repeated: it says nothing about anybody.
    let which = match identifier.and_then(|text| Uuid::parse_str(text).ok()) {
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
    values.fault(problem, format!("{path}.originNodeURI.identifier"));
}

/// The `sequenceNumber` of an item or association: a whole number, which some write as text.
fn sequence_number(object: &Object, path: &str, values: &mut Values<'_>) -> Option<i64> {
    let number = match object.get("sequenceNumber") {
        None | Some(Value::Null) => return None,
        Some(Value::String(text)) if text.trim().is_empty() => return None,
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(value) => value.as_i64(),
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

/// The text of an item. Its markup is taken out first, so that what it hid is checked too.
fn words(statement: &str) -> Result<Text, TextError> {
    Text::published(&statement::plain(statement))
}

/// The id under `identifier`.
fn id(object: &Object, path: &str, kind: &str, values: &mut Values<'_>) -> Option<Uuid> {
    values.required(object, path, "identifier", |text| identify(text, kind))
}

fn item_id(id: Uuid) -> CatalogueItemId {
    CatalogueItemId::from_uuid(id)
}

/// A UUID is kept as it is. From any other identifier an id is derived.
fn identify(text: &str, kind: &str) -> Result<Uuid, Problem> {
    match Uuid::parse_str(text) {
        Ok(id) if id.is_nil() => Err(Problem::new(
            FaultCode::ValueMissing,
            "the identifier has only zeros; write the real identifier",
        )),
        Ok(id) => Ok(id),
        Err(_) => {
            names::check(text)?;
            Ok(names::derive("case", kind, text))
        }
    }
}
