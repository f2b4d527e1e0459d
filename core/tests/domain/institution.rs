use planledger_core::domain::Aggregate;
use planledger_core::domain::Reason;
use planledger_core::domain::institution::{
    GoalRef, InstitutionCommand, InstitutionEvent, SurveyDetails, SurveyForum,
};
use planledger_core::domain::year_plan::{GoalArea, GoalKind, Place, YearPlanEvent};
use planledger_core::ids::{GoalId, InstitutionId, SchoolYearId, YearPlanId};
use planledger_fixtures::{Fact, commands, events};

use crate::domain::harness::{Given, given, refusals};
use planledger_fixtures::school::*;

fn closed() -> InstitutionEvent {
    InstitutionEvent::Closed { reason: None }
}

fn put(called: &str, closed: bool) -> InstitutionCommand {
    commands::put_institution(institution_details(called), closed)
}

#[test]
fn an_institution_is_registered_once() {
    let details = institution_details("Nordvestskolen");
    given(vec![])
        .when(
            SYSTEM,
            (SCHOOL, InstitutionCommand::Register(details.clone())),
        )
        .then([InstitutionEvent::Registered(details)]);
}

#[test]
fn revising_records_a_change_and_nothing_if_there_is_none() {
    let mut details = institution_details("Nordvestskolen");
    let same = InstitutionCommand::Revise(details.clone());
    given(a_school())
        .when(LEADER, (SCHOOL, same))
        .then_nothing();
    details.code = Some(code("101123"));
    let revised = given(a_school())
        .when(
            LEADER,
            (SCHOOL, InstitutionCommand::Revise(details.clone())),
        )
        .then([InstitutionEvent::Revised(details.clone())]);
    let Aggregate::Institution(now) = revised.state(SCHOOL) else {
        panic!()
    };
    assert_eq!(now.details, details);
}

#[test]
fn closing_can_be_taken_back() {
    let reason = why("Lægges sammen med en anden skole");
    let close = InstitutionCommand::Close {
        reason: reason.clone(),
    };
    given(a_school())
        .when(LEADER, (SCHOOL, close))
        .then([InstitutionEvent::Closed { reason }])
        .when(LEADER, (SCHOOL, InstitutionCommand::Reopen))
        .then([InstitutionEvent::Reopened {}]);
}

#[test]
fn an_import_records_differences_only() {
    given(vec![])
        .when(SYSTEM, (SCHOOL, put("Nordvestskolen", true)))
        .then([
            InstitutionEvent::Registered(institution_details("Nordvestskolen")),
            closed(),
        ])
        .when(SYSTEM, (SCHOOL, put("Nordvestskolen", true)))
        .then_nothing()
        .when(SYSTEM, (SCHOOL, put("Nordvest Skole", false)))
        .then([
            InstitutionEvent::Revised(institution_details("Nordvest Skole")),
            InstitutionEvent::Reopened {},
        ])
        .when(SYSTEM, (SCHOOL, put("Nordvest Skole", false)))
        .then_nothing();
}

fn record(details: SurveyDetails) -> InstitutionCommand {
    commands::record_survey_discussion(DISCUSSION, details)
}

fn correct(details: SurveyDetails) -> InstitutionCommand {
    InstitutionCommand::CorrectSurveyDiscussion {
        discussion: DISCUSSION,
        details,
        reason: why("Forkert forum"),
    }
}

fn withdraw() -> InstitutionCommand {
    InstitutionCommand::WithdrawSurveyDiscussion {
        discussion: DISCUSSION,
        reason: None,
    }
}

fn discussed() -> InstitutionEvent {
    InstitutionEvent::SurveyDiscussed {
        discussion: DISCUSSION,
        details: survey_details("Aftalt"),
    }
}

fn withdrawn() -> InstitutionEvent {
    InstitutionEvent::SurveyDiscussionWithdrawn {
        discussion: DISCUSSION,
        reason: None,
    }
}

