use planledger_core::domain::plan::{Audience, Item, PlanCommand, PlanEvent, Section, UnitRef};
use planledger_core::domain::year_plan::YearPlanEvent;
use planledger_core::domain::{Actor, Field, Reason};
use planledger_fixtures::commands;
use planledger_fixtures::events;

use super::{state, withdrawn};
use crate::domain::harness::{given, plan, refusals};
use planledger_fixtures::school::*;
use planledger_fixtures::{Fact, Memory};

const ANOTHER: UnitRef = unit_in(YEAR_PLAN, OTHER_UNIT);

/// The plan, whose year plan has another unit that it does not include.
fn a_plan_and_another_unit() -> Vec<Fact> {
    let mut facts = a_plan();
    let added = events::unit_added(OTHER_UNIT, unit_details("Eventyr"));
    facts.push((YEAR_PLAN, added).into());
    facts
}

fn unit_deleted(unit: planledger_core::ids::UnitId) -> YearPlanEvent {
    YearPlanEvent::UnitDeleted { unit, reason: None }
}

#[test]
fn units_are_included_and_excluded() {
    let after = given(a_plan_and_another_unit())
        .when(TEACHER, plan(PlanCommand::IncludeUnit(ANOTHER)))
        .then([PlanEvent::UnitIncluded(ANOTHER)])
        .when(TEACHER, plan(PlanCommand::IncludeUnit(ANOTHER)))
        .then_nothing()
        .when(TEACHER, plan(PlanCommand::ExcludeUnit(THE_UNIT)))
        .then([PlanEvent::UnitExcluded(THE_UNIT)]);
    assert_eq!(state(&after).units, [ANOTHER]);
}

#[test]
fn an_included_unit_stays_included_and_can_be_excluded_when_it_is_deleted() {
    given(a_plan())
        .and((YEAR_PLAN, unit_deleted(UNIT)))
        .when(TEACHER, plan(PlanCommand::IncludeUnit(THE_UNIT)))
        .then_nothing()
        .when(TEACHER, plan(PlanCommand::ExcludeUnit(THE_UNIT)))
        .then([PlanEvent::UnitExcluded(THE_UNIT)]);
}

#[test]
fn sections_are_shown_and_hidden() {
    for section in [Section::Status, Section::Goals, Section::FollowUp] {
        given(a_plan())
            .when(TEACHER, plan(PlanCommand::HideSection { section }))
            .then_nothing()
            .when(TEACHER, plan(PlanCommand::ShowSection { section }))
            .then([PlanEvent::SectionShown { section }])
            .when(TEACHER, plan(PlanCommand::ShowSection { section }))
            .then_nothing()
            .when(TEACHER, plan(PlanCommand::HideSection { section }))
            .then([PlanEvent::SectionHidden { section }]);
    }
}

#[test]
fn items_are_shown_and_hidden_by_themselves() {
    let recorded = events::talk_recorded(TALK, talk("Aftalt"));
    for item in [
        Item::Goal(SUBJECT_GOAL),
        Item::Evaluation(EVALUATION),
        Item::Talk(TALK),
    ] {
        let after = given(a_plan())
            .and(evaluated(EVALUATION, SUBJECT_GOAL, 2))
            .and((PLAN, recorded.clone()))
            .when(TEACHER, plan(PlanCommand::ShowItem { item }))
            .then([PlanEvent::ItemShown { item }])
            .when(TEACHER, plan(PlanCommand::ShowItem { item }))
            .then_nothing()
            // To hide an item that was never shown is something to record: it overrides its
            // section.
            .when(TEACHER, plan(PlanCommand::HideItem { item }))
            .then([PlanEvent::ItemHidden { item }])
            .when(TEACHER, plan(PlanCommand::HideItem { item }))
            .then_nothing();
        assert_eq!(state(&after).item_shown(item), Some(false));
    }
}

#[test]
fn status_is_written_over_and_the_former_text_stays_in_the_history() {
    let write = |words| PlanCommand::WriteStatus { text: text(words) };
    let written = |words| PlanEvent::StatusWritten { text: text(words) };
    let after = given(a_plan())
        .when(TEACHER, plan(write("Læser flydende")))
        .then([written("Læser flydende")])
        .when(PEDAGOGUE, plan(write("Læser flydende")))
        .then_nothing()
        .when(PEDAGOGUE, plan(write("Læser flydende og med lyst")))
        .then([written("Læser flydende og med lyst")]);
    let status = state(&after).status.unwrap();
    assert_eq!(status.text, text("Læser flydende og med lyst"));
    assert_eq!(status.by, Actor::Person(PEDAGOGUE));
    let world: Memory = after.world();
    let last = world.recorded().last().unwrap().meta.recorded_at;
    assert_eq!(status.at, last);
    let texts = world.recorded().iter().filter(|recorded| {
        recorded.event == planledger_core::domain::Event::Plan(written("Læser flydende"))
    });
    assert_eq!(texts.count(), 1);
}

