use planledger_core::domain::plan::{Assessment, Evaluator, PlanCommand, PlanEvent};
use planledger_core::domain::team::TeamEvent;
use planledger_core::domain::view::Viewer;
use planledger_core::domain::year_plan::{Scale, Wording, YearPlanEvent};
use planledger_core::domain::{Actor, Field, Reason};
use planledger_core::ids::{EvaluationId, GoalId};
use planledger_fixtures::commands::{self, correct_evaluation as correct};
use planledger_fixtures::events;

use super::state;
use crate::domain::harness::{given, plan, refusals};
use planledger_fixtures::school::*;
use planledger_fixtures::{ActsAs, Fact};

fn record(id: EvaluationId, goal: GoalId, assessment: Assessment) -> PlanCommand {
    commands::record_evaluation(id, THE_UNIT, goal, assessment)
}

fn recorded(id: EvaluationId, goal: GoalId, by: Evaluator, reached: u8) -> PlanEvent {
    PlanEvent::EvaluationRecorded {
        evaluation: id,
        unit: THE_UNIT,
        goal,
        goal_revision: 1,
        by,
        assessment: level(reached),
    }
}

fn empty() -> Assessment {
    Assessment {
        level: None,
        comment: None,
    }
}

fn by_student(id: EvaluationId) -> Fact {
    let event = recorded(id, REFLECTION_GOAL, Evaluator::Student, 1);
    Fact::from((PLAN, event)).by(STUDENT)
}

#[test]
fn staff_evaluate_goals_of_both_kinds() {
    for actor in [TEACHER, PEDAGOGUE, LEADER] {
        for goal in [SUBJECT_GOAL, REFLECTION_GOAL] {
            given(a_plan())
                .when(actor, plan(record(EVALUATION, goal, level(2))))
                .then([recorded(EVALUATION, goal, Evaluator::Staff, 2)]);
        }
    }
}

#[test]
fn the_student_evaluates_reflection_goals() {
    let after = given(a_plan())
        .when(STUDENT, plan(record(EVALUATION, REFLECTION_GOAL, level(3))))
        .then([recorded(EVALUATION, REFLECTION_GOAL, Evaluator::Student, 3)]);
    let evaluation = &state(&after).evaluations[0];
    assert_eq!(evaluation.actor, Actor::Person(STUDENT));
}

#[test]
fn an_evaluation_may_be_a_comment_alone() {
    let comment = Assessment {
        level: None,
        comment: Some(text("Viser det i gruppearbejde")),
    };
    given(a_plan())
        .when(
            TEACHER,
            plan(record(EVALUATION, SUBJECT_GOAL, comment.clone())),
        )
        .then([PlanEvent::EvaluationRecorded {
            evaluation: EVALUATION,
            unit: THE_UNIT,
            goal: SUBJECT_GOAL,
            goal_revision: 1,
            by: Evaluator::Staff,
            assessment: comment,
        }]);
}

#[test]
fn a_lower_rating_later_is_a_new_fact() {
    let after = given(a_plan())
        .and(evaluated(EVALUATION, SUBJECT_GOAL, 3))
        .when(TEACHER, plan(record(LATER, SUBJECT_GOAL, level(1))))
        .then([recorded(LATER, SUBJECT_GOAL, Evaluator::Staff, 1)]);
    let levels = |plan: planledger_core::domain::plan::Plan| -> Vec<_> {
        let made = plan.evaluations.iter();
        made.map(|made| (made.id, made.assessment.level)).collect()
    };
    assert_eq!(
        levels(state(&after)),
        [(EVALUATION, Some(3)), (LATER, Some(1))]
    );
}

#[test]
fn a_correction_replaces_what_an_evaluation_says_and_nothing_else() {
    let reason = why("Forkert elev");
    let correct = PlanCommand::CorrectEvaluation {
        evaluation: EVALUATION,
        assessment: level(0),
        reason: reason.clone(),
    };
    let before = given(a_plan()).and(evaluated(EVALUATION, SUBJECT_GOAL, 3));
    let made = state(&before).evaluations[0].clone();
    let after = before
        .when(PEDAGOGUE, plan(correct.clone()))
        .then([PlanEvent::EvaluationCorrected {
            evaluation: EVALUATION,
            assessment: level(0),
            reason,
        }])
        .when(PEDAGOGUE, plan(correct))
        .then_nothing();
    let corrected = state(&after).evaluations[0].clone();
    assert_eq!(corrected.assessment, level(0));
    assert!(corrected.corrected_at > Some(made.at));
    assert_eq!(
        (corrected.at, corrected.actor, corrected.goal),
        (made.at, made.actor, made.goal)
    );
}

#[test]
fn students_correct_their_own_and_staff_theirs() {
    given(a_plan())
        .and(by_student(EVALUATION))
        .when(STUDENT, plan(correct(EVALUATION, level(2))))
        .then([events::evaluation_corrected(EVALUATION, level(2))]);
}