/// Facts with a wellbeing goal and an academic one.
fn with_goals() -> Vec<Fact> {
    let mut facts = a_plan();
    let mut details = goal(GoalKind::Reflection, "Kan være med i fællesskabet");
    details.area = GoalArea::Wellbeing;
    let added = events::goal_added(UNIT, OTHER_GOAL, details);
    facts.push((YEAR_PLAN, added).into());
    facts
}

fn naming(year_plan: YearPlanId, goal: GoalId) -> SurveyDetails {
    SurveyDetails {
        goals: [GoalRef { year_plan, goal }].into(),
        ..survey_details("Aftalt")
    }
}

#[test]
fn staff_of_the_institution_record_how_the_survey_was_discussed_in_each_forum() {
    for actor in [LEADER, TEACHER, PEDAGOGUE] {
        for forum in SurveyForum::ALL {
            let details = SurveyDetails {
                forum,
                ..survey_details("Aftalt")
            };
            let after = given(a_plan())
                .when(actor, (SCHOOL, record(details.clone())))
                .then([InstitutionEvent::SurveyDiscussed {
                    discussion: DISCUSSION,
                    details,
                }]);
            let Aggregate::Institution(now) = after.state(SCHOOL) else {
                panic!()
            };
            let counts = now.survey_counts(&[YEAR].into());
            assert_eq!(counts.len(), 1);
            assert_eq!(counts[&forum].discussions, 1);
            assert_eq!(counts[&forum].with_students, 1);
            assert_eq!(counts[&forum].with_goals, 0);
        }
    }
}

#[test]
fn an_aim_that_was_agreed_can_become_a_wellbeing_goal_of_a_year_plan() {
    let details = naming(YEAR_PLAN, OTHER_GOAL);
    let after = given(with_goals())
        .when(LEADER, (SCHOOL, record(details.clone())))
        .then([InstitutionEvent::SurveyDiscussed {
            discussion: DISCUSSION,
            details,
        }]);
    let Aggregate::Institution(now) = after.state(SCHOOL) else {
        panic!()
    };
    assert_eq!(
        now.survey_counts(&[YEAR].into())[&SurveyForum::Class].with_goals,
        1
    );
}

#[test]
fn a_record_is_corrected_and_withdrawn_and_counts_follow() {
    let details = SurveyDetails {
        forum: SurveyForum::SchoolBoard,
        students_through: None,
        ..survey_details("Aftalt")
    };
    let after = given(a_plan())
        .and((SCHOOL, discussed()))
        .when(TEACHER, (SCHOOL, correct(survey_details("Aftalt"))))
        .then_nothing()
        .when(TEACHER, (SCHOOL, correct(details.clone())))
        .then([InstitutionEvent::SurveyDiscussionCorrected {
            discussion: DISCUSSION,
            details,
            reason: why("Forkert forum"),
        }])
        .when(LEADER, (SCHOOL, withdraw()))
        .then([withdrawn()]);
    let Aggregate::Institution(now) = after.state(SCHOOL) else {
        panic!()
    };
    assert!(now.survey_counts(&[YEAR].into()).is_empty());
    assert!(now.survey_discussions[&DISCUSSION].withdrawn_at.is_some());
}

#[test]
fn no_import_and_no_closing_touches_a_discussion() {
    let after = given(a_plan())
        .and((SCHOOL, discussed()))
        .when(SYSTEM, (SCHOOL, put("Et andet navn", true)))
        .then([
            InstitutionEvent::Revised(institution_details("Et andet navn")),
            closed(),
        ])
        .when(LEADER, (SCHOOL, InstitutionCommand::Reopen))
        .then([InstitutionEvent::Reopened {}]);
    let Aggregate::Institution(now) = after.state(SCHOOL) else {
        panic!()
    };
    assert_eq!(now.survey_discussions.len(), 1);
    assert_eq!(
        now.survey_counts(&[YEAR].into())[&SurveyForum::Class].discussions,
        1
    );
}

