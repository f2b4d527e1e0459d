//! Rubrics (`CFRubrics`): what a goal is assessed by, in levels.
//!
//! A rubric becomes an item of kind [`SCALE`], its criteria become items of kind [`CRITERION`] below it,
//! and their levels items of kind [`LEVEL`] below these, each in the order of `position`. A criterion that
//! names an item of the package is part of that item too, so that whoever looks at a goal finds what it is
//! assessed by. A rubric was no part of a catalogue before: so what cannot be read of it is passed over and
//! counted, and refuses no package.

use std::collections::{BTreeMap, BTreeSet};

use planledger_core::domain::catalogue::{CRITERION, CatalogueItem, LEVEL, SCALE};
use planledger_core::ids::CatalogueItemId;
use planledger_core::text::{Code, Text, Title};
use serde_json::Value;

use super::licences::text;
use super::package::{identify, item_id};
use super::statement;
use super::values::Object;

/// The rubrics of a package.
#[derive(Debug, Default)]
pub(super) struct Rubrics {
    parts: Vec<Part>,
    passed_over: u64,
}

/// A rubric, criterion or level.
#[derive(Debug)]
struct Part {
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
    /// Takes an element of `CFRubrics`.
    pub(super) fn take(&mut self, place: usize, value: &Value) {
        let words = |rubric: &Object| joined([text(rubric, "title"), text(rubric, "description")]);
        let Some((id, rubric)) = self.part(value, None, SCALE, place, words) else {
            return;
        };
        for (place, value) in list(rubric, "CFRubricCriteria") {
            let words = |criterion: &Object| {
                let weight = criterion.get("weight").and_then(Value::as_f64);
                joined([
                    text(criterion, "category"),
                    text(criterion, "description"),
                    weight.map(|weight| format!("Weight: {weight}")),
                ])
            };
            let Some((id, criterion)) = self.part(value, Some(id), CRITERION, place, words) else {
                continue;
            };
            for (place, value) in list(criterion, "CFRubricCriterionLevels") {
                let words = |level: &Object| {
                    joined([
                        text(level, "quality"),
                        text(level, "description"),
                        text(level, "feedback"),
                    ])
                };
                self.part(value, Some(id), LEVEL, place, words);
            }
        }
    }

    fn part<'v>(
        &mut self,
        value: &'v Value,
        within: Option<CatalogueItemId>,
        kind: &'static str,
        place: usize,
        words: impl FnOnce(&Object) -> String,
    ) -> Option<(CatalogueItemId, &'v Object)> {
        let object = value.as_object();
        let id = object.and_then(identifier);
        let Some((object, id)) = object.zip(id) else {
            self.passed_over += 1;
            return None;
        };
        let about = object.get("CFItemURI").and_then(Value::as_object);
        let position = object.get("position").and_then(Value::as_i64);
        self.parts.push(Part {
            id,
            within,
            about: about.and_then(identifier),
            words: words(object),
            kind,
            code: object.get("score").and_then(score),
            place: position.unwrap_or_else(|| i64::try_from(place).unwrap_or(i64::MAX)),
        });
        Some((id, object))
    }

    /// Adds the rubrics to the items; tells how many rubrics, criteria and levels were passed over.
    pub(super) fn add(self, items: &mut BTreeMap<CatalogueItemId, CatalogueItem>) -> u64 {
        let mut passed_over = self.passed_over;
        let mut added = BTreeSet::new();
        // A rubric comes before its criteria, a criterion before its levels.
        for part in self.parts {
            let kept = part.within.is_none_or(|within| added.contains(&within));
            let item = part
                .item(items)
                .filter(|_| kept && !items.contains_key(&part.id));
            match item {
                Some(item) => {
                    items.insert(part.id, item);
                    added.insert(part.id);
                }
                None => passed_over += 1,
            }
        }
        passed_over
    }
}

impl Part {
    fn item(&self, items: &BTreeMap<CatalogueItemId, CatalogueItem>) -> Option<CatalogueItem> {
        let about = self.about.and_then(|about| items.get(&about));
        let words = Text::published(&statement::plain(&self.words)).ok();
        let parents = self
            .within
            .into_iter()
            .chain(self.about.filter(|_| about.is_some()));
        Some(CatalogueItem {
            text: words.or_else(|| about.map(|about| about.text.clone()))?,
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

fn identifier(object: &Object) -> Option<CatalogueItemId> {
    let identifier = text(object, "identifier")?;
    identify(&identifier, "item").ok().map(item_id)
}

fn score(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        _ => None,
    }
}

fn list<'v>(object: &'v Object, name: &str) -> impl Iterator<Item = (usize, &'v Value)> {
    let list = object.get(name).and_then(Value::as_array);
    list.into_iter().flatten().enumerate()
}

fn joined<const N: usize>(parts: [Option<String>; N]) -> String {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join("\n")
}
