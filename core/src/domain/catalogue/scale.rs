//! Scales of a catalogue: what goals can be evaluated on in the words of the publisher.
//!
//! A rubric is an item of kind [`SCALE`]. Its criteria are items of kind [`CRITERION`] below it, and the
//! levels of a criterion items of kind [`LEVEL`] below that. A criterion may be part of a goal of the
//! catalogue too: the goal is assessed by it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Catalogue, CatalogueItem, ItemPlace};
use crate::domain::year_plan::Scale;
use crate::ids::CatalogueItemId;
use crate::text::{Code, Title};

/// The kind of an item that a rubric becomes.
pub const SCALE: &str = "Scale";
/// The kind of an item that a criterion of a rubric becomes.
pub const CRITERION: &str = "Scale criterion";
/// The kind of an item that a level of a criterion becomes.
pub const LEVEL: &str = "Scale level";

/// The scales of a catalogue: of its criteria, and of its rubrics whose criteria all have the same levels.
#[derive(Debug)]
pub struct Scales<'c> {
    catalogue: &'c Catalogue,
    /// The criteria of each rubric and the levels of each criterion, in the publisher's order.
    below: BTreeMap<CatalogueItemId, Vec<(ItemPlace, &'c CatalogueItem)>>,
}

impl Catalogue {
    /// Its scales, of items in use.
    pub fn scales(&self) -> Scales<'_> {
        let mut below: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let parts = self.items.iter();
        for (id, item) in parts.filter(|(_, item)| item.is(CRITERION) || item.is(LEVEL)) {
            for parent in &item.parents {
                let place = item.place(*id, Some(*parent));
                below.entry(*parent).or_default().push((place, item));
            }
        }
        for parts in below.values_mut() {
            parts.sort_unstable_by_key(|(place, _)| *place);
        }
        Scales {
            catalogue: self,
            below,
        }
    }
}

impl Scales<'_> {
    /// The ids of the rubrics and criteria, in order.
    pub fn ids(&self) -> impl Iterator<Item = CatalogueItemId> {
        let items = self.catalogue.items.iter();
        items
            .filter(|(_, item)| item.is(SCALE) || item.is(CRITERION))
            .map(|(id, _)| *id)
    }

    /// The scale of an item: its title and levels, lowest first. They are in the order of their scores if
    /// each has a score of its own, else in the publisher's order. Whether a scale has as many levels as a
    /// goal's needs, all different, is not looked at. `None`: the item has no levels, or is a rubric
    /// whose criteria have different ones.
    pub fn scale(&self, id: CatalogueItemId) -> Option<Scale> {
        let item = self.catalogue.items.get(&id)?;
        let levels = if item.is(CRITERION) {
            self.levels(id)?
        } else if item.is(SCALE) {
            let criteria = self.parts(id, CRITERION);
            let mut levels = criteria.map(|(criterion, _)| self.levels(criterion));
            let first = levels.next()??;
            levels
                .all(|other| other.as_ref() == Some(&first))
                .then_some(first)?
        } else {
            return None;
        };
        Some(Scale {
            title: heading(item)?,
            levels,
        })
    }

    /// The items of the catalogue that are assessed by an item: by a criterion, or by one of the criteria of
    /// a rubric.
    pub fn assessed_by(&self, id: CatalogueItemId) -> BTreeSet<CatalogueItemId> {
        let items = &self.catalogue.items;
        let criteria = self.parts(id, CRITERION).map(|(criterion, _)| criterion);
        let parents = std::iter::once(id).chain(criteria);
        let parents = parents.filter_map(|id| items.get(&id).filter(|item| item.is(CRITERION)));
        let parents = parents.flat_map(|criterion| criterion.parents.iter());
        let goals = parents.filter(|parent| items.get(parent).is_some_and(|item| !item.is(SCALE)));
        goals.copied().collect()
    }

    fn levels(&self, criterion: CatalogueItemId) -> Option<Vec<Title>> {
        let mut levels: Vec<_> = self
            .parts(criterion, LEVEL)
            .map(|(_, level)| level)
            .collect();
        let scores: Option<Vec<f64>> = levels.iter().map(|level| score(level)).collect();
        let is_scored = scores.is_some_and(|mut scores| {
            scores.sort_by(f64::total_cmp);
            scores.is_sorted_by(|lower, higher| lower < higher)
        });
        if is_scored {
            let score = |level: &&CatalogueItem| score(level).unwrap_or_default();
            levels.sort_by(|one, other| score(one).total_cmp(&score(other)));
        }
        let levels: Vec<_> = levels.into_iter().map(heading).collect::<Option<_>>()?;
        (!levels.is_empty()).then_some(levels)
    }

    fn parts(
        &self,
        parent: CatalogueItemId,
        kind: &'static str,
    ) -> impl Iterator<Item = (CatalogueItemId, &CatalogueItem)> {
        let parts = self.below.get(&parent).into_iter().flatten();
        parts
            .filter(move |(_, item)| item.is(kind))
            .map(|(place, item)| (place.id(), *item))
    }
}

impl CatalogueItem {
    fn is(&self, kind: &str) -> bool {
        self.kind.as_ref().is_some_and(|of| of.as_str() == kind)
    }
}

/// The first line of an item's words, shortened to a title if it is too long for one.
fn heading(item: &CatalogueItem) -> Option<Title> {
    let line = item.text.as_str().lines().next()?.trim();
    let short = match line.char_indices().nth(Title::LIMIT - 1) {
        Some((end, last)) if end + last.len_utf8() < line.len() => {
            format!("{}…", line.get(..end)?)
        }
        Some(_) | None => line.to_owned(),
    };
    Title::published(&short).ok()
}

fn score(level: &CatalogueItem) -> Option<f64> {
    let score: f64 = level.code.as_ref().map(Code::as_str)?.parse().ok()?;
    score.is_finite().then_some(score)
}