fn succeeded(by: Option<InstitutionId>) -> InstitutionEvent {
    InstitutionEvent::Succeeded { by }
}

#[test]
fn a_closed_institution_has_a_successor_until_it_is_taken_back_or_in_use_again() {
    let (from, to) = (None, OTHER_SCHOOL);
    let succeed = InstitutionCommand::Succeed { from, to };
    let back = InstitutionCommand::SucceedBack { from: to, to: from };
    let after = given(a_plan())
        .and((SCHOOL, closed()))
        .when(LEADER, (SCHOOL, succeed.clone()))
        .then([succeeded(Some(OTHER_SCHOOL))])
        .when(LEADER, (SCHOOL, succeed.clone()))
        .then_nothing();
    let successor = |given: &Given| match given.state(SCHOOL) {
        Aggregate::Institution(now) => now.succeeded_by,
        other => panic!("{other:?}"),
    };
    assert_eq!(successor(&after), Some(OTHER_SCHOOL));
    let undone = after
        .clone()
        .when(LEADER, (SCHOOL, back.clone()))
        .then([succeeded(None)])
        .when(LEADER, (SCHOOL, back))
        .then_nothing();
    assert_eq!(successor(&undone), None);
    let reopened = after
        .when(LEADER, (SCHOOL, InstitutionCommand::Reopen))
        .then([InstitutionEvent::Reopened {}]);
    assert_eq!(successor(&reopened), None);
}

fn successions() -> Vec<Reason> {
    let succeed = |from, to| InstitutionCommand::Succeed { from, to };
    let back = |from, to| InstitutionCommand::SucceedBack { from, to };
    let there = || given(a_plan()).and((SCHOOL, closed()));
    let nowhere = InstitutionId::from_bytes([0x1F; 16]);
    refusals! {
        // Only what is closed has a successor, which is open.
        given(a_plan()), LEADER, (SCHOOL, succeed(None, OTHER_SCHOOL)) => NotClosed;
        there(), LEADER, (SCHOOL, succeed(None, SCHOOL)) => InstitutionClosed at NewInstitution;
        there(), LEADER, (SCHOOL, succeed(None, nowhere)) => InstitutionNotFound at NewInstitution;
        given(vec![]), LEADER, (SCHOOL, succeed(None, OTHER_SCHOOL))
            => InstitutionNotFound at Target;
        // Nobody overwrites what somebody else has said meanwhile.
        there(), LEADER, (SCHOOL, succeed(Some(nowhere), OTHER_SCHOOL)) => MovedMeanwhile;
        there().and((SCHOOL, succeeded(Some(OTHER_SCHOOL)))), LEADER,
            (SCHOOL, back(nowhere, None)) => MovedMeanwhile;
        there().and((SCHOOL, succeeded(Some(OTHER_SCHOOL)))), LEADER,
            (SCHOOL, back(OTHER_SCHOOL, Some(nowhere))) => InstitutionNotFound at NewInstitution;
    }
}

#[test]
fn the_rest_is_refused() {
    assert!(!refusals().is_empty());
    assert!(!successions().is_empty());
}

