//! What recoveries need: the right to everything that they change, and to everywhere they put it.

use std::collections::BTreeSet;

use planledger_core::access::{About, Action};
use planledger_core::domain::recovery::{Recovery, Step};
use planledger_core::domain::{Aggregate, World};
use planledger_core::ids::{RecoveryId, StreamId};
use planledger_core::ledger::{ReadError, Reading};
use planledger_core::recovery::{self, RecoveryRequest, RestoreItem, What};

use super::thing::Thing;
use super::{Permitted, Rights};
use crate::server::auth::Access;

impl Rights<'_> {
    pub(super) fn ownership(&self, access: &Access<'_>) -> Permitted {
        match *access {
            Access::ListOwned { person, .. } => self.may(Action::ReadOwnership, person),
            Access::ReadOwnership(stream)
            | Access::ListSuccessors(stream)
            | Access::PreviewDeletion(stream) => self.may(Action::ReadOwnership, stream),
            Access::ListOwnerless(id) | Access::ListSuggestions(id) => {
                self.may(Action::ReadOwnership, id)
            }
            Access::ProposeRecovery(asked) => self.all(Action::ReadOwnership, named(asked)),
            Access::Recover {
                recovery_request, ..
            } => self.all(Action::Recover, named(recovery_request)),
            Access::TakeStep(step) => self.all(Action::Recover, changed(self.now, step)?),
            Access::UndoRecovery { id, .. } => match self.recovery(id)? {
                Some(recovery) => self.every_step(Action::UndoRecovery, &recovery),
                None => self.everywhere(Action::UndoRecovery),
            },
            Access::ContinueRecovery { recovery, .. } => {
                let action = match recovery.undone_by() {
                    None => Action::Recover,
                    Some(_) => Action::UndoRecovery,
                };
                self.every_step(action, recovery)
            }
            Access::ReadRecovery { id, recovery } => {
                let found = match recovery {
                    Some(recovery) => Some(recovery.clone()),
                    None => self.recovery(id)?,
                };
                match found {
                    Some(recovery) => self.every_step(Action::ReadOwnership, &recovery),
                    None => self.everywhere(Action::ReadOwnership),
                }
            }
            _ => Ok(false),
        }
    }

    /// What a request for a recovery names and its sender may not see.
    pub(super) fn unseen_in_recovery(
        &self,
        request: &RecoveryRequest,
    ) -> Result<BTreeSet<StreamId>, ReadError> {
        recovery::unseen(self.now, self.now.day(), &self.who, request)
    }

    /// Whether the caller has a right to everything that a recovery changes.
    fn every_step(&self, action: Action, recovery: &Recovery) -> Permitted {
        if self.everywhere(action)? {
            return Ok(true);
        }
        for step in &recovery.steps {
            if !self.all(action, changed(self.now, step)?)? {
                return Ok(false);
            }
        }
        Ok(!recovery.steps.is_empty())
    }

    fn recovery(&self, id: RecoveryId) -> Result<Option<Recovery>, ReadError> {
        Ok(match self.now.aggregate(id.into())?.as_deref() {
            Some(Aggregate::Recovery(recovery)) => Some(recovery.clone()),
            Some(_) | None => None,
        })
    }
}

/// What a request for a recovery names.
fn named(asked: &RecoveryRequest) -> Vec<About> {
    match asked {
        RecoveryRequest::Transfer(transfer) => match &transfer.what {
            What::Everything {
                institution: Some(institution),
                ..
            } => vec![About::Institution(*institution)],
            What::Everything {
                of,
                institution: None,
            } => vec![About::Person(*of)],
            What::Items(items) => items.iter().map(|item| Thing::from(*item).0).collect(),
        },
        RecoveryRequest::Restore(restore) => {
            let items = restore.what.iter();
            items.flat_map(named_by_item).collect()
        }
        RecoveryRequest::Merge(merge) => {
            vec![About::Institution(merge.from), About::Institution(merge.to)]
        }
    }
}

fn named_by_item(item: &RestoreItem) -> Vec<About> {
    match item {
        RestoreItem::Team { team, .. } => vec![About::Team(*team)],
        RestoreItem::YearPlan { year_plan, .. } | RestoreItem::Unit { year_plan, .. } => {
            vec![About::YearPlan(*year_plan)]
        }
        RestoreItem::Plan { plan } => vec![About::Plan(*plan)],
        RestoreItem::Move { plan, to } => vec![About::Plan(*plan), About::YearPlan(*to)],
        RestoreItem::Rebuild(rebuild) => {
            let team = rebuild.team.map(About::Team);
            let institution = rebuild.institution.map(About::Institution);
            let from = About::YearPlan(rebuild.from);
            [from].into_iter().chain(team).chain(institution).collect()
        }
    }
}

/// What a step of a recovery changes, where that comes from, and where it puts it. A year plan that does
/// not exist is not asked about: an earlier step creates it, and is asked about where it will be.
fn changed(now: &Reading<'_>, step: &Step) -> Result<Vec<About>, ReadError> {
    let mut abouts = Vec::new();
    for about in touched(step) {
        let to_come = match about {
            About::YearPlan(id) => now.aggregate(id.into())?.is_none(),
            _ => false,
        };
        if !to_come {
            abouts.push(about);
        }
    }
    Ok(abouts)
}

/// Everything that a step names.
fn touched(step: &Step) -> Vec<About> {
    match *step {
        Step::TeamOwner { team, .. } | Step::UndeleteTeam { team } => vec![About::Team(team)],
        Step::MoveTeam { team, from, to } => vec![
            About::Team(team),
            About::Institution(from),
            About::Institution(to),
        ],
        Step::YearPlanOwner { year_plan, .. }
        | Step::UndeleteYearPlan { year_plan }
        | Step::UndeleteUnit { year_plan, .. } => vec![About::YearPlan(year_plan)],
        Step::MoveYearPlan {
            year_plan,
            from,
            to,
        } => vec![
            About::YearPlan(year_plan),
            About::Institution(from.institution),
            About::Institution(to.institution),
            About::Team(to.team),
        ],
        Step::Succeed {
            institution,
            from,
            to,
        } => {
            let from = from.map(About::Institution);
            let to = [About::Institution(institution), About::Institution(to)];
            to.into_iter().chain(from).collect()
        }
        Step::CreateYearPlan {
            like, ref details, ..
        } => vec![
            About::YearPlan(like),
            About::Institution(details.institution),
            About::Team(details.team),
        ],
        Step::CopyUnit {
            year_plan, from, ..
        } => vec![About::YearPlan(year_plan), About::YearPlan(from.year_plan)],
        Step::PlanOwner { plan, .. } | Step::RestorePlan { plan } => vec![About::Plan(plan)],
        Step::MovePlan { plan, from, to } => vec![
            About::Plan(plan),
            About::YearPlan(from),
            About::YearPlan(to),
        ],
    }
}
