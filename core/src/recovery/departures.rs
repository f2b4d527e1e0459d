//! Finds what looks as if somebody had left an institution.

use std::collections::BTreeSet;

use super::owned::{owned, ownerless};
use super::school::RosterQueries;
use crate::derived::Term;
use crate::domain::Aggregate;
use crate::domain::person::{Evidence, NoOwner, Person};
use crate::domain::succeeding::successor_of;
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
    let school = RosterQueries::new(reading);
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
    let answers_for = AnswersFor::new(reading, institution)?;
    for place in answers_for.places() {
        candidates.extend(answers_for.asked_about(place, after, limit)?);
    }
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
        let is_asked = answers_for.asks_about(now);
        let owns_there = elsewhere.contains(&person);
        let evidence = evidence(now, institution, is_asked, owns_there);
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

/// The institutions whose last places an institution answers for: itself, unless another one carries on
/// for it, and the closed ones for which it carries on.
struct AnswersFor<'a, 'r> {
    reading: &'a Reading<'r>,
    institution: InstitutionId,
    last_places: BTreeSet<InstitutionId>,
}

impl<'a, 'r> AnswersFor<'a, 'r> {
    fn new(reading: &'a Reading<'r>, institution: InstitutionId) -> Result<Self, ReadError> {
        let mut seen = BTreeSet::from([institution]);
        let mut open = vec![institution];
        while let Some(now) = open.pop() {
            for stream in reading.find(Term::SucceededBy(now))?.iter() {
                let before = InstitutionId::from_uuid(stream.id);
                if seen.insert(before) {
                    open.push(before);
                }
            }
        }
        let mut last_places = BTreeSet::new();
        for place in seen {
            if successor_of(reading, place)? == institution {
                last_places.insert(place);
            }
        }
        Ok(Self {
            reading,
            institution,
            last_places,
        })
    }

    /// Where to look for who is asked about.
    fn places(&self) -> BTreeSet<InstitutionId> {
        let own = [self.institution].into_iter();
        own.chain(self.last_places.iter().copied()).collect()
    }

    /// Whether it is this institution that asks about a person.
    fn asks_about(&self, person: &Person) -> bool {
        let asked_about_at = person.asked_about_at();
        match &person.last_place {
            // Then there is no other.
            Some(last) => {
                asked_about_at.contains(&last.institution)
                    && self.last_places.contains(&last.institution)
            }
            None => asked_about_at.contains(&self.institution),
        }
    }

    /// At most `limit` persons after the person `after` who are asked about at one of the places.
    fn asked_about(
        &self,
        place: InstitutionId,
        mut after: Option<PersonId>,
        limit: usize,
    ) -> Result<Vec<PersonId>, ReadError> {
        let mut found = Vec::new();
        loop {
            let page = self.reading.find_asked_about(place, after, limit)?;
            for stream in &page {
                let id = PersonId::from_uuid(stream.id);
                after = Some(id);
                if found.len() < limit && self.is_asked_about_here(id, place)? {
                    found.push(id);
                }
            }
            if found.len() == limit || page.len() < limit {
                return Ok(found);
            }
        }
    }

    fn is_asked_about_here(&self, id: PersonId, place: InstitutionId) -> Result<bool, ReadError> {
        // Whoever is listed here is asked about here, unless another one carries on.
        if place == self.institution && self.last_places.contains(&place) {
            return Ok(true);
        }
        let state = self.reading.stream(id)?;
        Ok(match state.as_ref().map(|(state, _)| &**state) {
            Some(Aggregate::Person(person)) => self.asks_about(person),
            _ => false,
        })
    }
}

/// Why it looks as if a person had left an institution. `is_asked` says whether this institution asks
/// about the person's places, and `owns_there` whether the person owns something of it without being an
/// owner who is still there.
fn evidence(
    person: &Person,
    institution: InstitutionId,
    is_asked: bool,
    owns_there: bool,
) -> Vec<Evidence> {
    let elsewhere = owns_there
        .then(|| person.suggests_elsewhere(institution))
        .flatten();
    // Whoever owns something here may have a place, or have had the last one, at another institution.
    // That one asks.
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
    let school = RosterQueries::new(reading);
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
