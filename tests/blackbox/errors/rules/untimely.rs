//! A command comes at the wrong time.

use planledger_core::domain::Reason;
use planledger_proto::v1::*;

use super::Breach;
use super::world::World;
use crate::support::*;

pub(super) fn breaches(w: &World) -> Vec<Breach<'_>> {
    use Reason::*;
    let (school, course) = (&w.school, &w.course);
    let close_team = OnTeam::ReopenTeam(ReopenTeam {});
    let close = OnInstitution::CloseInstitution(CloseInstitution { reason: None });
    let retitle = OnYearPlan::RetitleYearPlan(RetitleYearPlan {
        title: "Ny".to_owned(),
    });
    let s = &w.system;
    breaches! {
        s, InstitutionClosed at "team.create_team.details.institution_id" =>
            w.create_team(|details| details.institution_id.clone_from(&w.closed_institution));
        s, AlreadyClosed => institution(&w.closed_institution, close);
        s, NotClosed => w.on_team(close_team);
        s, TeamDeleted => team(&w.deleted_team, OnTeam::CloseTeam(CloseTeam { reason: None }));
        s, TeamDeleted at "year_plan.create_year_plan.details.team_id" =>
            w.create_year_plan(|plan| { let details = plan.details.as_mut().unwrap(); details.team_id.clone_from(&w.deleted_team); });
        s, YearPlanDeleted => year_plan(&w.deleted_year_plan.year_plan, retitle);
        s, YearPlanDeleted at "plan.open_plan.year_plan_id" =>
            open_plan(&new_id(), &school.student, &w.deleted_year_plan.year_plan);
        s, YearPlanDeleted at "plan.move_to_year_plan.year_plan_id" =>
            w.move_to(&w.plan, &w.deleted_year_plan.year_plan);
        s, UnitDeleted at "plan.include_unit.unit.unit_id" =>
            w.include(course.unit_called(&w.deleted_unit));
        s, NotDeleted => w.on_team(OnTeam::UndeleteTeam(UndeleteTeam {}));
        s, AlreadyDeparted => w.depart(&w.departed);
        s, NotDeparted => person(&school.teacher, OnPerson::ReturnPerson(ReturnPerson {}));
        s, NotCombined =>
            w.on_course(OnYearPlan::AddSubject(AddSubject { subject: "Historie".to_owned() }));
        s, SubjectInUse at "year_plan.remove_subject.subject" =>
            w.remove_subject(&w.combined, "Dansk");
        &w.teacher, GoalRetired at "plan.record_evaluation.goal_id" =>
            w.evaluate(&new_id(), &w.retired_goal);
        s, UnitNotIncluded at "plan.exclude_unit.unit" =>
            w.on_plan(OnPlan::ExcludeUnit(ExcludeUnit { unit: Some(course.unit_called(&course.second_unit)) }));
        s, PlanWithdrawn => write_status(&w.withdrawn_plan, "Læser");
        s, NotWithdrawn => w.on_plan(OnPlan::RestorePlan(RestorePlan {}));
        s, AlreadyThere at "plan.move_to_year_plan.year_plan_id" =>
            w.move_to(&w.plan, &course.year_plan);
        s, AlreadyThere at "year_plan.move_year_plan.institution_id" =>
            w.relocate(&school.institution, None);
        s, InstitutionClosed at "year_plan.move_year_plan.institution_id" =>
            w.relocate(&w.closed_institution, None);
        s, TeamElsewhere at "year_plan.move_year_plan.team_id" =>
            w.relocate(&school.institution, Some(&w.other_team));
        s, PlanKindMismatch at "plan.move_to_year_plan.year_plan_id" =>
            w.move_to(&w.combined_plan, &course.year_plan);
        s, UnitOfAnotherYearPlan at "plan.include_unit.unit.year_plan_id" =>
            w.include(w.combined.unit());
        s, SuccessorElsewhere at "plan.transfer_plan_ownership.to_person_id" =>
            w.on_plan(OnPlan::TransferPlanOwnership(TransferPlanOwnership { to_person_id: w.elsewhere.clone(), reason: None }));
        &w.left, ActorDeparted => write_status(&w.plan, "Læser");
    }
}