#[test]
fn follow_up_is_written_with_a_day_or_without() {
    let write = |words, follow_up_on| commands::write_follow_up(text(words), follow_up_on);
    let written = |words, follow_up_on| events::follow_up_written(text(words), follow_up_on);
    let spring = Some(day(3, 1));
    let after = given(a_plan())
        .when(TEACHER, plan(write("Taler med forældrene", None)))
        .then([written("Taler med forældrene", None)])
        .when(TEACHER, plan(write("Taler med forældrene", spring)))
        .then([written("Taler med forældrene", spring)])
        .when(TEACHER, plan(write("Taler med forældrene", spring)))
        .then_nothing();
    assert_eq!(state(&after).follow_up_on, spring);
}

#[test]
fn a_plan_is_shared_and_unshared() {
    given(a_plan())
        .when(TEACHER, plan(PlanCommand::Unshare))
        .then_nothing()
        .when(TEACHER, plan(PlanCommand::Share))
        .then([PlanEvent::Shared {}])
        .when(TEACHER, plan(PlanCommand::Share))
        .then_nothing()
        .when(TEACHER, plan(PlanCommand::Unshare))
        .then([PlanEvent::Unshared {}]);
}

#[test]
fn each_audience_has_a_gate_of_its_own() {
    let set = |audience, visible| PlanCommand::SetVisibility { audience, visible };
    let was_set = |audience, visible| PlanEvent::VisibilitySet { audience, visible };
    for audience in Audience::ALL {
        let after = given(a_plan())
            .when(TEACHER, plan(set(audience, false)))
            .then_nothing()
            .when(TEACHER, plan(set(audience, true)))
            .then([was_set(audience, true)])
            .when(TEACHER, plan(set(audience, true)))
            .then_nothing();
        assert_eq!(state(&after).visible_to, [audience].into());
        after
            .when(TEACHER, plan(set(audience, false)))
            .then([was_set(audience, false)]);
    }
}

#[test]
fn what_changes_nothing_does_not_count_as_a_change() {
    let before = given(a_plan());
    let changed_at = state(&before).changed_at;
    let after = before
        .when(TEACHER, plan(PlanCommand::Unshare))
        .then_nothing();
    assert_eq!(state(&after).changed_at, changed_at);
    let after = after
        .when(TEACHER, plan(PlanCommand::Share))
        .then([PlanEvent::Shared {}]);
    assert!(state(&after).changed_at > changed_at);
    assert!(state(&after).opened_at < changed_at);
}

pub(super) fn refusals() -> Vec<Reason> {
    let elsewhere = unit_in(OTHER_YEAR_PLAN, UNIT);
    let mut seen = refusals! {
        // New units come from the plan's own year plan.
        given(a_plan()), TEACHER, plan(PlanCommand::IncludeUnit(elsewhere))
            => UnitOfAnotherYearPlan at UnitRefYearPlan;
        given(a_plan()), TEACHER, plan(PlanCommand::IncludeUnit(ANOTHER))
            => UnitNotFound at UnitRefUnit;
        given(a_plan_and_another_unit()).and((YEAR_PLAN, unit_deleted(OTHER_UNIT))), TEACHER,
            plan(PlanCommand::IncludeUnit(ANOTHER)) => UnitDeleted at UnitRefUnit;
        given(a_plan_and_another_unit()), TEACHER, plan(PlanCommand::ExcludeUnit(ANOTHER))
            => UnitNotIncluded at UnitRef;
    };
    // Only what is in the plan is shown or hidden.
    for (item, reason) in [
        (Item::Goal(OTHER_GOAL), Reason::GoalNotFound),
        (Item::Evaluation(EVALUATION), Reason::EvaluationNotFound),
        (Item::Talk(TALK), Reason::TalkNotFound),
    ] {
        seen.extend([
            given(a_plan())
                .when(TEACHER, plan(PlanCommand::ShowItem { item }))
                .then_refused(reason, Some(Field::Item)),
            given(a_plan())
                .when(TEACHER, plan(PlanCommand::HideItem { item }))
                .then_refused(reason, Some(Field::Item)),
        ]);
    }
    // A goal of a unit that was taken out is not in the plan.
    let item = Item::Goal(SUBJECT_GOAL);
    seen.extend(refusals! {
        given(a_plan()).and((PLAN, PlanEvent::UnitExcluded(THE_UNIT))), TEACHER,
            plan(PlanCommand::ShowItem { item }) => GoalNotFound at Item;
    });
    seen.extend(refusals! {
        given(a_plan()).and((PLAN, withdrawn())), TEACHER, plan(PlanCommand::Share)
            => PlanWithdrawn;
    });
    seen
}
