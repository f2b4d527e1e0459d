use planledger_core::domain::catalogue::{CRITERION, CatalogueEvent, CatalogueItem, LEVEL, SCALE};
use planledger_core::domain::year_plan::{
    GoalKind, GoalRevision, Scale, ScaleChoice, Wording, WordingChoice,
};
use planledger_core::domain::{Aggregate, Field, Reason};
use planledger_core::ids::{CatalogueItemId, UnitId};
use planledger_core::text::Code;
use planledger_fixtures::commands;
use planledger_fixtures::events;

use super::{a_combined_year_plan, add_goal, retire_goal, revise_goal, state, unit_deleted};
use crate::domain::harness::{given, refusals};
use planledger_fixtures::school::*;
use planledger_fixtures::{Fact, Memory};

fn from_catalogue(item: CatalogueItemId) -> WordingChoice {
    WordingChoice::Catalogue {
        catalogue: CATALOGUE,
        item,
    }
}

#[test]
fn a_goal_has_its_own_words() {
    for kind in [GoalKind::Subject, GoalKind::Reflection] {
        let add = commands::add_goal(UNIT, OTHER_GOAL, chosen_goal(kind, "Kan analysere"));
        given(a_year_plan())
            .when(TEACHER, (YEAR_PLAN, add))
            .then([events::goal_added(
                UNIT,
                OTHER_GOAL,
                goal(kind, "Kan analysere"),
            )]);
    }
}

#[test]
fn a_goal_from_the_catalogue_keeps_the_words_it_was_chosen_with() {
    let mut world = Memory::of([a_year_plan(), a_catalogue()].concat());
    let mut details = chosen_goal(GoalKind::Subject, "unused");
    details.wording = from_catalogue(ITEM);
    world.does(
        TEACHER,
        (YEAR_PLAN, commands::add_goal(UNIT, OTHER_GOAL, details)),
    );
    let reworded = CatalogueEvent::ItemDefined {
        item: ITEM,
        details: catalogue_item("Helt andre ord"),
    };
    world.record((CATALOGUE, reworded).into());
    world.record((CATALOGUE, CatalogueEvent::ItemRetired { item: ITEM }).into());
    let Some(Aggregate::YearPlan(plan)) = world.state(YEAR_PLAN) else {
        panic!()
    };
    assert_eq!(
        plan.goals[&OTHER_GOAL].present().unwrap().wording,
        Wording::Catalogue {
            catalogue: CATALOGUE,
            item: ITEM,
            text: text("Eleven kan styre og regulere sin læseproces"),
        }
    );
}

/// A rubric with two criteria. The levels of the first have scores against the order of the publisher.
fn a_catalogue_with_a_rubric() -> Vec<Fact> {
    let item = |kind, words, code: Option<&str>, parent: Option<u8>, sequence| CatalogueItem {
        text: text(words),
        kind: Some(title(kind)),
        code: code.map(|code| Code::new(code).unwrap()),
        parents: parent.map(part).into_iter().collect(),
        sequence: Some(sequence),
        ..catalogue_item(words)
    };
    let mut criterion = item(CRITERION, "Forståelse\nWeight: 1", None, Some(1), 1);
    criterion.parents.insert(ITEM);
    let items = [
        (1, item(SCALE, "Læsescreening\nTil juni", None, None, 1)),
        (2, criterion),
        (
            3,
            item(LEVEL, "Sikkert\nUden støtte", Some("4"), Some(2), 1),
        ),
        (4, item(LEVEL, "På vej", Some("1.5"), Some(2), 2)),
        (5, item(CRITERION, "Tempo", None, Some(1), 2)),
        (6, item(LEVEL, "Langsomt", None, Some(5), 1)),
        (7, item(LEVEL, "Hurtigt", Some("2"), Some(5), 2)),
    ];
    let items = items.map(|(id, details)| CatalogueEvent::ItemDefined {
        item: part(id),
        details,
    });
    let events = items.map(|event| (CATALOGUE, event).into());
    a_catalogue().into_iter().chain(events).collect()
}

fn part(number: u8) -> CatalogueItemId {
    CatalogueItemId::from_bytes([0xD0 + number; 16])
}

fn scale_from(number: u8) -> ScaleChoice {
    ScaleChoice::Catalogue {
        catalogue: CATALOGUE,
        item: part(number),
    }
}

