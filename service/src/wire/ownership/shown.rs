//! Messages about owned items, dry runs and recoveries.

use planledger_core::domain::person::NoOwner;
use planledger_core::domain::recovery::{LeftOut, Phase, Recovery, Step};
use planledger_core::domain::{Reason, Refusal};
use planledger_core::ids::{RecoveryId, StreamId};
use planledger_core::recovery::{Leaver, Owned, Progress, Proposed, Suggestion, Why};
use planledger_core::text::Title;

use super::owned_counts;
use crate::wire::actor::{write_actor, write_deletion};
use crate::wire::evidence::write_evidence;
use crate::wire::instant::{timestamp, write_date};
use crate::wire::proto;
use crate::wire::proto::proposed_item::Outcome;
use crate::wire::proto::recovery_step::Step as Shown;
use crate::wire::scalar::{count, string};

/// A team, year plan or plan in a list of what is owned.
pub fn owned_item(owned: &Owned) -> proto::OwnedItem {
    proto::OwnedItem {
        stream: owned.stream.to_string(),
        owner_id: string(owned.owner.as_ref()),
        ownerless: match owned.ownerless {
            Some(NoOwner::Leaving { .. }) | None => false,
            Some(
                NoOwner::Nobody
                | NoOwner::Departed
                | NoOwner::NotStaff
                | NoOwner::Elsewhere
                | NoOwner::AbsentFromRoster { .. },
            ) => true,
        },
        institution_id: owned.institution.to_string(),
        title: string(owned.title.as_ref()).unwrap_or_default(),
        deletion: owned.deleted.as_ref().map(write_deletion),
        deleted_by_owner: owned.deleted_by_owner(),
        withdrawn: owned.withdrawn,
        students: owned.students,
        last_activity_at: Some(timestamp(owned.last_activity)),
        ownerless_reason: owned
            .ownerless
            .map_or_else(Default::default, ownerless_reason),
        last_seen_in_roster: match owned.ownerless {
            Some(NoOwner::AbsentFromRoster { last_seen }) => Some(write_date(last_seen)),
            Some(
                NoOwner::Nobody
                | NoOwner::Departed
                | NoOwner::NotStaff
                | NoOwner::Elsewhere
                | NoOwner::Leaving { .. },
            )
            | None => None,
        },
        owner_leaving_on: match owned.ownerless {
            Some(NoOwner::Leaving { last_day }) => Some(write_date(last_day)),
            Some(
                NoOwner::Nobody
                | NoOwner::Departed
                | NoOwner::NotStaff
                | NoOwner::Elsewhere
                | NoOwner::AbsentFromRoster { .. },
            )
            | None => None,
        },
    }
}

fn ownerless_reason(reason: NoOwner) -> i32 {
    use proto::OwnerlessReason;
    let reason = match reason {
        NoOwner::Nobody => OwnerlessReason::NoOwner,
        NoOwner::Departed => OwnerlessReason::Departed,
        NoOwner::NotStaff => OwnerlessReason::NotStaff,
        NoOwner::Elsewhere => OwnerlessReason::Elsewhere,
        NoOwner::AbsentFromRoster { .. } => OwnerlessReason::AbsentFromRoster,
        NoOwner::Leaving { .. } => OwnerlessReason::Leaving,
    };
    reason.into()
}

/// A person who looks as if they had left, and what the person owns at the institution.
pub fn suggestion(found: &Leaver, owned: &[StreamId]) -> proto::DepartureSuggestion {
    proto::DepartureSuggestion {
        person_id: found.person.to_string(),
        name: found.name.to_string(),
        evidence: found.evidence.iter().map(write_evidence).collect(),
        owned: Some(owned_counts(owned)),
    }
}

/// A person who could become the owner.
pub fn successor(found: &Suggestion) -> proto::Successor {
    proto::Successor {
        person_id: found.person.to_string(),
        evaluations: found.evaluations,
        on_team: found.on_team,
    }
}

/// One item of a dry run.
pub fn proposed_item(item: &Proposed, title: Option<&Title>) -> proto::ProposedItem {
    use proto::ProposalWhy;
    let (mut evaluations, mut hangs_on) = (0, None);
    let why = match item.why {
        Why::Asked => ProposalWhy::Asked,
        Why::EvaluatesMost { evaluations: most } => {
            evaluations = most;
            ProposalWhy::EvaluatesMost
        }
        Why::SharesTeam => ProposalWhy::SharesTeam,
        Why::NamedForTeam => ProposalWhy::NamedForTeam,
        Why::NamedForSubject => ProposalWhy::NamedForSubject,
        Why::Fallback => ProposalWhy::Fallback,
        Why::BelongsTo(stream) => {
            hangs_on = Some(stream.to_string());
            ProposalWhy::HangsOn
        }
        Why::OfClosedInstitution => ProposalWhy::OfClosedInstitution,
        Why::SucceededBy(team) => {
            hangs_on = Some(StreamId::from(team).to_string());
            ProposalWhy::SucceededBy
        }
    };
    proto::ProposedItem {
        stream: item.stream.to_string(),
        why: why.into(),
        evaluations,
        hangs_on,
        title: string(title).unwrap_or_default(),
        outcome: Some(match &item.step {
            Ok(done) => Outcome::Step(step(done)),
            Err(refusal) => Outcome::Refusal(item_refusal(refusal)),
        }),
    }
}

