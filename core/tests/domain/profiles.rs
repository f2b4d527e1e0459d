//! Accounts of people in other systems, which a roster may hold in part or leave out.

use std::collections::BTreeSet;

use planledger_core::domain::person::{
    Guardianship, Person, PersonCommand, RosterRecord, UserProfile,
};
use planledger_core::domain::{Aggregate, Reason};
use planledger_core::ids::PersonId;
use planledger_core::text::{ExternalId, SourceName};
use planledger_fixtures::Memory;

use crate::domain::harness::{given, refusals};
use planledger_fixtures::school::*;

fn id(text: &str) -> ExternalId {
    ExternalId::new(text).unwrap()
}

fn source() -> SourceName {
    SourceName::new("A").unwrap()
}

fn profile(sourced_id: &str, user_name: &str) -> UserProfile {
    UserProfile {
        sourced_id: id(sourced_id),
        kind: None,
        user_name: id(user_name),
    }
}

/// A roster that has the student, with all profiles or without a word of them.
fn put(profiles: Option<&[(&str, &str)]>) -> PersonCommand {
    let profiles = profiles.map(|all| all.iter().map(|(id, name)| profile(id, name)).collect());
    PersonCommand::Put {
        name: name("Navnet"),
        affiliations: [affiliation(
            SCHOOL,
            planledger_core::domain::person::Role::Student,
        )]
        .into(),
        departed: false,
        record: Some(RosterRecord {
            source: source(),
            sourced_id: id("x1"),
            user_ids: Default::default(),
            enabled: true,
            enrolled: None,
            profiles,
        }),
    }
}

fn some(profiles: &[(&str, &str)], gone: &[&str]) -> PersonCommand {
    PersonCommand::PutSomeProfiles {
        source: source(),
        profiles: profiles
            .iter()
            .map(|(id, name)| profile(id, name))
            .collect(),
        gone: gone.iter().map(|gone| id(gone)).collect(),
    }
}

fn student(memory: &Memory) -> &Person {
    match memory.state(STUDENT) {
        Some(Aggregate::Person(person)) => person,
        other => panic!("{other:?}"),
    }
}

/// The ids by which the source knows the student.
fn known(memory: &Memory) -> BTreeSet<String> {
    let records = student(memory).records.values();
    let ids = records.flat_map(|record| record.ids().map(ToString::to_string).collect::<Vec<_>>());
    ids.collect()
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.into_iter().chain(["x1"]).map(str::to_owned).collect()
}

#[test]
fn a_roster_that_says_nothing_of_profiles_leaves_them_and_one_that_says_all_leaves_no_other() {
    let mut memory = Memory::of(a_school());
    memory.does(
        SYSTEM,
        (STUDENT, put(Some(&[("p1", "ebbe"), ("p2", "ebbe2")]))),
    );
    assert_eq!(known(&memory), names(["ebbe", "ebbe2"]));
    let before = memory.recorded().len();
    memory.does(SYSTEM, (STUDENT, put(None)));
    assert_eq!(known(&memory), names(["ebbe", "ebbe2"]));
    assert_eq!(memory.recorded().len(), before);
    memory.does(SYSTEM, (STUDENT, put(Some(&[("p2", "ebbe2")]))));
    assert_eq!(known(&memory), names(["ebbe2"]));
    memory.does(SYSTEM, (STUDENT, put(Some(&[]))));
    assert_eq!(known(&memory), names([]));
    // Nobody who never had a profile gets a record that says so.
    let before = memory.recorded().len();
    memory.does(SYSTEM, (STUDENT, put(Some(&[]))));
    memory.does(SYSTEM, (STUDENT, put(None)));
    assert_eq!(memory.recorded().len(), before);
}

