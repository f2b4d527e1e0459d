//! What differs between two views.

use planledger_fixtures::commands;
use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::civil::date;
use planledger_core::domain::plan::{Audience, Item, PlanCommand, Section};
use planledger_core::domain::team::TeamCommand;
use planledger_core::domain::view::{About, Change, DeletionView, Fact, PlanView, Viewer, diff};
use planledger_core::domain::year_plan::Wording;
use planledger_core::domain::{Actor, Command, Deletion};
use planledger_core::ids::{PersonId, PlanId, YearPlanId};
use planledger_core::time::Timestamp;
use proptest::prelude::*;

use crate::plans::histories::{Step, VIEWERS, steps, views};
use crate::plans::school::{
    COLLEAGUE_ID, GOALS, SchoolInMemory, TEACHER, TEAM, UNITS, assessment, evaluation_id, scale,
    status, talk, talk_id, text,
};

fn staff(school: &SchoolInMemory) -> PlanView {
    school.view(Viewer::Staff).unwrap()
}

fn about(changes: &[Change]) -> Vec<About> {
    let facts = changes.iter().map(|change| {
        let fact = change.is.as_ref().or(change.was.as_ref());
        fact.expect("a change is about something").about()
    });
    facts.collect()
}

/// A plan with something in every place.
fn full() -> SchoolInMemory {
    let mut school = SchoolInMemory::new();
    let (goal, unit, _) = GOALS[1];
    for command in [
        status("begynder at læse"),
        commands::write_follow_up(text("tal med hjemmet"), Some(date(2026, 12, 1))),
        commands::record_evaluation(
            evaluation_id(1),
            UNITS[unit],
            goal,
            assessment(1, "godt på vej"),
        ),
        commands::record_talk(talk_id(1), talk(3, "aftalt læselog")),
        PlanCommand::Share,
        commands::set_visibility(Audience::Guardians, true),
        PlanCommand::ShowSection {
            section: Section::Status,
        },
    ] {
        school.on_plan(TEACHER, command);
    }
    school
}

#[test]
fn a_rewritten_status_is_one_change_with_both_texts() {
    let mut school = full();
    let was = staff(&school);
    school.on_plan(TEACHER, status("læser med lyst"));
    let is = staff(&school);
    let change = Change {
        was: was.status.clone().map(Fact::Status),
        is: is.status.clone().map(Fact::Status),
    };
    assert_eq!(diff(Some(&was), Some(&is)), [change]);
}

#[test]
fn guardians_see_no_difference_in_what_they_do_not_see() {
    let mut school = full();
    let guardians = Viewer::Audience(Audience::Guardians);
    let was = school.view(guardians).unwrap();
    let write = commands::write_follow_up(text("kun for personalet"), None);
    school.on_plan(TEACHER, write);
    let is = school.view(guardians).unwrap();
    assert_ne!(was.changed_at, is.changed_at);
    assert_eq!(diff(Some(&was), Some(&is)), []);
}

#[test]
fn a_plan_that_comes_into_sight_is_new_in_all_it_shows() {
    let school = full();
    let view = staff(&school);
    let changes = diff(None, Some(&view));
    assert!(changes.iter().all(|change| change.was.is_none()));
    assert_eq!(about(&changes)[0], About::Plan);
    let gone = diff(Some(&view), None);
    assert!(gone.iter().all(|change| change.is.is_none()));
    assert_eq!(about(&changes), about(&gone));
    assert_eq!(diff(None, None), []);
}

#[test]
fn what_is_gone_stands_where_it_stood() {
    let mut school = full();
    let was = staff(&school);
    school.on_plan(TEACHER, PlanCommand::ExcludeUnit(UNITS[0]));
    school.on_plan(TEACHER, status("læser med lyst"));
    let write = commands::write_follow_up(text("tal med hjemmet igen"), None);
    school.on_plan(TEACHER, write);
    let guardians = |view: &PlanView| PlanView {
        units: view.units.iter().filter(|u| u.included).cloned().collect(),
        ..view.clone()
    };
    let (was, is) = (guardians(&was), guardians(&staff(&school)));
    let (first, unit, _) = GOALS[0];
    let (second, _, _) = GOALS[1];
    let expected = [
        About::Status,
        About::Unit(UNITS[unit]),
        About::Goal(UNITS[unit], first),
        About::Goal(UNITS[unit], second),
        About::Evaluation(evaluation_id(1)),
        About::FollowUp,
        About::FollowUpOn,
    ];
    assert_eq!(about(&diff(Some(&was), Some(&is))), expected);
}

