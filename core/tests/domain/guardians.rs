//! Who guards a child: whoever is recorded and has not left.

use planledger_core::domain::Aggregate;
use planledger_core::domain::person::{Guardianship, Person, PersonCommand};
use planledger_core::domain::view::{guardians, guards};
use planledger_fixtures::Memory;
use planledger_fixtures::school::*;

use crate::domain::harness::given;

fn child(memory: &Memory) -> &Person {
    match memory.state(STUDENT) {
        Some(Aggregate::Person(child)) => child,
        other => panic!("{other:?}"),
    }
}

fn guarding(memory: &Memory) -> bool {
    let child = child(memory);
    let listed = guardians(memory, child).unwrap();
    let listed_at_all = listed == [(GUARDIAN, None)].into_iter().collect();
    assert!(listed_at_all || listed.is_empty());
    let guards = guards(memory, GUARDIAN, child, day(11, 20)).unwrap();
    assert_eq!(guards, listed_at_all);
    guards
}

#[test]
fn a_guardian_who_has_left_guards_nobody_until_they_are_back() {
    let mut memory = given(a_school()).world();
    let set = Guardianship {
        guardian: GUARDIAN,
        last_day: None,
    };
    memory.does(SYSTEM, (STUDENT, PersonCommand::SetGuardianship(set)));
    assert!(guarding(&memory));
    let (on, reason) = (None, None);
    memory.does(SYSTEM, (GUARDIAN, PersonCommand::Depart { on, reason }));
    assert!(!guarding(&memory));
    // The state keeps it, so an import of the same roster has nothing to say.
    assert_eq!(
        child(&memory).guardians,
        [(GUARDIAN, None)].into_iter().collect()
    );
    memory.does(SYSTEM, (GUARDIAN, PersonCommand::Return));
    assert!(guarding(&memory));
}

#[test]
fn a_guardianship_that_has_ended_is_listed_and_gives_no_right() {
    let mut memory = given(a_school()).world();
    let last_day = Some(day(11, 19));
    let set = Guardianship {
        guardian: GUARDIAN,
        last_day,
    };
    memory.does(SYSTEM, (STUDENT, PersonCommand::SetGuardianship(set)));
    let child = child(&memory);
    let listed = guardians(&memory, child).unwrap();
    assert_eq!(listed, [(GUARDIAN, last_day)].into_iter().collect());
    assert!(guards(&memory, GUARDIAN, child, day(11, 19)).unwrap());
    assert!(!guards(&memory, GUARDIAN, child, day(11, 20)).unwrap());
}