#[test]
fn a_goal_can_be_evaluated_on_a_scale_of_the_catalogue_and_keeps_its_levels() {
    let mut world = Memory::of([a_year_plan(), a_catalogue_with_a_rubric()].concat());
    let mut details = chosen_goal(GoalKind::Subject, "Læser");
    details.scale = scale_from(2);
    world.does(
        TEACHER,
        (YEAR_PLAN, commands::add_goal(UNIT, OTHER_GOAL, details)),
    );
    let own = WordingChoice::Own {
        text: text("Læser hurtigt"),
    };
    let revise = commands::revise_goal(SUBJECT_GOAL, own, scale_from(5));
    world.does(TEACHER, (YEAR_PLAN, revise));
    // Another edition changes nothing of the goals.
    for number in 1..=7 {
        let retired = CatalogueEvent::ItemRetired { item: part(number) };
        world.record((CATALOGUE, retired).into());
    }
    let Some(Aggregate::YearPlan(plan)) = world.state(YEAR_PLAN) else {
        panic!()
    };
    let scale = |goal| plan.goals[&goal].present().unwrap().scale.clone();
    let expected = |name, levels: [&str; 2]| Scale {
        title: title(name),
        levels: levels.map(title).into(),
    };
    assert_eq!(
        scale(OTHER_GOAL),
        expected("Forståelse", ["På vej", "Sikkert"])
    );
    // One level has no score: so the publisher's order counts.
    assert_eq!(
        scale(SUBJECT_GOAL),
        expected("Tempo", ["Langsomt", "Hurtigt"])
    );
}

#[test]
fn a_rubric_is_a_scale_if_all_its_criteria_have_the_same_levels() {
    let world = Memory::of(a_catalogue_with_a_rubric());
    let Some(Aggregate::Catalogue(catalogue)) = world.state(CATALOGUE) else {
        panic!()
    };
    let scales = catalogue.scales();
    assert_eq!(scales.ids().collect::<Vec<_>>(), [1, 2, 5].map(part));
    assert_eq!(scales.scale(part(1)), None);
    assert_eq!(scales.scale(ITEM), None);
    assert_eq!(scales.assessed_by(part(1)), [ITEM].into());
    assert_eq!(scales.assessed_by(part(5)), [].into());
    let mut alike = catalogue.clone();
    alike.items.retain(|id, _| *id != part(5));
    let scale = alike.scales().scale(part(1)).unwrap();
    assert_eq!(scale.title, title("Læsescreening"));
    assert_eq!(scale.levels, ["På vej", "Sikkert"].map(title));
}

#[test]
fn a_revised_goal_keeps_every_revision() {
    let two_levels = Scale {
        title: title("Ja eller nej"),
        levels: vec![title("Nej"), title("Ja")],
    };
    let revise = revise_goal(SUBJECT_GOAL, "Finder tema og motiv", two_levels.clone());
    let after = given(a_year_plan())
        .when(
            TEACHER,
            (
                YEAR_PLAN,
                revise_goal(SUBJECT_GOAL, "Kan finde temaet", scale()),
            ),
        )
        .then_nothing()
        .when(TEACHER, (YEAR_PLAN, revise.clone()))
        .then([events::goal_revised(
            SUBJECT_GOAL,
            Wording::Own {
                text: text("Finder tema og motiv"),
            },
            two_levels.clone(),
        )])
        .when(TEACHER, (YEAR_PLAN, revise))
        .then_nothing();
    let goal = &state(&after).goals[&SUBJECT_GOAL];
    let own = |words: &str| Wording::Own { text: text(words) };
    let first = GoalRevision {
        wording: own("Kan finde temaet"),
        scale: scale(),
    };
    let second = GoalRevision {
        wording: own("Finder tema og motiv"),
        scale: two_levels,
    };
    assert_eq!(goal.revision(), 2);
    assert_eq!((goal.at(0), goal.at(3)), (None, None));
    assert_eq!((goal.at(1), goal.at(2)), (Some(&first), Some(&second)));
}

#[test]
fn a_retired_goal_stays_where_it_is() {
    let after = given(a_year_plan())
        .when(TEACHER, (YEAR_PLAN, retire_goal(SUBJECT_GOAL)))
        .then([events::goal_retired(SUBJECT_GOAL)]);
    let plan = state(&after);
    assert!(plan.goals[&SUBJECT_GOAL].retired);
    assert!(plan.unit(UNIT).unwrap().goals.contains(&SUBJECT_GOAL));
}

