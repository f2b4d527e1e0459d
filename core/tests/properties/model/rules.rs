//! What speaks against a command: everything that does, in no order. The library may give any of
//! it as its reason, but must give one if there is one, and none if there is none.

use std::collections::BTreeSet;

use planledger_core::domain::person::PersonCommand;
use planledger_core::domain::plan::{PlanCommand, UnitRef};
use planledger_core::domain::team::TeamCommand;
use planledger_core::domain::year_plan::{
    Scale, UnitDetails, YearPlanCommand, YearPlanDetails, YearPlanKind,
};
use planledger_core::domain::{Actor, Command, Reason};
use planledger_core::ids::{GoalId, PersonId, StreamId, UnitId, YearPlanId};

use super::{Model, scaled, worded};

/// Reasons, each with whether it applies.
pub(super) fn which(reasons: &[(Reason, bool)]) -> Vec<Reason> {
    let applying = reasons.iter().filter(|(_, applies)| *applies);
    applying.map(|(reason, _)| *reason).collect()
}

fn is_bad_scale(scale: &Scale) -> bool {
    let distinct: BTreeSet<_> = scale.levels.iter().collect();
    scale.levels.len() < 2 || scale.levels.len() > 10 || distinct.len() < scale.levels.len()
}

impl Model {
    pub(super) fn objections(&self, actor: Actor, command: &Command) -> Vec<Reason> {
        let left = matches!(actor, Actor::Person(id) if self.has_left(id));
        let mut found = which(&[(Reason::ActorDeparted, left)]);
        found.extend(self.to_what_is_asked(actor, command));
        found
    }

    fn to_what_is_asked(&self, actor: Actor, command: &Command) -> Vec<Reason> {
        match command {
            Command::Institution(..)
            | Command::SchoolYear(..)
            | Command::Catalogue(..)
            | Command::Ledger(..)
            | Command::Recovery(..)
            | Command::RosterSource(..)
            | Command::System(..)
            | Command::Grants(..)
            | Command::Erasure(..) => vec![],
            Command::Person(id, command) => match command {
                PersonCommand::Depart { .. } => {
                    which(&[(Reason::AlreadyDeparted, self.has_left(*id))])
                }
                PersonCommand::Return => which(&[(Reason::NotDeparted, !self.has_left(*id))]),
                _ => vec![],
            },
            Command::Team(id, command) => match command {
                TeamCommand::Delete { .. } => {
                    which(&[(Reason::TeamDeleted, self.team_deletion(*id).is_some())])
                }
                TeamCommand::Undelete => {
                    which(&[(Reason::NotDeleted, self.team_deletion(*id).is_none())])
                }
                _ => vec![],
            },
            Command::YearPlan(id, command) => self.to_year_plan(*id, command),
            Command::Plan(id, command) => self.to_plan(actor, *id, command),
        }
    }

    /// The stream that a granted command's receipt names.
    pub(super) fn answers(&self, command: &Command) -> StreamId {
        match command {
            Command::Plan(
                id,
                PlanCommand::Open {
                    student, year_plan, ..
                },
            ) => self.plan_of(*student, *year_plan).unwrap_or(*id).into(),
            _ => command.stream(),
        }
    }

    pub(super) fn to_owner(&self, id: PersonId) -> Vec<Reason> {
        which(&[
            (Reason::NotStaff, !self.is_staff(id)),
            (Reason::PersonDeparted, self.has_left(id)),
        ])
    }

    fn to_year_plan(&self, id: YearPlanId, command: &YearPlanCommand) -> Vec<Reason> {
        if let YearPlanCommand::Create { details, owner } = command {
            let count = details.subjects.len();
            let fits = count == 1 || (details.kind == YearPlanKind::Combined && count > 1);
            let mut found = which(&[
                (Reason::AlreadyExists, self.year_plan(id).is_some()),
                (Reason::SubjectCountInvalid, !fits),
                (
                    Reason::TeamDeleted,
                    self.team_deletion(details.team).is_some(),
                ),
            ]);
            found.extend(self.to_owner(*owner));
            return found;
        }
        let Some(details) = self.year_plan(id) else {
            return vec![Reason::YearPlanNotFound];
        };
        let is_deleted = self.year_plan_deletion(id).is_some();
        match command {
            YearPlanCommand::Undelete => which(&[(Reason::NotDeleted, !is_deleted)]),
            YearPlanCommand::TransferOwnership { to, .. } => {
                let already = self.year_plan_owner(id) == Some(*to);
                [
                    which(&[(Reason::AlreadyOwner, already)]),
                    self.to_owner(*to),
                ]
                .concat()
            }
            _ => {
                let mut found = which(&[(Reason::YearPlanDeleted, is_deleted)]);
                found.extend(self.to_year_plan_edit(id, &details, command));
                found
            }
        }
    }

