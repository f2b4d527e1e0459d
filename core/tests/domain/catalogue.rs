use std::collections::{BTreeMap, BTreeSet};

use planledger_core::domain::catalogue::{
    Catalogue, CatalogueCommand, CatalogueEvent, CatalogueItem, EditionDiff, ItemChange,
};
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
fn items_are_listed_by_number_then_by_id_and_those_without_one_come_last() {
    let numbers = [None, Some(3), Some(-1), None, Some(3), Some(0)];
    let ids =
        [0x01, 0x02, 0x03, 0x04, 0x05, 0x06].map(|byte| CatalogueItemId::from_bytes([byte; 16]));
    let items = ids.into_iter().zip(numbers).map(|(id, sequence)| {
        let numbered = CatalogueItem {
            sequence,
            ..catalogue_item(WORDS)
        };
        (id, numbered)
    });
    let items: Vec<_> = items.collect();
    let events = items.iter().cloned().map(|(id, item)| defined(id, item));
    let events = [CatalogueEvent::Defined(catalogue_details())]
        .into_iter()
        .chain(events);
    let after = given(vec![])
        .when(SYSTEM, (CATALOGUE, put(&items)))
        .then(events.collect::<Vec<_>>());
    let Aggregate::Catalogue(now) = after.state(CATALOGUE) else {
        panic!()
    };
    let expected = [3, 6, 2, 5, 1, 4].map(|number| ids[number - 1]);
    // Pages of every size give the same list.
    for size in 1..=7 {
        let mut listed = Vec::new();
        let mut last = None;
        loop {
            let page = now.listed(None, last, size);
            assert!(page.len() <= size);
            let Some((place, _)) = page.last() else { break };
            last = Some(*place);
            listed.extend(page.iter().map(|(place, _)| place.id()));
        }
        assert_eq!(listed, expected);
    }
    assert!(now.listed(Some(ITEM), None, 7).is_empty());
}

#[test]
fn another_number_is_a_change_of_the_item() {
    let numbered = |sequence| CatalogueItem {
        sequence,
        ..catalogue_item(WORDS)
    };
    given(a_catalogue())
        .when(SYSTEM, (CATALOGUE, put(&[(ITEM, numbered(Some(2)))])))
        .then([defined(ITEM, numbered(Some(2)))])
        .when(SYSTEM, (CATALOGUE, put(&[(ITEM, numbered(Some(2)))])))
        .then_nothing();
}

#[test]
fn an_item_has_its_own_place_under_each_of_its_parents() {
    let [left, right, first, second] =
        [0xA1, 0xA2, 0xB1, 0xB2].map(|byte| CatalogueItemId::from_bytes([byte; 16]));
    let numbered = |under_left, under_right| CatalogueItem {
        sequence: Some(under_left),
        orders: [(right, under_right)].into(),
        ..part_of(&[left, right])
    };
    let items = [
        (left, part_of(&[])),
        (right, part_of(&[])),
        (first, numbered(1, 9)),
        (second, numbered(2, 8)),
    ];
    let events = items.iter().cloned().map(|(id, item)| defined(id, item));
    let events = [CatalogueEvent::Defined(catalogue_details())]
        .into_iter()
        .chain(events);
    let after = given(vec![])
        .when(SYSTEM, (CATALOGUE, put(&items)))
        .then(events.collect::<Vec<_>>());
    let Aggregate::Catalogue(now) = after.state(CATALOGUE) else {
        panic!()
    };
    for size in 1..=3 {
        let pages = |parent| {
            let mut listed = Vec::new();
            let mut last = None;
            loop {
                let page = now.listed(Some(parent), last, size);
                let Some((place, _)) = page.last() else {
                    return listed;
                };
                last = Some(*place);
                listed.extend(page.iter().map(|(place, _)| place.id()));
            }
        };
        assert_eq!(pages(left), [first, second]);
        assert_eq!(pages(right), [second, first]);
    }
    // Another number under one parent is a change of the item.
    let mut next = items.clone();
    next[2].1.orders.insert(right, 7);
    let diff = EditionDiff::between(Some(now), &catalogue_details(), &next.clone().into());
    assert_eq!(diff.items, [(first, [ItemChange::Moved].into())].into());
    after
        .when(SYSTEM, (CATALOGUE, put(&next)))
        .then([defined(first, next[2].1.clone())]);
}

