//! Plans as viewers see them.

use std::fmt::Display;

use planledger_core::domain::view::{
    CollectedView, ContainerView, EvaluationView, GoalView, PlanView, TalkView, UnitView,
    WrittenView,
};
use planledger_core::ids::{PlanId, Revision};

use super::actor::{write_actor, write_told};
use super::choice::Choice;
use super::instant::{timestamp, write_date};
use super::proto;
use super::scalar::string;
use super::{plan, year_plan};

/// A plan as a viewer sees it. The revision is that of the plan's stream.
pub fn plan_view(revision: Revision, view: &PlanView) -> proto::PlanView {
    proto::PlanView {
        plan_id: view.id.to_string(),
        revision: revision.get(),
        student_id: view.student.to_string(),
        student_name: string(view.student_name.as_ref()),
        kind: view.kind.number(),
        year_plan: Some(container(&view.year_plan)),
        team: view.team.as_ref().map(container),
        year_plan_details: view
            .year_plan_details
            .as_ref()
            .map(year_plan::write_details),
        owner_id: view.owner.to_string(),
        owner_name: string(view.owner_name.as_ref()),
        owner_departed: view.owner_departed,
        opened_at: Some(timestamp(view.opened_at)),
        changed_at: Some(timestamp(view.changed_at)),
        status: view.status.as_ref().map(written),
        units: view.units.iter().map(unit).collect(),
        follow_up: view.follow_up.as_ref().map(written),
        follow_up_on: view.follow_up_on.map(write_date),
        talks: view.talks.iter().map(talk).collect(),
        shared: view.shared,
        visible_to: view.visible_to.iter().map(|a| a.number()).collect(),
        shown_sections: view.sections.iter().map(|s| s.number()).collect(),
        withdrawn: view.withdrawn,
    }
}

/// Every plan of a student that the viewer sees. `revision_of` returns the revision of a plan's
/// stream.
pub fn collected_view(
    view: &CollectedView,
    revision_of: impl Fn(PlanId) -> Revision,
) -> proto::CollectedView {
    let plans = view.plans.iter();
    proto::CollectedView {
        student_id: view.student.to_string(),
        student_name: string(view.student_name.as_ref()),
        plans: plans
            .map(|plan| plan_view(revision_of(plan.id), plan))
            .collect(),
    }
}

pub(super) fn container<Id: Display>(view: &ContainerView<Id>) -> proto::ContainerView {
    proto::ContainerView {
        id: view.id.to_string(),
        title: string(view.title.as_ref()),
        owner_id: string(view.owner.as_ref()),
        deletion: view.deleted.as_ref().map(write_told),
    }
}

pub(super) fn written(view: &WrittenView) -> proto::WrittenView {
    proto::WrittenView {
        text: view.text.to_string(),
        written_by: Some(write_actor(view.by)),
        written_at: Some(timestamp(view.at)),
        shown: view.shown,
    }
}

pub(super) fn unit(view: &UnitView) -> proto::UnitView {
    proto::UnitView {
        unit: Some(plan::write_unit(view.unit)),
        details: view.details.as_ref().map(year_plan::write_unit),
        deletion: view.deleted.as_ref().map(write_told),
        included: view.included,
        goals: view.goals.iter().map(goal).collect(),
    }
}

pub(super) fn goal(view: &GoalView) -> proto::GoalView {
    proto::GoalView {
        goal_id: view.id.to_string(),
        kind: view.kind.number(),
        area: view.area.number(),
        wording: Some(year_plan::write_wording(&view.wording)),
        scale: Some(year_plan::write_scale(&view.scale)),
        goal_revision: view.revision,
        retired: view.retired,
        shown: view.shown,
        evaluations: view.evaluations.iter().map(evaluation).collect(),
    }
}

pub(super) fn evaluation(view: &EvaluationView) -> proto::EvaluationView {
    proto::EvaluationView {
        evaluation_id: view.id.to_string(),
        goal_revision: view.goal_revision,
        side: view.by.number(),
        evaluated_by: Some(write_actor(view.actor)),
        evaluated_at: Some(timestamp(view.at)),
        assessment: Some(plan::write_assessment(&view.assessment)),
        level_title: string(view.level_title.as_ref()),
        corrected_at: view.corrected_at.map(timestamp),
        shown: view.shown,
    }
}

pub(super) fn talk(view: &TalkView) -> proto::TalkView {
    proto::TalkView {
        talk_id: view.id.to_string(),
        details: Some(plan::write_talk(&view.details)),
        held_by_ids: view.held_by.iter().map(ToString::to_string).collect(),
        recorded_by: Some(write_actor(view.by)),
        recorded_at: Some(timestamp(view.at)),
        corrected_at: view.corrected_at.map(timestamp),
        shown: view.shown,
    }
}