    fn to_year_plan_edit(
        &self,
        id: YearPlanId,
        plan: &YearPlanDetails,
        command: &YearPlanCommand,
    ) -> Vec<Reason> {
        let one_subject = plan.kind == YearPlanKind::Subject;
        let bad_subject = |unit: &UnitDetails| {
            unit.subject
                .as_ref()
                .is_some_and(|subject| !plan.subjects.contains(subject))
        };
        match command {
            YearPlanCommand::AddSubject { .. } => which(&[(Reason::NotCombined, one_subject)]),
            YearPlanCommand::RemoveSubject { subject } => {
                let uses = |unit: &UnitId| {
                    let unit = UnitRef {
                        year_plan: id,
                        unit: *unit,
                    };
                    self.unit(unit).unwrap().subject.as_ref() == Some(subject)
                };
                which(&[
                    (Reason::NotCombined, one_subject),
                    (Reason::SubjectNotFound, !plan.subjects.contains(subject)),
                    (Reason::SubjectInUse, self.units(id).iter().any(uses)),
                    (Reason::SubjectCountInvalid, plan.subjects.len() == 1),
                ])
            }
            YearPlanCommand::AddUnit { unit, details } => which(&[
                (Reason::AlreadyExists, self.units(id).contains(unit)),
                (Reason::SubjectNotFound, bad_subject(details)),
            ]),
            YearPlanCommand::ReviseUnit { unit, details } => {
                let mut found = self.to_unit(id, *unit);
                found.extend(which(&[(Reason::SubjectNotFound, bad_subject(details))]));
                found
            }
            YearPlanCommand::DeleteUnit { unit, .. } => self.to_unit(id, *unit),
            YearPlanCommand::UndeleteUnit { unit } => match self.to_unit(id, *unit)[..] {
                [Reason::UnitDeleted] => vec![],
                [] => vec![Reason::NotDeleted],
                _ => vec![Reason::UnitNotFound],
            },
            YearPlanCommand::AddGoal {
                unit,
                goal,
                details,
            } => {
                let mut found = self.to_unit(id, *unit);
                found.extend(which(&[
                    (Reason::AlreadyExists, self.goal(id, *goal).is_some()),
                    (Reason::ScaleInvalid, is_bad_scale(&scaled(&details.scale))),
                ]));
                found
            }
            YearPlanCommand::ReviseGoal { goal, scale, .. } => {
                let mut found = self.to_goal(id, *goal);
                found.extend(which(&[(
                    Reason::ScaleInvalid,
                    is_bad_scale(&scaled(scale)),
                )]));
                found
            }
            YearPlanCommand::RetireGoal { goal, .. } => self.to_goal(id, *goal),
            _ => vec![],
        }
    }

    /// What speaks against doing something with a unit.
    pub(super) fn to_unit(&self, year_plan: YearPlanId, unit: UnitId) -> Vec<Reason> {
        let unit = UnitRef { year_plan, unit };
        which(&[
            (Reason::UnitNotFound, self.unit(unit).is_none()),
            (Reason::UnitDeleted, self.unit_deletion(unit).is_some()),
        ])
    }

    /// What speaks against changing a goal.
    fn to_goal(&self, year_plan: YearPlanId, id: GoalId) -> Vec<Reason> {
        match self.goal(year_plan, id) {
            None => vec![Reason::GoalNotFound],
            Some(goal) => {
                let mut found = self.to_unit(year_plan, goal.unit);
                found.extend(which(&[(Reason::GoalRetired, goal.retired)]));
                found
            }
        }
    }

    /// Whether a granted command changes anything.
    pub(super) fn changes(&self, command: &Command) -> bool {
        match command {
            Command::YearPlan(id, command) => match command {
                YearPlanCommand::Retitle { title } => self.year_plan(*id).unwrap().title != *title,
                YearPlanCommand::AddSubject { subject } => {
                    !self.year_plan(*id).unwrap().subjects.contains(subject)
                }
                YearPlanCommand::ReviseUnit { unit, details } => {
                    let unit = UnitRef {
                        year_plan: *id,
                        unit: *unit,
                    };
                    self.unit(unit).unwrap() != *details
                }
                YearPlanCommand::ReviseGoal {
                    goal,
                    wording,
                    scale,
                } => {
                    let goal = self.goal(*id, *goal).unwrap();
                    *goal.revisions.last().unwrap() != (worded(wording), scaled(scale))
                }
                _ => true,
            },
            Command::Plan(id, command) => self.changes_plan(*id, command),
            _ => true,
        }
    }
}
