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
    vec![
        Breach(
            s,
            InstitutionClosed,
            Some("team.create_team.details.institution_id"),
            w.create_team(|details| details.institution_id.clone_from(&w.closed_institution)),
        ),
        Breach(
            s,
            AlreadyClosed,
            None,
            institution(&w.closed_institution, close),
        ),
        Breach(s, NotClosed, None, w.on_team(close_team)),
        Breach(
            s,
            TeamDeleted,
            None,
            team(
                &w.deleted_team,
                OnTeam::CloseTeam(CloseTeam { reason: None }),
            ),
        ),
        Breach(
            s,
            TeamDeleted,
            Some("year_plan.create_year_plan.details.team_id"),
            w.create_year_plan(|plan| {
                let details = plan.details.as_mut().unwrap();
                details.team_id.clone_from(&w.deleted_team);
            }),
        ),
        Breach(
            s,
            YearPlanDeleted,
            None,
            year_plan(&w.deleted_year_plan.year_plan, retitle),
        ),
        Breach(
            s,
            YearPlanDeleted,
            Some("plan.open_plan.year_plan_id"),
            open_plan(&new_id(), &school.student, &w.deleted_year_plan.year_plan),
        ),
        Breach(
            s,
            YearPlanDeleted,
            Some("plan.move_to_year_plan.year_plan_id"),
            w.move_to(&w.plan, &w.deleted_year_plan.year_plan),
        ),
        Breach(
            s,
            UnitDeleted,
            Some("plan.include_unit.unit.unit_id"),
            w.include(course.unit_called(&w.deleted_unit)),
        ),
        Breach(
            s,
            NotDeleted,
            None,
            w.on_team(OnTeam::UndeleteTeam(UndeleteTeam {})),
        ),
        Breach(s, AlreadyDeparted, None, w.depart(&w.departed)),
        Breach(
            s,
            NotDeparted,
            None,
            person(&school.teacher, OnPerson::ReturnPerson(ReturnPerson {})),
        ),
        Breach(
            s,
            NotCombined,
            None,
            w.on_course(OnYearPlan::AddSubject(AddSubject {
                subject: "Historie".to_owned(),
            })),
        ),
        Breach(
            s,
            SubjectInUse,
            Some("year_plan.remove_subject.subject"),
            w.remove_subject(&w.combined, "Dansk"),
        ),
        Breach(
            &w.teacher,
            GoalRetired,
            Some("plan.record_evaluation.goal_id"),
            w.evaluate(&new_id(), &w.retired_goal),
        ),
        Breach(
            s,
            UnitNotIncluded,
            Some("plan.exclude_unit.unit"),
            w.on_plan(OnPlan::ExcludeUnit(ExcludeUnit {
                unit: Some(course.unit_called(&course.second_unit)),
            })),
        ),
        Breach(
            s,
            PlanWithdrawn,
            None,
            write_status(&w.withdrawn_plan, "Læser"),
        ),
        Breach(
            s,
            NotWithdrawn,
            None,
            w.on_plan(OnPlan::RestorePlan(RestorePlan {})),
        ),
        Breach(
            s,
            AlreadyThere,
            Some("plan.move_to_year_plan.year_plan_id"),
            w.move_to(&w.plan, &course.year_plan),
        ),
        Breach(
            s,
            PlanKindMismatch,
            Some("plan.move_to_year_plan.year_plan_id"),
            w.move_to(&w.combined_plan, &course.year_plan),
        ),
        Breach(
            s,
            UnitOfAnotherYearPlan,
            Some("plan.include_unit.unit.year_plan_id"),
            w.include(w.combined.unit()),
        ),
        Breach(
            s,
            SuccessorElsewhere,
            Some("plan.transfer_plan_ownership.to_person_id"),
            w.on_plan(OnPlan::TransferPlanOwnership(TransferPlanOwnership {
                to_person_id: w.elsewhere.clone(),
                reason: None,
            })),
        ),
        Breach(&w.left, ActorDeparted, None, write_status(&w.plan, "Læser")),
    ]
}
