//! What people see of a plan. Staff see everything that is recorded. What others see must pass four
//! gates, each opened by an event: the plan is shared, the unit is included, the section or item is
//! shown, and the plan is visible to that audience.

mod build;
mod deletion;
mod diff;
mod guardians;

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Serialize;

use super::Actor;
use super::plan::{Assessment, Audience, Evaluator, Section, TalkDetails, UnitRef};
use super::year_plan::{
    GoalArea, GoalKind, GoalRevision, Scale, UnitDetails, Wording, YearPlanDetails, YearPlanKind,
};
use crate::ids::{EvaluationId, GoalId, PersonId, PlanId, TalkId, TeamId, UnitId, YearPlanId};
use crate::text::{Name, Text, Title};
use crate::time::Timestamp;

pub use self::build::{collected_view, plan_view, year_plan_view};
pub use self::deletion::DeletionView;
pub use self::diff::{About, Change, Fact, diff};
pub use self::guardians::{guardians, guards, has_left};

/// The person or group through whose eyes a plan is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Viewer {
    /// Teachers, pedagogues and leaders. They see everything, and also what is shown to whom.
    Staff,
    /// An audience, for which the four gates apply.
    Audience(Audience),
}

/// A plan as a viewer sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanView {
    /// The id of the plan.
    pub id: PlanId,
    /// The student whose plan it is.
    pub student: PersonId,
    /// The name of the student; `None` if it is not known.
    pub student_name: Option<Name>,
    /// Whether it is a subject plan or a combined plan.
    pub kind: YearPlanKind,
    /// The year plan that it belongs to.
    pub year_plan: ContainerView<YearPlanId>,
    /// The team of that year plan.
    pub team: Option<ContainerView<TeamId>>,
    /// The details of the year plan; `None` if they are not known.
    pub year_plan_details: Option<YearPlanDetails>,
    /// The person who owns it.
    pub owner: PersonId,
    /// The name of the owner; `None` if it is not known.
    pub owner_name: Option<Name>,
    /// Whether the owner has left. If so, somebody should take the plan over.
    pub owner_departed: bool,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When anything in it last changed.
    pub changed_at: Timestamp,
    /// The status; for an audience only if its section is shown.
    pub status: Option<WrittenView>,
    /// The included units, with the goals that the viewer sees.
    pub units: Vec<UnitView>,
    /// The follow-up; for an audience only if its section is shown.
    pub follow_up: Option<WrittenView>,
    /// The day on which to follow up; `None` if no day was set.
    pub follow_up_on: Option<Date>,
    /// The talks that the viewer sees.
    pub talks: Vec<TalkView>,
    /// Whether the plan is shared, which is the first gate.
    pub shared: bool,
    /// The audiences that the plan is visible to, which is the last gate.
    pub visible_to: BTreeSet<Audience>,
    /// The sections that are shown, which is the third gate.
    pub sections: BTreeSet<Section>,
    /// Whether the plan is withdrawn, because it was opened by mistake.
    pub withdrawn: bool,
}

/// The year plan or team that a plan belongs to, and whether it is deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContainerView<Id> {
    /// The id of the year plan or team.
    pub id: Id,
    /// The title that people see.
    pub title: Option<Title>,
    /// The person who owns it; `None` if nobody does.
    pub owner: Option<PersonId>,
    /// What the viewer learns of its deletion; `None` unless it is deleted now. The plan is whole in
    /// either case (P1).
    pub deleted: Option<DeletionView>,
}

/// A written section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WrittenView {
    /// The text as it was written.
    pub text: Text,
    /// The person or system that wrote it.
    pub by: Actor,
    /// The instant at which it was written.
    pub at: Timestamp,
    /// Whether the section is shown.
    pub shown: bool,
}

/// A unit that a plan includes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnitView {
    /// The unit and the year plan that it belongs to.
    pub unit: UnitRef,
    /// The details of the unit; `None` only if the year plan's stream does not exist.
    pub details: Option<UnitDetails>,
    /// What the viewer learns of the unit's deletion; `None` unless it is deleted now.
    pub deleted: Option<DeletionView>,
    /// Whether the plan still includes the unit. Only staff see excluded units, and only those that
    /// were evaluated.
    pub included: bool,
    /// The goals of the unit that the viewer sees.
    pub goals: Vec<GoalView>,
}

