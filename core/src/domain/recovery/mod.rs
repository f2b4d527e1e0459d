//! Recoveries: things handed over or brought back together, with each step on record.
//!
//! The stream says what was meant to be done and what came of it. The steps themselves are ordinary
//! events in the streams that they change, each by a command of its own: a step is done or not, and
//! is done once, however often the recovery is begun anew after a crash. A step says what it
//! expects to find, so that it never overwrites what somebody else has done meanwhile: it is left
//! out then, and the recovery says so.

mod decide;

pub(crate) use self::decide::too_many;

use serde::{Deserialize, Serialize};

use super::plan::{PlanCommand, UnitRef};
use super::refusal::Reason;
use super::team::TeamCommand;
use super::year_plan::{YearPlanCommand, YearPlanDetails};
use super::{Actor, Command, EventMeta};
use crate::ids::{GoalId, PersonId, PlanId, StreamId, TeamId, UnitId, YearPlanId};
use crate::text;
use crate::time::Timestamp;

/// The most steps of one recovery.
pub const MOST_STEPS: usize = 10_000;

/// One thing that is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A team gets another owner.
    TeamOwner {
        /// Which.
        team: TeamId,
        /// The owner it is expected to have.
        from: Option<PersonId>,
        /// The new one.
        to: PersonId,
    },
    /// A year plan gets another owner.
    YearPlanOwner {
        /// Which.
        year_plan: YearPlanId,
        /// The owner it is expected to have.
        from: PersonId,
        /// The new one.
        to: PersonId,
    },
    /// A plan gets another owner.
    PlanOwner {
        /// Which.
        plan: PlanId,
        /// The owner it is expected to have.
        from: PersonId,
        /// The new one.
        to: PersonId,
    },
    /// The deletion of a team is taken back.
    UndeleteTeam {
        /// Which.
        team: TeamId,
    },
    /// The deletion of a year plan is taken back.
    UndeleteYearPlan {
        /// Which.
        year_plan: YearPlanId,
    },
    /// The deletion of a unit is taken back.
    UndeleteUnit {
        /// Of which year plan.
        year_plan: YearPlanId,
        /// Which.
        unit: UnitId,
    },
    /// The withdrawal of a plan is taken back.
    RestorePlan {
        /// Which.
        plan: PlanId,
    },
    /// A plan is hung on another year plan.
    MovePlan {
        /// Which.
        plan: PlanId,
        /// The year plan that it is expected to hang on.
        from: YearPlanId,
        /// The one from now on.
        to: YearPlanId,
    },
    /// A year plan is created.
    CreateYearPlan {
        /// Its id.
        year_plan: YearPlanId,
        /// The one that it is made after.
        like: YearPlanId,
        /// What it is.
        details: YearPlanDetails,
        /// Who owns it.
        owner: PersonId,
    },
    /// A unit is added to a year plan, as a copy.
    CopyUnit {
        /// To which.
        year_plan: YearPlanId,
        /// The new unit's id.
        unit: UnitId,
        /// The unit that is copied.
        from: UnitRef,
        /// Goals that are copied with it, each with the id of the copy.
        goals: Vec<(GoalId, GoalId)>,
    },
}

impl Step {
    /// The stream that it changes.
    pub fn stream(&self) -> StreamId {
        match self {
            Self::TeamOwner { team, .. } | Self::UndeleteTeam { team } => (*team).into(),
            Self::YearPlanOwner { year_plan, .. }
            | Self::UndeleteYearPlan { year_plan }
            | Self::UndeleteUnit { year_plan, .. }
            | Self::CreateYearPlan { year_plan, .. }
            | Self::CopyUnit { year_plan, .. } => (*year_plan).into(),
            Self::PlanOwner { plan, .. }
            | Self::RestorePlan { plan }
            | Self::MovePlan { plan, .. } => (*plan).into(),
        }
    }

    /// The command that does it.
    pub fn command(&self, reason: Option<&text::Reason>) -> Command {
        let reason = reason.cloned();
        match *self {
            Self::CreateYearPlan {
                year_plan,
                ref details,
                owner,
                ..
            } => {
                let details = details.clone();
                Command::YearPlan(year_plan, YearPlanCommand::Create { details, owner })
            }
            Self::CopyUnit {
                year_plan,
                unit,
                from,
                ref goals,
            } => {
                let goals = goals.clone();
                Command::YearPlan(year_plan, YearPlanCommand::CopyUnit { unit, from, goals })
            }
            Self::TeamOwner { team, from, to } => {
                Command::Team(team, TeamCommand::HandOver { from, to, reason })
            }
            Self::YearPlanOwner {
                year_plan,
                from,
                to,
            } => Command::YearPlan(year_plan, YearPlanCommand::HandOver { from, to, reason }),
            Self::PlanOwner { plan, from, to } => {
                Command::Plan(plan, PlanCommand::HandOver { from, to, reason })
            }
            Self::UndeleteTeam { team } => Command::Team(team, TeamCommand::Undelete),
            Self::UndeleteYearPlan { year_plan } => {
                Command::YearPlan(year_plan, YearPlanCommand::Undelete)
            }
            Self::UndeleteUnit { year_plan, unit } => {
                Command::YearPlan(year_plan, YearPlanCommand::UndeleteUnit { unit })
            }
            Self::RestorePlan { plan } => Command::Plan(plan, PlanCommand::Restore),
            Self::MovePlan { plan, from, to } => {
                Command::Plan(plan, PlanCommand::Move { from, to, reason })
            }
        }
    }

