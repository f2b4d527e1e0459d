//! What a revert brings back, and what it leaves.

use jiff::civil::date;
use planledger_core::domain::plan::{
    Item, PlanCommand, PlanEvent, Reverted, Stay, Stays, WrittenContent,
};
use planledger_core::domain::{Actor, Command, Reason};
use planledger_fixtures::commands;
use planledger_fixtures::events;
use proptest::prelude::*;

use crate::plans::histories::{Step, steps};
use crate::plans::school::{
    COLLEAGUE, GOALS, PLAN, STUDENT, SYSTEM, SchoolInMemory, TEACHER, UNITS, assessment,
    evaluation_id, status, talk, talk_id, text,
};

fn evaluate(school: &mut SchoolInMemory, actor: Actor, id: u8, comment: &str) {
    let (goal, unit, _) = GOALS[1];
    let record =
        commands::record_evaluation(evaluation_id(id), UNITS[unit], goal, assessment(1, comment));
    school.on_plan(actor, record);
}

fn correct(school: &mut SchoolInMemory, actor: Actor, id: u8, comment: &str) {
    let correct = commands::correct_evaluation(evaluation_id(id), assessment(2, comment));
    school.on_plan(actor, correct);
}

#[test]
fn a_status_comes_back_behind_a_marker_that_says_to_when_and_why() {
    let mut school = SchoolInMemory::new();
    school.on_plan(TEACHER, status("begynder at læse"));
    let revert = school.revert_to_here();
    school.on_plan(TEACHER, status("om en anden elev"));
    let events = school.revert(COLLEAGUE, &revert);
    let marker = PlanEvent::Reverted {
        to: revert.to,
        reason: revert.reason.clone(),
    };
    let written = PlanEvent::StatusWritten {
        text: text("begynder at læse"),
    };
    assert_eq!(events, [marker, written]);
    let now = school.plan().status.clone().unwrap();
    assert_eq!((now.text, now.by), (text("begynder at læse"), COLLEAGUE));
}

#[test]
fn what_was_not_written_then_is_cleared() {
    let mut school = SchoolInMemory::new();
    let revert = school.revert_to_here();
    school.on_plan(TEACHER, status("om en anden elev"));
    let follow_up = commands::write_follow_up(text("tal med hjemmet"), Some(date(2026, 12, 1)));
    school.on_plan(TEACHER, follow_up);
    let events = school.revert(TEACHER, &revert);
    let cleared = [PlanEvent::StatusCleared {}, PlanEvent::FollowUpCleared {}];
    assert_eq!(events[1..], cleared);
    let plan = school.plan();
    assert_eq!(
        (&plan.status, &plan.follow_up, plan.follow_up_on),
        (&None, &None, None)
    );
}

#[test]
fn a_cleared_text_comes_back() {
    let mut school = SchoolInMemory::new();
    school.on_plan(TEACHER, status("begynder at læse"));
    let revert = school.revert_to_here();
    let cleared = school.on_plan(TEACHER, PlanCommand::ClearStatus);
    assert_eq!(cleared, [PlanEvent::StatusCleared {}]);
    assert_eq!(school.on_plan(TEACHER, PlanCommand::ClearStatus), []);
    school.revert(TEACHER, &revert);
    let now = school.plan().status.clone().unwrap();
    assert_eq!(now.text, text("begynder at læse"));
}

#[test]
fn the_day_of_a_follow_up_comes_back_though_its_text_is_the_same() {
    let mut school = SchoolInMemory::new();
    let write = |day| commands::write_follow_up(text("tal med hjemmet"), day);
    school.on_plan(TEACHER, write(Some(date(2026, 12, 1))));
    let revert = school.revert_to_here();
    school.on_plan(TEACHER, write(None));
    let events = school.revert(TEACHER, &revert);
    let written = events::follow_up_written(text("tal med hjemmet"), Some(date(2026, 12, 1)));
    assert_eq!(events[1..], [written]);
}

#[test]
fn corrections_since_are_corrected_back_with_the_reason() {
    let mut school = SchoolInMemory::new();
    evaluate(&mut school, TEACHER, 1, "godt på vej");
    let record = commands::record_talk(talk_id(1), talk(3, "aftalt læselog"));
    school.on_plan(TEACHER, record);
    let revert = school.revert_to_here();
    correct(&mut school, TEACHER, 1, "i mål");
    let rewrite = commands::correct_talk(talk_id(1), talk(4, "aftalt noget andet"));
    school.on_plan(TEACHER, rewrite);
    let reason = Some(revert.reason.clone());
    let events = school.revert(COLLEAGUE, &revert);
    let evaluation = PlanEvent::EvaluationCorrected {
        evaluation: evaluation_id(1),
        assessment: assessment(1, "godt på vej"),
        reason: reason.clone(),
    };
    let talk = PlanEvent::TalkCorrected {
        talk: talk_id(1),
        details: talk(3, "aftalt læselog"),
        reason,
    };
    assert_eq!(events[1..], [evaluation, talk]);
}

#[test]
fn what_was_recorded_since_stays_and_is_named() {
    let mut school = SchoolInMemory::new();
    let revert = school.revert_to_here();
    evaluate(&mut school, TEACHER, 1, "godt på vej");
    let record = commands::record_talk(talk_id(1), talk(3, "aftalt læselog"));
    school.on_plan(TEACHER, record);
    school.on_plan(TEACHER, status("om en anden elev"));
    let weighed = school.weigh(TEACHER, &revert);
    let stays = [Item::Evaluation(evaluation_id(1)), Item::Talk(talk_id(1))].map(|item| Stay {
        item,
        why: Stays::RecordedSince,
    });
    assert_eq!(weighed.stays, stays);
    school.revert(TEACHER, &revert);
    assert_eq!(school.plan().evaluations.len(), 1);
    assert_eq!(school.plan().talks.len(), 1);
    assert_eq!(school.plan().status, None);
}

