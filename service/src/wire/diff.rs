//! The differences between two views of a plan.

use planledger_core::domain::view::{Change, Fact};

use super::choice::Choice;
use super::instant::{timestamp, write_date};
use super::proto;
use super::proto::plan_item::Item;
use super::scalar::string;
use super::view::{container, evaluation, goal, talk, unit, written};
use super::{plan, year_plan};

/// Writes the message of one difference.
pub fn plan_change(change: &Change) -> proto::PlanChange {
    proto::PlanChange {
        was: change.was.as_ref().map(item),
        is: change.is.as_ref().map(item),
    }
}

fn item(fact: &Fact) -> proto::PlanItem {
    let item = match fact {
        Fact::Plan {
            id,
            student,
            student_name,
            kind,
            opened_at,
        } => Item::Plan(proto::PlanIdentity {
            plan_id: id.to_string(),
            student_id: student.to_string(),
            student_name: string(student_name.as_ref()),
            kind: kind.number(),
            opened_at: Some(timestamp(*opened_at)),
        }),
        Fact::Owner { id, name, departed } => Item::Owner(proto::PlanOwner {
            person_id: id.to_string(),
            name: string(name.as_ref()),
            departed: *departed,
        }),
        Fact::YearPlan {
            container: found,
            details,
        } => Item::YearPlan(proto::PlanYearPlan {
            container: Some(container(found)),
            details: details.as_ref().map(year_plan::write_details),
        }),
        Fact::Team(team) => Item::Team(container(team)),
        Fact::Shared => Item::Shared(true),
        Fact::VisibleTo(audience) => Item::VisibleTo(audience.number()),
        Fact::Withdrawn => Item::Withdrawn(true),
        Fact::SectionShown(section) => Item::ShownSection(section.number()),
        Fact::Status(status) => Item::Status(written(status)),
        Fact::Unit(found) => Item::Unit(unit(found)),
        Fact::Goal { unit, goal: found } => Item::Goal(proto::PlanGoal {
            unit: Some(plan::write_unit(*unit)),
            goal: Some(goal(found)),
        }),
        Fact::Evaluation {
            unit,
            goal,
            evaluation: made,
        } => Item::Evaluation(proto::PlanEvaluation {
            unit: Some(plan::write_unit(*unit)),
            goal_id: goal.to_string(),
            evaluation: Some(evaluation(made)),
        }),
        Fact::FollowUp(follow_up) => Item::FollowUp(written(follow_up)),
        Fact::FollowUpOn(day) => Item::FollowUpOn(write_date(*day)),
        Fact::Talk(held) => Item::Talk(talk(held)),
        Fact::UnitOrder(units) => Item::UnitOrder(proto::UnitOrder {
            units: units.iter().copied().map(plan::write_unit).collect(),
        }),
    };
    proto::PlanItem { item: Some(item) }
}
