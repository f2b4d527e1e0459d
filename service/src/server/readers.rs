//! Answers who has read the plans of a student.

use planledger_core::access_log::{Recorded, Wanted};
use planledger_core::domain::person::{Person, Role};
use planledger_core::domain::{Actor, Aggregate, Reason, World};
use planledger_core::ids::{PersonId, Position};
use planledger_core::ledger::Reading;
use planledger_core::time::Timestamp;

use super::auth::Access;
use super::gate::Gate;
use super::reads::ReadLog;
use crate::wire::{Failure, ListReaders, Shown};

/// A read, with who read and for whom as whoever asks may see them.
pub(super) struct Found {
    pub(super) read: Recorded,
    pub(super) reader: Shown,
    pub(super) behalf: Shown,
}

/// A page of who has read the plans of a student.
pub(super) struct Answered {
    pub(super) found: Vec<Found>,
    pub(super) next_page_token: String,
    /// Since when the access log is complete; `None` if that is not known.
    pub(super) complete_since: Option<Timestamp>,
}

/// Reads a page of who has read the plans of a student. It includes everything that was handed in
/// before.
pub(super) fn readers(
    log: &ReadLog,
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    asked: &ListReaders,
) -> Result<Answered, Failure> {
    gate.require(&Access::ReadAccessLog(asked.student))?;
    // Of an erased student it stays known who has read, and when.
    if person(reading, asked.student)?.is_none() && !reading.was_erased(asked.student.into())? {
        let reason = Reason::PersonNotFound;
        return Err(Failure::no_stream(reason, "student_id", asked.student));
    }
    log.log().settle().map_err(Failure::of_access_log)?;
    let wanted = Wanted {
        after: asked.page.after.map(Position::new),
        since: asked.since,
        until: asked.until,
        limit: asked.page.size,
    };
    let page = log.log().records(asked.student, &wanted)?;
    let mut found = Vec::with_capacity(page.records.len());
    for read in page.records {
        let who = |actor| shown(reading, gate, asked.student, actor);
        found.push(Found {
            reader: who(Some(read.actor))?,
            behalf: who(read.on_behalf_of)?,
            read,
        });
    }
    let next = page.next.map(|next| asked.page.next_token(next.get()));
    Ok(Answered {
        found,
        next_page_token: next.unwrap_or_default(),
        complete_since: page.complete_since,
    })
}

/// Somebody as whoever asks may see them. The names of staff and systems are shown to everybody who may
/// ask at all. Of other people only the id is shown, and of another student nothing, unless whoever asks
/// may read that person.
fn shown(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    student: PersonId,
    actor: Option<Actor>,
) -> Result<Shown, Failure> {
    let id = match actor {
        None => return Ok((None, None)),
        Some(Actor::System(id)) => {
            let system = match reading.aggregate(id.into())?.as_deref() {
                Some(Aggregate::System(system)) => Some(system.details.name.to_string()),
                Some(_) | None => None,
            };
            return Ok((actor, system));
        }
        Some(Actor::Person(id)) => id,
    };
    let state = person(reading, id)?;
    let Some(Aggregate::Person(person)) = state.as_deref() else {
        return Ok((actor, None));
    };
    let may_be_named =
        id == student || is_staff(person) || gate.permits(&Access::ReadPerson(id))?;
    if may_be_named {
        return Ok((actor, Some(person.name.to_string())));
    }
    match is(person, |role| role == Role::Student) {
        true => Ok((None, None)),
        false => Ok((actor, None)),
    }
}

fn person(
    reading: &Reading<'_>,
    id: PersonId,
) -> Result<Option<std::sync::Arc<Aggregate>>, Failure> {
    let state = reading.aggregate(id.into())?;
    Ok(state.filter(|state| matches!(&**state, Aggregate::Person(_))))
}

/// Whether somebody works at a school.
fn is_staff(person: &Person) -> bool {
    is(person, |role| match role {
        Role::Teacher | Role::Pedagogue | Role::Leader | Role::Other => true,
        Role::Student | Role::Guardian => false,
    })
}

/// Whether somebody is something at some school.
fn is(person: &Person, wanted: impl Fn(Role) -> bool) -> bool {
    person.affiliations.iter().any(|at| wanted(at.role))
}
