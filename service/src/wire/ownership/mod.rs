//! Requests about ownership and recoveries, and their answers.

mod recovery_request;
mod shown;

use planledger_core::domain::Actor;
use planledger_core::ids::{InstitutionId, PersonId, RecoveryId, StreamId, StreamKind};
use planledger_core::recovery::RecoveryRequest;
use planledger_core::text::ReasonText;
use prost::Message as _;
use uuid::Uuid;

pub(super) use self::recovery_request::read_recovery_request;
pub use self::shown::{
    owned_item, proposed_item, recovery, recovery_progress, step, successor, suggestion,
};
use super::actor::read_actor;
use super::errors::Failure;
use super::fields::{Fields, ViolationReason};
use super::page::{Cursor, Page, Scope, read_size};
use super::proto;
use super::request::{AsOf, read_as_of};

/// Kinds of streams that can be owned.
const OWNABLE: &[StreamKind] = &[StreamKind::Team, StreamKind::YearPlan, StreamKind::Plan];
/// Kinds of streams that can be deleted.
const DELETABLE: &[StreamKind] = &[StreamKind::Team, StreamKind::YearPlan];

impl Cursor for StreamId {
    fn to_bytes(self) -> Vec<u8> {
        Self::to_bytes(self).to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::from_bytes(bytes.try_into().ok()?)
    }
}

/// A request for a page of what a person owns.
#[derive(Clone, Copy, Debug)]
pub struct ListOwned {
    /// The owner.
    pub person: PersonId,
    /// The past moment to show; the present if `None`.
    pub at: Option<AsOf>,
    /// The requested page.
    pub page: Page<StreamId>,
}

/// Reads `ListOwned`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field, or the errors of a page token.
pub fn list_owned(request: &proto::ListOwnedRequest) -> Result<ListOwned, Failure> {
    let (person, at, size) = Fields::read(|fields| {
        let person: Option<PersonId> = fields.id("person_id", &request.person_id);
        let at = fields.optional(request.at, |fields, at| {
            fields.within("at", |fields| read_as_of(fields, at))
        });
        let size = read_size(fields, request.page_size);
        Some((person?, at?, size?))
    })?;
    let moment = request.at.map(|at| at.encode_to_vec()).unwrap_or_default();
    let scope = Scope::new("ListOwned", &[person.as_bytes(), &moment]);
    let page = Page::new(scope, size, &request.page_token)?;
    Ok(ListOwned { person, at, page })
}

/// Reads `ListOwnerless`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field, or the errors of a page token.
pub fn list_ownerless(
    request: &proto::ListOwnerlessRequest,
) -> Result<(InstitutionId, Page<StreamId>), Failure> {
    let (institution, size) = Fields::read(|fields| {
        let institution: Option<InstitutionId> =
            fields.id("institution_id", &request.institution_id);
        let size = read_size(fields, request.page_size);
        Some((institution?, size?))
    })?;
    let scope = Scope::new("ListOwnerless", &[institution.as_bytes()]);
    Ok((institution, Page::new(scope, size, &request.page_token)?))
}

/// Reads `ListSuggestions`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field, or the errors of a page token.
pub fn list_suggestions(
    request: &proto::ListSuggestionsRequest,
) -> Result<(InstitutionId, Page<Uuid>), Failure> {
    let (institution, size) = Fields::read(|fields| {
        let institution: Option<InstitutionId> =
            fields.id("institution_id", &request.institution_id);
        let size = read_size(fields, request.page_size);
        Some((institution?, size?))
    })?;
    let scope = Scope::new("ListSuggestions", &[institution.as_bytes()]);
    Ok((institution, Page::new(scope, size, &request.page_token)?))
}

/// Reads the stream that a request is about: a team, year plan or plan.
///
/// # Errors
/// `REQUEST_INVALID`.
pub fn ownable(stream: &str) -> Result<StreamId, Failure> {
    Ok(Fields::read(|fields| {
        read_stream(fields, "stream", stream, OWNABLE)
    })?)
}

/// Reads the stream that a request is about: a team or year plan.
///
/// # Errors
/// `REQUEST_INVALID`.
pub fn deletable(stream: &str) -> Result<StreamId, Failure> {
    Ok(Fields::read(|fields| {
        read_stream(fields, "stream", stream, DELETABLE)
    })?)
}

fn read_stream(
    fields: &mut Fields,
    name: &str,
    stream: &str,
    kinds: &[StreamKind],
) -> Option<StreamId> {
    let stream: StreamId = fields.id(name, stream)?;
    if kinds.contains(&stream.kind) {
        return Some(stream);
    }
    let kinds: Vec<_> = kinds
        .iter()
        .map(|kind| format!("{}/UUID", kind.name()))
        .collect();
    let description = format!("must be one of these kinds of stream: {}", kinds.join(", "));
    fields.violate(name, ViolationReason::MalformedId, description);
    None
}

/// A request for a dry run. The cursor of a page is the number of items before it.
#[derive(Clone, Debug)]
pub struct Propose {
    /// What the recovery should do.
    pub recovery_request: RecoveryRequest,
    /// The requested page.
    pub page: Page<u64>,
}

