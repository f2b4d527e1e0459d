//! What a command names besides what it is about, and which of that its sender may not know of.
//!
//! A right to change a team is no right to find out who else is in the ledger. So whatever a command
//! names is asked about as well: may the sender see that it is there? What the sender may not see is
//! treated as if it were not there, and the rules give the answer that they give for an id which does
//! not exist: the same reason, the same field, after the same checks.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::named::named;
use super::{About, Action, Facts, Who, decide};
use crate::actor::Actor;
use crate::domain::{Aggregate, Command};
use crate::ids::{
    InstitutionId, PersonId, PlanId, StreamId, StreamKind, SystemId, TeamId, YearPlanId,
};
use crate::read_error::ReadError;

/// What a command names that is there, and that its sender may not see. The rules must decide as if
/// it were not there: see [`crate::domain::Without`].
///
/// The sender sees whatever the table says (persons and teams as the roster has them, year plans,
/// plans), everything that the command is about, and whoever is named by that: the owner, members and
/// staff of a team; the team's for a year plan; both, the student and who held talks for a plan.
///
/// # Errors
/// [`ReadError`] when the state cannot be read.
pub fn unseen<F: Facts + ?Sized>(
    facts: &F,
    today: Date,
    who: &Who,
    command: &Command,
) -> Result<BTreeSet<StreamId>, ReadError> {
    let mut named = named(command);
    named.remove(&command.stream());
    unseen_among(facts, today, who, named, || {
        let abouts = About::of_command(command).into_iter();
        let abouts = abouts.filter_map(stream_about);
        Ok([command.stream()].into_iter().chain(abouts).collect())
    })
}

/// Those of the named things that are there and that somebody may not see. Whoever is named by the things
/// that `of` gives is seen all the same.
///
/// # Errors
/// [`ReadError`] when the state cannot be read.
pub(crate) fn unseen_among<F: Facts + ?Sized>(
    facts: &F,
    today: Date,
    who: &Who,
    mut named: BTreeSet<StreamId>,
    of: impl FnOnce() -> Result<Vec<StreamId>, ReadError>,
) -> Result<BTreeSet<StreamId>, ReadError> {
    named.remove(&stream_of(who.actor));
    if let Some(person) = who.on_behalf_of {
        named.remove(&person.into());
    }
    if named.is_empty() {
        return Ok(named);
    }
    // Whoever imports rosters names hundreds of people, and sees them all.
    let may = |action, about| Ok(decide(facts, today, who, action, about)?.is_allowed());
    if may(Action::ReadRoster, About::Municipality)? {
        named.retain(|stream| !is_of_roster(stream.kind));
    }
    let mut hidden = BTreeSet::new();
    for stream in named {
        if facts.aggregate(stream)?.is_some() && !may_see(stream, &may)? {
            hidden.insert(stream);
        }
    }
    if hidden.is_empty() {
        return Ok(hidden);
    }
    let mut shown = Shown {
        facts,
        streams: BTreeSet::new(),
    };
    for stream in of()? {
        shown.streams.insert(stream);
        shown.by_stream(stream)?;
    }
    hidden.retain(|stream| !shown.streams.contains(stream));
    Ok(hidden)
}

/// The stream of what somebody asks about; `None` if it is about everything.
fn stream_about(about: About) -> Option<StreamId> {
    match about {
        About::Team(id) => Some(id.into()),
        About::YearPlan(id) => Some(id.into()),
        About::Plan(id) => Some(id.into()),
        About::Person(id) | About::Student(id) => Some(id.into()),
        About::Institution(id) => Some(id.into()),
        About::System(id) => Some(id.into()),
        About::Municipality | About::Grant(..) => None,
    }
}

pub(super) fn stream_of(actor: Actor) -> StreamId {
    match actor {
        Actor::Person(id) => id.into(),
        Actor::System(id) => id.into(),
    }
}

const fn is_of_roster(kind: StreamKind) -> bool {
    match kind {
        StreamKind::Institution
        | StreamKind::Person
        | StreamKind::SchoolYear
        | StreamKind::Team => true,
        StreamKind::YearPlan
        | StreamKind::Plan
        | StreamKind::Catalogue
        | StreamKind::Ledger
        | StreamKind::Recovery
        | StreamKind::RosterSource
        | StreamKind::System
        | StreamKind::Grants
        | StreamKind::Erasure => false,
    }
}

