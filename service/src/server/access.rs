//! Queries about grants and systems.

use planledger_core::access::review::{self, Reviewed, review};
use planledger_core::access::{Because, Verdict, decide};
use planledger_core::derived::Term;
use planledger_core::domain::grants::Grants;
use planledger_core::domain::system::System;
use planledger_core::domain::{Actor, Aggregate, Reason, World};
use planledger_core::ids::{GrantsId, Revision, StreamId, StreamKind, SystemId};
use planledger_core::ledger::{ReadError, Reading};
use uuid::Uuid;

use super::auth::Access;
use super::gate::Gate;
use super::pages::{self, Items, Wanted};
use crate::wire::page::Page;
use crate::wire::{Explain, Failure};

/// The day in Copenhagen on which a state is read.
pub(super) fn day(reading: &Reading<'_>) -> jiff::civil::Date {
    World::day(reading)
}

/// Reads a page of grants: of everybody, or of one person or system.
pub(super) fn grants<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    grantee: Option<Actor>,
    page: &Page<Uuid>,
    show: impl Fn(Revision, &Grants) -> T,
) -> Result<Items<T>, Failure> {
    let streams = match grantee {
        Some(grantee) => {
            let id = GrantsId::of(grantee);
            let sees_any = gate.permits(&Access::ReadGrants(id))?;
            if !sees_any {
                gate.require(&Access::ReadAccess { of: Some(grantee) })?;
            }
            vec![StreamId::from(id)]
        }
        None => {
            gate.require(&Access::ListGrants)?;
            reading.find(Term::All(StreamKind::Grants))?.to_vec()
        }
    };
    let show = |_, revision, state: &Aggregate| match state {
        Aggregate::Grants(state) if grantee.is_none_or(|grantee| grantee == state.grantee) => {
            Some(visible(gate, state).map(|grants| show(revision, &grants)))
        }
        _ => None,
    };
    listed(reading, gate, &streams, page, show)
}

/// A page of what is shown of the grants of each person and system.
fn listed<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    streams: &[StreamId],
    page: &Page<Uuid>,
    show: impl Fn(Uuid, Revision, &Aggregate) -> Option<Result<T, Failure>>,
) -> Result<Items<T>, Failure> {
    let wanted = Wanted {
        gate,
        kind: StreamKind::Grants,
        access: |id| Access::ReadGrants(GrantsId::from_uuid(id)),
    };
    let (items, next_page_token) = pages::list(reading, &wanted, streams, page, show)?;
    let items: Result<Vec<_>, Failure> = items.into_iter().collect();
    Ok((items?, next_page_token))
}

/// The grants of somebody that the caller may see.
fn visible(gate: &Gate<'_>, all: &Grants) -> Result<Grants, Failure> {
    let mut seen = all.clone();
    seen.grants.clear();
    for (id, grant) in &all.grants {
        let access = Access::ReadGrant {
            of: all.grantee,
            scope: grant.details.scope,
        };
        if gate.permits(&access)? {
            seen.grants.insert(*id, grant.clone());
        }
    }
    Ok(seen)
}

/// Reads one system.
pub(super) fn system<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    id: SystemId,
    show: impl FnOnce(SystemId, Revision, &System) -> T,
) -> Result<T, Failure> {
    gate.require(&Access::ReadAccess { of: None })?;
    match reading.stream(id)? {
        Some((state, revision)) => match &*state {
            Aggregate::System(state) => Ok(show(id, revision, state)),
            _ => Err(no_system(id)),
        },
        None => Err(no_system(id)),
    }
}

fn no_system(id: SystemId) -> Failure {
    Failure::no_stream(Reason::SystemNotFound, "system_id", id)
}

/// Reads a page of all systems.
pub(super) fn systems<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    page: &Page<Uuid>,
    show: impl Fn(SystemId, Revision, &System) -> T,
) -> Result<Items<T>, Failure> {
    gate.require(&Access::ReadAccess { of: None })?;
    let streams = reading.find(Term::All(StreamKind::System))?;
    let show = |id, revision, state: &Aggregate| match state {
        Aggregate::System(state) => Some(show(SystemId::from_uuid(id), revision, state)),
        _ => None,
    };
    let wanted = Wanted {
        gate,
        kind: StreamKind::System,
        access: |_| Access::ReadAccess { of: None },
    };
    pages::list(reading, &wanted, &streams, page, show)
}

/// Answers whether somebody may do something: with what allows it, or with why it is not allowed.
pub(super) fn explain<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    asked: &Explain,
    show: impl FnOnce(&Because, bool) -> T,
) -> Result<(Option<T>, &'static str), Failure> {
    gate.require(&Access::ReadAccess {
        of: Some(asked.who.actor),
    })?;
    let Explain {
        who, action, about, ..
    } = asked;
    match decide(reading, reading.day(), who, *action, *about)? {
        Verdict::Allowed(because) => {
            let one_hand = is_of_one_hand(reading, who.actor, &because)?;
            Ok((Some(show(&because, one_hand)), ""))
        }
        Verdict::Denied(why_not) => Ok((None, why_not.sentence())),
    }
}

/// Whether a system that acts has its role from somebody who also gave it an identity.
fn is_of_one_hand(reading: &Reading<'_>, who: Actor, because: &Because) -> Result<bool, ReadError> {
    let grant = because.system.map(|(_, grant)| grant).or(because.grant);
    let state = reading.aggregate(GrantsId::of(who).into())?;
    let found = match (grant, state.as_deref()) {
        (Some(grant), Some(Aggregate::Grants(all))) => all.grants.get(&grant),
        _ => None,
    };
    found.map_or(Ok(false), |grant| {
        review::is_of_one_hand(reading, who, grant)
    })
}

/// Reads a page of the review of grants.
pub(super) fn reviewed<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    soon: i32,
    page: &Page<Uuid>,
    show: impl Fn(&Reviewed) -> T,
) -> Result<Items<T>, Failure> {
    gate.require(&Access::ListGrants)?;
    let streams = reading.find(Term::All(StreamKind::Grants))?;
    let found = |revision, state: &Grants| -> Result<Option<Reviewed>, Failure> {
        let seen = visible(gate, state)?;
        Ok(review(reading, revision, &seen, reading.day(), soon)?)
    };
    let show = |_, revision, state: &Aggregate| match state {
        Aggregate::Grants(state) => {
            let found = found(revision, state).transpose()?;
            Some(found.map(|found| show(&found)))
        }
        _ => None,
    };
    listed(reading, gate, &streams, page, show)
}
