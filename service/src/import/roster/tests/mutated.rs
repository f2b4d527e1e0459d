//! An export that was spoiled on its way ends nothing in silence.

use std::collections::BTreeSet;

use planledger_core::domain::person::PersonFact;
use planledger_core::domain::team::TeamFact;
use planledger_core::domain::{Aggregate, Command, RosterFact};
use planledger_core::ids::{PersonId, StreamId};
use planledger_fixtures::Memory;
use planledger_fixtures::school::SYSTEM;
use proptest::prelude::*;

use super::super::Terms;
use super::TODAY;
use super::export::export;

/// What was done to a table: rows and cells are dropped, repeated, exchanged and emptied.
#[derive(Clone, Copy, Debug)]
enum Spoiled {
    Dropped,
    Repeated,
    Exchanged,
    CellEmptied,
    CellsExchanged,
    CutShort,
}

fn spoil(text: &str, how: Spoiled, row: usize, other: usize, cell: usize) -> Vec<u8> {
    let mut rows: Vec<String> = text.lines().map(str::to_owned).collect();
    let count = rows.len().max(2) - 1;
    let (row, other) = (1 + row % count, 1 + other % count);
    if row.max(other) >= rows.len() {
        return text.as_bytes().to_vec();
    }
    let mut cells: Vec<String> = rows[row].split(',').map(str::to_owned).collect();
    let (one, two) = (cell % cells.len(), (cell / 7) % cells.len());
    match how {
        Spoiled::Dropped => drop(rows.remove(row)),
        Spoiled::Repeated => rows.insert(other, rows[row].clone()),
        Spoiled::Exchanged => rows.swap(row, other),
        Spoiled::CellEmptied => {
            cells[one].clear();
            rows[row] = cells.join(",");
        }
        Spoiled::CellsExchanged => {
            cells.swap(one, two);
            rows[row] = cells.join(",");
        }
        Spoiled::CutShort => rows.truncate(row),
    }
    (rows.join("\n") + "\n").into_bytes()
}

/// A link that an import must not end without saying so.
type Link = (StreamId, RosterFact);
type Owners = BTreeSet<(StreamId, PersonId)>;

/// Every guardianship without an end, role, place in a team, and who owns each team.
fn links(memory: &Memory) -> (BTreeSet<Link>, Owners, BTreeSet<StreamId>) {
    let (mut links, mut owners, mut departed) = (BTreeSet::new(), Owners::new(), BTreeSet::new());
    for stream in memory.streams() {
        match memory.state(stream) {
            Some(Aggregate::Person(person)) => {
                let open = person.guardians.iter().filter(|(_, last)| last.is_none());
                let guardians = open.map(|(id, _)| PersonFact::Guardian(*id));
                let roles = person
                    .affiliations
                    .iter()
                    .map(|at| PersonFact::Affiliation {
                        institution: at.institution,
                        role: at.role,
                    });
                let facts = guardians.chain(roles).map(RosterFact::Person);
                links.extend(facts.map(|fact| (stream, fact)));
                if person.departed.is_some() {
                    departed.insert(stream);
                }
            }
            Some(Aggregate::Team(team)) => {
                let members = team.members.iter().map(|id| TeamFact::Member(*id));
                let staff = team.staff.keys().map(|id| TeamFact::Staff(*id));
                let facts = members.chain(staff).map(RosterFact::Team);
                links.extend(facts.map(|fact| (stream, fact)));
                owners.extend(team.owner.map(|owner| (stream, owner)));
            }
            _ => {}
        }
    }
    (links, owners, departed)
}

/// Imports an export, and says which links ended. A command that is refused changes nothing.
fn import(memory: &mut Memory, commands: Vec<Command>) -> BTreeSet<Link> {
    let mut said = BTreeSet::new();
    for command in commands {
        if let Ok(decision) = memory.execute(SYSTEM, &command) {
            let dropped = decision.dropped.into_iter();
            said.extend(dropped.map(|fact| (decision.stream, fact)));
        }
    }
    said
}

fn spoiled() -> impl Strategy<Value = Vec<(usize, Spoiled, usize, usize, usize)>> {
    let how = prop_oneof![
        Just(Spoiled::Dropped),
        Just(Spoiled::Repeated),
        Just(Spoiled::Exchanged),
        Just(Spoiled::CellEmptied),
        Just(Spoiled::CellsExchanged),
        Just(Spoiled::CutShort),
    ];
    let one = (0..7usize, how, 0..20usize, 0..20usize, 0..100usize);
    prop::collection::vec(one, 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever is done to the rows and cells: the import is refused, or every link that is gone
    /// afterwards is said, nobody has left, and every team has the owner that it had.
    #[test]
    fn a_spoiled_export_ends_no_link_without_saying_so(changes in spoiled()) {
        let mut memory = Memory::default();
        import(&mut memory, export().bodies());
        let (before, owners, departed) = links(&memory);
        prop_assert!(!before.is_empty() && !owners.is_empty());
        let streams: BTreeSet<_> = memory.streams().collect();
        let mut bad = export();
        for (file, how, row, other, cell) in changes {
            let names: Vec<_> = bad.0.keys().copied().collect();
            let file = names[file % names.len()];
            let text = String::from_utf8(bad.0[file].clone()).unwrap();
            bad.0.insert(file, spoil(&text, how, row, other, cell));
        }
        // Any share of bad rows is allowed, so that what is left of the export is imported.
        let terms = Terms { today: TODAY, bad_rows: 100 };
        if let Ok(mut roster) = bad.open_on(terms) {
            let commands = roster.commands().map_while(Result::ok).map(|found| found.command);
            let commands = commands.collect();
            let said = import(&mut memory, commands);
            let (after, owned, left) = links(&memory);
            for link in before.difference(&after) {
                prop_assert!(said.contains(link), "{link:?} ended in silence");
            }
            prop_assert!(owned.is_superset(&owners), "a team lost its owner");
            // A cell in the wrong place may make somebody new, who has left.
            let mut known = left.iter().filter(|stream| streams.contains(stream));
            prop_assert!(known.all(|stream| departed.contains(stream)), "somebody left");
        }
    }
}

/// The test above would find an import that ends links: the plain one, without one enrolment, does.
#[test]
fn an_export_without_an_enrolment_ends_a_place_and_says_so() {
    let mut memory = Memory::default();
    import(&mut memory, export().bodies());
    let (before, ..) = links(&memory);
    let mut without = export();
    let text = String::from_utf8(without.0["enrollments.csv"].clone()).unwrap();
    let text = spoil(&text, Spoiled::Dropped, 0, 0, 0);
    without.0.insert("enrollments.csv", text);
    let said = import(&mut memory, without.bodies());
    let (after, ..) = links(&memory);
    let ended: BTreeSet<_> = before.difference(&after).copied().collect();
    assert_eq!(ended.len(), 1);
    assert_eq!(said, ended);
}
