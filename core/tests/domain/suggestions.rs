//! What looks as if somebody had left, and what a leader decides about it.

use planledger_core::domain::person::{
    Affiliation, Evidence, NoOwner, Person, PersonCommand, PersonEvent, Role, RosterRecord, UserIds,
};
use planledger_core::domain::{Aggregate, Reason};
use planledger_core::ids::InstitutionId;
use planledger_core::text::{ExternalId, SourceName};
use planledger_fixtures::Memory;

use crate::domain::harness::{given, refusals};
use planledger_fixtures::school::*;

fn source() -> SourceName {
    SourceName::new("Kommune A").unwrap()
}

fn absent_since(of: i8) -> Evidence {
    Evidence::AbsentFromRoster {
        source: source(),
        last_seen: day(9, of),
    }
}

fn elsewhere(institution: InstitutionId) -> Evidence {
    Evidence::OwnerElsewhere { institution }
}

fn decide(evidence: Evidence, confirmed: bool) -> PersonCommand {
    PersonCommand::DecideSuggestion {
        evidence,
        confirmed,
        last_day: confirmed.then(|| day(9, 30)),
        reason: None,
    }
}

fn decided(evidence: Evidence, confirmed: bool) -> PersonEvent {
    PersonEvent::SuggestionDecided {
        evidence,
        confirmed,
        reason: None,
    }
}

fn teacher(memory: &Memory) -> Person {
    match memory.state(TEACHER) {
        Some(Aggregate::Person(person)) => person.clone(),
        other => panic!("{other:?}"),
    }
}

fn seen(memory: &Memory) -> PersonCommand {
    let now = teacher(memory);
    PersonCommand::Put {
        name: now.name,
        affiliations: now.affiliations,
        departed: false,
        record: Some(RosterRecord {
            source: source(),
            sourced_id: ExternalId::new("x1").unwrap(),
            user_ids: UserIds::default(),
            enabled: true,
        }),
    }
}

fn lost(of: i8) -> PersonCommand {
    PersonCommand::NoteAbsence {
        source: source(),
        last_seen: day(9, of),
    }
}

/// The roster had the teacher and does not have them any more.
fn absent() -> Memory {
    let mut memory = Memory::of(a_school());
    let there = seen(&memory);
    memory.does(SYSTEM, (TEACHER, there));
    memory.does(SYSTEM, (TEACHER, lost(1)));
    memory
}

#[test]
fn a_confirmed_absence_is_a_departure_that_no_import_undoes() {
    let mut memory = absent();
    assert_eq!(teacher(&memory).suggested_absence(), Some(absent_since(1)));
    memory.does(LEADER, (TEACHER, decide(absent_since(1), true)));
    let now = teacher(&memory);
    assert_eq!(now.departed.as_ref().unwrap().on, Some(day(9, 30)));
    assert_eq!(now.suggested_absence(), None);
    assert_eq!(
        now.no_owner_at(SCHOOL, true, day(12, 1)),
        Some(NoOwner::Departed)
    );
    let there = seen(&memory);
    memory.does(SYSTEM, (TEACHER, there));
    assert!(teacher(&memory).departed.is_some());
}

#[test]
fn a_dismissed_absence_changes_nothing_else_and_comes_back_only_for_a_new_absence() {
    let mut memory = absent();
    let before = teacher(&memory);
    memory.does(LEADER, (TEACHER, decide(absent_since(1), false)));
    let mut now = teacher(&memory);
    assert_eq!(now.suggested_absence(), None);
    assert_eq!(now.no_owner_at(SCHOOL, true, day(12, 1)), None);
    now.dismissed.clear();
    assert_eq!(now, before);

    memory.does(SYSTEM, (TEACHER, lost(1)));
    assert_eq!(teacher(&memory).suggested_absence(), None);
    let there = seen(&memory);
    memory.does(SYSTEM, (TEACHER, there));
    memory.does(SYSTEM, (TEACHER, lost(2)));
    let now = teacher(&memory);
    assert_eq!(now.suggested_absence(), Some(absent_since(2)));
    let last_seen = day(9, 2);
    let doubt = NoOwner::AbsentFromRoster { last_seen };
    assert_eq!(now.no_owner_at(SCHOOL, true, day(12, 1)), Some(doubt));
}

