//! Queries about institutions, school years, persons, teams and year plans.

use std::sync::Arc;

use jiff::civil::Date;
use planledger_core::derived::Term;
use planledger_core::domain::institution::Institution;
use planledger_core::domain::person::Person;
use planledger_core::domain::roster_source::RosterSource;
use planledger_core::domain::school_year::DefinedSchoolYear;
use planledger_core::domain::team::Team;
use planledger_core::domain::view::{Viewer, YearPlanView, guardians, has_left, year_plan_view};
use planledger_core::domain::year_plan::YearPlan;
use planledger_core::domain::{Aggregate, Reason, World};
use planledger_core::ids::{
    InstitutionId, PersonId, Revision, RosterSourceId, SchoolYearId, StreamId, StreamKind, TeamId,
    YearPlanId,
};
use planledger_core::ledger::{ReadError, Reading};
use planledger_core::text::{ExternalId, SourceName};
use uuid::Uuid;

use super::auth::{Access, TeamsOf, YearPlansOf};
use super::gate::Gate;
use super::missing::missing;
use super::pages::{self, Items, Wanted};
use crate::wire::Failure;
use crate::wire::page::Page;
use crate::wire::request::{ListPersons, TeamFilter, View, YearPlanFilter};

/// Reads one institution.
pub(super) fn institution<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    id: InstitutionId,
    show: impl FnOnce(InstitutionId, Revision, &Institution) -> T,
) -> Result<T, Failure> {
    gate.require(&Access::ReadInstitution(id))?;
    let missing = (Reason::InstitutionNotFound, "institution_id");
    one(reading, id, missing, |revision, state| match state {
        Aggregate::Institution(state) => Some(show(id, revision, state)),
        _ => None,
    })
}

/// Reads a page of all institutions.
pub(super) fn institutions<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    page: &Page<Uuid>,
    show: impl Fn(InstitutionId, Revision, &Institution) -> T,
) -> Result<Items<T>, Failure> {
    gate.require(&Access::ListInstitutions)?;
    let access = |id| Access::ReadInstitution(InstitutionId::from_uuid(id));
    let kind = StreamKind::Institution;
    let wanted = Wanted { gate, kind, access };
    all(reading, &wanted, page, |id, revision, state| match state {
        Aggregate::Institution(state) => Some(show(InstitutionId::from_uuid(id), revision, state)),
        _ => None,
    })
}

/// Reads one school year.
pub(super) fn school_year<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    id: SchoolYearId,
    show: impl FnOnce(SchoolYearId, Revision, &DefinedSchoolYear) -> T,
) -> Result<T, Failure> {
    gate.require(&Access::ReadSchoolYear(id))?;
    let missing = (Reason::SchoolYearNotFound, "school_year_id");
    one(reading, id, missing, |revision, state| match state {
        Aggregate::SchoolYear(state) => Some(show(id, revision, state)),
        _ => None,
    })
}

/// Reads a page of all school years.
pub(super) fn school_years<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    page: &Page<Uuid>,
    show: impl Fn(SchoolYearId, Revision, &DefinedSchoolYear) -> T,
) -> Result<Items<T>, Failure> {
    gate.require(&Access::ListSchoolYears)?;
    let access = |id| Access::ReadSchoolYear(SchoolYearId::from_uuid(id));
    let kind = StreamKind::SchoolYear;
    let wanted = Wanted { gate, kind, access };
    all(reading, &wanted, page, |id, revision, state| match state {
        Aggregate::SchoolYear(state) => Some(show(SchoolYearId::from_uuid(id), revision, state)),
        _ => None,
    })
}

/// Reads one person.
pub(super) fn person<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    id: PersonId,
    show: impl FnOnce(PersonId, Revision, &Person, Date) -> T,
) -> Result<T, Failure> {
    gate.require(&Access::ReadPerson(id))?;
    let missing = (Reason::PersonNotFound, "person_id");
    let shown = one(reading, id, missing, |revision, state| match state {
        Aggregate::Person(state) => {
            let present = with_present_guardians(reading, state);
            Some(present.map(|state| show(id, revision, &state, reading.day())))
        }
        _ => None,
    });
    Ok(shown??)
}

/// The person as it is shown: without guardians who have left.
fn with_present_guardians(reading: &Reading<'_>, person: &Person) -> Result<Person, ReadError> {
    Ok(Person {
        guardians: guardians(reading, person)?,
        ..person.clone()
    })
}

