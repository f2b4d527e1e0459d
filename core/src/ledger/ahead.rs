//! Reads the overview of a day that no event has reached yet. Derived state counts a departure when
//! the first event of a later day is folded in. Until that event comes, a read adds what such
//! departures change, so its answer does not depend on whether anything was recorded since.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use super::{ReadError, Reading};
use crate::derived::{Doc, DocKey, StoreError, Term};
use crate::domain::Aggregate;
use crate::domain::person::{NoOwner, Person};
use crate::ids::{PersonId, PlanId, SchoolYearId, StreamId, TeamId};
use crate::overview::{
    Cell, CellKey, Counts, Day, OverviewQuery, Report, Source, Standing, Touched, contributions_to,
    places,
};

/// How often an overview is read while departures are being counted.
const TRIES: usize = 3;

/// What a student adds under a grade: before a departure, and after it.
type Change = (String, Option<Counts>, Option<Counts>);

/// What departures change that are over on a day and are not counted yet.
#[derive(Default, PartialEq, Eq)]
struct Ahead {
    cells: BTreeMap<CellKey, Vec<Change>>,
}

impl Ahead {
    /// Adds what changes in the cells when one student's standing changes.
    fn add(&mut self, before: &Standing, after: &Standing) {
        let touched = Touched::by(before, after);
        let less = contributions_to(before, &touched);
        let mut more = contributions_to(after, &touched);
        for ((key, grade), counts) in less {
            let now = more.remove(&(key, grade.clone()));
            let changes = self.cells.entry(key).or_default();
            changes.push((grade, Some(counts), now));
        }
        for ((key, grade), counts) in more {
            let changes = self.cells.entry(key).or_default();
            changes.push((grade, None, Some(counts)));
        }
    }
}

/// The students whose standing changes: as it is stored, and as it is on the day.
#[derive(Default)]
struct Standings(BTreeMap<PersonId, (Arc<Standing>, Standing)>);

/// The cells of derived state with what departures change in them.
struct Counted<'a> {
    reading: &'a Reading<'a>,
    ahead: Ahead,
}

impl Reading<'_> {
    /// Gives an overview as of the end of a day; for the present day, as of now. Counts of past
    /// days never change. For the present day each count is consistent in itself, but counts of
    /// different institutions may be read some milliseconds apart. A departure counts from the day
    /// after its last day, whether or not anything has been recorded since.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn overview(&self, ask: &OverviewQuery) -> Result<Report, ReadError> {
        let mut ahead = self.ahead(ask.day)?;
        let mut tried = 1;
        loop {
            let source = Counted {
                reading: self,
                ahead,
            };
            let report = ask.report(&source)?;
            // An event that was folded in meanwhile may have counted the departures: then they are
            // in some of the cells twice.
            ahead = self.ahead(ask.day)?;
            if ahead == source.ahead || tried == TRIES {
                return Ok(report);
            }
            tried += 1;
        }
    }

    /// Finds what departures change that are over on a day and are not counted yet.
    fn ahead(&self, day: Date) -> Result<Ahead, ReadError> {
        let mut ahead = Ahead::default();
        if self.ledger.day_at(self.ledger.position())? >= day {
            return Ok(ahead);
        }
        let mut standings = Standings::default();
        for stream in self.find(Term::Leaving)?.iter() {
            if let Some(doc) = self.ledger.present(*stream)?
                && let Aggregate::Person(person) = &*doc.state
                && person.has_left_on(day)
            {
                let id = PersonId::from_uuid(stream.id);
                let now = places(person, day);
                self.change(&mut standings, id, |standing| standing.places = now)?;
                self.change_owned(&mut standings, id, person, day)?;
            }
        }
        for (before, after) in standings.0.into_values() {
            if *before != after {
                ahead.add(&before, &after);
            }
        }
        Ok(ahead)
    }

    /// Notes in every plan of a person who has left whether it has an owner.
    fn change_owned(
        &self,
        standings: &mut Standings,
        owner: PersonId,
        person: &Person,
        day: Date,
    ) -> Result<(), ReadError> {
        for stream in self.find(Term::Owner(owner))?.iter() {
            let state = self.state_now(*stream)?;
            let Some(Aggregate::Plan(plan)) = state.as_deref() else {
                continue;
            };
            let state = self.state_now(plan.year_plan.into())?;
            let Some(Aggregate::YearPlan(year_plan)) = state.as_deref() else {
                continue;
            };
            let place = year_plan.details.place();
            let on_team = match self.state_now(place.team.into())?.as_deref() {
                Some(Aggregate::Team(team)) => team.staff.contains_key(&owner),
                Some(_) | None => false,
            };
            let reason = person.no_owner_at(place.institution, on_team, day);
            let ownerless = reason.is_some_and(NoOwner::is_certain);
            self.change(standings, plan.student, |standing| {
                if let Some(facts) = standing.plans.get_mut(&PlanId::from_uuid(stream.id)) {
                    facts.ownerless = ownerless;
                }
            })?;
        }
        Ok(())
    }

    /// Changes what is known of a student.
    fn change(
        &self,
        standings: &mut Standings,
        student: PersonId,
        change: impl FnOnce(&mut Standing),
    ) -> Result<(), ReadError> {
        let mut known = match standings.0.remove(&student) {
            Some(known) => known,
            None => {
                let stored = self.standing(student)?;
                let now = Standing::clone(&stored);
                (stored, now)
            }
        };
        change(&mut known.1);
        standings.0.insert(student, known);
        Ok(())
    }

    fn standing(&self, student: PersonId) -> Result<Arc<Standing>, ReadError> {
        let inner = &self.ledger.inner;
        match inner.derived(|docs| docs.get(&DocKey::Standing(student)))? {
            Doc::Standing(standing) => Ok(standing),
            Doc::Absent => Ok(Arc::default()),
            _ => Err(StoreError::Malformed("an overview").into()),
        }
    }

    /// A stream's newest state. Counts are of now or of a day, and not of a position.
    fn state_now(&self, stream: StreamId) -> Result<Option<Arc<Aggregate>>, ReadError> {
        let doc = self.ledger.present(stream)?;
        Ok(doc.map(|doc| doc.state.clone()))
    }
}

impl Source for Counted<'_> {
    fn cell(&self, key: CellKey, day: Day) -> Result<Option<Arc<Cell>>, ReadError> {
        let inner = &self.reading.ledger.inner;
        let cell = inner.derived(|docs| docs.cell_at(key, day))?;
        let (Some(changes), Some(stored)) = (self.ahead.cells.get(&key), &cell) else {
            return Ok(cell);
        };
        let mut changed = Cell::clone(stored);
        for (grade, before, after) in changes {
            // A count that does not hold what is to go was changed meanwhile, and is read again.
            let _ = changed.change(grade, before.as_ref(), after.as_ref());
        }
        Ok(Some(Arc::new(changed)))
    }

    fn is_of_year(&self, team: TeamId, school_year: SchoolYearId) -> Result<bool, ReadError> {
        let found = self.reading.stream(team)?;
        Ok(found.is_some_and(|(state, _)| match &*state {
            Aggregate::Team(team) => team.details.school_year.is_none_or(|of| of == school_year),
            _ => false,
        }))
    }
}
