//! What people see. Staff see all that is recorded; what others see passes four gates, each an
//! event: the plan is shared, the unit is included, the section or item is shown, the plan is
//! visible to that audience.

mod build;
mod diff;

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::plan::{Assessment, Audience, Evaluator, Plan, Section, TalkDetails, UnitRef};
use super::year_plan::{
    GoalArea, GoalKind, Scale, UnitDetails, Wording, YearPlan, YearPlanDetails, YearPlanKind,
};
use super::{Actor, Deletion};
use crate::ids::{EvaluationId, GoalId, PersonId, PlanId, TalkId, TeamId, YearPlanId};
use crate::text::{Name, Text, Title};
use crate::time::Timestamp;

pub use self::build::{collected_view, plan_view, year_plan_view};
pub use self::diff::{About, Change, Fact, diff};

/// Through whose eyes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Viewer {
    /// Teachers, pedagogues and leaders: everything, with what is shown to whom.
    Staff,
    /// An audience that the four gates hold for.
    Audience(Audience),
}

/// A plan as a viewer sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanView {
    /// The plan.
    pub id: PlanId,
    /// Whose it is.
    pub student: PersonId,
    /// The student's name.
    pub student_name: Option<Name>,
    /// Subject or combined.
    pub kind: YearPlanKind,
    /// The year plan it hangs on.
    pub year_plan: ContainerView<YearPlanId>,
    /// That year plan's team.
    pub team: Option<ContainerView<TeamId>>,
    /// What the year plan is.
    pub year_plan_details: Option<YearPlanDetails>,
    /// Who owns it.
    pub owner: PersonId,
    /// The owner's name.
    pub owner_name: Option<Name>,
    /// Whether the owner has left: somebody should take over.
    pub owner_departed: bool,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When anything in it last changed.
    pub changed_at: Timestamp,
    /// The status; for an audience only if its section is shown.
    pub status: Option<WrittenView>,
    /// The units taken in, with the goals the viewer sees.
    pub units: Vec<UnitView>,
    /// The follow-up; for an audience only if its section is shown.
    pub follow_up: Option<WrittenView>,
    /// The day it is to be followed up.
    pub follow_up_on: Option<Date>,
    /// Talks.
    pub talks: Vec<TalkView>,
    /// First gate.
    pub shared: bool,
    /// Last gate.
    pub visible_to: BTreeSet<Audience>,
    /// Third gate, sections.
    pub sections: BTreeSet<Section>,
    /// Opened by mistake.
    pub withdrawn: bool,
}

/// What became of a container that a plan hangs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerView<Id> {
    /// Its id.
    pub id: Id,
    /// What people call it.
    pub title: Option<Title>,
    /// Who owns it.
    pub owner: Option<PersonId>,
    /// Set while it is deleted. The plan is whole all the same (P1).
    pub deleted: Option<Deletion>,
}

/// A written section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenView {
    /// The text.
    pub text: Text,
    /// Who wrote it.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// Whether the section is shown.
    pub shown: bool,
}

/// A unit that a plan includes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitView {
    /// Which.
    pub unit: UnitRef,
    /// What it is. None only if the year plan's stream is not there.
    pub details: Option<UnitDetails>,
    /// Set while the unit is deleted.
    pub deleted: Option<Deletion>,
    /// Whether the plan still includes it. Only staff see evaluated units that were taken out.
    pub included: bool,
    /// Its goals.
    pub goals: Vec<GoalView>,
}

/// A goal with its evaluations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoalView {
    /// Which.
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
    /// Out of use.
    pub retired: bool,
    /// Whether it is shown.
    pub shown: bool,
    /// Evaluations, oldest first.
    pub evaluations: Vec<EvaluationView>,
}

/// An evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvaluationView {
    /// Which.
    pub id: EvaluationId,
    /// The goal's revision it was made on, from 1.
    pub goal_revision: u32,
    /// On which side.
    pub by: Evaluator,
    /// Who made it.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
    /// What it says.
    pub assessment: Assessment,
    /// The words of its level, on the scale it was made on.
    pub level_title: Option<Title>,
    /// When it was last corrected.
    pub corrected_at: Option<Timestamp>,
    /// Whether it is shown.
    pub shown: bool,
}

/// A talk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TalkView {
    /// Which.
    pub id: TalkId,
    /// What it was.
    pub details: TalkDetails,
    /// Who recorded it.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// When it was last corrected.
    pub corrected_at: Option<Timestamp>,
    /// Whether it is shown.
    pub shown: bool,
}

/// *Samlet Elevplan*: every plan of a student that the viewer sees, in one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectedView {
    /// Whose.
    pub student: PersonId,
    /// The student's name.
    pub student_name: Option<Name>,
    /// Plans, oldest first. Staff see withdrawn ones too.
    pub plans: Vec<PlanView>,
}

/// Whether an audience may see anything of the plan: first and last gate, and not withdrawn.
pub fn is_visible(plan: &Plan, audience: Audience) -> bool {
    plan.shared && !plan.withdrawn && plan.visible_to.contains(&audience)
}

/// A year plan as a viewer sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YearPlanView {
    /// The year plan.
    pub id: YearPlanId,
    /// Its state, without what the viewer does not see.
    pub plan: YearPlan,
    /// Its team.
    pub team: Option<ContainerView<TeamId>>,
}