#[test]
fn units_that_changed_places_are_named_once() {
    let mut school = full();
    let was = staff(&school);
    school.on_plan(TEACHER, PlanCommand::ExcludeUnit(UNITS[0]));
    school.on_plan(TEACHER, PlanCommand::IncludeUnit(UNITS[0]));
    let changes = diff(Some(&was), Some(&staff(&school)));
    let order = Change {
        was: Some(Fact::UnitOrder(vec![UNITS[0], UNITS[1]])),
        is: Some(Fact::UnitOrder(vec![UNITS[1], UNITS[0]])),
    };
    assert_eq!(changes, [order]);
}

#[test]
fn a_deleted_team_is_a_difference_and_nothing_else_is() {
    let mut school = full();
    let was = staff(&school);
    let delete = TeamCommand::Delete { reason: None };
    school.act(TEACHER, &Command::Team(TEAM, delete)).unwrap();
    let changes = diff(Some(&was), Some(&staff(&school)));
    assert_eq!(about(&changes), [About::Team]);
}

/// A way to change a view, and what a difference then has to name.
type Twist = (About, fn(&mut PlanView));

/// Every field of a view and of what is in it, changed by itself.
fn twists() -> Vec<Twist> {
    fn deleted() -> Option<DeletionView> {
        let deletion = Deletion {
            at: Timestamp::from_nanos(1),
            by: Actor::Person(COLLEAGUE_ID),
            reason: None,
        };
        Some(DeletionView::of(&deletion, Viewer::Staff))
    }
    const SOMEBODY: PersonId = PersonId::from_bytes([0xEE; 16]);
    const BY: Actor = Actor::Person(SOMEBODY);
    let (goal, unit, _) = GOALS[1];
    let goal = About::Goal(UNITS[unit], goal);
    let unit = About::Unit(UNITS[unit]);
    let made = About::Evaluation(evaluation_id(1));
    let talk = About::Talk(talk_id(1));
    vec![
        (About::Plan, |v| v.id = PlanId::from_bytes([1; 16])),
        (About::Plan, |v| v.student = SOMEBODY),
        (About::Plan, |v| v.student_name = None),
        (About::Plan, |v| v.opened_at = v.opened_at.plus(1)),
        (About::YearPlan, |v| {
            v.year_plan.id = YearPlanId::from_bytes([1; 16]);
        }),
        (About::YearPlan, |v| v.year_plan.title = None),
        (About::YearPlan, |v| v.year_plan.owner = None),
        (About::YearPlan, |v| v.year_plan.deleted = deleted()),
        (About::YearPlan, |v| v.year_plan_details = None),
        (About::Team, |v| v.team = None),
        (About::Team, |v| {
            v.team.as_mut().unwrap().deleted = deleted()
        }),
        (About::Owner, |v| v.owner = SOMEBODY),
        (About::Owner, |v| v.owner_name = None),
        (About::Owner, |v| v.owner_departed = true),
        (About::Status, |v| v.status = None),
        (About::Status, |v| {
            v.status.as_mut().unwrap().text = text("x")
        }),
        (About::Status, |v| v.status.as_mut().unwrap().by = BY),
        (About::Status, |v| {
            v.status.as_mut().unwrap().at = Timestamp::from_nanos(1);
        }),
        (About::Status, |v| v.status.as_mut().unwrap().shown = false),
        (About::FollowUp, |v| {
            v.follow_up.as_mut().unwrap().shown = true
        }),
        (About::FollowUpOn, |v| v.follow_up_on = None),
        (About::FollowUpOn, |v| {
            v.follow_up_on = Some(date(2027, 1, 1))
        }),
        (About::Shared, |v| v.shared = false),
        (About::VisibleTo(Audience::Others), |v| {
            v.visible_to.insert(Audience::Others);
        }),
        (About::VisibleTo(Audience::Guardians), |v| {
            v.visible_to.remove(&Audience::Guardians);
        }),
        (About::SectionShown(Section::Goals), |v| {
            v.sections.insert(Section::Goals);
        }),
        (About::Withdrawn, |v| v.withdrawn = true),
        (unit, |v| v.units[0].details = None),
        (unit, |v| v.units[0].deleted = deleted()),
        (unit, |v| v.units[0].included = false),
        (unit, |v| drop(v.units.remove(0))),
        (goal, |v| v.units[0].goals[1].revision = 2),
        (goal, |v| v.units[0].goals[1].retired = true),
        (goal, |v| v.units[0].goals[1].shown = true),
        (goal, |v| {
            let mut scale = scale();
            scale.levels.pop();
            v.units[0].goals[1].scale = scale;
        }),
        (goal, |v| {
            v.units[0].goals[1].wording = Wording::Own { text: text("x") };
        }),
        (goal, |v| drop(v.units[0].goals.remove(1))),
        (made, |v| v.units[0].goals[1].evaluations.clear()),
        (made, |v| {
            v.units[0].goals[1].evaluations[0].assessment = assessment(2, "x");
        }),
        (made, |v| v.units[0].goals[1].evaluations[0].shown = true),
        (made, |v| {
            v.units[0].goals[1].evaluations[0].corrected_at = Some(Timestamp::from_nanos(1));
        }),
        (made, |v| {
            v.units[0].goals[1].evaluations[0].level_title = None;
        }),
        (talk, |v| v.talks.clear()),
        (talk, |v| v.talks[0].details.notes = text("x")),
        (talk, |v| v.talks[0].shown = true),
        (About::UnitOrder, |v| v.units.swap(0, 1)),
    ]
}

