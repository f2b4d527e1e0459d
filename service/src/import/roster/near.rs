//! Commands in an order in which those that name the same persons are near each other.

use std::collections::HashSet;
use std::iter::Peekable;

use planledger_core::access::named;
use planledger_core::ids::StreamId;

use super::commands::Item;

/// How many persons of a roster come before the commands are looked at that name persons. A roster with
/// fewer keeps the order of its tables.
pub(super) const PERSONS: usize = 2_048;

/// Persons, and between them the commands that name no persons but those before them: guardians of students,
/// then teams, each in its own order. Exports mostly hold one school after the other. So the server finds
/// persons whom a command names in memory, and need not read them again.
pub(super) struct Near<P, G, T>
where
    P: Iterator<Item = Item>,
    G: Iterator<Item = Item>,
    T: Iterator<Item = Item>,
{
    persons: Peekable<P>,
    guardians: Peekable<G>,
    teams: Peekable<T>,
    /// The persons of the roster who have not come yet.
    awaited: HashSet<StreamId>,
    /// How many persons come before the other commands are looked at.
    every: usize,
    /// How many persons have come since then.
    since: usize,
}

impl<P, G, T> Near<P, G, T>
where
    P: Iterator<Item = Item>,
    G: Iterator<Item = Item>,
    T: Iterator<Item = Item>,
{
    /// `awaited` are all persons of the roster. The other commands are looked at whenever `every` persons
    /// have come.
    pub(super) fn new(
        persons: P,
        guardians: G,
        teams: T,
        awaited: HashSet<StreamId>,
        every: usize,
    ) -> Self {
        Self {
            persons: persons.peekable(),
            guardians: guardians.peekable(),
            teams: teams.peekable(),
            awaited,
            every,
            since: 0,
        }
    }
}

impl<P, G, T> Iterator for Near<P, G, T>
where
    P: Iterator<Item = Item>,
    G: Iterator<Item = Item>,
    T: Iterator<Item = Item>,
{
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if self.persons.peek().is_none() {
            return self.guardians.next().or_else(|| self.teams.next());
        }
        if self.since >= self.every {
            let awaited = &self.awaited;
            let ready = |item: &Item| is_ready(item, awaited);
            if let Some(item) = self.guardians.next_if(ready) {
                return Some(item);
            }
            if let Some(item) = self.teams.next_if(ready) {
                return Some(item);
            }
            self.since = 0;
        }
        let item = self.persons.next()?;
        if let Ok(imported) = &item {
            self.awaited.remove(&imported.command.stream());
        }
        self.since += 1;
        Some(item)
    }
}

