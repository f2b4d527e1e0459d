//! Sources of rosters, what they say of people, and who is no longer in them.

use std::collections::BTreeMap;

use planledger_core::domain::person::{
    Guardianship, Person, PersonCommand, PersonEvent, RosterRecord,
};
use planledger_core::domain::roster_source::{
    ImportMode, RosterCounts, RosterImport, RosterSourceCommand, RosterSourceEvent,
};
use planledger_core::domain::team::{StaffRole, Team, TeamCommand};
use planledger_core::domain::{Actor, Aggregate, Reason};
use planledger_core::ids::{PersonId, RosterSourceId};
use planledger_core::text::{ExternalId, SourceName};
use planledger_fixtures::Memory;
use proptest::prelude::*;

use crate::domain::harness::{given, refusals};
use planledger_fixtures::school::*;

fn source(name: &str) -> SourceName {
    SourceName::new(name).unwrap()
}

fn register(name: &str) -> RosterSourceCommand {
    RosterSourceCommand::Register { name: source(name) }
}

fn import(of: i8) -> RosterSourceCommand {
    RosterSourceCommand::RecordImport(RosterImport {
        day: day(9, of),
        mode: ImportMode::Bulk,
        counts: RosterCounts::default(),
    })
}

fn absent(name: &str) -> PersonCommand {
    PersonCommand::NoteAbsence {
        source: source(name),
        last_seen: day(9, 1),
    }
}

fn seen(memory: &Memory, id: PersonId, name: &str, enabled: bool) -> PersonCommand {
    let now = person(memory, id);
    PersonCommand::Put {
        name: now.name,
        affiliations: now.affiliations.into_iter().collect(),
        departed: false,
        record: Some(RosterRecord {
            source: source(name),
            sourced_id: ExternalId::new("x1").unwrap(),
            user_ids: Default::default(),
            enabled,
            enrolled: None,
            profiles: None,
        }),
    }
}

fn person(memory: &Memory, id: PersonId) -> Person {
    match memory.state(id) {
        Some(Aggregate::Person(person)) => person.clone(),
        other => panic!("{other:?}"),
    }
}