/// Reads `ProposeRecovery`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field, or the errors of a page token.
pub fn propose_recovery(request: proto::ProposeRecoveryRequest) -> Result<Propose, Failure> {
    let asked = request.wish.as_ref().map(|wish| wish.encode_to_vec());
    let (recovery_request, size) = Fields::read(|fields| {
        let recovery_request = fields.message("wish", request.wish, read_recovery_request);
        let size = read_size(fields, request.page_size);
        Some((recovery_request?, size?))
    })?;
    let scope = Scope::new("ProposeRecovery", &[&asked.unwrap_or_default()]);
    let page = Page::new(scope, size, &request.page_token)?;
    Ok(Propose {
        recovery_request,
        page,
    })
}

/// A request to carry out what a dry run showed.
#[derive(Clone, Debug)]
pub struct Run {
    /// The id of the recovery, which the client chooses.
    pub id: RecoveryId,
    /// What the recovery should do.
    pub recovery_request: RecoveryRequest,
    /// The digest of the dry run. It ties the recovery to what the dry run showed.
    pub digest: [u8; 16],
    /// The actor on whose behalf the caller acts, if there is one.
    pub on_behalf_of: Option<Actor>,
}

/// Reads `RunRecovery`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field.
pub fn run_recovery(request: proto::RunRecoveryRequest) -> Result<Run, Failure> {
    Ok(Fields::read(|fields| {
        let id = fields.id("recovery_id", &request.recovery_id);
        let recovery_request = fields.message("wish", request.wish, read_recovery_request);
        let digest = read_digest(fields, &request.digest);
        let on_behalf_of = fields.optional(request.on_behalf_of, |fields, actor| {
            fields.within("on_behalf_of", |fields| read_actor(fields, actor))
        });
        Some(Run {
            id: id?,
            recovery_request: recovery_request?,
            digest: digest?,
            on_behalf_of: on_behalf_of?,
        })
    })?)
}

fn read_digest(fields: &mut Fields, digest: &str) -> Option<[u8; 16]> {
    if digest.is_empty() {
        return fields.missing("digest");
    }
    // The digest is 32 hexadecimal digits, which is also the simple form of a UUID.
    let read = Uuid::try_parse(digest).ok().filter(|_| digest.len() == 32);
    if read.is_none() {
        let description = "must be the digest of a dry run: 32 hexadecimal digits";
        fields.violate("digest", ViolationReason::OutOfRange, description);
    }
    read.map(Uuid::into_bytes)
}

/// A request to undo a recovery.
#[derive(Clone, Debug)]
pub struct Undo {
    /// The recovery to undo.
    pub id: RecoveryId,
    /// The reason for the undo, if one is given.
    pub reason: Option<ReasonText>,
    /// The actor on whose behalf the caller acts, if there is one.
    pub on_behalf_of: Option<Actor>,
}

/// Reads `UndoRecovery`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field.
pub fn undo_recovery(request: proto::UndoRecoveryRequest) -> Result<Undo, Failure> {
    Ok(Fields::read(|fields| {
        let id = fields.id("recovery_id", &request.recovery_id);
        let reason = fields.optional_text("reason", request.reason.as_deref());
        let on_behalf_of = fields.optional(request.on_behalf_of, |fields, actor| {
            fields.within("on_behalf_of", |fields| read_actor(fields, actor))
        });
        Some(Undo {
            id: id?,
            reason: reason?,
            on_behalf_of: on_behalf_of?,
        })
    })?)
}

/// Reads the request of `GetRecovery`. The cursor of a page is the number of steps before it.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field, or the errors of a page token.
pub fn get_recovery(
    request: &proto::GetRecoveryRequest,
) -> Result<(RecoveryId, Page<u64>), Failure> {
    let (id, size) = Fields::read(|fields| {
        let id: Option<RecoveryId> = fields.id("recovery_id", &request.recovery_id);
        let size = read_size(fields, request.page_size);
        Some((id?, size?))
    })?;
    let scope = Scope::new("GetRecovery", &[id.as_bytes()]);
    Ok((id, Page::new(scope, size, &request.page_token)?))
}

/// Reads `ListRecoveries`.
///
/// # Errors
/// `REQUEST_INVALID`, or a page token's errors.
pub fn list_recoveries(request: &proto::ListRecoveriesRequest) -> Result<Page<Uuid>, Failure> {
    let size = Fields::read(|fields| read_size(fields, request.page_size))?;
    let scope = Scope::new("ListRecoveries", &[&[u8::from(request.open_only)]]);
    Page::new(scope, size, &request.page_token)
}

/// Counts the streams of each kind.
pub fn owned_counts(streams: &[StreamId]) -> proto::OwnedCounts {
    let count = |kind| {
        let of_kind = streams.iter().filter(|stream| stream.kind == kind);
        u32::try_from(of_kind.count()).unwrap_or(u32::MAX)
    };
    proto::OwnedCounts {
        teams: count(StreamKind::Team),
        year_plans: count(StreamKind::YearPlan),
        plans: count(StreamKind::Plan),
    }
}
