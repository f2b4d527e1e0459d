//! Queries about the links of what a source of rosters has brought: places in teams, guardianships.

use planledger_core::derived::Term;
use planledger_core::domain::person::{Person, PersonFact};
use planledger_core::domain::team::{Team, TeamFact};
use planledger_core::domain::{Aggregate, RosterFact, World};
use planledger_core::ids::{PersonId, StreamId, TeamId};
use planledger_core::ledger::{ReadError, Reading};
use planledger_core::text::SourceName;

use super::auth::Access;
use super::gate::Gate;
use crate::wire::Failure;

/// Reads the links of one person or team, if the source has brought both ends of them. `show` is given
/// the team or child, what it is called, the fact, and the name of the person whom the fact names.
pub(super) fn links<T>(
    reading: &Reading<'_>,
    gate: &Gate<'_>,
    source: &SourceName,
    stream: StreamId,
    show: impl Fn(StreamId, &str, RosterFact, &str) -> T,
) -> Result<Vec<T>, Failure> {
    gate.require(&Access::ListRosterLinks(source))?;
    let mut links = Links {
        reading,
        source,
        show,
        found: Vec::new(),
    };
    if let Some((state, _)) = reading.stream(stream)? {
        match &*state {
            Aggregate::Team(team) if team.sources.contains(source) => {
                links.of_team(TeamId::from_uuid(stream.id), team)?;
            }
            Aggregate::Person(person) if person.records.contains_key(source) => {
                links.of_person(PersonId::from_uuid(stream.id), person)?;
            }
            _ => {}
        }
    }
    Ok(links.found)
}

struct Links<'r, T, S> {
    reading: &'r Reading<'r>,
    source: &'r SourceName,
    show: S,
    found: Vec<T>,
}

impl<T, S: Fn(StreamId, &str, RosterFact, &str) -> T> Links<'_, T, S> {
    fn of_team(&mut self, id: TeamId, team: &Team) -> Result<(), ReadError> {
        let members = team.members.iter().copied();
        let members = members.map(|person| (person, TeamFact::Member(person)));
        let staff = team.staff.keys().copied();
        let staff = staff.map(|person| (person, TeamFact::Staff(person)));
        for (person, fact) in members.chain(staff) {
            self.with(person, |links, known| {
                links.add_place(id, team, fact, known);
            })?;
        }
        Ok(())
    }

    fn of_person(&mut self, id: PersonId, person: &Person) -> Result<(), ReadError> {
        for guardian in person.guardians.keys().copied() {
            self.with(guardian, |links, known| {
                links.add_guardianship(id, person, guardian, known);
            })?;
        }
        for child in self.reading.find(Term::ChildrenOf(id))?.iter() {
            let child = PersonId::from_uuid(child.id);
            self.with(child, |links, known| {
                links.add_guardianship(child, known, id, person);
            })?;
        }
        for stream in self.reading.find(Term::TeamsOf(id))?.iter() {
            if let Some((state, _)) = self.reading.stream(*stream)?
                && let Aggregate::Team(team) = &*state
                && team.sources.contains(self.source)
            {
                let team_id = TeamId::from_uuid(stream.id);
                if team.members.contains(&id) {
                    self.add_place(team_id, team, TeamFact::Member(id), person);
                }
                if team.staff.contains_key(&id) {
                    self.add_place(team_id, team, TeamFact::Staff(id), person);
                }
            }
        }
        Ok(())
    }

    /// Reads the person at the other end, if the source has brought that person too.
    fn with(
        &mut self,
        id: PersonId,
        add: impl FnOnce(&mut Self, &Person),
    ) -> Result<(), ReadError> {
        if let Some((state, _)) = self.reading.stream(id)?
            && let Aggregate::Person(person) = &*state
            && person.records.contains_key(self.source)
        {
            add(self, person);
        }
        Ok(())
    }

    fn add_place(&mut self, id: TeamId, team: &Team, fact: TeamFact, person: &Person) {
        if !team.by_hand.contains(&fact) {
            let (title, name) = (team.details.title.as_str(), person.name.as_str());
            let fact = RosterFact::Team(fact);
            self.found.push((self.show)(id.into(), title, fact, name));
        }
    }

    /// Whoever has left guards nobody.
    fn add_guardianship(
        &mut self,
        child_id: PersonId,
        child: &Person,
        guardian_id: PersonId,
        guardian: &Person,
    ) {
        let (day, fact) = (self.reading.day(), PersonFact::Guardian(guardian_id));
        if child.guardian_on(guardian_id, day)
            && !guardian.has_left_on(day)
            && !child.by_hand.contains(&fact)
        {
            let (name, guardian) = (child.name.as_str(), guardian.name.as_str());
            let fact = RosterFact::Person(fact);
            let link = (self.show)(child_id.into(), name, fact, guardian);
            self.found.push(link);
        }
    }
}
