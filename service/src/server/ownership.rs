//! Queries about who owns what, and about recoveries.

use std::sync::Arc;

use planledger_core::derived::Term;
use planledger_core::domain::recovery::Recovery;
use planledger_core::domain::{Aggregate, Reason, Stop};
use planledger_core::ids::{InstitutionId, PersonId, RecoveryId, StreamId, StreamKind};
use planledger_core::ledger::{ReadError, Reading};
use planledger_core::recovery::{
    self, Deleting, Leaver, Owned, Proposed, RecoveryRequest, Suggestion,
};
use planledger_core::text::Title;
use uuid::Uuid;

use super::auth::{Access, Naming};
use super::gate::Gate;
use super::pages::{self, Items, Wanted};
use crate::wire::Failure;
use crate::wire::ownership::ListOwned;
use crate::wire::page::Page;

/// A page of a list of what somebody owns, or of what nobody owns.
pub(super) struct OwnedPage {
    pub(super) items: Vec<Owned>,
    pub(super) next_page_token: String,
    /// The whole list, beyond the page.
    pub(super) all: Arc<Vec<StreamId>>,
}

/// Reads a page of what a person owns.
pub(super) fn owned(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    asked: &ListOwned,
) -> Result<OwnedPage, Failure> {
    let (person, at) = (asked.person, asked.at);
    gate.require(&Access::ListOwned { person, at })?;
    if reading.stream(asked.person)?.is_none() {
        let reason = Reason::PersonNotFound;
        return Err(Failure::no_stream(reason, "person_id", asked.person));
    }
    let mut all = recovery::owned(reading, asked.person)?;
    if !gate.is_open() {
        let mut seen = Vec::with_capacity(all.len());
        for stream in all {
            if gate.permits(&Access::ReadOwnership(stream))? {
                seen.push(stream);
            }
        }
        all = seen;
    }
    Ok(page_of(reading, Arc::new(all), &asked.page)?)
}

/// Reads a page of what nobody at an institution owns any more.
pub(super) fn ownerless(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    institution: InstitutionId,
    page: &Page<StreamId>,
) -> Result<OwnedPage, Failure> {
    gate.require(&Access::ListOwnerless(institution))?;
    if reading.stream(institution)?.is_none() {
        let reason = Reason::InstitutionNotFound;
        return Err(Failure::no_stream(reason, "institution_id", institution));
    }
    let all = recovery::ownerless(reading, institution)?;
    Ok(page_of(reading, all, page)?)
}

/// Somebody who looks as if they had left, and what they own at the institution.
pub(super) type LeaverWithOwned = (Leaver, Vec<StreamId>);

/// Reads a page of persons who look as if they had left an institution.
pub(super) fn suggestions(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    institution: InstitutionId,
    page: &Page<Uuid>,
) -> Result<Items<LeaverWithOwned>, Failure> {
    gate.require(&Access::ListSuggestions(institution))?;
    if reading.stream(institution)?.is_none() {
        let reason = Reason::InstitutionNotFound;
        return Err(Failure::no_stream(reason, "institution_id", institution));
    }
    let after = page.after.map(PersonId::from_uuid);
    let mut rest = recovery::leavers(reading, institution, after, page.size + 1)?;
    let more = rest.len() > page.size;
    rest.truncate(page.size);
    let last = rest.last().filter(|_| more);
    let next_page_token = last.map(|last| page.next_token(last.person.uuid()));
    let mut items = Vec::with_capacity(rest.len());
    for found in rest {
        let owned = recovery::owned_at(reading, found.person, institution)?;
        items.push((found, owned));
    }
    Ok((items, next_page_token.unwrap_or_default()))
}

/// Finds people who could become the owner of a team, year plan or plan.
pub(super) fn successors(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    stream: StreamId,
) -> Result<Vec<Suggestion>, Failure> {
    gate.require(&Access::ListSuccessors(stream))?;
    match reading.stream(stream)? {
        Some(_) => recovery::suggest(reading, stream).map_err(Failure::of_reading),
        None => Err(absent(stream)),
    }
}

/// Finds out what the deletion of a team or year plan would touch.
pub(super) fn deleting(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    stream: StreamId,
) -> Result<Deleting, Failure> {
    gate.require(&Access::PreviewDeletion(stream))?;
    let found = recovery::deleting(reading, stream)?;
    found.ok_or_else(|| absent(stream))
}

