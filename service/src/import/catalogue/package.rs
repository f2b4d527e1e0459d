//! Reads a package: its document, its items, and which item is part of which.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufReader, Read};

use planledger_core::domain::catalogue::{CatalogueDetails, CatalogueItem};
use planledger_core::ids::{CatalogueId, CatalogueItemId};
use planledger_core::text::{Code, CprContext, Text, TextError, Title};
use serde_json::Value;
use uuid::Uuid;

use super::associations::{Association, dangling, sequence_number};
use super::bytes::Checked;
use super::licences::{self, Licences, Link};
use super::published::{Damage, one_line};
use super::rubrics::Rubrics;
use super::stream::{self, Held, List, Sink};
use super::values::{self, Object, Passed, Values};
use super::{cycles, statement};
use crate::import::fault::{FaultCode, ImportFaults, PassedOver, PassedOverKind, Problem};
use crate::import::names;

/// How many bytes of a file are in memory at a time.
const PIECE: usize = 64 << 10;

/// What a package without faults holds.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub(super) id: CatalogueId,
    pub(super) details: CatalogueDetails,
    pub(super) items: BTreeMap<CatalogueItemId, CatalogueItem>,
    /// How often an item names a parent that is not in the package.
    pub(super) foreign_parents: u64,
    /// How many rubrics, criteria and levels could not be read.
    pub(super) rubric_parts_passed_over: u64,
    /// What held control characters.
    pub(super) damage: Damage,
    /// Which of both, with their places and reasons.
    pub(super) passed_over: Vec<PassedOver>,
}

/// Reads and checks a package. `name` stands for it in faults.
pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Content, ImportFaults> {
    let json = serde_json::Deserializer::from_slice(values::text(name, bytes)?);
    let mut reading = Reading::new(name);
    let read = stream::read(json, &mut reading);
    reading.finish_if(read)
}

/// Reads and checks a package of which only a piece at a time is in memory.
pub(super) fn read_from(name: &str, source: impl Read) -> Result<Content, ImportFaults> {
    let mut bytes = BufReader::with_capacity(PIECE, Checked::new(source));
    let mut reading = Reading::new(name);
    let read = stream::read(
        serde_json::Deserializer::from_reader(&mut bytes),
        &mut reading,
    );
    if read.is_err()
        && let Some(fault) = bytes.get_mut().fault(name)
    {
        return Err(fault.into());
    }
    reading.finish_if(read)
}

/// A package while it is read.
struct Reading<'n> {
    name: &'n str,
    values: Values<'n>,
    /// What is wrong with associations. If some ids could not be read, sound associations would seem to
    /// lead nowhere: so this is told only if the rest is sound.
    later: Values<'n>,
    document: Option<Value>,
    items: Items,
    held: Held,
    associations: Vec<Association>,
    rubrics: Rubrics,
    licences: Licences,
}

impl Sink for Reading<'_> {
    fn afresh(&self) -> Self {
        Self::new(self.name)
    }

    fn document(&mut self, value: Option<Value>) {
        if value.is_none() {
            self.values.fault(values::too_large(), "CFDocument");
        }
        self.document = value;
    }

    fn element(&mut self, list: List, place: usize, value: Option<Value>) {
        let value = value.as_ref();
        match list {
            List::Items => {
                let path = format!("CFItems[{place}]");
                if let Some(object) = self.values.element(value, &path) {
                    let id = self.items.read_one(object, place, &path, &mut self.values);
                    if let Some((id, link)) = id.zip(Link::read(object)) {
                        self.licences.name(id, link);
                    }
                }
            }
            List::Associations => {
                let path = format!("CFAssociations[{place}]");
                if let Some(object) = self.later.element(value, &path) {
                    let read = Association::read(object, place, &path, &mut self.later);
                    self.associations.extend(read);
                }
            }
            List::Rubrics => self.rubrics.take(place, value),
            List::Licences => {
                if let Some(value) = value {
                    self.licences.define(value);
                }
            }
        }
    }

    fn held(&mut self, list: List, held: Held) {
        match list {
            List::Items => self.held = held,
            List::Associations if held == Held::Other => self.later.no_list("CFAssociations"),
            List::Associations | List::Rubrics | List::Licences => {}
        }
    }
}

