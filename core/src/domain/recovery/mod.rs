//! Recoveries: teams, year plans and plans that are handed over or brought back together. Every
//! step is recorded.
//!
//! The stream of a recovery says what was to be done and what came of it. The steps themselves are
//! ordinary events in the streams that they change, each made by a command of its own. A step is
//! done or not done. It is done at most once, however often the recovery is started anew after a
//! crash. A step says what it expects to find, so that it never overwrites what somebody else has
//! done meanwhile. If it finds something else, the step is left out and the recovery says so.

mod decide;

pub(crate) use self::decide::too_many;

use serde::{Deserialize, Serialize};

use super::institution::InstitutionCommand;
use super::plan::{PlanCommand, UnitRef};
use super::refusal::Reason;
use super::team::TeamCommand;
use super::year_plan::{Place, YearPlanCommand, YearPlanDetails};
use super::{Actor, Command, EventMeta};
use crate::ids::{GoalId, InstitutionId, PersonId, PlanId, StreamId, TeamId, UnitId, YearPlanId};
use crate::text;
use crate::time::Timestamp;

/// How many steps one recovery may have.
pub const MOST_STEPS: usize = 10_000;

/// One thing that a recovery does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A team gets another owner.
    TeamOwner {
        /// The team.
        team: TeamId,
        /// The owner that it must still have; `None` for no owner. Otherwise the step is left out.
        from: Option<PersonId>,
        /// The new owner.
        to: PersonId,
    },
    /// A year plan gets another owner.
    YearPlanOwner {
        /// The year plan.
        year_plan: YearPlanId,
        /// The owner that it must still have. Otherwise the step is left out.
        from: PersonId,
        /// The new owner.
        to: PersonId,
    },
    /// A plan gets another owner.
    PlanOwner {
        /// The plan.
        plan: PlanId,
        /// The owner that it must still have. Otherwise the step is left out.
        from: PersonId,
        /// The new owner.
        to: PersonId,
    },
    /// The deletion of a team is taken back.
    UndeleteTeam {
        /// The team.
        team: TeamId,
    },
    /// The deletion of a year plan is taken back.
    UndeleteYearPlan {
        /// The year plan.
        year_plan: YearPlanId,
    },
    /// The deletion of a unit is taken back.
    UndeleteUnit {
        /// The year plan that the unit belongs to.
        year_plan: YearPlanId,
        /// The unit.
        unit: UnitId,
    },
    /// The withdrawal of a plan is taken back.
    RestorePlan {
        /// The plan.
        plan: PlanId,
    },
    /// A plan is moved to another year plan.
    MovePlan {
        /// The plan.
        plan: PlanId,
        /// The year plan that the plan must still belong to. Otherwise the step is left out.
        from: YearPlanId,
        /// The new year plan.
        to: YearPlanId,
    },
    /// A team moves to another institution.
    MoveTeam {
        /// The team.
        team: TeamId,
        /// The institution that the team must still belong to. Otherwise the step is left out.
        from: InstitutionId,
        /// The new institution.
        to: InstitutionId,
    },
    /// A year plan moves to another institution or team, and its plans with it.
    MoveYearPlan {
        /// The year plan.
        year_plan: YearPlanId,
        /// Where the year plan must still belong. Otherwise the step is left out.
        from: Place,
        /// Where it belongs from then on.
        to: Place,
    },
    /// A closed institution gets the institution that carries on for it.
    Succeed {
        /// The closed institution.
        institution: InstitutionId,
        /// The successor that it must still have; `None` for none. Otherwise the step is left out.
        from: Option<InstitutionId>,
        /// The institution that carries on.
        to: InstitutionId,
    },
    /// A year plan is created.
    CreateYearPlan {
        /// The id of the new year plan.
        year_plan: YearPlanId,
        /// The year plan after which it is modelled.
        like: YearPlanId,
        /// The details of the new year plan.
        details: YearPlanDetails,
        /// The person who owns it.
        owner: PersonId,
    },
    /// A unit is added to a year plan, as a copy.
    CopyUnit {
        /// The year plan that gets the copy.
        year_plan: YearPlanId,
        /// The id of the copy.
        unit: UnitId,
        /// The unit that is copied.
        from: UnitRef,
        /// The goals that are copied with the unit, each with the id of its copy.
        goals: Vec<(GoalId, GoalId)>,
    },
}

impl Step {
    /// The stream that the step changes.
    pub fn stream(&self) -> StreamId {
        match self {
            Self::TeamOwner { team, .. }
            | Self::UndeleteTeam { team }
            | Self::MoveTeam { team, .. } => (*team).into(),
            Self::YearPlanOwner { year_plan, .. }
            | Self::UndeleteYearPlan { year_plan }
            | Self::UndeleteUnit { year_plan, .. }
            | Self::MoveYearPlan { year_plan, .. }
            | Self::CreateYearPlan { year_plan, .. }
            | Self::CopyUnit { year_plan, .. } => (*year_plan).into(),
            Self::PlanOwner { plan, .. }
            | Self::RestorePlan { plan }
            | Self::MovePlan { plan, .. } => (*plan).into(),
            Self::Succeed { institution, .. } => (*institution).into(),
        }
    }