#[test]
fn every_part_of_a_view_is_compared() {
    let view = staff(&full());
    for (index, (expected, twist)) in twists().into_iter().enumerate() {
        let mut twisted = view.clone();
        twist(&mut twisted);
        for (was, is) in [(&view, &twisted), (&twisted, &view)] {
            let found = about(&diff(Some(was), Some(is)));
            assert!(found.contains(&expected), "twist {index}: {found:?}");
        }
    }
}

/// A view without what a difference leaves out.
fn seen(view: &Option<PlanView>) -> Option<PlanView> {
    view.clone().map(|view| PlanView {
        changed_at: Timestamp::default(),
        ..view
    })
}

/// Every fact of a view: a plan that comes into sight is new in all of them.
fn facts(view: Option<&PlanView>) -> HashMap<About, Fact> {
    let facts = diff(None, view).into_iter().filter_map(|change| change.is);
    facts.map(|fact| (fact.about(), fact)).collect()
}

/// Carries a difference out on facts.
fn carry_out(facts: &mut HashMap<About, Fact>, changes: &[Change]) {
    for change in changes {
        let about = about(std::slice::from_ref(change))[0];
        if about == About::UnitOrder {
            continue;
        }
        let before = match change.is.clone() {
            Some(fact) => facts.insert(about, fact),
            None => facts.remove(&about),
        };
        assert_eq!(before, change.was, "{about:?}");
    }
}

fn moments() -> impl Strategy<Value = [Vec<Step>; 3]> {
    // Little happens between them, so that often nothing differs.
    (steps(40), steps(4), steps(4)).prop_map(|(first, second, third)| [first, second, third])
}

proptest! {
    /// Of three moments of any history, through all eyes.
    #[test]
    fn a_difference_is_empty_exactly_when_the_same_is_seen_and_two_lead_as_far_as_one(
        history in moments(),
    ) {
        let mut school = SchoolInMemory::new();
        let moments = history.map(|steps| {
            steps.iter().for_each(|step| step.take(&mut school));
            views(&school)
        });
        for viewer in 0..VIEWERS.len() {
            let [first, second, third] = moments.each_ref().map(|views| views[viewer].as_ref());
            let one = diff(first, second);
            let two = diff(second, third);
            let both = diff(first, third);
            for (changes, was, is) in
                [(&one, first, second), (&two, second, third), (&both, first, third)]
            {
                let same = seen(&was.cloned()) == seen(&is.cloned());
                prop_assert_eq!(changes.is_empty(), same);
                prop_assert!(changes.iter().all(|change| change.was != change.is));
                let named: BTreeSet<_> = about(changes).iter().map(|a| format!("{a:?}")).collect();
                prop_assert_eq!(named.len(), changes.len(), "nothing is named twice");
                let back = diff(is, was);
                prop_assert_eq!(back.len(), changes.len());
                for Change { was, is } in back {
                    let forth = Change { was: is, is: was };
                    prop_assert!(changes.contains(&forth));
                }
            }
            let mut state = facts(first);
            carry_out(&mut state, &one);
            carry_out(&mut state, &two);
            prop_assert_eq!(&state, &facts(third));
            let named: HashSet<_> = about(&one).into_iter().chain(about(&two)).collect();
            let unit_named = named.iter().any(|about| matches!(about, About::Unit(_)));
            for about in about(&both) {
                // Units change places by being taken out and in again, maybe at the moment between.
                let order = about == About::UnitOrder && unit_named;
                prop_assert!(named.contains(&about) || order, "{:?}", about);
            }
        }
    }
}

#[test]
fn an_item_shown_by_itself_is_one_change() {
    let mut school = full();
    let was = staff(&school);
    let item = Item::Talk(talk_id(1));
    school.on_plan(TEACHER, PlanCommand::ShowItem { item });
    let changes = diff(Some(&was), Some(&staff(&school)));
    assert_eq!(about(&changes), [About::Talk(talk_id(1))]);
}
