//! What the rule has to know of somebody, read from one consistent state.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;

use crate::actor::Actor;
use crate::derived::Term;
use crate::domain::Aggregate;
use crate::domain::grants::Role as GrantedRole;
use crate::domain::person::{Person, Role};
use crate::domain::year_plan::YearPlanDetails;
use crate::ids::{GrantsId, InstitutionId, PersonId, SchoolYearId, StreamId};
use crate::read_error::ReadError;
use crate::time::Timestamp;

/// One consistent state, from which is read what the rule has to know.
pub trait Source {
    /// The state of a stream; `None` if the stream does not exist.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn aggregate(&self, stream: StreamId) -> Result<Option<Arc<Aggregate>>, ReadError>;

    /// The streams that a term finds, in order of their ids.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn found(&self, term: Term) -> Result<Arc<Vec<StreamId>>, ReadError>;

    /// The instant of a stream's last event; `None` if the stream does not exist.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn last_activity(&self, stream: StreamId) -> Result<Option<Timestamp>, ReadError>;
}

/// What the rule has to know of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Student {
    /// Who.
    pub id: PersonId,
    /// The last day of a departure that is noted; `None` if none is. If its day is not known: the day on
    /// which something was last recorded of the person, which is that of the departure or later.
    pub left: Option<Date>,
    /// Whether a plan, a place or a team says that the person is or was a student.
    pub is_student: bool,
    /// Whether the person is or was something else too: staff, a guardian, an owner, somebody with
    /// grants.
    pub is_more: bool,
    /// The institutions of the person's places, of the last place, and of the plans.
    pub institutions: BTreeSet<InstitutionId>,
    /// The school years of the plans, withdrawn ones too, each with its last day; `None` if that is not
    /// known.
    pub school_years: BTreeMap<SchoolYearId, Option<Date>>,
}

impl Student {
    /// Reads what the rule has to know of a person.
    ///
    /// # Errors
    /// [`ReadError`] when something of it cannot be read.
    pub fn read(reading: &dyn Source, id: PersonId, person: &Person) -> Result<Self, ReadError> {
        let places = person.affiliations.iter().map(|at| at.institution);
        let last = person.last_place.iter().map(|place| place.institution);
        let mut student = Self {
            id,
            left: left(reading, id, person)?,
            is_student: person.is_student(),
            is_more: person
                .affiliations
                .iter()
                .any(|at| at.role != Role::Student),
            institutions: places.chain(last).collect(),
            school_years: BTreeMap::new(),
        };
        student.add_plans(reading)?;
        student.add_teams(reading)?;
        for term in [Term::Owner(id), Term::OwnedBefore(id)] {
            student.is_more |= !reading.found(term)?.is_empty();
        }
        student.is_more |= !reading.found(Term::ChildrenOf(id))?.is_empty();
        student.is_more |= has_grants(reading, id)?;
        Ok(student)
    }

    fn add_plans(&mut self, reading: &dyn Source) -> Result<(), ReadError> {
        for stream in reading.found(Term::PlansOfStudent(self.id))?.iter() {
            let Some(state) = reading.aggregate(*stream)? else {
                continue;
            };
            self.is_student = true;
            let Some(details) = year_plan_of(reading, &state)? else {
                // Nobody knows when its year is over.
                self.is_more = true;
                continue;
            };
            let year = details.school_year;
            self.institutions.insert(details.institution);
            let last_day = match reading.aggregate(year.into())?.as_deref() {
                Some(Aggregate::SchoolYear(defined)) => Some(defined.year.last_day),
                Some(_) | None => None,
            };
            self.school_years.insert(year, last_day);
        }
        Ok(())
    }

    fn add_teams(&mut self, reading: &dyn Source) -> Result<(), ReadError> {
        for stream in reading.found(Term::TeamsOf(self.id))?.iter() {
            if let Some(Aggregate::Team(team)) = reading.aggregate(*stream)?.as_deref() {
                self.is_student |= team.members.contains(&self.id);
                self.is_more |= team.staff.contains_key(&self.id);
            }
        }
        Ok(())
    }
}

/// What the year plan of a plan is. Year plans stay when they are deleted, so there always is one.
fn year_plan_of(
    reading: &dyn Source,
    plan: &Aggregate,
) -> Result<Option<YearPlanDetails>, ReadError> {
    let Aggregate::Plan(plan) = plan else {
        return Ok(None);
    };
    Ok(match reading.aggregate(plan.year_plan.into())?.as_deref() {
        Some(Aggregate::YearPlan(year_plan)) => Some(year_plan.details.clone()),
        Some(_) | None => None,
    })
}

/// Whether somebody holds or held a grant that is not a student's.
fn has_grants(reading: &dyn Source, id: PersonId) -> Result<bool, ReadError> {
    let grants = GrantsId::of(Actor::Person(id));
    Ok(match reading.aggregate(grants.into())?.as_deref() {
        Some(Aggregate::Grants(all)) => {
            let mut grants = all.grants.values();
            grants.any(|grant| grant.details.role != GrantedRole::Student)
        }
        Some(_) | None => false,
    })
}

fn left(reading: &dyn Source, id: PersonId, person: &Person) -> Result<Option<Date>, ReadError> {
    let Some(departure) = &person.departed else {
        return Ok(None);
    };
    Ok(match departure.on {
        Some(day) => Some(day),
        None => reading
            .last_activity(id.into())?
            .map(|at| at.day_in_denmark()),
    })
}