    /// The command that does the step.
    pub fn command(&self, reason: Option<&text::ReasonText>) -> Command {
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
            Self::MoveTeam { team, from, to } => {
                Command::Team(team, TeamCommand::Move { from, to })
            }
            Self::Succeed {
                institution,
                from,
                to,
            } => Command::Institution(institution, InstitutionCommand::Succeed { from, to }),
            Self::MoveYearPlan {
                year_plan,
                from,
                to,
            } => Command::YearPlan(year_plan, YearPlanCommand::Move { from, to, reason }),
        }
    }

    /// The command that takes the step back.
    pub fn undoing(&self, reason: Option<&text::ReasonText>) -> Command {
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
            Self::MoveTeam { team, from, to } => {
                let (from, to) = (to, from);
                Command::Team(team, TeamCommand::MoveBack { from, to })
            }
            Self::Succeed {
                institution,
                from,
                to,
            } => {
                let (from, to) = (to, from);
                Command::Institution(institution, InstitutionCommand::SucceedBack { from, to })
            }
            Self::MoveYearPlan {
                year_plan,
                from,
                to,
            } => {
                let (from, to) = (to, from);
                Command::YearPlan(year_plan, YearPlanCommand::MoveBack { from, to, reason })
            }
        }
    }
}

/// A step that was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The place of the step among the steps, from 0.
    pub step: u32,
    /// Why the step was left out.
    pub reason: Reason,
}

/// What can be asked of a recovery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryCommand {
    /// Starts the recovery and says what is to be done.
    Start {
        /// The steps, in order.
        steps: Vec<Step>,
        /// The person or system for whom it is done; `None` if the actor acts for itself.
        on_behalf_of: Option<Actor>,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<text::ReasonText>,
    },
    /// Says that every step was tried.
    Finish {
        /// The steps that were left out.
        left_out: Vec<LeftOut>,
    },
    /// Starts to take back what was done.
    Undo {
        /// The person or system for whom it is done; `None` if the actor acts for itself.
        on_behalf_of: Option<Actor>,
        /// The reason that the sender gives; `None` if no reason is given.
        reason: Option<text::ReasonText>,
    },
    /// Says that every step that was done has been taken back, as far as possible.
    FinishUndo {
        /// The steps that were not taken back.
        left_out: Vec<LeftOut>,
    },
}

/// What happened to a recovery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryEvent {
    /// The recovery was started.
    Started {
        /// The steps, in order.
        steps: Vec<Step>,
        /// The person or system for whom it is done; `None` if the actor acts for itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_behalf_of: Option<Actor>,
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<text::ReasonText>,
    },
    /// Every step was tried.
    Finished {
        /// The steps that were left out.
        left_out: Vec<LeftOut>,
    },
    /// Somebody asked to take back what was done.
    UndoStarted {
        /// The person or system that asked for it.
        by: Actor,
        /// The person or system for whom it was asked; `None` if the actor acts for itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_behalf_of: Option<Actor>,
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<text::ReasonText>,
    },
    /// Every step that was done has been taken back, as far as possible.
    Undone {
        /// The steps that were not taken back.
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
        /// The person or system that asked for it.
        by: Actor,
        /// The person or system for whom it was asked; `None` if the actor acts for itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_behalf_of: Option<Actor>,
        /// The reason that was given; `None` if none was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<text::ReasonText>,
    },
    /// Every step that was done has been taken back, as far as possible.
    Undone {
        /// The steps that were not taken back.
        left_out: Vec<LeftOut>,
    },
}

/// A recovery as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The reason that was given; `None` if none was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<text::ReasonText>,
    /// The person or system that started it.
    pub by: Actor,
    /// The person or system for whom it was started; `None` if the actor acted for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<Actor>,
    /// The instant at which it was started.
    pub at: Timestamp,
    /// The steps that were left out.
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

    /// Whether steps remain to be done or taken back.
    pub fn is_open(&self) -> bool {
        match self.phase {
            Phase::Running | Phase::Undoing { .. } => true,
            Phase::Finished | Phase::Undone { .. } => false,
        }
    }

    /// Who asked to take back what was done, and for whom; `None` if nobody did or that has ended.
    pub fn undone_by(&self) -> Option<(Actor, Option<Actor>)> {
        match self.phase {
            Phase::Undoing {
                by, on_behalf_of, ..
            } => Some((by, on_behalf_of)),
            Phase::Running | Phase::Finished | Phase::Undone { .. } => None,
        }
    }

    /// Whether a step was left out.
    pub fn left_out(&self, step: u32) -> bool {
        self.left_out.iter().any(|left| left.step == step)
    }
}
