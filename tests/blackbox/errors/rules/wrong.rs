//! A command is wrong in itself, or of somebody who may not.

use planledger_core::domain::Reason;
use planledger_proto::v1::*;

use super::Breach;
use super::world::{FIRST_SOURCE, World};
use crate::support::*;

pub(super) fn breaches(w: &World) -> Vec<Breach<'_>> {
    use Reason::*;
    let (school, course) = (&w.school, &w.course);
    let backwards = SchoolYearDetails {
        title: "2026/27".to_owned(),
        first_day: "2027-06-25".to_owned(),
        last_day: "2026-08-10".to_owned(),
    };
    let imported = OnSchoolYear::PutSchoolYear(PutSchoolYear {
        details: Some(backwards.clone()),
    });
    let backwards = OnSchoolYear::DefineSchoolYear(DefineSchoolYear {
        details: Some(backwards),
    });
    let empty = Assessment {
        level: None,
        comment: None,
    };
    let register = |id: &str, name: &str| {
        let name = name.to_owned();
        let register = OnRosterSource::RegisterRosterSource(RegisterRosterSource { name });
        roster_source(id, register)
    };
    let s = &w.system;
    breaches! {
        s, SourceIdInvalid at "roster_source.roster_source_id" => register(&new_id(), "Kommune B");
        s, SourceNameTaken at "roster_source.register_roster_source.name" =>
            register(FIRST_SOURCE, "Kommune B");
        s, AlreadyExists at "institution.institution_id" =>
            register_institution(&school.institution, "Igen");
        s, AlreadyExists at "year_plan.add_unit.unit_id" => course.add_unit(&course.unit, "Igen");
        s, AlreadyExists at "year_plan.add_goal.goal_id" =>
            course.add_goal(&course.subject_goal, GoalKind::Subject, "Igen");
        s, AlreadyExists at "plan.plan_id" =>
            open_plan(&w.plan, &school.classmate, &w.combined.year_plan);
        &w.teacher, AlreadyExists at "plan.record_evaluation.evaluation_id" =>
            w.evaluate(&w.evaluation, &course.subject_goal);
        &w.teacher, AlreadyExists at "plan.record_talk.talk_id" => w.record_talk(&w.talk);
        s, DatesReversed at "school_year.define_school_year.details.last_day" =>
            school_year(&school.school_year, backwards);
        s, DatesReversed at "school_year.put_school_year.details.last_day" =>
            school_year(&school.school_year, imported);
        &w.teacher, DateOutOfRange at "plan.record_talk.details.held_on" =>
            w.record_talk_on("2099-01-01");
        &w.teacher, DateOutOfRange at "plan.record_talk.details.held_on" =>
            w.record_talk_on("1200-05-01");
        s, SubjectCountInvalid at "year_plan.create_year_plan.details.subjects" =>
            w.create_year_plan(|plan| { let subjects = &mut plan.details.as_mut().unwrap().subjects; subjects.push("Historie".to_owned()); });
        s, ScaleInvalid at "year_plan.revise_goal.scale.levels" =>
            w.goal_with_scale(&["Kun ét trin"]);
        s, ScaleInvalid at "year_plan.revise_goal.scale.levels" =>
            w.goal_with_scale(&["Ens", "Ens"]);
        &w.teacher, AssessmentEmpty at "plan.record_evaluation.assessment" => w.assess(empty);
        &w.teacher, LevelOutOfRange at "plan.record_evaluation.assessment.level" =>
            w.assess(assessment(3, "Over målet"));
        s, NotAStudent at "team.add_team_member.student_id" =>
            w.on_team(OnTeam::AddTeamMember(AddTeamMember { student_id: school.teacher.clone() }));
        s, NotStaff at "plan.transfer_plan_ownership.to_person_id" => w.transfer(&school.guardian);
        s, AlreadyOwner at "plan.transfer_plan_ownership.to_person_id" =>
            w.transfer(&school.teacher);
        s, PersonDeparted at "plan.transfer_plan_ownership.to_person_id" => w.transfer(&w.departed);
        &w.student, GoalKindNotEvaluableByStudent at "plan.record_evaluation.goal_id" =>
            w.evaluate(&new_id(), &course.subject_goal);
        s, EvaluatorNotAllowed => w.evaluate(&new_id(), &course.subject_goal);
        &w.student, EvaluationOfAnotherSide at "plan.correct_evaluation.evaluation_id" =>
            w.correct(&w.evaluation);
        &w.student, TalkNotAllowed => w.record_talk(&new_id());
        &w.teacher, TalkWithoutStaff at "plan.record_talk.details.held_by_ids" =>
            w.talk_held_by(&school.guardian);
        &w.student, SurveyNotAllowed => w.record_discussion(&new_id(), Vec::new());
        s, SurveyNotAllowed => w.record_discussion(&new_id(), Vec::new());
        &w.teacher, GoalNotAboutWellbeing at
            "institution.record_survey_discussion.details.goals.goal_id" =>
            w.record_discussion(&new_id(), vec![GoalRef {
                year_plan_id: course.year_plan.clone(),
                goal_id: course.subject_goal.clone(),
            }]);
        &w.teacher, SurveyDiscussionNotFound at
            "institution.withdraw_survey_discussion.survey_discussion_id" =>
            w.withdraw_discussion(&new_id());
        &w.teacher, SurveyDiscussionWithdrawn at
            "institution.withdraw_survey_discussion.survey_discussion_id" =>
            w.withdraw_discussion(&w.withdrawn_discussion);
    }
}