/// A page of a dry run.
pub(super) struct Proposal {
    /// The items of the page, with their titles.
    pub(super) items: Vec<(Proposed, Option<Title>)>,
    /// How many steps of the whole dry run can be done.
    pub(super) steps: usize,
    /// How many items of the whole dry run are refused.
    pub(super) refused: usize,
    /// A hash of the steps that can be done.
    pub(super) digest: [u8; 16],
    pub(super) next_page_token: String,
}

/// Finds out what a recovery would do.
pub(super) fn propose(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    recovery_request: &RecoveryRequest,
    page: &Page<u64>,
) -> Result<Proposal, Failure> {
    gate.require(&Access::ProposeRecovery(recovery_request))?;
    let unseen = gate.unseen(Naming::Recovery(recovery_request))?;
    let proposal = match recovery::propose(reading, recovery_request, &unseen) {
        Ok(proposal) => proposal,
        Err(Stop::Unread(error)) => return Err(error.into()),
        Err(Stop::Refused(refusal)) => {
            return Err(Failure::of_refused_recovery_request(&refusal));
        }
    };
    for item in &proposal.items {
        // A year plan that is still to be created will be where the request may put it.
        if reading.stream(item.stream)?.is_some() {
            gate.require(&Access::ReadOwnership(item.stream))?;
        }
    }
    let steps = proposal.items.iter().filter(|item| item.step.is_ok());
    let steps = steps.count();
    let refused = proposal.items.len() - steps;
    let (shown, next_page_token) = pages::slice(&proposal.items, page);
    let mut items = Vec::with_capacity(shown.len());
    for item in shown {
        let title = recovery::title(reading, item.stream)?;
        items.push((item.clone(), title));
    }
    Ok(Proposal {
        items,
        steps,
        refused,
        digest: proposal.digest,
        next_page_token,
    })
}

/// Reads one recovery.
pub(super) fn recovery(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    id: RecoveryId,
) -> Result<Recovery, Failure> {
    let found = reading.stream(id)?;
    let recovery = match found.as_ref().map(|(state, _)| &**state) {
        Some(Aggregate::Recovery(recovery)) => Some(recovery),
        _ => None,
    };
    gate.require(&Access::ReadRecovery { id, recovery })?;
    recovery
        .cloned()
        .ok_or_else(|| Failure::no_stream(Reason::RecoveryNotFound, "recovery_id", id))
}

/// Reads a page of all recoveries, or of those that are open.
pub(super) fn recoveries<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    open_only: bool,
    page: &Page<Uuid>,
    show: impl Fn(RecoveryId, &Recovery) -> T,
) -> Result<Items<T>, Failure> {
    gate.require(&Access::ListRecoveries)?;
    let kind = StreamKind::Recovery;
    let term = match open_only {
        true => Term::OpenRecoveries,
        false => Term::All(kind),
    };
    let streams = reading.find(term)?;
    let access = |id| Access::ReadRecovery {
        id: RecoveryId::from_uuid(id),
        recovery: None,
    };
    let wanted = Wanted { gate, kind, access };
    pages::list(reading, &wanted, &streams, page, |id, _, state| {
        let Aggregate::Recovery(recovery) = state else {
            return None;
        };
        Some(show(RecoveryId::from_uuid(id), recovery))
    })
}

/// A page of owned items, in the order of their streams.
fn page_of(
    reading: &Reading<'_>,
    all: Arc<Vec<StreamId>>,
    page: &Page<StreamId>,
) -> Result<OwnedPage, ReadError> {
    let rest = all
        .iter()
        .filter(|stream| page.after.is_none_or(|after| **stream > after));
    let mut items: Vec<Owned> = Vec::new();
    let mut next_page_token = String::new();
    for stream in rest {
        if items.len() == page.size {
            let last = items.last().map(|last| page.next_token(last.stream));
            next_page_token = last.unwrap_or_default();
            break;
        }
        if let Some(owned) = recovery::describe(reading, *stream)? {
            items.push(owned);
        }
    }
    Ok(OwnedPage {
        items,
        next_page_token,
        all,
    })
}

fn absent(stream: StreamId) -> Failure {
    Failure::of_refused_field(&recovery::absent(stream), "stream")
}