    /// The command that takes it back.
    pub fn undoing(&self, reason: Option<&text::Reason>) -> Command {
        let reason = reason.cloned();
        match *self {
            Self::TeamOwner { team, from, to } => {
                let (from, to) = (to, from);
                Command::Team(team, TeamCommand::HandBack { from, to, reason })
            }
            Self::YearPlanOwner {
                year_plan,
                from,
                to,
            } => {
                let (from, to) = (to, from);
                Command::YearPlan(year_plan, YearPlanCommand::HandBack { from, to, reason })
            }
            Self::PlanOwner { plan, from, to } => {
                let (from, to) = (to, from);
                Command::Plan(plan, PlanCommand::HandBack { from, to, reason })
            }
            Self::UndeleteTeam { team } => Command::Team(team, TeamCommand::Delete { reason }),
            Self::UndeleteYearPlan { year_plan } | Self::CreateYearPlan { year_plan, .. } => {
                Command::YearPlan(year_plan, YearPlanCommand::Delete { reason })
            }
            Self::UndeleteUnit { year_plan, unit }
            | Self::CopyUnit {
                year_plan, unit, ..
            } => Command::YearPlan(year_plan, YearPlanCommand::DeleteUnit { unit, reason }),
            Self::RestorePlan { plan } => Command::Plan(plan, PlanCommand::Withdraw { reason }),
            Self::MovePlan { plan, from, to } => {
                let (from, to) = (to, from);
                Command::Plan(plan, PlanCommand::Move { from, to, reason })
            }
        }
    }
}

/// A step that was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Which, from 0.
    pub step: u32,
    /// Why.
    pub reason: Reason,
}

/// What can be asked of a recovery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryCommand {
    /// Says what is to be done.
    Start {
        /// The steps, in order.
        steps: Vec<Step>,
        /// For whom it is done, if for somebody else.
        on_behalf_of: Option<Actor>,
        /// Why.
        reason: Option<text::Reason>,
    },
    /// Says that every step was tried.
    Finish {
        /// Those that were left out.
        left_out: Vec<LeftOut>,
    },
    /// Says that what was done is to be taken back.
    Undo {
        /// For whom it is done, if for somebody else.
        on_behalf_of: Option<Actor>,
        /// Why.
        reason: Option<text::Reason>,
    },
    /// Says that it was tried to take back every step.
    FinishUndo {
        /// Those that were not taken back.
        left_out: Vec<LeftOut>,
    },
}

/// What happened to a recovery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryEvent {
    /// It was begun.
    Started {
        /// The steps, in order.
        steps: Vec<Step>,
        /// For whom it is done, if for somebody else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_behalf_of: Option<Actor>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<text::Reason>,
    },
    /// Every step was tried.
    Finished {
        /// Those that were left out.
        left_out: Vec<LeftOut>,
    },
    /// What was done is to be taken back.
    UndoStarted {
        /// By whom.
        by: Actor,
        /// For whom, if for somebody else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_behalf_of: Option<Actor>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<text::Reason>,
    },
    /// It was tried to take back every step that was done.
    Undone {
        /// Those that were not taken back.
        left_out: Vec<LeftOut>,
    },
}

/// How far a recovery has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Steps are being done.
    Running,
    /// Every step was tried.
    Finished,
    /// Steps are being taken back.
    Undoing {
        /// Who asked for it.
        by: Actor,
        /// For whom, if for somebody else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_behalf_of: Option<Actor>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<text::Reason>,
    },
    /// It was tried to take back every step that was done.
    Undone {
        /// Those that were not taken back.
        left_out: Vec<LeftOut>,
    },
}

/// A recovery as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<text::Reason>,
    /// Who began it.
    pub by: Actor,
    /// For whom, if for somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<Actor>,
    /// When it was begun.
    pub at: Timestamp,
    /// Steps that were left out.
    pub left_out: Vec<LeftOut>,
    /// How far it has come.
    pub phase: Phase,
}

impl Recovery {
    pub(in crate::domain) fn created(meta: &EventMeta, event: &RecoveryEvent) -> Option<Self> {
        match event {
            RecoveryEvent::Started {
                steps,
                on_behalf_of,
                reason,
            } => Some(Self {
                steps: steps.clone(),
                reason: reason.clone(),
                by: meta.actor,
                on_behalf_of: *on_behalf_of,
                at: meta.recorded_at,
                left_out: Vec::new(),
                phase: Phase::Running,
            }),
            RecoveryEvent::Finished { .. }
            | RecoveryEvent::UndoStarted { .. }
            | RecoveryEvent::Undone { .. } => None,
        }
    }

    pub(in crate::domain) fn apply(&mut self, event: &RecoveryEvent) {
        match event {
            RecoveryEvent::Started { .. } => {}
            RecoveryEvent::Finished { left_out } => {
                self.left_out.clone_from(left_out);
                self.phase = Phase::Finished;
            }
            RecoveryEvent::UndoStarted {
                by,
                on_behalf_of,
                reason,
            } => {
                self.phase = Phase::Undoing {
                    by: *by,
                    on_behalf_of: *on_behalf_of,
                    reason: reason.clone(),
                };
            }
            RecoveryEvent::Undone { left_out } => {
                let left_out = left_out.clone();
                self.phase = Phase::Undone { left_out };
            }
        }
    }

    /// Whether steps are left to be done or taken back.
    pub fn is_open(&self) -> bool {
        match self.phase {
            Phase::Running | Phase::Undoing { .. } => true,
            Phase::Finished | Phase::Undone { .. } => false,
        }
    }

    /// Whether a step was left out.
    pub fn left_out(&self, step: u32) -> bool {
        self.left_out.iter().any(|left| left.step == step)
    }
}
