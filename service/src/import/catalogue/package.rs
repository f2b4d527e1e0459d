//! From JSON to a catalogue. Values are taken one by one rather than through a derived reader,
//! because its messages would repeat what the file holds and stop at the first fault.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use planledger_core::domain::catalogue::{CatalogueDetails, CatalogueItem};
use planledger_core::ids::{CatalogueId, CatalogueItemId};
use planledger_core::text::{Code, Text, TextError, Title};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Catalogue, names};
use crate::import::fault::{Collector, FaultCode, ImportFault, ImportFaults};

type Object = Map<String, Value>;
type Items = BTreeMap<CatalogueItemId, CatalogueItem>;

/// One package, and what is wrong with it so far.
pub(super) struct Package<'n> {
    name: &'n str,
    faults: Collector,
    /// Where each item stands in `CFItems`.
    places: HashMap<CatalogueItemId, usize>,
}

impl<'n> Package<'n> {
    pub(super) fn new(name: &'n str) -> Self {
        Self {
            name,
            faults: Collector::default(),
            places: HashMap::new(),
        }
    }

    /// Reads and checks everything.
    pub(super) fn read(mut self, bytes: &[u8]) -> Result<Catalogue, ImportFaults> {
        let value = self.parse(bytes)?;
        let Value::Object(package) = &value else {
            return Err(ImportFault::new(FaultCode::TypeWrong, self.name.to_owned()).into());
        };
        let document = self.document(package);
        let mut items = self.items(package);
        let document_id = document.as_ref().map(|(id, _)| *id);
        if let Some(place) = document_id.and_then(|id| self.places.get(&item_id(id)).copied()) {
            self.fault(
                FaultCode::IdDuplicated,
                format!("CFItems[{place}].identifier"),
            );
        }
        // With an id or two unread, whole ones would look as if they dangled.
        if self.faults.is_empty() {
            self.associations(package, document_id, &mut items);
            self.check_cycles(&items);
        }
        match document {
            Some((id, details)) => self.faults.finish(Catalogue {
                id: CatalogueId::from_uuid(id),
                details,
                items,
            }),
            // Only a fault leaves no document.
            None => Err(self.faults.into_faults()),
        }
    }

    fn parse(&self, bytes: &[u8]) -> Result<Value, ImportFault> {
        let fault = |code| ImportFault::new(code, self.name.to_owned());
        if let Err(error) = std::str::from_utf8(bytes) {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = before.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
            return Err(fault(FaultCode::Utf8Invalid).row(line));
        }
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        serde_json::from_slice(bytes).map_err(|error| {
            fault(FaultCode::JsonInvalid)
                .row(error.line() as u64)
                .message(format!("is not valid JSON at column {}", error.column()))
        })
    }

    fn fault(&mut self, code: FaultCode, field: impl Into<String>) {
        self.faults
            .push(ImportFault::new(code, self.name.to_owned()).field(field));
    }

    fn document(&mut self, package: &Object) -> Option<(Uuid, CatalogueDetails)> {
        let path = "CFDocument";
        let document = match package.get(path) {
            Some(Value::Object(document)) => document,
            Some(Value::Null) | None => {
                self.fault(FaultCode::ValueMissing, path);
                return None;
            }
            Some(_) => {
                self.fault(FaultCode::TypeWrong, path);
                return None;
            }
        };
        let id = self.id(document, path, "document");
        let title = self.required(document, path, "title", Title::new);
        let creator = self.optional(document, path, "creator", Title::new);
        let publisher = self.optional(document, path, "publisher", Title::new);
        let version = self.optional(document, path, "version", Code::new);
        let language = self.optional(document, path, "language", Code::new);
        let details = CatalogueDetails {
            title: title?,
            publisher: publisher.or(creator),
            version,
            language,
        };
        Some((id?, details))
    }

    fn items(&mut self, package: &Object) -> Items {
        let mut items = Items::new();
        let Some(values) = self.list(package, "CFItems") else {
            return items;
        };
        if values.is_empty() {
            // Nothing at all would take every goal of the catalogue out of use.
            self.fault(FaultCode::ValueMissing, "CFItems");
        }
        for (place, value) in values.iter().enumerate() {
            let path = format!("CFItems[{place}]");
            let Some(object) = value.as_object() else {
                self.fault(FaultCode::TypeWrong, path);
                continue;
            };
            let id = self.id(object, &path, "item").map(item_id);
            let text = self.required(object, &path, "fullStatement", Text::new);
            let kind = self.optional(object, &path, "CFItemType", Title::new);
            let code = self.optional(object, &path, "humanCodingScheme", Code::new);
            let Some(id) = id else { continue };
            if self.places.insert(id, place).is_some() {
                self.fault(FaultCode::IdDuplicated, format!("{path}.identifier"));
            }
            if let Some(text) = text {
                let parents = BTreeSet::new();
                items.insert(
                    id,
                    CatalogueItem {
                        text,
                        kind,
                        code,
                        parents,
                    },
                );
            }
        }
        items
    }