pub(super) fn refusals() -> Vec<Reason> {
    let unknown = UnitId::from_bytes([1; 16]);
    let retired = events::goal_retired(SUBJECT_GOAL);
    let words = "Kan finde temaet";
    let mut seen = refusals! {
        given(a_year_plan()), TEACHER, (YEAR_PLAN, add_goal(unknown, OTHER_GOAL))
            => UnitNotFound at Unit;
        given(a_year_plan()).and((YEAR_PLAN, unit_deleted())), TEACHER,
            (YEAR_PLAN, add_goal(UNIT, OTHER_GOAL)) => UnitDeleted at Unit;
        given(a_year_plan()), TEACHER, (YEAR_PLAN, add_goal(UNIT, SUBJECT_GOAL))
            => AlreadyExists at Goal;
    };
    // A goal that is not there, out of use or in a deleted unit is neither revised nor retired.
    for (command, field) in [
        (revise_goal(SUBJECT_GOAL, words, scale()), Field::Goal),
        (retire_goal(SUBJECT_GOAL), Field::Goal),
    ] {
        let field = Some(field);
        seen.extend([
            given(a_combined_year_plan())
                .when(TEACHER, (COMBINED, command.clone()))
                .then_refused(Reason::GoalNotFound, field),
            given(a_year_plan())
                .and((YEAR_PLAN, retired.clone()))
                .when(TEACHER, (YEAR_PLAN, command.clone()))
                .then_refused(Reason::GoalRetired, field),
            given(a_year_plan())
                .and((YEAR_PLAN, unit_deleted()))
                .when(TEACHER, (YEAR_PLAN, command))
                .then_refused(Reason::UnitDeleted, field),
        ]);
    }
    // A scale has two to ten levels, no two alike.
    let levels = |count: usize| (0..count).map(|n| title(&format!("Trin {n}"))).collect();
    for levels in [
        levels(0),
        levels(1),
        levels(11),
        vec![title("Ja"), title("Nej"), title("Ja")],
    ] {
        let scale = Scale {
            title: title("Målestok"),
            levels,
        };
        let mut details = chosen_goal(GoalKind::Subject, words);
        details.scale = scale.clone().into();
        let add = commands::add_goal(UNIT, OTHER_GOAL, details);
        seen.extend(refusals! {
            given(a_year_plan()), TEACHER, (YEAR_PLAN, add) => ScaleInvalid at DetailsScaleLevels;
            given(a_year_plan()), TEACHER, (YEAR_PLAN, revise_goal(SUBJECT_GOAL, words, scale))
                => ScaleInvalid at ScaleLevels;
        });
    }
    seen.extend(catalogue_refusals());
    seen
}

/// A goal takes its words from an item that is in use.
fn catalogue_refusals() -> Vec<Reason> {
    let add = |item| {
        let mut details = chosen_goal(GoalKind::Subject, "unused");
        details.wording = from_catalogue(item);
        commands::add_goal(UNIT, OTHER_GOAL, details)
    };
    let revise = commands::revise_goal(SUBJECT_GOAL, from_catalogue(OTHER_ITEM), scale());
    let mut scaled = chosen_goal(GoalKind::Subject, "Læser");
    scaled.scale = scale_from(1);
    let scaled = commands::add_goal(UNIT, OTHER_GOAL, scaled);
    let own = || WordingChoice::Own { text: text("Kan") };
    let with_rubric = || given([a_year_plan(), a_catalogue_with_a_rubric()].concat());
    let with_catalogue = || given([a_year_plan(), a_catalogue()].concat());
    refusals! {
        given(a_year_plan()), TEACHER, (YEAR_PLAN, add(ITEM))
            => CatalogueNotFound at DetailsWording;
        with_catalogue(), TEACHER, (YEAR_PLAN, add(OTHER_ITEM))
            => CatalogueItemNotFound at DetailsWording;
        with_catalogue().and((CATALOGUE, CatalogueEvent::ItemRetired { item: ITEM })), TEACHER,
            (YEAR_PLAN, add(ITEM)) => CatalogueItemNotFound at DetailsWording;
        with_catalogue(), TEACHER, (YEAR_PLAN, revise) => CatalogueItemNotFound at Wording;
        given(a_year_plan()), TEACHER, (YEAR_PLAN, scaled.clone())
            => CatalogueNotFound at DetailsCatalogueScale;
        with_catalogue(), TEACHER, (YEAR_PLAN, scaled.clone())
            => CatalogueItemNotFound at DetailsCatalogueScale;
        with_rubric(), TEACHER, (YEAR_PLAN, scaled) => ScaleInvalid at DetailsCatalogueScale;
        with_rubric(), TEACHER,
            (YEAR_PLAN, commands::revise_goal(SUBJECT_GOAL, own(), scale_from(3)))
            => ScaleInvalid at CatalogueScale;
    }
}