/// Reads the children whose guardian this person is or was, and whom the caller may see. Whoever has
/// left guards nobody. `show` is given the last day as guardian, if there is one.
pub(super) fn children<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    guardian: PersonId,
    show: impl Fn(PersonId, Option<Date>) -> T,
) -> Result<Vec<T>, Failure> {
    let mut children = Vec::new();
    if has_left(reading, guardian, reading.day())? {
        return Ok(children);
    }
    for stream in reading.find(Term::ChildrenOf(guardian))?.iter() {
        let id = PersonId::from_uuid(stream.id);
        if gate.permits(&Access::ReadPerson(id))?
            && let Some((state, _)) = reading.stream(*stream)?
            && let Aggregate::Person(child) = &*state
            && let Some(last_day) = child.guardians.get(&guardian)
        {
            children.push(show(id, *last_day));
        }
    }
    Ok(children)
}

/// Reads a page of an institution's persons.
pub(super) fn persons<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    list: &ListPersons,
    show: impl Fn(PersonId, Revision, &Person, Date) -> T,
) -> Result<Items<T>, Failure> {
    gate.require(&Access::ListPersons(list.institution))?;
    let kind = StreamKind::Person;
    let show = |id, revision, state: &Aggregate| {
        let Aggregate::Person(found) = state else {
            return None;
        };
        let mut places = found.affiliations.iter();
        let wanted = places.any(|at| {
            at.institution == list.institution && list.role.is_none_or(|role| at.role == role)
        });
        wanted.then(|| {
            let present = with_present_guardians(reading, found);
            present.map(|found| show(PersonId::from_uuid(id), revision, &found, reading.day()))
        })
    };
    let access = |id| Access::ReadPerson(PersonId::from_uuid(id));
    let wanted = Wanted { gate, kind, access };
    let (persons, next_page_token) =
        pages::list_in_institution(reading, &wanted, list.institution, &list.page, show)?;
    let persons: Result<Vec<_>, ReadError> = persons.into_iter().collect();
    Ok((persons?, next_page_token))
}

/// Reads the persons whom a source knows by an id; whom any source does if none is named.
pub(super) fn lookup<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    source: Option<&SourceName>,
    id: &ExternalId,
    show: impl Fn(PersonId, Revision, &Person, Date) -> T,
) -> Result<Vec<T>, Failure> {
    gate.require(&Access::LookupPerson(source))?;
    let mut found = Vec::new();
    for stream in reading.find(Term::external_id(id))?.iter() {
        if gate.permits(&Access::FindPerson(PersonId::from_uuid(stream.id)))?
            && let Some((state, revision)) = reading.stream(*stream)?
            && let Aggregate::Person(person) = &*state
            && person.records.values().any(|record| {
                source.is_none_or(|source| *source == record.source)
                    && record.ids().any(|known| known == id)
            })
        {
            let person = with_present_guardians(reading, person)?;
            found.push(show(
                PersonId::from_uuid(stream.id),
                revision,
                &person,
                reading.day(),
            ));
        }
    }
    Ok(found)
}

/// Reads a page of all sources of rosters.
pub(super) fn sources<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    page: &Page<Uuid>,
    show: impl Fn(RosterSourceId, Revision, &RosterSource) -> T,
) -> Result<Items<T>, Failure> {
    gate.require(&Access::ListRosterSources)?;
    let access = |id| Access::ReadRosterSource(RosterSourceId::from_uuid(id));
    let kind = StreamKind::RosterSource;
    let wanted = Wanted { gate, kind, access };
    all(reading, &wanted, page, |id, revision, state| match state {
        Aggregate::RosterSource(state) => {
            Some(show(RosterSourceId::from_uuid(id), revision, state))
        }
        _ => None,
    })
}

/// Reads all persons and teams that a source has brought. `show` is given the day of the last roster
/// that had it, if the newest one does not have it, and the state of a person.
pub(super) fn members<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    source: &SourceName,
    show: impl Fn(&SourceName, StreamId, Option<Date>, Option<&Person>) -> T,
) -> Result<Vec<T>, Failure> {
    gate.require(&Access::ListRosterMembers(source))?;
    let mut members = Vec::new();
    for kind in [StreamKind::Person, StreamKind::Team] {
        for stream in reading.find_of_source(source, kind)? {
            let Some((state, _)) = reading.stream(stream)? else {
                continue;
            };
            let (absent, person) = match &*state {
                Aggregate::Person(person) if person.records.contains_key(source) => {
                    (&person.absent, Some(person))
                }
                Aggregate::Team(team) if team.sources.contains(source) => (&team.absent, None),
                _ => continue,
            };
            members.push(show(source, stream, absent.get(source).copied(), person));
        }
    }
    Ok(members)
}

/// Reads one team.
pub(super) fn team<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    id: TeamId,
    show: impl FnOnce(TeamId, Revision, &Team) -> T,
) -> Result<T, Failure> {
    gate.require(&Access::ReadTeam(id))?;
    let missing = (Reason::TeamNotFound, "team_id");
    one(reading, id, missing, |revision, state| match state {
        Aggregate::Team(state) => Some(show(id, revision, state)),
        _ => None,
    })
}