pub(crate) fn refusals() -> Vec<Reason> {
    let details = institution_details("Nordvestskolen");
    let close = InstitutionCommand::Close { reason: None };
    let mut unknown_year = survey_details("Ord");
    unknown_year.school_year = SchoolYearId::from_bytes([0x2F; 16]);
    let retired = YearPlanEvent::GoalRetired {
        goal: OTHER_GOAL,
        reason: None,
    };
    let deleted = YearPlanEvent::Deleted { reason: None };
    let place = |institution| Place {
        institution,
        team: TEAM,
    };
    let moved = YearPlanEvent::Moved {
        from: place(SCHOOL),
        to: place(OTHER_SCHOOL),
        reason: None,
    };
    refusals! {
        // An id names one institution for ever.
        given(a_school()), LEADER, (SCHOOL, InstitutionCommand::Register(details.clone()))
            => AlreadyExists at Target;
        // What is not known is neither revised, closed nor reopened.
        given(vec![]), LEADER, (SCHOOL, InstitutionCommand::Revise(details))
            => InstitutionNotFound at Target;
        given(vec![]), LEADER, (SCHOOL, close.clone()) => InstitutionNotFound at Target;
        given(vec![]), LEADER, (SCHOOL, InstitutionCommand::Reopen)
            => InstitutionNotFound at Target;
        given(a_school()).and((SCHOOL, closed())), LEADER, (SCHOOL, close) => AlreadyClosed;
        // Only staff who work there record how the survey was discussed.
        given(a_plan()), STUDENT, (SCHOOL, record(survey_details("Ord"))) => SurveyNotAllowed;
        given(a_plan()), GUARDIAN, (SCHOOL, record(survey_details("Ord"))) => SurveyNotAllowed;
        given(a_plan()), CLERK, (SCHOOL, record(survey_details("Ord"))) => SurveyNotAllowed;
        given(a_plan()), SYSTEM, (SCHOOL, record(survey_details("Ord"))) => SurveyNotAllowed;
        given(a_plan()), LEADER, (OTHER_SCHOOL, record(survey_details("Ord")))
            => SurveyNotAllowed;
        given(a_plan()).and((SCHOOL, discussed())), STUDENT, (SCHOOL, withdraw())
            => SurveyNotAllowed;
        given(vec![]), LEADER, (SCHOOL, withdraw()) => InstitutionNotFound at Target;
        given(a_plan()).and((SCHOOL, discussed())), LEADER, (SCHOOL, record(survey_details("Ord")))
            => AlreadyExists at SurveyDiscussion;
        given(a_plan()), LEADER, (SCHOOL, correct(survey_details("Ord")))
            => SurveyDiscussionNotFound at SurveyDiscussion;
        given(a_plan()), LEADER, (SCHOOL, withdraw())
            => SurveyDiscussionNotFound at SurveyDiscussion;
        given(a_plan()).and((SCHOOL, discussed())).and((SCHOOL, withdrawn())), LEADER,
            (SCHOOL, correct(survey_details("Ord")))
            => SurveyDiscussionWithdrawn at SurveyDiscussion;
        given(a_plan()), LEADER, (SCHOOL, record(unknown_year))
            => SchoolYearNotFound at DetailsSchoolYear;
        given(with_goals()), LEADER, (SCHOOL, record(naming(YEAR_PLAN, SUBJECT_GOAL)))
            => GoalNotAboutWellbeing at DetailsGoalsGoal;
        given(a_plan()), LEADER, (SCHOOL, record(naming(YEAR_PLAN, GoalId::from_bytes([0x7F; 16]))))
            => GoalNotFound at DetailsGoalsGoal;
        given(a_plan()), LEADER,
            (SCHOOL, record(naming(YearPlanId::from_bytes([0x5F; 16]), OTHER_GOAL)))
            => YearPlanNotFound at DetailsGoalsYearPlan;
        // A goal that an aim has become is in use, in a year plan of the institution that is there.
        given(with_goals()).and((YEAR_PLAN, retired)), LEADER,
            (SCHOOL, record(naming(YEAR_PLAN, OTHER_GOAL))) => GoalRetired at DetailsGoalsGoal;
        given(with_goals()).and((YEAR_PLAN, deleted)), LEADER,
            (SCHOOL, record(naming(YEAR_PLAN, OTHER_GOAL)))
            => YearPlanDeleted at DetailsGoalsYearPlan;
        given(with_goals()).and((YEAR_PLAN, moved)), LEADER,
            (SCHOOL, record(naming(YEAR_PLAN, OTHER_GOAL)))
            => YearPlanNotFound at DetailsGoalsYearPlan;
        given(a_school()), LEADER, (SCHOOL, InstitutionCommand::Reopen) => NotClosed;
    }
}