#[test]
fn who_is_back_after_a_confirmed_absence_is_asked_about_again() {
    let mut memory = absent();
    memory.does(LEADER, (TEACHER, decide(absent_since(1), true)));
    memory.does(LEADER, (TEACHER, PersonCommand::Return));
    assert_eq!(teacher(&memory).suggested_absence(), Some(absent_since(1)));
}

/// The teacher came with a roster, and the only place ended.
fn without_place() -> (Memory, Evidence) {
    let mut memory = Memory::of(a_school());
    let there = seen(&memory);
    memory.does(SYSTEM, (TEACHER, there));
    assert_eq!(teacher(&memory).last_place, None);
    for at in teacher(&memory).affiliations {
        let end = PersonCommand::EndAffiliation {
            institution: at.institution,
            role: at.role,
        };
        memory.does(SYSTEM, (TEACHER, end));
    }
    let place = teacher(&memory).last_place.unwrap();
    let evidence = Evidence::NoPlaceLeft {
        institution: place.institution,
        since: place.ended,
    };
    (memory, evidence)
}

#[test]
fn no_place_left_is_no_departure_until_it_is_confirmed() {
    let (mut memory, evidence) = without_place();
    let now = teacher(&memory);
    assert_eq!(now.suggested_without_place(), Some(evidence.clone()));
    assert!(now.departed.is_none());
    memory.does(LEADER, (TEACHER, decide(evidence, true)));
    let now = teacher(&memory);
    assert_eq!(now.departed.as_ref().unwrap().on, Some(day(9, 30)));
    assert_eq!(now.suggested_without_place(), None);
}

#[test]
fn no_place_left_that_is_dismissed_does_not_come_back_for_the_same_end() {
    let (mut memory, evidence) = without_place();
    memory.does(LEADER, (TEACHER, decide(evidence, false)));
    let now = teacher(&memory);
    assert_eq!(now.suggested_without_place(), None);
    assert!(now.departed.is_none());
    let place = Affiliation {
        institution: SCHOOL,
        role: Role::Teacher,
        grade: None,
    };
    memory.does(SYSTEM, (TEACHER, PersonCommand::SetAffiliation(place)));
    assert_eq!(teacher(&memory).last_place, None);
}

#[test]
fn an_owner_elsewhere_who_is_dismissed_is_an_owner_there() {
    let mut memory = Memory::of(a_school());
    let before = teacher(&memory);
    let reason = before.no_owner_at(OTHER_SCHOOL, false, day(12, 1));
    assert_eq!(reason, Some(NoOwner::Elsewhere));
    memory.does(LEADER, (TEACHER, decide(elsewhere(OTHER_SCHOOL), false)));
    let mut now = teacher(&memory);
    assert_eq!(now.no_owner_at(OTHER_SCHOOL, false, day(12, 1)), None);
    now.dismissed.clear();
    assert_eq!(now, before);
}

#[test]
fn an_owner_elsewhere_who_is_confirmed_is_only_noted() {
    given(a_school())
        .when(LEADER, (TEACHER, decide(elsewhere(OTHER_SCHOOL), true)))
        .then([decided(elsewhere(OTHER_SCHOOL), true)]);
}

#[test]
fn what_nothing_suggests_now_cannot_be_decided() {
    assert!(!refusals().is_empty());
}

pub(crate) fn refusals() -> Vec<Reason> {
    let nowhere = InstitutionId::from_bytes([1; 16]);
    let known = (TEACHER, decided(elsewhere(OTHER_SCHOOL), false));
    refusals! {
        given(a_school()), LEADER, (TEACHER, decide(absent_since(1), true)) => SuggestionNotFound;
        given(a_school()), LEADER, (TEACHER, decide(elsewhere(SCHOOL), false)) => SuggestionNotFound;
        given(a_school()), LEADER, (TEACHER, decide(elsewhere(nowhere), false)) => SuggestionNotFound;
        given(a_school()), LEADER, (STUDENT, decide(elsewhere(OTHER_SCHOOL), false))
            => SuggestionNotFound;
        given(a_school()).and(known), LEADER, (TEACHER, decide(elsewhere(OTHER_SCHOOL), true))
            => SuggestionNotFound;
    }
}
