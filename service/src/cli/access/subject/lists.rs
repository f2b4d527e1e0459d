//! Reads lists to their last page, and streams to their end.

use planledger_proto::v1::list_teams_request::Filter;
use planledger_proto::v1::*;

use super::stopped::Stopped;
use crate::client::{Client, patiently};

const PAGE: i32 = 1_000;

/// Asks for page after page and gives all of a list, with the position of the first page.
macro_rules! pages {
    ($service:expr, $method:ident, $field:ident, $request:expr) => {
        pages!($service, $method, $field, $request, |_| {})
    };
    ($service:expr, $method:ident, $field:ident, $request:expr, $look:expr) => {{
        let mut request = $request;
        request.page_size = PAGE;
        let mut all = Vec::new();
        let mut first = None;
        loop {
            let page = patiently(&request, |request| {
                let mut service = $service;
                async move { service.$method(request).await }
            });
            let page = page.await?.into_inner();
            let position = *first.get_or_insert(page.position);
            ($look)(&page);
            all.extend(page.$field);
            if page.next_page_token.is_empty() {
                break Ok((all, position));
            }
            request.page_token = page.next_page_token;
        }
    }};
}

/// A whole list, and the position that it holds for.
pub(super) type Listed<T> = Result<(Vec<T>, u64), Stopped>;

pub(super) async fn teams(client: &Client, person: &str, min_position: u64) -> Listed<Team> {
    let request = ListTeamsRequest {
        filter: Some(Filter::PersonId(person.to_owned())),
        min_position,
        ..ListTeamsRequest::default()
    };
    pages!(client.roster(), list_teams, teams, request)
}

pub(super) async fn owned(client: &Client, person: &str, min_position: u64) -> Listed<OwnedItem> {
    let request = ListOwnedRequest {
        person_id: person.to_owned(),
        min_position,
        ..ListOwnedRequest::default()
    };
    pages!(client.ownership(), list_owned, items, request)
}

pub(super) async fn suggestions(
    client: &Client,
    institution: &str,
    min_position: u64,
) -> Listed<DepartureSuggestion> {
    let request = ListSuggestionsRequest {
        institution_id: institution.to_owned(),
        min_position,
        ..ListSuggestionsRequest::default()
    };
    pages!(client.ownership(), list_suggestions, suggestions, request)
}

pub(super) async fn grants(
    client: &Client,
    grantee: Option<Actor>,
    min_position: u64,
) -> Listed<Grants> {
    let request = ListGrantsRequest {
        grantee,
        min_position,
        ..ListGrantsRequest::default()
    };
    pages!(client.access(), list_grants, grants, request)
}

pub(super) async fn erasures(client: &Client, min_position: u64) -> Listed<Erasure> {
    let request = ListErasuresRequest {
        min_position,
        ..ListErasuresRequest::default()
    };
    pages!(client.access(), list_erasures, erasures, request)
}

/// Who has read the plans of a student, since when that is complete, and the position that names hold for.
pub(super) async fn readers(
    client: &Client,
    student: &str,
    min_position: u64,
) -> Result<((Vec<PlanRead>, Option<String>), u64), Stopped> {
    let request = ListReadersRequest {
        student_id: student.to_owned(),
        min_position,
        ..ListReadersRequest::default()
    };
    // Old reads may be removed while this reads. What the last page says holds for all of it.
    let mut complete_since = None;
    let read: Listed<PlanRead> = pages!(
        client.access(),
        list_readers,
        reads,
        request,
        |page: &ListReadersResponse| complete_since = page.complete_since
    );
    let (reads, position) = read?;
    let instant = |at: prost_types::Timestamp| jiff::Timestamp::new(at.seconds, at.nanos).ok();
    let complete_since = complete_since.and_then(instant).map(|at| at.to_string());
    Ok(((reads, complete_since), position))
}

/// The recoveries that a person began, had begun for them, or is named in.
pub(super) async fn recoveries(
    client: &Client,
    person: &str,
    min_position: u64,
) -> Listed<Recovery> {
    let request = ListRecoveriesRequest {
        min_position,
        ..ListRecoveriesRequest::default()
    };
    let listed: Listed<Recovery> = pages!(client.ownership(), list_recoveries, recoveries, request);
    let (all, position) = listed?;
    let mut named = Vec::new();
    for recovery in all {
        let actors = [recovery.started_by.as_ref(), recovery.on_behalf_of.as_ref()];
        let acts = actors.into_iter().flatten().any(|who| is(who, person));
        if acts || is_in_steps(client, &recovery.recovery_id, person).await? {
            named.push(recovery);
        }
    }
    Ok((named, position))
}

async fn is_in_steps(client: &Client, recovery: &str, person: &str) -> Result<bool, Stopped> {
    let request = GetRecoveryRequest {
        recovery_id: recovery.to_owned(),
        ..GetRecoveryRequest::default()
    };
    let listed: Listed<RecoveryStep> = pages!(client.ownership(), get_recovery, steps, request);
    let (steps, _) = listed?;
    Ok(steps.iter().any(|step| names(step, person)))
}

fn names(step: &RecoveryStep, person: &str) -> bool {
    use recovery_step::Step;
    match &step.step {
        Some(Step::Owner(owner)) => {
            owner.to_person_id == person || owner.from_person_id.as_deref() == Some(person)
        }
        Some(Step::Create(create)) => create.owner_id == person,
        Some(
            Step::Undelete(_)
            | Step::Unwithdraw(_)
            | Step::Move(_)
            | Step::CopyUnit(_)
            | Step::Relocate(_)
            | Step::Succeed(_),
        )
        | None => false,
    }
}

/// Whether an actor is this person.
pub(super) fn is(actor: &Actor, person: &str) -> bool {
    match &actor.actor {
        Some(actor::Actor::PersonId(id)) => id == person,
        Some(actor::Actor::SystemId(_)) | None => false,
    }
}

/// Reads recorded events to the end, and gives what `keep` makes of them.
pub(super) async fn events<T>(
    client: &Client,
    filter: Option<EventFilter>,
    min_position: u64,
    mut keep: impl FnMut(Event) -> Option<T>,
) -> Listed<T> {
    let request = ReadEventsRequest {
        filter,
        min_position,
        ..ReadEventsRequest::default()
    };
    let stream = patiently(&request, |request| {
        let mut events = client.events();
        async move { events.read_events(request).await }
    });
    let mut stream = stream.await?.into_inner();
    let mut kept = Vec::new();
    let mut position = 0;
    while let Some(response) = stream.message().await? {
        kept.extend(response.events.into_iter().filter_map(&mut keep));
        position = response.resume_position;
    }
    Ok((kept, position))
}

/// Events of a person's own stream, and of all plans of that person.
pub(super) fn about(person: &str) -> EventFilter {
    EventFilter {
        student_id: Some(person.to_owned()),
        ..EventFilter::default()
    }
}