fn item_refusal(refusal: &Refusal) -> proto::ItemRefusal {
    proto::ItemRefusal {
        reason: reason(refusal.reason),
        message: refusal.message.clone(),
    }
}

fn reason(reason: Reason) -> i32 {
    let name = format!("ERROR_REASON_{}", reason.code());
    // The library's reasons and the API's reasons are the same; a test checks that.
    let reason = proto::ErrorReason::from_str_name(&name);
    reason.unwrap_or_default().into()
}

/// One step of a recovery.
pub fn step(step: &Step) -> proto::RecoveryStep {
    let owner = |from: Option<String>, to: String| {
        Shown::Owner(proto::OwnerStep {
            from_person_id: from,
            to_person_id: to,
        })
    };
    let shown = match step {
        Step::TeamOwner { from, to, .. } => owner(string(from.as_ref()), to.to_string()),
        Step::YearPlanOwner { from, to, .. } | Step::PlanOwner { from, to, .. } => {
            owner(Some(from.to_string()), to.to_string())
        }
        Step::UndeleteTeam { .. } | Step::UndeleteYearPlan { .. } => {
            Shown::Undelete(proto::UndeleteStep { unit_id: None })
        }
        Step::UndeleteUnit { unit, .. } => Shown::Undelete(proto::UndeleteStep {
            unit_id: Some(unit.to_string()),
        }),
        Step::RestorePlan { .. } => Shown::Unwithdraw(proto::UnwithdrawStep {}),
        Step::MovePlan { from, to, .. } => Shown::Move(proto::MoveStep {
            from_year_plan_id: from.to_string(),
            to_year_plan_id: to.to_string(),
        }),
        Step::MoveTeam { from, to, .. } => Shown::Relocate(proto::RelocateStep {
            from_institution_id: from.to_string(),
            to_institution_id: to.to_string(),
            from_team_id: None,
            to_team_id: None,
        }),
        Step::MoveYearPlan { from, to, .. } => Shown::Relocate(proto::RelocateStep {
            from_institution_id: from.institution.to_string(),
            to_institution_id: to.institution.to_string(),
            from_team_id: Some(from.team.to_string()),
            to_team_id: Some(to.team.to_string()),
        }),
        Step::Succeed { from, to, .. } => Shown::Succeed(proto::SucceedStep {
            from_institution_id: string(from.as_ref()),
            to_institution_id: to.to_string(),
        }),
        Step::CreateYearPlan {
            like,
            details,
            owner,
            ..
        } => Shown::Create(proto::CreateStep {
            like_year_plan_id: like.to_string(),
            title: details.title.to_string(),
            team_id: details.team.to_string(),
            owner_id: owner.to_string(),
            institution_id: details.institution.to_string(),
        }),
        Step::CopyUnit {
            unit, from, goals, ..
        } => Shown::CopyUnit(proto::CopyUnitStep {
            unit_id: unit.to_string(),
            from_year_plan_id: from.year_plan.to_string(),
            from_unit_id: from.unit.to_string(),
            goals: count(goals.len()),
        }),
    };
    proto::RecoveryStep {
        stream: step.stream().to_string(),
        step: Some(shown),
    }
}

/// How far a recovery has come.
pub fn recovery_progress(progress: Progress) -> proto::RecoveryProgress {
    proto::RecoveryProgress {
        tried: progress.tried,
        left_out: progress.left_out,
        steps: progress.steps,
    }
}

/// A recovery as it is now.
pub fn recovery(id: RecoveryId, recovery: &Recovery) -> proto::Recovery {
    use proto::RecoveryPhase;
    let (phase, not_undone) = match &recovery.phase {
        Phase::Running => (RecoveryPhase::Running, &[][..]),
        Phase::Finished => (RecoveryPhase::Finished, &[][..]),
        Phase::Undoing { .. } => (RecoveryPhase::Undoing, &[][..]),
        Phase::Undone { left_out } => (RecoveryPhase::Undone, left_out.as_slice()),
    };
    let left_out = |left: &[LeftOut]| {
        let steps = left.iter().map(|left| {
            let stream = recovery.steps.get(left.step as usize).map(Step::stream);
            left_out_step(left, stream)
        });
        steps.collect()
    };
    proto::Recovery {
        recovery_id: id.to_string(),
        phase: phase.into(),
        started_by: Some(write_actor(recovery.by)),
        on_behalf_of: recovery.on_behalf_of.map(write_actor),
        started_at: Some(timestamp(recovery.at)),
        reason: string(recovery.reason.as_ref()),
        steps: count(recovery.steps.len()),
        left_out: left_out(&recovery.left_out),
        not_undone: left_out(not_undone),
    }
}

fn left_out_step(left: &LeftOut, stream: Option<StreamId>) -> proto::LeftOutStep {
    proto::LeftOutStep {
        step: left.step,
        stream: string(stream.as_ref()).unwrap_or_default(),
        reason: reason(left.reason),
    }
}