    /// The values of a list that must be there.
    fn list<'p>(&mut self, package: &'p Object, name: &str) -> Option<&'p Vec<Value>> {
        match package.get(name) {
            Some(Value::Array(values)) => return Some(values),
            Some(Value::Null) | None => self.fault(FaultCode::ValueMissing, name),
            Some(_) => self.fault(FaultCode::TypeWrong, name),
        }
        None
    }

    fn associations(&mut self, package: &Object, document: Option<Uuid>, items: &mut Items) {
        let name = "CFAssociations";
        if package.get(name).is_none_or(Value::is_null) {
            return;
        }
        let Some(values) = self.list(package, name) else {
            return;
        };
        for (place, value) in values.iter().enumerate() {
            let path = format!("{name}[{place}]");
            let Some(object) = value.as_object() else {
                self.fault(FaultCode::TypeWrong, path);
                continue;
            };
            let kind = self.required(object, &path, "associationType", |text| {
                Ok::<_, FaultCode>(text == "isChildOf")
            });
            if kind != Some(true) {
                continue;
            }
            let origin = self.end(object, &path, "originNodeURI");
            let destination = self.end(object, &path, "destinationNodeURI");
            let (Some(origin), Some(destination)) = (origin, destination) else {
                continue;
            };
            let parent = (Some(destination.document) != document).then_some(destination.item);
            if parent.is_some_and(|parent| !items.contains_key(&parent)) {
                self.dangling(object, &path, "destination");
                continue;
            }
            match items.get_mut(&origin.item) {
                Some(item) => item.parents.extend(parent),
                None => self.dangling(object, &path, "origin"),
            }
        }
    }

    /// What one end of an association names.
    fn end(&mut self, association: &Object, path: &str, name: &str) -> Option<End> {
        let path = format!("{path}.{name}");
        match association.get(name) {
            Some(Value::Object(end)) => {
                let both = |text: &str| {
                    Ok::<_, FaultCode>(End {
                        item: item_id(identify(text, "item")?),
                        document: identify(text, "document")?,
                    })
                };
                self.required(end, &path, "identifier", both)
            }
            Some(Value::Null) | None => {
                self.fault(FaultCode::ValueMissing, path);
                None
            }
            Some(_) => {
                self.fault(FaultCode::TypeWrong, path);
                None
            }
        }
    }

    fn dangling(&mut self, association: &Object, path: &str, end: &str) {
        let field = format!("{path}.{end}NodeURI.identifier");
        let identifier = association.get("identifier").and_then(Value::as_str);
        let which = match identifier.and_then(|text| Uuid::parse_str(text).ok()) {
            Some(id) => format!("association {id}: its {end} is not in the package"),
            None => format!("the association's {end} is not in the package"),
        };
        let fault = ImportFault::new(FaultCode::ReferenceDangling, self.name.to_owned());
        self.faults.push(fault.field(field).message(which));
    }

    /// Names one item of every cycle that there is, as far as they do not touch.
    fn check_cycles(&mut self, items: &Items) {
        // Takes away what has no parents left until nothing changes; the rest is, or is part
        // of, a cycle.
        let mut children: HashMap<CatalogueItemId, Vec<CatalogueItemId>> = HashMap::new();
        let mut left: BTreeMap<CatalogueItemId, usize> = BTreeMap::new();
        for (id, item) in items {
            left.insert(*id, item.parents.len());
            for parent in &item.parents {
                children.entry(*parent).or_default().push(*id);
            }
        }
        let roots = left.iter().filter(|(_, parents)| **parents == 0);
        let mut free: Vec<CatalogueItemId> = roots.map(|(id, _)| *id).collect();
        while let Some(id) = free.pop() {
            left.remove(&id);
            for child in children.get(&id).into_iter().flatten() {
                if let Some(parents) = left.get_mut(child) {
                    *parents = parents.saturating_sub(1);
                    if *parents == 0 {
                        free.push(*child);
                    }
                }
            }
        }
        // Climbing from anything that is left must come round.
        let mut seen = BTreeSet::new();
        for start in left.keys() {
            let mut path = BTreeSet::new();
            let mut at = *start;
            while seen.insert(at) {
                path.insert(at);
                let up = items.get(&at).into_iter().flat_map(|item| &item.parents);
                match up.into_iter().find(|parent| left.contains_key(parent)) {
                    Some(parent) => at = *parent,
                    None => break,
                }
            }
            if path.contains(&at) {
                let place = self.places.get(&at).copied().unwrap_or_default();
                self.fault(FaultCode::ReferenceCycle, format!("CFItems[{place}]"));
            }
        }
    }

    /// The id under `identifier`.
    fn id(&mut self, object: &Object, path: &str, kind: &str) -> Option<Uuid> {
        self.required(object, path, "identifier", |text| identify(text, kind))
    }

    fn required<T, E: Into<FaultCode>>(
        &mut self,
        object: &Object,
        path: &str,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let code = match object.get(name) {
            Some(Value::String(text)) => match parse(text.trim()) {
                Ok(value) => return Some(value),
                Err(error) => error.into(),
            },
            Some(Value::Null) | None => FaultCode::ValueMissing,
            Some(_) => FaultCode::TypeWrong,
        };
        self.fault(code, format!("{path}.{name}"));
        None
    }

    /// A text that may be absent or empty.
    fn optional<T>(
        &mut self,
        object: &Object,
        path: &str,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, TextError>,
    ) -> Option<T> {
        match object.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.trim().is_empty() => None,
            Some(_) => self.required(object, path, name, parse),
        }
    }
}

/// One end of an association, as whatever it may turn out to be: an identifier that is no UUID
/// gives another id for an item than for a document.
struct End {
    item: CatalogueItemId,
    document: Uuid,
}

fn item_id(id: Uuid) -> CatalogueItemId {
    CatalogueItemId::from_uuid(id)
}

/// A UUID as it is, else one derived from whatever it is.
fn identify(text: &str, kind: &str) -> Result<Uuid, FaultCode> {
    match Uuid::parse_str(text) {
        Ok(id) if id.is_nil() => Err(FaultCode::ValueMissing),
        Ok(id) => Ok(id),
        Err(_) => {
            names::check(text)?;
            Ok(names::derive("case", kind, text))
        }
    }
}