#[test]
fn an_evaluation_is_held_against_the_goal_as_it_was_when_it_was_made() {
    let two_levels = Scale {
        title: title("Ja eller nej"),
        levels: vec![title("Nej"), title("Ja")],
    };
    let revised = events::goal_revised(
        SUBJECT_GOAL,
        Wording::Own {
            text: text("Kan analysere"),
        },
        two_levels,
    );
    let after = given(a_plan())
        .and(evaluated(EVALUATION, SUBJECT_GOAL, 1))
        .and((YEAR_PLAN, revised))
        // Level 3 is on the scale that the first was made on.
        .when(TEACHER, plan(correct(EVALUATION, level(3))))
        .then([events::evaluation_corrected(EVALUATION, level(3))])
        .when(TEACHER, plan(record(LATER, SUBJECT_GOAL, level(1))))
        .then([PlanEvent::EvaluationRecorded {
            evaluation: LATER,
            unit: THE_UNIT,
            goal: SUBJECT_GOAL,
            goal_revision: 2,
            by: Evaluator::Staff,
            assessment: level(1),
        }]);
    let view = after.world().view(PLAN, Viewer::Staff).unwrap();
    let made = &view.units[0].goals[0].evaluations;
    let words: Vec<_> = made.iter().map(|made| made.level_title.clone()).collect();
    assert_eq!(words, [Some(title("Meget sikkert")), Some(title("Ja"))]);
}

#[test]
fn a_plan_is_evaluated_also_after_its_unit_year_plan_and_team_are_deleted() {
    let unit_deleted = events::unit_deleted(UNIT);
    given(a_plan())
        .and((YEAR_PLAN, unit_deleted))
        .and((YEAR_PLAN, YearPlanEvent::Deleted { reason: None }))
        .and((TEAM, TeamEvent::Deleted { reason: None }))
        .when(TEACHER, plan(record(EVALUATION, SUBJECT_GOAL, level(2))))
        .then([recorded(EVALUATION, SUBJECT_GOAL, Evaluator::Staff, 2)])
        .when(STUDENT, plan(record(LATER, REFLECTION_GOAL, level(2))))
        .then([recorded(LATER, REFLECTION_GOAL, Evaluator::Student, 2)]);
}

#[test]
fn an_evaluation_is_corrected_also_after_its_goal_went_out_of_use() {
    let retired = events::goal_retired(SUBJECT_GOAL);
    given(a_plan())
        .and(evaluated(EVALUATION, SUBJECT_GOAL, 3))
        .and((YEAR_PLAN, retired))
        .and((PLAN, PlanEvent::UnitExcluded(THE_UNIT)))
        .when(TEACHER, plan(correct(EVALUATION, level(2))))
        .then([events::evaluation_corrected(EVALUATION, level(2))]);
}

pub(super) fn refusals() -> Vec<Reason> {
    let _goal = Some(Field::Goal);
    let retired = events::goal_retired(SUBJECT_GOAL);
    let elsewhere = commands::record_evaluation(
        EVALUATION,
        unit_in(YEAR_PLAN, OTHER_UNIT),
        SUBJECT_GOAL,
        level(1),
    );
    let staff_made = || given(a_plan()).and(evaluated(EVALUATION, SUBJECT_GOAL, 3));
    let mut seen = refusals! {
        given(a_plan()), STUDENT, plan(record(EVALUATION, SUBJECT_GOAL, level(1)))
            => GoalKindNotEvaluableByStudent at Goal;
        given(a_plan()), TEACHER, plan(record(EVALUATION, OTHER_GOAL, level(1)))
            => GoalNotFound at Goal;
        given(a_plan()).and((YEAR_PLAN, retired)), TEACHER,
            plan(record(EVALUATION, SUBJECT_GOAL, level(1))) => GoalRetired at Goal;
        given(a_plan()), TEACHER, plan(elsewhere) => UnitNotIncluded at UnitRef;
        staff_made(), TEACHER, plan(record(EVALUATION, SUBJECT_GOAL, level(1)))
            => AlreadyExists at Evaluation;
        given(a_plan()), TEACHER, plan(record(EVALUATION, SUBJECT_GOAL, empty()))
            => AssessmentEmpty at Assessment;
        // The scale has levels 0 to 3.
        given(a_plan()), TEACHER, plan(record(EVALUATION, SUBJECT_GOAL, level(4)))
            => LevelOutOfRange at AssessmentLevel;
        staff_made(), TEACHER, plan(correct(EVALUATION, empty())) => AssessmentEmpty at Assessment;
        staff_made(), TEACHER, plan(correct(EVALUATION, level(4)))
            => LevelOutOfRange at AssessmentLevel;
        staff_made(), TEACHER, plan(correct(LATER, level(1))) => EvaluationNotFound at Evaluation;
        // Neither side corrects the other's.
        staff_made(), STUDENT, plan(correct(EVALUATION, level(1)))
            => EvaluationOfAnotherSide at Evaluation;
        given(a_plan()).and(by_student(EVALUATION)), TEACHER, plan(correct(EVALUATION, level(2)))
            => EvaluationOfAnotherSide at Evaluation;
    };
    // Nobody else evaluates, nor corrects: other students, guardians, clerks, strangers, systems.
    let others = [CLASSMATE, GUARDIAN, CLERK, NOBODY].map(ActsAs::actor);
    for actor in others.into_iter().chain([SYSTEM]) {
        seen.extend(refusals! {
            given(a_plan()), actor, plan(record(EVALUATION, REFLECTION_GOAL, level(1)))
                => EvaluatorNotAllowed;
            staff_made(), actor, plan(correct(EVALUATION, level(1))) => EvaluatorNotAllowed;
        });
    }
    // Who is no longer staff no longer evaluates.
    let ended = events::affiliation_ended(SCHOOL, planledger_core::domain::person::Role::Teacher);
    seen.extend(refusals! {
        given(a_plan()).and((TEACHER, ended)), TEACHER,
            plan(record(EVALUATION, SUBJECT_GOAL, level(1))) => EvaluatorNotAllowed;
    });
    seen
}