impl<'n> Reading<'n> {
    fn new(name: &'n str) -> Self {
        Self {
            name,
            values: Values::new(name),
            later: Values::new(name),
            document: None,
            items: Items::default(),
            held: Held::default(),
            associations: Vec::new(),
            rubrics: Rubrics::default(),
            licences: Licences::default(),
        }
    }

    /// The content, if the whole package was read and is a JSON object.
    fn finish_if(self, read: serde_json::Result<bool>) -> Result<Content, ImportFaults> {
        match read {
            Ok(true) => self.finish(),
            Ok(false) => Err(values::no_object(self.name).into()),
            Err(error) => Err(values::no_json(self.name, &error).into()),
        }
    }

    fn finish(mut self) -> Result<Content, ImportFaults> {
        let document = document(self.document.as_ref(), &self.licences, &mut self.values);
        self.check_items(document.as_ref().map(|(id, _)| *id));
        let damage = self.values.take_damage();
        let mut items = self.items;
        if self.values.are_sound() {
            self.values = self.later;
            let id = document.as_ref().map(|(id, _)| *id);
            for association in self.associations {
                items.associate(association, id, &mut self.values);
            }
            items.number();
            items.check_cycles(&mut self.values);
        }
        let mut by_id = items.by_id;
        let licence = document
            .as_ref()
            .and_then(|(_, details)| details.licence.as_ref());
        self.licences.give(&mut by_id, licence);
        let mut damage = damage;
        damage.add(self.rubrics.take_damage());
        let rubrics = self.rubrics.add(&mut by_id);
        let told = |kind: PassedOverKind, all: Vec<(Problem, String)>| {
            let faults = all.into_iter();
            let faults = faults.map(|(problem, path)| self.values.fault_at(problem, path));
            faults.map(|fault| PassedOver { kind, fault }).collect()
        };
        let mut passed_over: Vec<_> = told(PassedOverKind::Part, items.foreign.first);
        passed_over.extend::<Vec<_>>(told(PassedOverKind::Bad, rubrics.first));
        self.values.finish(document.map(|(id, details)| Content {
            id: CatalogueId::from_uuid(id),
            details,
            foreign_parents: items.foreign.count,
            rubric_parts_passed_over: rubrics.count,
            passed_over,
            damage,
            items: by_id,
        }))
    }

    fn check_items(&mut self, document: Option<Uuid>) {
        let name = "CFItems";
        match self.held {
            Held::Nothing => self.values.fault(FaultCode::ValueMissing, name),
            Held::Other => self.values.no_list(name),
            // An empty list would take every goal of the catalogue out of use.
            Held::Elements(0) => self.values.fault(
                Problem::new(
                    FaultCode::ValueMissing,
                    "the package holds no items; check that it is the right file",
                ),
                name,
            ),
            Held::Elements(_) => {}
        }
        if let Some(place) = document.and_then(|id| self.items.place(item_id(id))) {
            self.values.fault(
                FaultCode::IdDuplicated,
                format!("{name}[{place}].identifier"),
            );
        }
    }
}

