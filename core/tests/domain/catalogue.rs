use std::collections::{BTreeMap, BTreeSet};

use planledger_core::domain::catalogue::{CatalogueCommand, CatalogueEvent, CatalogueItem};
use planledger_core::domain::{Aggregate, Field, Reason};
use planledger_core::ids::CatalogueItemId;

use crate::domain::harness::given;
use planledger_fixtures::school::*;

const WORDS: &str = "Eleven kan styre og regulere sin læseproces";

fn put(items: &[(CatalogueItemId, CatalogueItem)]) -> CatalogueCommand {
    CatalogueCommand::Put {
        details: catalogue_details(),
        items: items.iter().cloned().collect::<BTreeMap<_, _>>(),
    }
}

fn part_of(parents: &[CatalogueItemId]) -> CatalogueItem {
    CatalogueItem {
        parents: parents.iter().copied().collect::<BTreeSet<_>>(),
        ..catalogue_item(WORDS)
    }
}

fn defined(item: CatalogueItemId, details: CatalogueItem) -> CatalogueEvent {
    CatalogueEvent::ItemDefined { item, details }
}

#[test]
fn an_import_of_a_catalogue_records_differences_only() {
    let (first, second) = (catalogue_item(WORDS), part_of(&[ITEM]));
    let both = put(&[(ITEM, first.clone()), (OTHER_ITEM, second.clone())]);
    let mut renamed = catalogue_details();
    renamed.title = title("Fagenes mål");
    let changed = CatalogueCommand::Put {
        details: renamed.clone(),
        items: BTreeMap::from([(ITEM, catalogue_item("Andre ord"))]),
    };
    given(vec![])
        .when(SYSTEM, (CATALOGUE, both.clone()))
        .then([
            CatalogueEvent::Defined(catalogue_details()),
            defined(ITEM, first),
            defined(OTHER_ITEM, second),
        ])
        .when(SYSTEM, (CATALOGUE, both))
        .then_nothing()
        .when(SYSTEM, (CATALOGUE, changed))
        .then([
            CatalogueEvent::Defined(renamed),
            CatalogueEvent::ItemRetired { item: OTHER_ITEM },
            defined(ITEM, catalogue_item("Andre ord")),
        ]);
}

#[test]
fn a_retired_item_keeps_its_words_and_can_be_taken_into_use_again() {
    let after = given(a_catalogue())
        .when(SYSTEM, (CATALOGUE, put(&[])))
        .then([CatalogueEvent::ItemRetired { item: ITEM }]);
    let Aggregate::Catalogue(now) = after.state(CATALOGUE) else {
        panic!()
    };
    assert!(now.items.is_empty());
    assert_eq!(now.retired[&ITEM], catalogue_item(WORDS));
    let after = after
        .when(SYSTEM, (CATALOGUE, put(&[(ITEM, catalogue_item(WORDS))])))
        .then([defined(ITEM, catalogue_item(WORDS))]);
    let Aggregate::Catalogue(now) = after.state(CATALOGUE) else {
        panic!()
    };
    assert!(now.retired.is_empty());
}

#[test]
fn an_item_may_be_part_of_several() {
    let third = CatalogueItemId::from_bytes([0xC3; 16]);
    let items = [
        (ITEM, part_of(&[])),
        (OTHER_ITEM, part_of(&[ITEM])),
        (third, part_of(&[ITEM, OTHER_ITEM])),
    ];
    let events = items.iter().cloned().map(|(id, item)| defined(id, item));
    let events = [CatalogueEvent::Defined(catalogue_details())]
        .into_iter()
        .chain(events);
    given(vec![])
        .when(SYSTEM, (CATALOGUE, put(&items)))
        .then(events.collect::<Vec<_>>());
}

#[test]
fn the_rest_is_refused() {
    assert!(!refusals().is_empty());
}

pub(crate) fn refusals() -> Vec<Reason> {
    let field = Some(Field::ItemsParents);
    let third = CatalogueItemId::from_bytes([0xC3; 16]);
    let invalid: [&[(CatalogueItemId, CatalogueItem)]; 4] = [
        // A parent is among the items.
        &[(ITEM, part_of(&[OTHER_ITEM]))],
        // Nothing is part of itself, however far up.
        &[(ITEM, part_of(&[ITEM]))],
        &[
            (ITEM, part_of(&[OTHER_ITEM])),
            (OTHER_ITEM, part_of(&[ITEM])),
        ],
        &[
            (ITEM, part_of(&[])),
            (OTHER_ITEM, part_of(&[ITEM, third])),
            (third, part_of(&[OTHER_ITEM])),
        ],
    ];
    invalid
        .into_iter()
        .map(|items| {
            given(vec![])
                .when(SYSTEM, (CATALOGUE, put(items)))
                .then_refused(Reason::CatalogueParentInvalid, field)
        })
        .collect()
}