/// Whether everybody has come whom a command names. A fault ends the import, wherever it stands.
fn is_ready(item: &Item, awaited: &HashSet<StreamId>) -> bool {
    let Ok(imported) = item else {
        return true;
    };
    let mut persons = named(&imported.command);
    persons.insert(imported.command.stream());
    persons.iter().all(|stream| !awaited.contains(stream))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::collections::{BTreeMap, BTreeSet};

    use planledger_core::domain::Command;
    use planledger_core::domain::person::{Guardianship, PersonCommand};
    use planledger_core::domain::team::TeamCommand;
    use planledger_core::ids::{PersonId, TeamId};
    use planledger_core::text::SourceName;
    use proptest::prelude::{Just, Strategy, prop, prop_assert, prop_assert_eq, proptest};
    use uuid::Uuid;

    use super::*;
    use crate::import::fault::{FaultCode, ImportFault};
    use crate::import::roster::ImportedCommand;

    fn person(number: u8) -> PersonId {
        PersonId::from_uuid(Uuid::from_u128(1_000 + u128::from(number)))
    }

    fn item(command: Command) -> Item {
        Ok(ImportedCommand {
            command,
            file: Cow::Borrowed("users.csv"),
            row: 2,
        })
    }

    /// A person of a roster. What the command says does not matter here.
    fn comes(number: u8) -> Item {
        let gone = PersonCommand::PutGone {
            source: SourceName::new("Kommune A").unwrap(),
        };
        item(Command::Person(person(number), gone))
    }

    fn guarded(student: u8, by: &[u8]) -> Item {
        let guardians = by.iter().map(|number| Guardianship {
            guardian: person(*number),
            last_day: None,
        });
        let put = PersonCommand::PutGuardians {
            guardians: guardians.collect(),
            last_day_of_others: "2026-11-30".parse().unwrap(),
        };
        item(Command::Person(person(student), put))
    }

    fn team(number: u8, members: &[u8]) -> Item {
        let put = TeamCommand::PutPart {
            details: None,
            members: members.iter().map(|number| person(*number)).collect(),
            staff: BTreeMap::new(),
            gone: BTreeSet::new(),
            unsaid: None,
            owner: None,
            closed: None,
            source: None,
        };
        let id = TeamId::from_uuid(Uuid::from_u128(u128::from(number)));
        item(Command::Team(id, put))
    }

    fn near(
        persons: &[u8],
        guardians: Vec<Item>,
        teams: Vec<Item>,
        every: usize,
    ) -> impl Iterator<Item = Item> {
        let persons_of_roster = persons.iter().map(|number| person(*number).into());
        Near::new(
            persons
                .iter()
                .copied()
                .map(comes)
                .collect::<Vec<_>>()
                .into_iter(),
            guardians.into_iter(),
            teams.into_iter(),
            persons_of_roster.collect(),
            every,
        )
    }

    fn commands(items: impl IntoIterator<Item = Item>) -> Vec<Command> {
        items
            .into_iter()
            .map(|item| item.unwrap().command)
            .collect()
    }

    #[test]
    fn what_names_the_persons_of_a_school_comes_before_the_next_school() {
        // 9 is nobody of this roster, and is not waited for.
        let found = near(
            &[1, 2, 3, 4],
            vec![guarded(1, &[2, 9]), guarded(3, &[4])],
            vec![team(1, &[1]), team(2, &[3])],
            2,
        );
        let expected = [
            comes(1),
            comes(2),
            guarded(1, &[2, 9]),
            team(1, &[1]),
            comes(3),
            comes(4),
            guarded(3, &[4]),
            team(2, &[3]),
        ];
        assert_eq!(commands(found), commands(expected));
    }

    #[test]
    fn a_small_roster_keeps_the_order_of_its_tables() {
        let (guardians, teams) = (vec![guarded(1, &[2])], vec![team(1, &[1])]);
        let found = near(&[1, 2, 3], guardians, teams, PERSONS);
        let expected = [
            comes(1),
            comes(2),
            comes(3),
            guarded(1, &[2]),
            team(1, &[1]),
        ];
        assert_eq!(commands(found), commands(expected));
    }

    #[test]
    fn a_fault_comes_as_soon_as_it_is_met() {
        let fault = ImportFault {
            code: FaultCode::FileChanged,
            file: Cow::Borrowed("users.csv"),
            row: None,
            field: None,
            message: Cow::Borrowed("the file changed"),
        };
        let found: Vec<_> = near(&[1, 2, 3], vec![Err(fault)], Vec::new(), 2).collect();
        assert_eq!(found.iter().position(Result::is_err), Some(2));
    }

    proptest! {
        #[test]
        fn in_whatever_order_the_tables_are_everything_comes_once_and_after_whom_it_names(
            persons in Just((0..12).collect::<Vec<u8>>()).prop_shuffle(),
            guarded_by in prop::collection::vec((0_u8..14, prop::collection::vec(0_u8..14, 0..3)), 0..12),
            classes in prop::collection::vec(prop::collection::vec(0_u8..14, 0..4), 0..6),
            every in 1_usize..14,
        ) {
            let guardians = || guarded_by.iter().map(|(student, by)| guarded(*student, by));
            let numbered = || classes.iter().zip(0_u8..);
            let teams = || numbered().map(|(members, number)| team(number, members));
            let found = commands(near(&persons, guardians().collect(), teams().collect(), every));

            let of = |wanted: &[Command]| -> Vec<Command> {
                found.iter().filter(|command| wanted.contains(command)).cloned().collect()
            };
            for wanted in [
                commands(persons.iter().copied().map(comes)),
                commands(guardians()),
                commands(teams()),
            ] {
                prop_assert_eq!(of(&wanted), wanted, "each table keeps its order");
            }
            prop_assert_eq!(found.len(), persons.len() + guarded_by.len() + classes.len());

            let come: Vec<_> = persons.iter().copied().map(comes).collect();
            let come = commands(come);
            let mut awaited: HashSet<StreamId> = come.iter().map(Command::stream).collect();
            for command in &found {
                match come.contains(command) {
                    true => drop(awaited.remove(&command.stream())),
                    false => {
                        prop_assert!(!awaited.contains(&command.stream()));
                        prop_assert!(named(command).is_disjoint(&awaited.iter().copied().collect()));
                    }
                }
            }
        }
    }
}