#[test]
fn some_profiles_are_added_changed_and_taken_away_and_all_others_stay() {
    let mut memory = Memory::of(a_school());
    memory.does(
        SYSTEM,
        (STUDENT, put(Some(&[("p1", "ebbe"), ("p2", "ebbe2")]))),
    );
    memory.does(
        SYSTEM,
        (STUDENT, some(&[("p2", "ebbe-ny"), ("p3", "ebbe3")], &[])),
    );
    assert_eq!(known(&memory), names(["ebbe", "ebbe-ny", "ebbe3"]));
    memory.does(SYSTEM, (STUDENT, some(&[], &["p1", "p9"])));
    assert_eq!(known(&memory), names(["ebbe-ny", "ebbe3"]));
    let before = memory.recorded().len();
    memory.does(SYSTEM, (STUDENT, some(&[("p3", "ebbe3")], &["p1"])));
    assert_eq!(memory.recorded().len(), before);
    memory.does(SYSTEM, (STUDENT, some(&[], &["p2", "p3"])));
    assert_eq!(known(&memory), names([]));
}

#[test]
fn a_profile_ends_an_absence_and_one_that_is_gone_changes_nothing_of_whoever_is_absent() {
    let mut memory = Memory::of(a_school());
    memory.does(SYSTEM, (STUDENT, put(Some(&[("p1", "ebbe")]))));
    let absent = PersonCommand::NoteAbsence {
        source: source(),
        last_seen: day(9, 1),
    };
    memory.does(SYSTEM, (STUDENT, absent));
    memory.does(SYSTEM, (STUDENT, some(&[], &["p1"])));
    assert!(student(&memory).is_absent());
    assert_eq!(known(&memory), names(["ebbe"]));
    memory.does(SYSTEM, (STUDENT, some(&[("p1", "ebbe")], &[])));
    assert!(!student(&memory).is_absent());
}

#[test]
fn an_import_that_says_nothing_of_any_other_guardian_adds_one_and_ends_no_guardianship() {
    let guardianship = |guardian| Guardianship {
        guardian,
        last_day: None,
    };
    let put = |others_unsaid, ended: &[PersonId]| PersonCommand::PutSomeGuardians {
        guardians: [guardianship(TEACHER)].into(),
        unsaid: BTreeSet::new(),
        others_unsaid,
        ended: ended.iter().copied().collect(),
        last_day_of_others: day(11, 2),
    };
    let mut memory = Memory::of(a_school());
    let first = PersonCommand::PutGuardians {
        guardians: [guardianship(GUARDIAN)].into(),
        last_day_of_others: day(11, 2),
    };
    memory.does(SYSTEM, (STUDENT, first));
    memory.does(SYSTEM, (STUDENT, put(true, &[])));
    let both = [(GUARDIAN, None), (TEACHER, None)];
    assert_eq!(student(&memory).guardians, both.into_iter().collect());
    let mut other = memory.clone();
    for (memory, command) in [
        (&mut memory, put(false, &[])),
        (&mut other, put(true, &[GUARDIAN])),
    ] {
        memory.does(SYSTEM, (STUDENT, command));
        assert_eq!(student(memory).guardians[&GUARDIAN], Some(day(11, 2)));
        assert_eq!(student(memory).guardians[&TEACHER], None);
    }
}

/// Guardians whose rows name each other are no children of each other.
#[test]
fn an_import_that_only_adds_guardians_adds_none_to_somebody_who_is_no_student() {
    let put = PersonCommand::PutSomeGuardians {
        guardians: [Guardianship {
            guardian: GUARDIAN,
            last_day: None,
        }]
        .into(),
        unsaid: BTreeSet::new(),
        others_unsaid: true,
        ended: BTreeSet::new(),
        last_day_of_others: day(11, 2),
    };
    let mut memory = Memory::of(a_school());
    memory.does(SYSTEM, (TEACHER, put));
    let Some(Aggregate::Person(teacher)) = memory.state(TEACHER) else {
        panic!("the teacher is there");
    };
    assert!(teacher.guardians.is_empty());
}

pub(crate) fn refusals() -> Vec<Reason> {
    refusals! {
        given(a_school()), SYSTEM, (STUDENT, some(&[("p1", "ebbe")], &[])) =>
            RosterRecordNotFound at Source;
    }
}
