//! Finds what looks as if somebody had left an institution.

use std::collections::BTreeSet;

use super::owned::{owned, ownerless};
use super::school::RosterQueries;
use crate::domain::Aggregate;
use crate::domain::person::{Evidence, NoOwner, Person};
use crate::ids::{InstitutionId, PersonId, StreamId};
use crate::ledger::{ReadError, Reading};
use crate::text::Name;

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

/// Finds who looks as if they had left an institution, sorted by person: at most `limit` persons
/// after the person `after`. Of the persons of the institution it reads those who are asked about, and
/// no others; and it looks at the owners of what has no present owner there. What somebody has decided
/// about is left out. It answers for the present only.
///
/// # Errors
/// [`ReadError`]
pub fn leavers(
    reading: &Reading<'_>,
    institution: InstitutionId,
    after: Option<PersonId>,
    limit: usize,
) -> Result<Vec<Leaver>, ReadError> {
    let school = RosterQueries { reading };
    let (mut candidates, mut elsewhere) = (BTreeSet::new(), BTreeSet::new());
    for stream in ownerless(reading, institution)?.iter() {
        if let Some(thing) = school.thing(*stream)?
            && let Some(owner) = thing.owner
            && after.is_none_or(|after| owner > after)
        {
            candidates.insert(owner);
            if school.no_owner(Some(owner), thing.place)? == Some(NoOwner::Elsewhere) {
                elsewhere.insert(owner);
            }
        }
    }
    // Each of these has evidence, so no more of them than `limit` can be part of the answer.
    let asked_about = reading.find_asked_about(institution, after, limit)?;
    let asked_about = asked_about
        .iter()
        .map(|stream| PersonId::from_uuid(stream.id));
    candidates.extend(asked_about);
    let mut found = Vec::new();
    for person in candidates {
        if found.len() == limit {
            break;
        }
        let Some((state, _)) = reading.stream(person)? else {
            continue;
        };
        let Aggregate::Person(now) = &*state else {
            continue;
        };
        let evidence = evidence(now, institution, elsewhere.contains(&person));
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

/// Why it looks as if a person had left an institution. `owns_there` says whether the person owns
/// something of it without being an owner who is still there.
fn evidence(person: &Person, institution: InstitutionId, owns_there: bool) -> Vec<Evidence> {
    let elsewhere = owns_there
        .then(|| person.suggests_elsewhere(institution))
        .flatten();
    // Whoever owns something here may have a place, or have had the last one, at another institution.
    // That one asks.
    let is_asked = person.asked_about_at().contains(&institution);
    let without_place = person.suggested_without_place().filter(|_| is_asked);
    let without_enrolment = person.suggested_without_enrolment().filter(|_| is_asked);
    let absence = person.suggested_absence();
    let found = [absence, elsewhere, without_place, without_enrolment];
    found.into_iter().flatten().collect()
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
