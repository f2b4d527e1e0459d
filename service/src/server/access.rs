//! Queries about grants and systems.

use planledger_core::access::review::{Reviewed, review};
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
    gate.require(&Access::ReadAccess { of: grantee })?;
    let streams = match grantee {
        Some(grantee) => vec![StreamId::from(GrantsId::of(grantee))],
        None => reading.find(Term::All(StreamKind::Grants))?.to_vec(),
    };
    let show = |_, revision, state: &Aggregate| match state {
        Aggregate::Grants(state) if grantee.is_none_or(|grantee| grantee == state.grantee) => {
            Some(show(revision, state))
        }
        _ => None,
    };
    let wanted = Wanted {
        gate,
        kind: StreamKind::Grants,
        access: |_| Access::ReadAccess { of: grantee },
    };
    pages::list(reading, &wanted, &streams, page, show)
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
    show: impl FnOnce(&Because) -> T,
) -> Result<(Option<T>, &'static str), Failure> {
    gate.require(&Access::ReadAccess {
        of: Some(asked.who.actor),
    })?;
    let Explain {
        who, action, about, ..
    } = asked;
    match decide(reading, reading.day(), who, *action, *about)? {
        Verdict::Allowed(because) => Ok((Some(show(&because)), "")),
        Verdict::Denied(why_not) => Ok((None, why_not.sentence())),
    }
}

/// Reads a page of the review of grants.
pub(super) fn reviewed<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    soon: i32,
    page: &Page<Uuid>,
    show: impl Fn(&Reviewed) -> T,
) -> Result<Items<T>, Failure> {
    gate.require(&Access::ReadAccess { of: None })?;
    let streams = reading.find(Term::All(StreamKind::Grants))?;
    let show = |_, revision, state: &Aggregate| match state {
        Aggregate::Grants(state) => {
            let found = review(reading, revision, state, reading.day(), soon);
            found
                .map(|found| found.map(|found| show(&found)))
                .transpose()
        }
        _ => None,
    };
    let wanted = Wanted {
        gate,
        kind: StreamKind::Grants,
        access: |_| Access::ReadAccess { of: None },
    };
    let (items, next_page_token) = pages::list(reading, &wanted, &streams, page, show)?;
    let items: Result<Vec<_>, ReadError> = items.into_iter().collect();
    Ok((items?, next_page_token))
}