#[test]
fn a_number_under_an_item_that_is_no_parent_is_refused() {
    let stray = CatalogueItem {
        orders: [(OTHER_ITEM, 1)].into(),
        ..part_of(&[])
    };
    given(vec![])
        .when(
            SYSTEM,
            (CATALOGUE, put(&[(ITEM, stray), (OTHER_ITEM, part_of(&[]))])),
        )
        .then_refused(Reason::CatalogueParentInvalid, Some(Field::ItemsOrders));
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

fn part(
    items: &[(CatalogueItemId, CatalogueItem)],
    retire: &[CatalogueItemId],
) -> CatalogueCommand {
    CatalogueCommand::PutPart {
        details: catalogue_details(),
        items: items.iter().cloned().collect(),
        retire: retire.iter().copied().collect(),
    }
}

#[test]
fn a_part_leaves_what_it_does_not_name_and_retires_what_it_says() {
    let after = given(vec![])
        .when(SYSTEM, (CATALOGUE, part(&[(ITEM, part_of(&[]))], &[])))
        .then([
            CatalogueEvent::Defined(catalogue_details()),
            defined(ITEM, part_of(&[])),
        ])
        .when(
            SYSTEM,
            (CATALOGUE, part(&[(OTHER_ITEM, part_of(&[ITEM]))], &[])),
        )
        .then([defined(OTHER_ITEM, part_of(&[ITEM]))]);
    // The same part again changes nothing: an import that was interrupted goes on.
    let again = after
        .when(
            SYSTEM,
            (CATALOGUE, part(&[(OTHER_ITEM, part_of(&[ITEM]))], &[])),
        )
        .then_nothing();
    let after = again
        .when(SYSTEM, (CATALOGUE, part(&[], &[OTHER_ITEM])))
        .then([CatalogueEvent::ItemRetired { item: OTHER_ITEM }]);
    let Aggregate::Catalogue(now) = after.state(CATALOGUE) else {
        panic!()
    };
    assert!(now.items.contains_key(&ITEM) && now.retired.contains_key(&OTHER_ITEM));
}

#[test]
fn a_part_may_not_take_away_the_parent_of_what_stays() {
    given(vec![])
        .when(
            SYSTEM,
            (
                CATALOGUE,
                put(&[(ITEM, part_of(&[])), (OTHER_ITEM, part_of(&[ITEM]))]),
            ),
        )
        .then([
            CatalogueEvent::Defined(catalogue_details()),
            defined(ITEM, part_of(&[])),
            defined(OTHER_ITEM, part_of(&[ITEM])),
        ])
        .when(SYSTEM, (CATALOGUE, part(&[], &[ITEM])))
        .then_refused(Reason::CatalogueParentInvalid, Some(Field::ItemsParents));
}

#[test]
fn an_edition_says_of_each_item_how_it_changes() {
    let ids = [1, 2, 3, 4, 5, 6].map(|byte| CatalogueItemId::from_bytes([byte; 16]));
    let [stays, reworded, retired, moved, described, added] = ids;
    let item = || catalogue_item(WORDS);
    let now = Catalogue {
        details: catalogue_details(),
        items: [stays, reworded, retired, moved, described]
            .map(|id| (id, item()))
            .into(),
        retired: [(added, item())].into(),
    };
    let items = [
        (stays, item()),
        (reworded, catalogue_item("Andre ord")),
        (
            moved,
            CatalogueItem {
                sequence: Some(1),
                parents: [stays].into(),
                ..item()
            },
        ),
        (
            described,
            CatalogueItem {
                kind: None,
                ..item()
            },
        ),
        // It was retired once, and comes back.
        (added, item()),
    ];
    let diff = EditionDiff::between(Some(&now), &catalogue_details(), &items.clone().into());
    let told = ItemChange::ALL.map(|change| diff.items_of(change).collect::<Vec<_>>());
    assert_eq!(
        told,
        [
            vec![added],
            vec![reworded],
            vec![retired],
            vec![moved],
            vec![described]
        ]
    );
    assert_eq!((diff.unchanged, diff.details, diff.new), (1, false, false));
    // The words of a goal differ from the publisher's only if the item is reworded or gone.
    let touching: Vec<_> = diff.touching_goals().collect();
    assert_eq!(touching, [reworded, retired]);
    // What the diff says is what the command records.
    let mut after = now.clone();
    after.items = items.into();
    assert!(EditionDiff::between(Some(&after), &catalogue_details(), &after.items).is_empty());
    assert!(EditionDiff::between(None, &catalogue_details(), &after.items).new);
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