fn team(memory: &Memory) -> Team {
    match memory.state(TEAM) {
        Some(Aggregate::Team(team)) => team.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_source_stands_under_an_id_of_its_own_and_every_other_under_its_name() {
    let second = RosterSourceId::named(&source("Kommune B"));
    given(vec![])
        .when(SYSTEM, (RosterSourceId::FIRST, register("Kommune A")))
        .then([RosterSourceEvent::Registered {
            name: source("Kommune A"),
        }])
        .when(SYSTEM, (RosterSourceId::FIRST, register("Kommune A")))
        .then_nothing()
        .when(SYSTEM, (second, register("Kommune B")))
        .then([RosterSourceEvent::Registered {
            name: source("Kommune B"),
        }])
        .when(SYSTEM, (second, import(1)))
        .then([RosterSourceEvent::Imported(RosterImport {
            day: day(9, 1),
            mode: ImportMode::Bulk,
            counts: RosterCounts::default(),
        })])
        .when(SYSTEM, (second, import(1)))
        .then_nothing();
}

#[test]
fn whoever_is_absent_keeps_places_and_guardianships_until_they_are_seen_again() {
    let mut memory = Memory::of(a_team());
    for id in [STUDENT, TEACHER, GUARDIAN] {
        let put = seen(&memory, id, "A", true);
        memory.does(SYSTEM, (id, put));
    }
    memory.does(SYSTEM, (STUDENT, guardians(&[GUARDIAN])));
    memory.does(SYSTEM, (TEAM, put_team(&memory, &[STUDENT], &[TEACHER])));
    for id in [STUDENT, TEACHER, GUARDIAN] {
        memory.does(SYSTEM, (id, absent("A")));
    }
    let before = team(&memory);
    memory.does(SYSTEM, (TEAM, put_team(&memory, &[], &[])));
    memory.does(SYSTEM, (STUDENT, guardians(&[])));
    assert_eq!(team(&memory), before);
    let child = person(&memory, STUDENT);
    assert_eq!(child.guardians, [(GUARDIAN, None)].into_iter().collect());
    assert!(child.departed.is_none());

    for id in [STUDENT, TEACHER, GUARDIAN] {
        let put = seen(&memory, id, "A", true);
        memory.does(SYSTEM, (id, put));
        assert!(!person(&memory, id).is_absent());
    }
    memory.does(SYSTEM, (TEAM, put_team(&memory, &[], &[])));
    memory.does(SYSTEM, (STUDENT, guardians(&[])));
    let after = team(&memory);
    assert!(after.members.is_empty() && after.staff.is_empty());
    assert!(person(&memory, STUDENT).guardians[&GUARDIAN].is_some());
}

#[test]
fn a_person_is_registered_with_what_the_roster_says_and_the_same_again_changes_nothing() {
    let record = RosterRecord {
        source: source("A"),
        sourced_id: ExternalId::new("x1").unwrap(),
        user_ids: Default::default(),
        enabled: true,
        enrolled: Some(true),
        profiles: None,
    };
    let put = PersonCommand::Put {
        name: name("Ny elev"),
        affiliations: Default::default(),
        departed: false,
        record: Some(record.clone()),
    };
    let registered = PersonEvent::Registered {
        name: name("Ny elev"),
        record: Some(record.clone()),
    };
    given(a_school())
        .when(SYSTEM, (NOBODY, put.clone()))
        .then([registered])
        .when(SYSTEM, (NOBODY, put.clone()))
        .then_nothing();
    let mut memory = Memory::of(a_school());
    memory.does(SYSTEM, (NOBODY, put));
    let now = person(&memory, NOBODY);
    assert_eq!(now.records[&source("A")], std::sync::Arc::new(record));
    assert!(now.is_enrolled_only_by(&source("A")));
}

fn guardians(named: &[PersonId]) -> PersonCommand {
    let guardians = named.iter().map(|guardian| Guardianship {
        guardian: *guardian,
        last_day: None,
    });
    PersonCommand::PutGuardians {
        guardians: guardians.collect(),
        last_day_of_others: day(9, 2),
    }
}

fn put_team(memory: &Memory, members: &[PersonId], staff: &[PersonId]) -> TeamCommand {
    let staff = staff.iter().map(|id| (*id, StaffRole::Teacher));
    TeamCommand::Put {
        details: team(memory).details,
        members: members.iter().copied().collect(),
        staff: staff.collect(),
        owner: None,
        closed: false,
        source: Some(source("A")),
    }
}

/// What happens to one person in the roster of one of two sources.
#[derive(Clone, Copy, Debug)]
enum Happens {
    Seen { enabled: bool },
    Absent,
}

fn happenings() -> impl Strategy<Value = Vec<(bool, Happens)>> {
    let one = prop_oneof![
        any::<bool>().prop_map(|enabled| Happens::Seen { enabled }),
        Just(Happens::Absent),
    ];
    prop::collection::vec((any::<bool>(), one), 0..20)
}

proptest! {
    /// The account keeps, for each source, what it said last and whether the person is missing there.
    #[test]
    fn records_and_absences_are_what_a_naive_account_says_and_nothing_else_of_a_person_changes(
        story in happenings(),
        by_a_person in any::<bool>(),
    ) {
        let actor = if by_a_person { Actor::Person(LEADER) } else { SYSTEM };
        let mut memory = Memory::of(a_team());
        let (before, team_before) = (person(&memory, STUDENT), team(&memory));
        let mut account: BTreeMap<&str, (bool, bool)> = BTreeMap::new();
        for (first, happens) in story {
            let name = if first { "A" } else { "B" };
            let (command, refused) = match happens {
                Happens::Seen { enabled } => {
                    account.insert(name, (enabled, false));
                    (seen(&memory, STUDENT, name, enabled), false)
                }
                Happens::Absent => {
                    let known = account.get_mut(name);
                    let refused = known.is_none();
                    if let Some((_, is_absent)) = known {
                        *is_absent = true;
                    }
                    (absent(name), refused)
                }
            };
            let command = planledger_fixtures::IntoCommand::into_command((STUDENT, command));
            prop_assert_eq!(memory.execute(actor, &command).is_err(), refused);
        }
        let after = person(&memory, STUDENT);
        let records = after.records.iter().map(|(name, record)| {
            let is_absent = after.absent.contains_key(name);
            (name.as_str(), (record.enabled, is_absent))
        });
        prop_assert_eq!(records.collect::<BTreeMap<_, _>>(), account);
        prop_assert!(after.absent.keys().all(|name| after.records.contains_key(name)));
        let mut without = after;
        without.records.clear();
        without.absent.clear();
        prop_assert_eq!(without, before);
        prop_assert_eq!(team(&memory), team_before);
    }
}

#[test]
fn the_rest_is_refused() {
    assert!(!refusals().is_empty());
}

pub(crate) fn refusals() -> Vec<Reason> {
    let first = RosterSourceId::FIRST;
    let named = |name: &str| RosterSourceId::named(&source(name));
    let known = || {
        let mut memory = Memory::of(a_school());
        memory.does(SYSTEM, (first, register("A")));
        let registered = memory.recorded().last().unwrap();
        vec![planledger_fixtures::Fact {
            stream: registered.meta.stream,
            actor: SYSTEM,
            on_behalf_of: None,
            event: registered.event.clone(),
        }]
    };
    let team_absent = TeamCommand::NoteAbsence {
        source: source("A"),
        last_seen: day(9, 1),
    };
    refusals! {
        given(a_school()), SYSTEM, (STUDENT, absent("A")) => RosterRecordNotFound at Source;
        given(a_team()), SYSTEM, (TEAM, team_absent) => RosterRecordNotFound at Source;
        given(vec![]), SYSTEM, (first, import(1)) => RosterSourceNotFound at Target;
        given(known()), SYSTEM, (first, register("B")) => SourceNameTaken at Name;
        given(known()), SYSTEM, (named("A"), register("A")) => SourceNameTaken at Name;
        given(known()), SYSTEM, (named("B"), register("C")) => SourceIdInvalid at Target;
    }
}
