use planledger_core::domain::catalogue::CatalogueEvent;
use planledger_core::domain::year_plan::{GoalKind, GoalRevision, Scale, Wording, WordingChoice};
use planledger_core::domain::{Aggregate, Field, Reason};
use planledger_core::ids::{CatalogueItemId, UnitId};
use planledger_fixtures::commands;
use planledger_fixtures::events;

use super::{a_combined_year_plan, add_goal, retire_goal, revise_goal, state, unit_deleted};
use crate::domain::harness::{given, refusals};
use planledger_fixtures::Memory;
use planledger_fixtures::school::*;

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
        details.scale = scale.clone();
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
    let with_catalogue = || given([a_year_plan(), a_catalogue()].concat());
    refusals! {
        given(a_year_plan()), TEACHER, (YEAR_PLAN, add(ITEM))
            => CatalogueNotFound at DetailsWording;
        with_catalogue(), TEACHER, (YEAR_PLAN, add(OTHER_ITEM))
            => CatalogueItemNotFound at DetailsWording;
        with_catalogue().and((CATALOGUE, CatalogueEvent::ItemRetired { item: ITEM })), TEACHER,
            (YEAR_PLAN, add(ITEM)) => CatalogueItemNotFound at DetailsWording;
        with_catalogue(), TEACHER, (YEAR_PLAN, revise) => CatalogueItemNotFound at Wording;
    }
}