/// A goal with its evaluations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GoalView {
    /// The id of the goal.
    pub id: GoalId,
    /// Who may evaluate it.
    pub kind: GoalKind,
    /// What it is about.
    pub area: GoalArea,
    /// Its present words.
    pub wording: Wording,
    /// Its present scale.
    pub scale: Scale,
    /// Its present revision, from 1.
    pub revision: u32,
    /// Whether the goal is out of use.
    pub retired: bool,
    /// Whether the goal is shown to others than staff.
    pub shown: bool,
    /// Evaluations, oldest first.
    pub evaluations: Vec<EvaluationView>,
}

/// An evaluation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EvaluationView {
    /// The id of the evaluation.
    pub id: EvaluationId,
    /// The revision of the goal on which it was made, from 1.
    pub goal_revision: u32,
    /// Whether staff or the student made it.
    pub by: Evaluator,
    /// The person or system that made it.
    pub actor: Actor,
    /// The instant at which it was made.
    pub at: Timestamp,
    /// The level and comment of the evaluation.
    pub assessment: Assessment,
    /// The title of the level that it gives, on the scale on which it was made.
    pub level_title: Option<Title>,
    /// The instant of the last correction; `None` if there was none.
    pub corrected_at: Option<Timestamp>,
    /// Whether the evaluation is shown to others than staff.
    pub shown: bool,
}

/// A talk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TalkView {
    /// The id of the talk.
    pub id: TalkId,
    /// The kind and day of the talk, and its notes.
    pub details: TalkDetails,
    /// Everybody who held it.
    pub held_by: BTreeSet<PersonId>,
    /// The person or system that recorded it.
    pub by: Actor,
    /// The instant at which it was recorded.
    pub at: Timestamp,
    /// The instant of the last correction; `None` if there was none.
    pub corrected_at: Option<Timestamp>,
    /// Whether the talk is shown to others than staff.
    pub shown: bool,
}

/// *Samlet Elevplan*: every plan of a student that the viewer may see, in one view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CollectedView {
    /// The student whose plans these are.
    pub student: PersonId,
    /// The name of the student; `None` if it is not known.
    pub student_name: Option<Name>,
    /// The plans, oldest first. Staff also see withdrawn plans.
    pub plans: Vec<PlanView>,
}

/// A year plan as a viewer sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct YearPlanView {
    /// The id of the year plan.
    pub id: YearPlanId,
    /// What it is.
    pub details: YearPlanDetails,
    /// The person who owns it.
    pub owner: PersonId,
    /// The units that the viewer sees, in the order in which they were added.
    pub units: Vec<YearPlanUnitView>,
    /// What the viewer learns of its deletion; `None` unless it is deleted now.
    pub deleted: Option<DeletionView>,
    /// The team of the year plan.
    pub team: Option<ContainerView<TeamId>>,
}

/// A unit of a year plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct YearPlanUnitView {
    /// The id of the unit.
    pub id: UnitId,
    /// What it is.
    pub details: UnitDetails,
    /// The goals that the viewer sees, in the order in which they were added.
    pub goals: Vec<YearPlanGoalView>,
    /// When, by whom and why it was deleted; `None` unless it is deleted now. Only staff see deleted
    /// units.
    pub deleted: Option<DeletionView>,
}

/// A goal of a unit, as a viewer sees it in the year plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct YearPlanGoalView {
    /// The id of the goal.
    pub id: GoalId,
    /// Who may evaluate it, and where it is shown.
    pub kind: GoalKind,
    /// What it is about.
    pub area: GoalArea,
    /// The number of the first of `revisions`.
    pub first_revision: u32,
    /// The words and scale of each revision that the viewer sees, up to the present one. Staff see
    /// all; everybody else sees the present one only.
    pub revisions: Vec<GoalRevision>,
    /// Whether the goal is out of use.
    pub retired: bool,
}