#[test]
fn nobody_takes_back_what_the_other_side_corrected() {
    let mut school = SchoolInMemory::new();
    evaluate(&mut school, TEACHER, 1, "godt på vej");
    evaluate(&mut school, STUDENT, 2, "svært");
    let record = commands::record_talk(talk_id(1), talk(3, "aftalt læselog"));
    school.on_plan(TEACHER, record);
    let revert = school.revert_to_here();
    correct(&mut school, TEACHER, 1, "i mål");
    correct(&mut school, STUDENT, 2, "let");
    let rewrite = commands::correct_talk(talk_id(1), talk(4, "aftalt noget andet"));
    school.on_plan(TEACHER, rewrite);
    let stay = |item, why| Stay { item, why };
    let of = |id| Item::Evaluation(evaluation_id(id));
    let talk = stay(Item::Talk(talk_id(1)), Stays::HeldByStaff);
    for (actor, changed, stays) in [
        (TEACHER, vec![1], vec![stay(of(2), Stays::OfAnotherSide)]),
        (
            STUDENT,
            vec![2],
            vec![stay(of(1), Stays::OfAnotherSide), talk],
        ),
        (
            SYSTEM,
            vec![],
            vec![
                stay(of(1), Stays::OfAnotherSide),
                stay(of(2), Stays::OfAnotherSide),
                talk,
            ],
        ),
    ] {
        let weighed = school.weigh(actor, &revert);
        let evaluations = weighed.changes.iter().filter_map(|change| match change {
            Reverted::Evaluation { id, .. } => Some(*id),
            _ => None,
        });
        let expected: Vec<_> = changed.into_iter().map(evaluation_id).collect();
        assert_eq!(evaluations.collect::<Vec<_>>(), expected, "{actor}");
        assert_eq!(weighed.stays, stays, "{actor}");
        // What is decided is what was weighed: one event each, and the marker if there are any.
        let events = school.clone().revert(actor, &revert);
        let marker = usize::from(!weighed.changes.is_empty());
        assert_eq!(events.len(), weighed.changes.len() + marker, "{actor}");
    }
}

#[test]
fn nothing_to_change_is_nothing_recorded() {
    let mut school = SchoolInMemory::new();
    school.on_plan(TEACHER, status("begynder at læse"));
    let revert = school.revert_to_here();
    school.on_plan(TEACHER, PlanCommand::Share);
    assert_eq!(school.revert(TEACHER, &revert), []);
    assert!(school.plan().shared, "only what is written is brought back");
}

#[test]
fn a_withdrawn_plan_is_restored_first() {
    let mut school = SchoolInMemory::new();
    let revert = school.revert_to_here();
    school.on_plan(TEACHER, status("om en anden elev"));
    school.on_plan(TEACHER, PlanCommand::Withdraw { reason: None });
    let command = Command::Plan(PLAN, PlanCommand::Revert(Box::new(revert)));
    let refusal = school.act(TEACHER, &command).unwrap_err();
    assert_eq!(refusal.reason, Reason::PlanWithdrawn);
}

proptest! {
    /// Whatever happened: after a revert everything that the actor may bring back reads as it did,
    /// nothing that was recorded is gone, and a second revert finds nothing to do.
    #[test]
    fn a_revert_brings_back_all_it_may_and_loses_nothing(
        before in steps(40), since in steps(20), by_student: bool,
    ) {
        let mut school = SchoolInMemory::new();
        before.iter().for_each(|step: &Step| step.take(&mut school));
        let revert = school.revert_to_here();
        since.iter().for_each(|step: &Step| step.take(&mut school));
        if school.plan().withdrawn {
            school.on_plan(COLLEAGUE, PlanCommand::Restore);
        }
        let actor = if by_student { STUDENT } else { COLLEAGUE };
        let weighed = school.weigh(actor, &revert);
        let earlier = school.plan().clone();
        let events = school.revert(actor, &revert);
        prop_assert_eq!(events.is_empty(), weighed.changes.is_empty());
        let now = school.plan();
        let written = WrittenContent::of(now);
        prop_assert_eq!(&written.status, &revert.then.status);
        prop_assert_eq!(&written.follow_up, &revert.then.follow_up);
        let stays = |item| weighed.stays.iter().any(|stay| stay.item == item);
        for made in &earlier.evaluations {
            let then = revert.then.evaluations.get(&made.id);
            let expected = match stays(Item::Evaluation(made.id)) {
                true => &made.assessment,
                false => then.unwrap(),
            };
            prop_assert_eq!(&written.evaluations[&made.id], expected);
        }
        for (id, talk) in &earlier.talks {
            let then = revert.then.talks.get(id);
            let expected = match stays(Item::Talk(*id)) {
                true => &talk.details,
                false => then.unwrap(),
            };
            prop_assert_eq!(&written.talks[id], expected);
        }
        // Gates, units and owner are not written content.
        let mut others = earlier.clone();
        others.status = now.status.clone();
        others.follow_up = now.follow_up.clone();
        others.follow_up_on = now.follow_up_on;
        others.evaluations = now.evaluations.clone();
        others.talks = now.talks.clone();
        others.changed_at = now.changed_at;
        others.worked_on_before = now.worked_on_before;
        prop_assert_eq!(&others, now);
        prop_assert!(school.weigh(actor, &revert).changes.is_empty());
        prop_assert_eq!(school.revert(actor, &revert), []);
    }
}