fn document(
    document: Option<&Value>,
    licences: &Licences,
    values: &mut Values<'_>,
) -> Option<(Uuid, CatalogueDetails)> {
    let path = "CFDocument";
    let document = values.required_object(document, path)?;
    let id = id(document, path, "document", values);
    let name = values.required(document, path, "title", title);
    let creator = values.optional(document, path, "creator", Title::published);
    let publisher = values.optional(document, path, "publisher", Title::published);
    let version = values.optional(document, path, "version", Code::published);
    let language = values.optional(document, path, "language", Code::published);
    let details = CatalogueDetails {
        title: name?,
        publisher: publisher.or(creator),
        version,
        language,
        licence: Link::read(document).and_then(|link| licences.find(&link)),
        rights_holder: licences::text(document, "rightsHolder")
            .and_then(|holder| title(&holder).ok()),
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
    /// The same, each with its first place.
    foreign: Passed,
    /// The numbers that associations give an item: under each parent in the package, and under `None`
    /// below the document or a parent elsewhere. The least of several under one parent.
    numbers: HashMap<CatalogueItemId, BTreeMap<Option<CatalogueItemId>, i64>>,
}

impl Items {
    fn read_one(
        &mut self,
        object: &Object,
        place: usize,
        path: &str,
        values: &mut Values<'_>,
    ) -> Option<CatalogueItemId> {
        let id = id(object, path, "item", values).map(item_id);
        let text = values.required(object, path, "fullStatement", words);
        let kind = values.optional(object, path, "CFItemType", Title::published);
        let code = values.optional(object, path, "humanCodingScheme", Code::published);
        let sequence = sequence_number(object, path, values);
        let id = id?;
        if self.places.insert(id, place).is_some() {
            values.fault(FaultCode::IdDuplicated, format!("{path}.identifier"));
        }
        let item = CatalogueItem {
            text: text?,
            kind,
            code,
            parents: BTreeSet::new(),
            sequence,
            orders: BTreeMap::new(),
            licence: None,
        };
        self.by_id.insert(id, item);
        Some(id)
    }

    /// Where an item stands in `CFItems`.
    fn place(&self, id: CatalogueItemId) -> Option<usize> {
        self.places.get(&id).copied()
    }

    /// Gives an item its parent.
    fn associate(&mut self, link: Association, document: Option<Uuid>, values: &mut Values<'_>) {
        let (origin, destination) = (link.origin.item, &link.destination);
        // A parent elsewhere belongs to another publisher. The item stays, without it.
        let in_package = self.by_id.contains_key(&destination.item);
        if let Some(number) = link.number {
            let parent = in_package.then_some(destination.item);
            let numbers = self.numbers.entry(origin).or_default();
            let first = numbers.entry(parent).or_insert(number);
            *first = number.min(*first);
        }
        if !in_package
            && Some(destination.document) != document
            && self.foreign_parents.insert((origin, destination.item))
        {
            let place = link.place;
            let path = format!("CFAssociations[{place}].destinationNodeURI.identifier");
            self.foreign.add(parent_elsewhere(), path);
        }
        match self.by_id.get_mut(&origin) {
            Some(item) => item.parents.extend(in_package.then_some(destination.item)),
            None => dangling(&link, values),
        }
    }

    /// Gives items the numbers of their associations. These tell the order of siblings; an item's own
    /// number may count through the document. The least number is the item's place among all items, and
    /// its number under each parent that gives no other.
    fn number(&mut self) {
        for (id, numbers) in &self.numbers {
            let least = numbers.values().min().copied();
            if let Some(item) = self.by_id.get_mut(id) {
                item.sequence = least;
                let others = numbers.iter().filter(|(_, number)| Some(**number) != least);
                item.orders = others
                    .filter_map(|(parent, number)| Some(((*parent)?, *number)))
                    .collect();
            }
        }
    }

    fn check_cycles(&self, values: &mut Values<'_>) {
        for id in cycles::find(&self.by_id) {
            let place = self.place(id).unwrap_or_default();
            values.fault(FaultCode::ReferenceCycle, format!("CFItems[{place}]"));
        }
    }
}

fn parent_elsewhere() -> Problem {
    Problem::new(
        FaultCode::ReferenceDangling,
        "the parent is not in the package, so the item is taken in without it; nothing has to be done \
         if it belongs to another framework",
    )
}

/// A title of one line.
fn title(text: &str) -> Result<Title, TextError> {
    Title::published(&one_line(text))
}

/// The text of an item. Its markup is taken out first, so that what it hid is checked too.
fn words(statement: &str) -> Result<Text, TextError> {
    Text::published(&statement::plain(statement))
}

/// The id under `identifier`.
fn id(object: &Object, path: &str, kind: &str, values: &mut Values<'_>) -> Option<Uuid> {
    values.required(object, path, "identifier", |text| identify(text, kind))
}

pub(super) fn item_id(id: Uuid) -> CatalogueItemId {
    CatalogueItemId::from_uuid(id)
}

/// A UUID is kept as it is. From any other identifier an id is derived.
pub(super) fn identify(text: &str, kind: &str) -> Result<Uuid, Problem> {
    match Uuid::parse_str(text) {
        Ok(id) if id.is_nil() => Err(Problem::new(
            FaultCode::ValueMissing,
            "the identifier has only zeros; write the real identifier",
        )),
        Ok(id) => Ok(id),
        Err(_) => {
            // Publishers number their items with ten digits, too, and nobody here can change them.
            names::check_in(text, CprContext::Published)?;
            Ok(names::derive("case", kind, text))
        }
    }
}