/// Reads a page of the teams that a filter names.
pub(super) fn teams<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    filter: TeamFilter,
    page: &Page<Uuid>,
    show: impl Fn(TeamId, Revision, &Team) -> T,
) -> Result<Items<T>, Failure> {
    gate.require(&Access::ListTeams(match filter {
        TeamFilter::Institution(id) => TeamsOf::Institution(id),
        TeamFilter::Person(id) => TeamsOf::Person(id),
        TeamFilter::Owner(id) => TeamsOf::Owner(id),
    }))?;
    let kind = StreamKind::Team;
    let show = |id, revision, state: &Aggregate| match state {
        Aggregate::Team(state) => Some(show(TeamId::from_uuid(id), revision, state)),
        _ => None,
    };
    let access = |id| Access::ReadTeam(TeamId::from_uuid(id));
    let wanted = Wanted { gate, kind, access };
    let term = match filter {
        TeamFilter::Institution(institution) => {
            return pages::list_in_institution(reading, &wanted, institution, page, show);
        }
        TeamFilter::Person(person) => Term::TeamsOf(person),
        TeamFilter::Owner(owner) => Term::Owner(owner),
    };
    let streams = reading.find(term)?;
    pages::list(reading, &wanted, &streams, page, show)
}

/// Reads a year plan as the viewer sees it.
pub(super) fn year_plan<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    asked: &View<YearPlanId>,
    show: impl FnOnce(Revision, &YearPlanView) -> T,
) -> Result<T, Failure> {
    gate.require(&Access::ReadYearPlan {
        id: asked.id,
        viewer: asked.viewer,
    })?;
    let id = asked.id;
    let revision = reading.stream(id)?.map(|(_, revision)| revision);
    let shown = year_plan_view(reading, id, asked.viewer)?;
    let found = shown.zip(revision);
    found
        .map(|(shown, revision)| show(revision, &shown))
        .ok_or_else(|| Failure::no_stream(Reason::YearPlanNotFound, "year_plan_id", id))
}

/// Reads a page of the year plans that a filter names.
pub(super) fn year_plans<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    filter: YearPlanFilter,
    page: &Page<Uuid>,
    show: impl Fn(YearPlanId, Revision, &YearPlan) -> T,
) -> Result<Items<T>, Failure> {
    gate.require(&Access::ListYearPlans(match filter {
        YearPlanFilter::Team(id) => YearPlansOf::Team(id),
        YearPlanFilter::Owner(id) => YearPlansOf::Owner(id),
    }))?;
    let term = match filter {
        YearPlanFilter::Team(team) => Term::YearPlansOfTeam(team),
        YearPlanFilter::Owner(owner) => Term::Owner(owner),
    };
    let wanted = Wanted {
        gate,
        kind: StreamKind::YearPlan,
        access: |id| Access::ReadYearPlanSummary(YearPlanId::from_uuid(id)),
    };
    let show = |id, revision, state: &Aggregate| match state {
        Aggregate::YearPlan(plan) => Some(show(YearPlanId::from_uuid(id), revision, plan)),
        _ => None,
    };
    let streams = reading.find(term)?;
    pages::list(reading, &wanted, &streams, page, show)
}

/// Reads one stream. The answer is a failure if the stream does not exist.
fn one<T>(
    reading: &Reading<'_>,
    id: impl Into<StreamId>,
    why: (Reason, &str),
    show: impl FnOnce(Revision, &Aggregate) -> Option<T>,
) -> Result<T, Failure> {
    let id = id.into();
    let found: Option<(Arc<Aggregate>, Revision)> = reading.stream(id)?;
    let shown = found.and_then(|(state, revision)| show(revision, &state));
    shown.ok_or_else(|| missing(reading, why.0, why.1, id))
}

/// What lists of year plans with goals need: to read each as staff.
pub(super) fn as_staff(id: Uuid) -> Access<'static> {
    Access::ReadYearPlan {
        id: YearPlanId::from_uuid(id),
        viewer: Viewer::Staff,
    }
}

/// Reads a page of all streams of a kind.
fn all<T, A: Fn(Uuid) -> Access<'static>>(
    reading: &Reading<'_>,
    wanted: &Wanted<'_, A>,
    page: &Page<Uuid>,
    show: impl Fn(Uuid, Revision, &Aggregate) -> Option<T>,
) -> Result<Items<T>, Failure> {
    let all = reading.find(Term::All(wanted.kind))?;
    pages::list(reading, wanted, &all, page, show)
}
