//! What a request for a recovery names besides what it is about, and which of that its sender may not
//! know of: see [`crate::access::unseen`].

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::request::{Fallback, RecoveryRequest, RestoreItem, Rule, What};
use crate::access::{About, Action, Facts, Who, decide, unseen_among};
use crate::ids::{PersonId, PlanId, StreamId, StreamKind, TeamId, YearPlanId};
use crate::ledger::ReadError;

/// What a request for a recovery names that is there, and that its sender may not see: new owners, the
/// owner until now, and the teams that carry on. The recovery must be proposed as if that were not there.
/// The sender sees whom the table says, and whoever is named by the things that the request is about and
/// whose owners the sender may see.
///
/// # Errors
/// [`ReadError`] when the state cannot be read.
pub fn unseen<F: Facts + ?Sized>(
    facts: &F,
    today: Date,
    who: &Who,
    request: &RecoveryRequest,
) -> Result<BTreeSet<StreamId>, ReadError> {
    unseen_among(facts, today, who, named(request), || {
        let mut seen = Vec::new();
        for stream in about(facts, request)? {
            if let Some(about) = ownable(stream)
                && decide(facts, today, who, Action::ReadOwnership, about)?.is_allowed()
            {
                seen.push(stream);
            }
        }
        Ok(seen)
    })
}

/// The things that a request is about.
fn about<F: Facts + ?Sized>(
    facts: &F,
    request: &RecoveryRequest,
) -> Result<Vec<StreamId>, ReadError> {
    Ok(match request {
        RecoveryRequest::Transfer(transfer) => match &transfer.what {
            What::Everything { of, .. } => facts.owned(*of)?,
            What::Items(items) => items.iter().copied().collect(),
        },
        RecoveryRequest::Restore(restore) => {
            let item = |item: &RestoreItem| match item {
                RestoreItem::Rebuild(rebuild) => rebuild.from.into(),
                RestoreItem::Team { .. }
                | RestoreItem::YearPlan { .. }
                | RestoreItem::Unit { .. }
                | RestoreItem::Plan { .. }
                | RestoreItem::Move { .. } => item.stream(),
            };
            restore.what.iter().map(item).collect()
        }
        RecoveryRequest::Merge(merge) => merge.teams.keys().map(|team| (*team).into()).collect(),
    })
}

/// A team, year plan or plan, as the table has it.
fn ownable(stream: StreamId) -> Option<About> {
    let id = stream.id;
    match stream.kind {
        StreamKind::Team => Some(About::Team(TeamId::from_uuid(id))),
        StreamKind::YearPlan => Some(About::YearPlan(YearPlanId::from_uuid(id))),
        StreamKind::Plan => Some(About::Plan(PlanId::from_uuid(id))),
        StreamKind::Institution
        | StreamKind::SchoolYear
        | StreamKind::Person
        | StreamKind::Catalogue
        | StreamKind::Ledger
        | StreamKind::Recovery
        | StreamKind::RosterSource
        | StreamKind::System
        | StreamKind::Grants
        | StreamKind::Erasure => None,
    }
}

/// Every stream that a request for a recovery names besides what it is about.
fn named(request: &RecoveryRequest) -> BTreeSet<StreamId> {
    match request {
        RecoveryRequest::Transfer(transfer) => {
            let from = match &transfer.what {
                What::Everything { of, .. } => Some(*of),
                What::Items(_) => None,
            };
            let to: Vec<_> = match &transfer.rule {
                Rule::To(person) => vec![*person],
                Rule::Team => Vec::new(),
                Rule::PerTeam(persons) => persons.values().copied().collect(),
                Rule::PerSubject(persons) => persons.values().copied().collect(),
            };
            all(from
                .into_iter()
                .chain(to)
                .chain(by_fallback(transfer.fallback)))
        }
        RecoveryRequest::Restore(restore) => {
            let owners = restore.what.iter().filter_map(|item| match item {
                RestoreItem::Rebuild(rebuild) => rebuild.owner,
                RestoreItem::Team { .. }
                | RestoreItem::YearPlan { .. }
                | RestoreItem::Unit { .. }
                | RestoreItem::Plan { .. }
                | RestoreItem::Move { .. } => None,
            });
            all(owners.chain(restore.give_to))
        }
        RecoveryRequest::Merge(merge) => {
            let teams = merge.teams.iter().flat_map(|(old, new)| [*old, *new]);
            let mut named = all(teams);
            named.extend(all(by_fallback(merge.fallback)));
            named
        }
    }
}

fn by_fallback(fallback: Fallback) -> Option<PersonId> {
    match fallback {
        Fallback::To(person) => Some(person),
        Fallback::Nobody | Fallback::Leader => None,
    }
}

fn all<I: Into<StreamId>>(ids: impl IntoIterator<Item = I>) -> BTreeSet<StreamId> {
    ids.into_iter().map(Into::into).collect()
}