/// Whether somebody may see that a thing is there: whether they may read anything of it.
fn may_see(
    stream: StreamId,
    may: &dyn Fn(Action, About) -> Result<bool, ReadError>,
) -> Result<bool, ReadError> {
    let id = stream.id;
    match stream.kind {
        StreamKind::Person => may(Action::ReadRoster, About::Person(PersonId::from_uuid(id))),
        StreamKind::Team => may(Action::ReadRoster, About::Team(TeamId::from_uuid(id))),
        StreamKind::YearPlan => {
            let about = About::YearPlan(YearPlanId::from_uuid(id));
            Ok(may(Action::ReadRoster, about)?
                || may(Action::ReadYearPlanAsStaff, about)?
                || may(Action::ReadYearPlanAsAudience, about)?)
        }
        StreamKind::Plan => may(Action::ListPlans, About::Plan(PlanId::from_uuid(id))),
        StreamKind::Institution => may(
            Action::ReadInstitution,
            About::Institution(InstitutionId::from_uuid(id)),
        ),
        StreamKind::SchoolYear => may(Action::ReadInstitution, About::Municipality),
        StreamKind::Catalogue => may(Action::ReadCatalogue, About::Municipality),
        StreamKind::System => may(Action::ReadAccess, About::System(SystemId::from_uuid(id))),
        // No command names these but the one that is about them.
        StreamKind::Ledger
        | StreamKind::Recovery
        | StreamKind::RosterSource
        | StreamKind::Grants
        | StreamKind::Erasure => Ok(true),
    }
}

/// Who is named by things that somebody may change.
struct Shown<'a, F: ?Sized> {
    facts: &'a F,
    streams: BTreeSet<StreamId>,
}

impl<F: Facts + ?Sized> Shown<'_, F> {
    fn by_stream(&mut self, stream: StreamId) -> Result<(), ReadError> {
        let state = self.facts.aggregate(stream)?;
        match state.as_deref() {
            Some(Aggregate::Team(team)) => {
                self.people(&team.owner);
                self.people(&team.members);
                self.people(team.staff.keys());
                self.streams.insert(team.details.institution.into());
                Ok(())
            }
            Some(Aggregate::YearPlan(plan)) => {
                self.people([&plan.owner]);
                let team = plan.details.team;
                self.streams.insert(team.into());
                self.by_stream(team.into())
            }
            Some(Aggregate::Plan(plan)) => {
                self.people([&plan.owner, &plan.student]);
                for talk in plan.talks.values() {
                    self.people(&talk.details.holders(talk.by));
                }
                let year_plans = plan.units.iter().map(|unit| unit.year_plan);
                self.streams.extend(year_plans.map(StreamId::from));
                self.streams.insert(plan.year_plan.into());
                self.by_stream(plan.year_plan.into())
            }
            Some(Aggregate::Person(person)) => {
                self.people(person.guardians.keys());
                let places = person.affiliations.iter().map(|at| at.institution);
                self.streams.extend(places.map(StreamId::from));
                Ok(())
            }
            Some(Aggregate::Institution(found)) => {
                let discussions = found.survey_discussions.values();
                let goals = discussions.flat_map(|discussion| &discussion.details.goals);
                let year_plans = goals.map(|goal| StreamId::from(goal.year_plan));
                self.streams.extend(year_plans);
                Ok(())
            }
            Some(
                Aggregate::SchoolYear(_)
                | Aggregate::Catalogue(_)
                | Aggregate::Ledger(_)
                | Aggregate::Recovery(_)
                | Aggregate::RosterSource(_)
                | Aggregate::System(_)
                | Aggregate::Grants(_)
                | Aggregate::Erasure(_),
            )
            | None => Ok(()),
        }
    }

    fn people<'p>(&mut self, people: impl IntoIterator<Item = &'p PersonId>) {
        let people = people.into_iter().map(|person| StreamId::from(*person));
        self.streams.extend(people);
    }
}
