//! Rubrics (`CFRubrics`): what a goal is assessed by, in levels.
//!
//! A rubric becomes an item of kind [`SCALE`], its criteria become items of kind [`CRITERION`] below it,
//! and their levels items of kind [`LEVEL`] below these, each in the order of `position`. A criterion that
//! names an item of the package is part of that item too, so that whoever looks at a goal finds what it is
//! assessed by. A rubric was no part of a catalogue before: so what cannot be read of it is passed over with
//! its place and the reason, and refuses no package.

use std::collections::{BTreeMap, BTreeSet};

use planledger_core::domain::catalogue::{CRITERION, CatalogueItem, LEVEL, SCALE};
use planledger_core::ids::CatalogueItemId;
use planledger_core::text::{Code, Text, Title};
use serde_json::Value;

use super::licences::text;
use super::package::{identify, item_id};
use super::published::{Damage, clean};
use super::statement;
use super::values::{Object, Passed, too_large, whole_number, wrong_type};
use crate::import::fault::{FaultCode, Problem};

/// The rubrics of a package.
#[derive(Debug, Default)]
pub(super) struct Rubrics {
    parts: Vec<Part>,
    passed: Passed,
    damage: Damage,
}

/// A rubric, criterion or level.
#[derive(Debug)]
struct Part {
    /// Where it stands.
    path: String,
    id: CatalogueItemId,
    within: Option<CatalogueItemId>,
    /// The item that a criterion is about. It lends its words if the criterion has none.
    about: Option<CatalogueItemId>,
    words: String,
    kind: &'static str,
    code: Option<String>,
    place: i64,
}

impl Rubrics {
    /// Takes an element of `CFRubrics`; `None` if it is too large.
    pub(super) fn take(&mut self, place: usize, value: Option<&Value>) {
        let path = format!("CFRubrics[{place}]");
        let Some(value) = value else {
            return self.passed.add(too_large(), path);
        };
        let words = |rubric: &Object| joined([text(rubric, "title"), text(rubric, "description")]);
        let Some((id, rubric)) = self.part(value, (&path, place), None, SCALE, words) else {
            return;
        };
        for (place, value, path) in list(rubric, &path, "CFRubricCriteria") {
            let words = |criterion: &Object| {
                let weight = criterion.get("weight").and_then(Value::as_f64);
                joined([
                    text(criterion, "category"),
                    text(criterion, "description"),
                    weight.map(|weight| format!("Weight: {weight}")),
                ])
            };
            let at = (path.as_str(), place);
            let Some((id, criterion)) = self.part(value, at, Some(id), CRITERION, words) else {
                continue;
            };
            for (place, value, path) in list(criterion, &path, "CFRubricCriterionLevels") {
                let words = |level: &Object| {
                    joined([
                        text(level, "quality"),
                        text(level, "description"),
                        text(level, "feedback"),
                    ])
                };
                self.part(value, (&path, place), Some(id), LEVEL, words);
            }
        }
    }

    /// What held control characters.
    pub(super) fn take_damage(&mut self) -> Damage {
        std::mem::take(&mut self.damage)
    }

    fn note_damage(&mut self, object: &Object) {
        let texts = [
            "title",
            "category",
            "quality",
            "description",
            "feedback",
            "score",
        ];
        let texts = texts.iter().filter_map(|name| object.get(*name)?.as_str());
        let mut found = texts.filter_map(|text| clean(text).1);
        let identifier = object.get("identifier").and_then(Value::as_str);
        if let (Some(character), Some(identifier)) = (found.next(), identifier) {
            self.damage.note(identifier, character);
        }
    }

    /// Takes a part. What is within one that cannot be read is not looked at.
    fn part<'v>(
        &mut self,
        value: &'v Value,
        (path, place): (&str, usize),
        within: Option<CatalogueItemId>,
        kind: &'static str,
        words: impl FnOnce(&Object) -> String,
    ) -> Option<(CatalogueItemId, &'v Object)> {
        let Some(object) = value.as_object() else {
            self.passed.add(wrong_type("a JSON object"), path);
            return None;
        };
        self.note_damage(object);
        let id = match identifier(object) {
            Ok(id) => id,
            Err(problem) => {
                self.passed.add(problem, format!("{path}.identifier"));
                return None;
            }
        };
        let about = object.get("CFItemURI").and_then(Value::as_object);
        let position = object.get("position").and_then(whole_number);
        self.parts.push(Part {
            path: path.to_owned(),
            id,
            within,
            about: about.and_then(|about| identifier(about).ok()),
            words: words(object),
            kind,
            code: object.get("score").and_then(score),
            place: position.unwrap_or_else(|| i64::try_from(place).unwrap_or(i64::MAX)),
        });
        Some((id, object))
    }

    /// Adds the rubrics to the items; tells which rubrics, criteria and levels were passed over.
    pub(super) fn add(self, items: &mut BTreeMap<CatalogueItemId, CatalogueItem>) -> Passed {
        let mut passed = self.passed;
        let mut added = BTreeSet::new();
        // A rubric comes before its criteria, a criterion before its levels.
        for part in self.parts {
            match part.item(items, &added) {
                Ok(item) => {
                    items.insert(part.id, item);
                    added.insert(part.id);
                }
                Err(problem) => passed.add(problem, part.path),
            }
        }
        passed
    }
}

impl Part {
    /// The item that it becomes, among those that are there. `added` are those of other parts.
    fn item(
        &self,
        items: &BTreeMap<CatalogueItemId, CatalogueItem>,
        added: &BTreeSet<CatalogueItemId>,
    ) -> Result<CatalogueItem, Problem> {
        if self.within.is_some_and(|within| !added.contains(&within)) {
            return Err(Problem::new(
                FaultCode::RowPassedOver,
                "what this is part of was passed over; correct that part",
            ));
        }
        if items.contains_key(&self.id) {
            return Err(FaultCode::IdDuplicated.into());
        }
        let about = self.about.and_then(|about| items.get(&about));
        let words = match (Text::published(&statement::plain(&self.words)), about) {
            (Ok(words), _) => words,
            (Err(_), Some(about)) => about.text.clone(),
            (Err(error), None) => return Err(error.into()),
        };
        let parents = self
            .within
            .into_iter()
            .chain(self.about.filter(|_| about.is_some()));
        Ok(CatalogueItem {
            text: words,
            kind: Title::published(self.kind).ok(),
            code: self
                .code
                .as_deref()
                .and_then(|code| Code::published(code).ok()),
            parents: parents.collect(),
            sequence: Some(self.place),
            orders: BTreeMap::new(),
            licence: None,
        })
    }
}

fn identifier(object: &Object) -> Result<CatalogueItemId, Problem> {
    let identifier = text(object, "identifier").unwrap_or_default();
    identify(&identifier, "item").map(item_id)
}

fn score(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) if !text.trim().is_empty() => Some(clean(text).0.trim().to_owned()),
        _ => None,
    }
}

/// The elements of a list, each with its place and its path.
fn list<'v>(
    object: &'v Object,
    path: &str,
    name: &'static str,
) -> impl Iterator<Item = (usize, &'v Value, String)> {
    let list = object.get(name).and_then(Value::as_array);
    let list = list.into_iter().flatten().enumerate();
    list.map(move |(place, value)| (place, value, format!("{path}.{name}[{place}]")))
}

fn joined<const N: usize>(parts: [Option<String>; N]) -> String {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join("\n")
}
