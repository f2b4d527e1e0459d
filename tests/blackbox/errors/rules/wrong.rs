//! A command is wrong in itself, or of somebody who may not.

use planledger_core::domain::Reason;
use planledger_proto::v1::*;

use super::Breach;
use super::world::World;
use crate::support::*;

pub(super) fn breaches(w: &World) -> Vec<Breach<'_>> {
    use Reason::*;
    let (school, course) = (&w.school, &w.course);
    let backwards = SchoolYearDetails {
        title: "2026/27".to_owned(),
        first_day: "2027-06-25".to_owned(),
        last_day: "2026-08-10".to_owned(),
    };
    let backwards = OnSchoolYear::DefineSchoolYear(DefineSchoolYear {
        details: Some(backwards),
    });
    let empty = Assessment {
        level: None,
        comment: None,
    };
    let s = &w.system;
    vec![
        Breach(
            s,
            AlreadyExists,
            Some("institution.institution_id"),
            register_institution(&school.institution, "Igen"),
        ),
        Breach(
            s,
            AlreadyExists,
            Some("year_plan.add_unit.unit_id"),
            course.add_unit(&course.unit, "Igen"),
        ),
        Breach(
            s,
            AlreadyExists,
            Some("year_plan.add_goal.goal_id"),
            course.add_goal(&course.subject_goal, GoalKind::Subject, "Igen"),
        ),
        Breach(
            s,
            AlreadyExists,
            Some("plan.plan_id"),
            open_plan(&w.plan, &school.classmate, &w.combined.year_plan),
        ),
        Breach(
            &w.teacher,
            AlreadyExists,
            Some("plan.record_evaluation.evaluation_id"),
            w.evaluate(&w.evaluation, &course.subject_goal),
        ),
        Breach(
            &w.teacher,
            AlreadyExists,
            Some("plan.record_talk.talk_id"),
            w.record_talk(&w.talk),
        ),
        Breach(
            s,
            DatesReversed,
            Some("school_year.define_school_year.details.last_day"),
            school_year(&school.school_year, backwards),
        ),
        Breach(
            s,
            SubjectCountInvalid,
            Some("year_plan.create_year_plan.details.subjects"),
            w.create_year_plan(|plan| {
                let subjects = &mut plan.details.as_mut().unwrap().subjects;
                subjects.push("Historie".to_owned());
            }),
        ),
        Breach(
            s,
            ScaleInvalid,
            Some("year_plan.revise_goal.scale.levels"),
            w.goal_with_scale(&["Kun ét trin"]),
        ),
        Breach(
            s,
            ScaleInvalid,
            Some("year_plan.revise_goal.scale.levels"),
            w.goal_with_scale(&["Ens", "Ens"]),
        ),
        Breach(
            &w.teacher,
            AssessmentEmpty,
            Some("plan.record_evaluation.assessment"),
            w.assess(empty),
        ),
        Breach(
            &w.teacher,
            LevelOutOfRange,
            Some("plan.record_evaluation.assessment.level"),
            w.assess(assessment(3, "Over målet")),
        ),
        Breach(
            s,
            NotAStudent,
            Some("team.add_team_member.student_id"),
            w.on_team(OnTeam::AddTeamMember(AddTeamMember {
                student_id: school.teacher.clone(),
            })),
        ),
        Breach(
            s,
            NotStaff,
            Some("plan.transfer_plan_ownership.to_person_id"),
            w.transfer(&school.guardian),
        ),
        Breach(
            s,
            AlreadyOwner,
            Some("plan.transfer_plan_ownership.to_person_id"),
            w.transfer(&school.teacher),
        ),
        Breach(
            s,
            PersonDeparted,
            Some("plan.transfer_plan_ownership.to_person_id"),
            w.transfer(&w.departed),
        ),
        Breach(
            &w.student,
            GoalKindNotEvaluableByStudent,
            Some("plan.record_evaluation.goal_id"),
            w.evaluate(&new_id(), &course.subject_goal),
        ),
        Breach(
            s,
            EvaluatorNotAllowed,
            None,
            w.evaluate(&new_id(), &course.subject_goal),
        ),
        Breach(
            &w.student,
            EvaluationOfAnotherSide,
            Some("plan.correct_evaluation.evaluation_id"),
            w.correct(&w.evaluation),
        ),
        Breach(&w.student, TalkNotAllowed, None, w.record_talk(&new_id())),
    ]
}
