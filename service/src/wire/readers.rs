//! Who has read the plans of a student.

use planledger_core::access_log::Recorded;
use planledger_core::domain::Actor;
use planledger_core::ids::PersonId;
use planledger_core::time::Timestamp;

use super::actor::write_actor;
use super::choice::Choice;
use super::errors::Failure;
use super::fields::{Fields, ViolationReason};
use super::instant::{read_timestamp, timestamp};
use super::page::{Page, Scope, read_size};
use super::proto;

/// A question about who has read the plans of a student.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListReaders {
    /// The student.
    pub student: PersonId,
    /// Only reads at or after this instant.
    pub since: Option<Timestamp>,
    /// Only reads before this instant.
    pub until: Option<Timestamp>,
    /// The page.
    pub page: Page<u64>,
}

/// Somebody as whoever asks may see them: who, and the name.
pub type Shown = (Option<Actor>, Option<String>);

/// Reads `ListReaders`.
///
/// # Errors
/// `REQUEST_INVALID` with every wrong field, or the errors of a page token.
pub fn list_readers(request: &proto::ListReadersRequest) -> Result<ListReaders, Failure> {
    let (student, since, until, size) = Fields::read(|fields| {
        let student = fields.id("student_id", &request.student_id);
        let since = read_instant(fields, "since", request.since);
        let until = read_instant(fields, "until", request.until);
        let size = read_size(fields, request.page_size);
        Some((student?, since?, until?, size?))
    })?;
    let bytes = |instant: Option<Timestamp>| match instant {
        Some(instant) => instant.nanos().to_be_bytes().to_vec(),
        None => Vec::new(),
    };
    let filter: [&[u8]; 3] = [PersonId::as_bytes(&student), &bytes(since), &bytes(until)];
    let scope = Scope::new("ListReaders", &filter);
    Ok(ListReaders {
        student,
        since,
        until,
        page: Page::new(scope, size, &request.page_token)?,
    })
}

fn read_instant(
    fields: &mut Fields,
    name: &str,
    instant: Option<prost_types::Timestamp>,
) -> Option<Option<Timestamp>> {
    fields.optional(instant, |fields, instant| {
        let read = read_timestamp(instant);
        if read.is_none() {
            let description = "must be an instant from 1970 to 2554";
            fields.violate(name, ViolationReason::OutOfRange, description);
        }
        read
    })
}

/// One read, with who read and for whom as whoever asks may see them.
pub fn plan_read(read: &Recorded, reader: &Shown, behalf: &Shown) -> proto::PlanRead {
    let seen = read.seen.as_ref();
    let purpose = seen.and_then(|seen| seen.purpose);
    let viewer = seen.and_then(|seen| seen.viewer);
    proto::PlanRead {
        number: read.position.get(),
        read_at: Some(timestamp(read.at)),
        actor: reader.0.map(write_actor),
        actor_name: reader.1.clone(),
        on_behalf_of: behalf.0.map(write_actor),
        on_behalf_of_name: behalf.1.clone(),
        kind: seen.map_or(0, |seen| seen.shown.number()),
        method: seen.map(|seen| seen.method.clone()).unwrap_or_default(),
        plan_id: seen.and_then(|seen| Some(seen.plan?.to_string())),
        viewer: viewer.map_or(0, Choice::number),
        position: seen.map_or(0, |seen| seen.position.get()),
        events: seen.map_or(0, |seen| seen.events),
        purpose: purpose.map(Choice::number),
    }
}
