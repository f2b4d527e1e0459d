//! Finds what looks as if somebody had left an institution.

use std::collections::BTreeSet;

use super::owned::{owned, ownerless};
use super::school::RosterQueries;
use crate::domain::Aggregate;
use crate::domain::person::{Evidence, NoOwner, Person};
use crate::ids::{InstitutionId, PersonId, StreamId, StreamKind};
use crate::ledger::{ReadError, Reading};
use crate::text::Name;

/// How many persons of the institution are looked up at a time.
const PART: usize = 1_000;

/// Somebody who looks as if they had left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaver {
    /// The person.
    pub person: PersonId,
    /// The name.
    pub name: Name,
    /// Why it looks so: at least one reason.
    pub evidence: Vec<Evidence>,
}

/// Finds who looks as if they had left an institution, sorted by person. It looks at the persons of
/// the institution and at the owners of what has no present owner there. What somebody has decided
/// about is left out. It answers for the present only.
///
/// # Errors
/// [`ReadError`]
pub fn leavers(
    reading: &Reading<'_>,
    institution: InstitutionId,
) -> Result<Vec<Leaver>, ReadError> {
    let school = RosterQueries { reading };
    let (mut candidates, mut elsewhere) = (BTreeSet::new(), BTreeSet::new());
    for stream in ownerless(reading, institution)?.iter() {
        if let Some(thing) = school.thing(*stream)?
            && let Some(owner) = thing.owner
        {
            candidates.insert(owner);
            if school.no_owner(Some(owner), thing.place)? == Some(NoOwner::Elsewhere) {
                elsewhere.insert(owner);
            }
        }
    }
    let mut after = None;
    loop {
        let part = reading.find_in_institution(institution, StreamKind::Person, after, PART)?;
        let Some(last) = part.last() else {
            break;
        };
        after = Some(*last);
        candidates.extend(part.iter().map(|stream| PersonId::from_uuid(stream.id)));
    }
    let mut found = Vec::new();
    for person in candidates {
        let Some((state, _)) = reading.stream(person)? else {
            continue;
        };
        let Aggregate::Person(now) = &*state else {
            continue;
        };
        let owns_there = elsewhere.contains(&person);
        let evidence = evidence(now, owns_there.then_some(institution));
        if !evidence.is_empty() {
            let name = now.name.clone();
            found.push(Leaver {
                person,
                name,
                evidence,
            });
        }
    }
    Ok(found)
}

/// Why it looks as if a person had left. `owner_at` is an institution of which the person owns
/// something without being an owner who is still there.
fn evidence(person: &Person, owner_at: Option<InstitutionId>) -> Vec<Evidence> {
    let elsewhere = owner_at.and_then(|institution| person.suggests_elsewhere(institution));
    let absence = person.suggested_absence();
    absence.into_iter().chain(elsewhere).collect()
}

/// Finds the teams, year plans and plans of an institution that a person owns, sorted by stream.
///
/// # Errors
/// [`ReadError`]
pub fn owned_at(
    reading: &Reading<'_>,
    person: PersonId,
    institution: InstitutionId,
) -> Result<Vec<StreamId>, ReadError> {
    let school = RosterQueries { reading };
    let mut found = Vec::new();
    for stream in owned(reading, person)? {
        if let Some(thing) = school.thing(stream)?
            && thing.place.institution == institution
        {
            found.push(stream);
        }
    }
    Ok(found)
}
