//! What looks as if somebody had left, and what a leader decides about it.

use planledger_core::domain::person::{
    Affiliation, Evidence, NoOwner, Person, PersonCommand, PersonEvent, Role, RosterRecord,
};
use planledger_core::domain::team::{StaffRole, TeamDetails, TeamEvent};
use planledger_core::domain::{Actor, Aggregate, Reason};
use planledger_core::ids::InstitutionId;
use planledger_core::text::{ExternalId, SourceName};
use planledger_fixtures::Memory;

use crate::domain::harness::{Given, given, refusals};
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
    seen_in(memory, source(), None)
}

/// The roster of a source has the teacher, and says or does not say whether it has them in a class.
fn seen_in(memory: &Memory, source: SourceName, enrolled: Option<bool>) -> PersonCommand {
    let now = teacher(memory);
    PersonCommand::Put {
        name: now.name,
        affiliations: now.affiliations.into_iter().collect(),
        departed: false,
        record: Some(RosterRecord {
            source,
            sourced_id: ExternalId::new("x1").unwrap(),
            user_ids: Default::default(),
            enabled: true,
            enrolled,
            profiles: None,
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
fn a_confirmed_absence_is_a_departure_until_the_roster_names_the_person_anew() {
    // Whoever sent it: a system in which a leader works need not say so.
    for actor in [Actor::Person(LEADER), SYSTEM] {
        is_a_departure_until_the_roster_names_the_person_anew(actor);
    }
}

fn is_a_departure_until_the_roster_names_the_person_anew(actor: Actor) {
    let mut memory = absent();
    assert_eq!(teacher(&memory).suggested_absence(), Some(absent_since(1)));
    memory.does(actor, (TEACHER, decide(absent_since(1), true)));
    let now = teacher(&memory);
    assert_eq!(now.departed.as_ref().unwrap().on, Some(day(9, 30)));
    assert_eq!(now.suggested_absence(), None);
    assert_eq!(
        now.no_owner_at(SCHOOL, true, day(12, 1)),
        Some(NoOwner::Departed)
    );
    // Another source does not end the absence that was confirmed.
    let other = seen_in(&memory, SourceName::new("Kommune B").unwrap(), None);
    memory.does(SYSTEM, (TEACHER, other));
    assert!(teacher(&memory).departed.is_some());
    let there = seen(&memory);
    memory.does(SYSTEM, (TEACHER, there));
    let now = teacher(&memory);
    assert_eq!((now.departed, now.confirmed), (None, Default::default()));
    // From here on the roster decides.
    memory.does(SYSTEM, (TEACHER, gone(&memory)));
    assert!(teacher(&memory).departed.is_some());
}

fn gone(memory: &Memory) -> PersonCommand {
    match seen(memory) {
        PersonCommand::Put {
            name,
            affiliations,
            record,
            ..
        } => PersonCommand::Put {
            name,
            affiliations,
            departed: true,
            record,
        },
        other => other,
    }
}

/// The teacher has left, says a leader. The roster has them.
fn departed_by_hand() -> Memory {
    let mut memory = Memory::of(a_school());
    let there = seen(&memory);
    memory.does(SYSTEM, (TEACHER, there));
    let depart = PersonCommand::Depart {
        on: Some(day(9, 30)),
        reason: None,
    };
    memory.does(LEADER, (TEACHER, depart));
    memory
}

fn named_again(memory: &mut Memory) -> bool {
    let there = seen(memory);
    memory.does(SYSTEM, (TEACHER, there));
    teacher(memory).departed.is_none()
}

#[test]
fn a_departure_by_hand_stays_until_the_roster_has_dropped_the_person_and_named_them_anew() {
    let mut memory = departed_by_hand();
    assert!(!named_again(&mut memory), "the roster is only late");
    memory.does(SYSTEM, (TEACHER, lost(1)));
    assert!(teacher(&memory).departed.is_some());
    assert!(named_again(&mut memory));
}

#[test]
fn a_departure_by_hand_stays_while_another_roster_still_has_the_person() {
    let mut memory = departed_by_hand();
    enrol(&mut memory, "Kommune B", None);
    memory.does(SYSTEM, (TEACHER, lost(1)));
    assert!(!named_again(&mut memory));
    enrol(&mut memory, "Kommune B", None);
    assert!(teacher(&memory).departed.is_some());
}

#[test]
fn a_departure_that_was_noted_while_the_roster_did_not_have_the_person_stays() {
    let mut memory = absent();
    let depart = PersonCommand::Depart {
        on: None,
        reason: None,
    };
    memory.does(LEADER, (TEACHER, depart));
    assert!(!named_again(&mut memory));
}

#[test]
fn no_place_and_no_class_left_that_were_confirmed_end_when_the_roster_gives_one_anew() {
    let (mut memory, evidence) = without_place();
    memory.does(LEADER, (TEACHER, decide(evidence, true)));
    assert!(!named_again(&mut memory), "still without a place");
    let PersonCommand::Put { name, record, .. } = seen(&memory) else {
        panic!("no import");
    };
    let put = PersonCommand::Put {
        name,
        affiliations: [Affiliation {
            institution: SCHOOL,
            role: Role::Teacher,
            grade: None,
        }]
        .into(),
        departed: false,
        record,
    };
    memory.does(SYSTEM, (TEACHER, put));
    assert!(teacher(&memory).departed.is_none());

    let mut memory = enrolled(&[Some(true), Some(false)]);
    let evidence = unenrolled(&memory);
    memory.does(LEADER, (TEACHER, decide(evidence, true)));
    enrol(&mut memory, "Kommune A", Some(false));
    assert!(teacher(&memory).departed.is_some());
    enrol(&mut memory, "Kommune A", Some(true));
    assert!(teacher(&memory).departed.is_none());
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

/// What rosters said of the teacher's classes, one after another.
fn enrolled(said: &[Option<bool>]) -> Memory {
    let mut memory = Memory::of(a_school());
    for enrolled in said {
        enrol(&mut memory, "Kommune A", *enrolled);
    }
    memory
}

fn enrol(memory: &mut Memory, by: &str, enrolled: Option<bool>) {
    let put = seen_in(memory, SourceName::new(by).unwrap(), enrolled);
    memory.does(SYSTEM, (TEACHER, put));
}

/// The evidence that the teacher is in no class any more.
fn unenrolled(memory: &Memory) -> Evidence {
    let since = teacher(memory).unenrolled.unwrap();
    Evidence::NoEnrolmentLeft { since }
}

#[test]
fn whoever_was_in_a_class_and_is_in_none_is_suggested_and_whoever_never_was_is_not() {
    let memory = enrolled(&[Some(true), Some(false)]);
    let found = teacher(&memory).suggested_without_enrolment();
    assert_eq!(found, Some(unenrolled(&memory)));
    assert!(teacher(&memory).departed.is_none());
    for never in [&[None][..], &[Some(false)], &[None, Some(false), None]] {
        let now = teacher(&enrolled(never));
        assert_eq!(now.suggested_without_enrolment(), None, "{never:?}");
    }
}

#[test]
fn what_a_roster_does_not_say_of_classes_stays_as_it_was_and_records_nothing() {
    let mut memory = enrolled(&[Some(true)]);
    let events = memory.recorded().len();
    enrol(&mut memory, "Kommune A", None);
    assert_eq!(memory.recorded().len(), events);
    assert_eq!(teacher(&memory).suggested_without_enrolment(), None);
    enrol(&mut memory, "Kommune A", Some(false));
    enrol(&mut memory, "Kommune A", None);
    assert!(teacher(&memory).suggested_without_enrolment().is_some());
}

#[test]
fn whoever_another_roster_has_in_a_class_is_in_one() {
    let mut memory = enrolled(&[Some(true)]);
    enrol(&mut memory, "Kommune B", Some(true));
    enrol(&mut memory, "Kommune A", Some(false));
    assert_eq!(teacher(&memory).unenrolled, None);
    // The other roster loses the teacher. The first one still has them, and in no class.
    let lost = PersonCommand::NoteAbsence {
        source: SourceName::new("Kommune B").unwrap(),
        last_seen: day(9, 1),
    };
    memory.does(SYSTEM, (TEACHER, lost));
    let found = teacher(&memory).suggested_without_enrolment();
    assert_eq!(found, Some(unenrolled(&memory)));
    enrol(&mut memory, "Kommune B", Some(true));
    assert_eq!(teacher(&memory).suggested_without_enrolment(), None);
}

#[test]
fn an_absence_and_a_last_place_say_more_than_that_no_class_is_left() {
    let mut memory = enrolled(&[Some(true), Some(false)]);
    memory.does(SYSTEM, (TEACHER, lost(1)));
    let now = teacher(&memory);
    assert_eq!(now.suggested_without_enrolment(), None);
    assert_eq!(now.suggested_absence(), Some(absent_since(1)));
    enrol(&mut memory, "Kommune A", Some(false));
    assert!(teacher(&memory).suggested_without_enrolment().is_some());
    for at in teacher(&memory).affiliations {
        let end = PersonCommand::EndAffiliation {
            institution: at.institution,
            role: at.role,
        };
        memory.does(SYSTEM, (TEACHER, end));
    }
    let now = teacher(&memory);
    assert_eq!(now.suggested_without_enrolment(), None);
    assert!(now.suggested_without_place().is_some());
}

#[test]
fn no_class_left_is_a_departure_once_it_is_confirmed_and_is_asked_about_again_after_a_return() {
    let mut memory = enrolled(&[Some(true), Some(false)]);
    let evidence = unenrolled(&memory);
    memory.does(LEADER, (TEACHER, decide(evidence.clone(), true)));
    let now = teacher(&memory);
    assert_eq!(now.departed.as_ref().unwrap().on, Some(day(9, 30)));
    assert_eq!(now.suggested_without_enrolment(), None);
    memory.does(LEADER, (TEACHER, PersonCommand::Return));
    let now = teacher(&memory);
    assert_eq!(now.suggested_without_enrolment(), Some(evidence));
}

#[test]
fn no_class_left_that_is_dismissed_changes_nothing_else_and_does_not_come_back() {
    let mut memory = enrolled(&[Some(true), Some(false)]);
    let before = teacher(&memory);
    memory.does(LEADER, (TEACHER, decide(unenrolled(&memory), false)));
    enrol(&mut memory, "Kommune A", Some(false));
    let mut now = teacher(&memory);
    assert_eq!(now.suggested_without_enrolment(), None);
    now.dismissed.clear();
    assert_eq!(now, before);
}

/// The teacher owns a team of the other school, and is not on its staff.
fn owns_elsewhere() -> Given {
    let created = TeamEvent::Created {
        details: TeamDetails {
            institution: OTHER_SCHOOL,
            ..team_details()
        },
        owner: Some(TEACHER),
    };
    given(a_school()).and((TEAM, created))
}

fn on_the_staff() -> TeamEvent {
    TeamEvent::StaffAdded {
        person: TEACHER,
        role: StaffRole::Teacher,
    }
}

#[test]
fn an_owner_elsewhere_who_is_dismissed_is_an_owner_there() {
    let mut memory = owns_elsewhere().world();
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
    owns_elsewhere()
        .when(LEADER, (TEACHER, decide(elsewhere(OTHER_SCHOOL), true)))
        .then([decided(elsewhere(OTHER_SCHOOL), true)]);
}

#[test]
fn what_was_decided_of_an_owner_elsewhere_holds_until_they_work_there_again() {
    for confirmed in [true, false] {
        let mut memory = owns_elsewhere().world();
        memory.does(
            LEADER,
            (TEACHER, decide(elsewhere(OTHER_SCHOOL), confirmed)),
        );
        assert_eq!(teacher(&memory).suggests_elsewhere(OTHER_SCHOOL), None);
        let at = |role| Affiliation {
            institution: OTHER_SCHOOL,
            role,
            grade: None,
        };
        let mut gets_and_loses = |role| {
            memory.does(SYSTEM, (TEACHER, PersonCommand::SetAffiliation(at(role))));
            let end = PersonCommand::EndAffiliation {
                institution: OTHER_SCHOOL,
                role,
            };
            memory.does(SYSTEM, (TEACHER, end));
            teacher(&memory).suggests_elsewhere(OTHER_SCHOOL)
        };
        assert_eq!(gets_and_loses(Role::Guardian), None);
        let found = Some(elsewhere(OTHER_SCHOOL));
        assert_eq!(gets_and_loses(Role::Teacher), found, "{confirmed}");
    }
}

#[test]
fn what_nothing_suggests_now_cannot_be_decided() {
    assert!(!refusals().is_empty());
}

pub(crate) fn refusals() -> Vec<Reason> {
    let nowhere = InstitutionId::from_bytes([1; 16]);
    let known = (TEACHER, decided(elsewhere(OTHER_SCHOOL), false));
    let in_no_class = || Evidence::NoEnrolmentLeft { since: day(9, 1) };
    refusals! {
        given(a_school()), LEADER, (TEACHER, decide(absent_since(1), true)) => SuggestionNotFound;
        given(a_school()), LEADER, (TEACHER, decide(in_no_class(), true)) => SuggestionNotFound;
        given(a_school()), LEADER, (TEACHER, decide(elsewhere(SCHOOL), false)) => SuggestionNotFound;
        given(a_school()), LEADER, (TEACHER, decide(elsewhere(nowhere), false)) => SuggestionNotFound;
        given(a_school()), LEADER, (STUDENT, decide(elsewhere(OTHER_SCHOOL), false))
            => SuggestionNotFound;
        given(a_school()), LEADER, (TEACHER, decide(elsewhere(OTHER_SCHOOL), false))
            => SuggestionNotFound;
        owns_elsewhere().and((TEAM, on_the_staff())), LEADER,
            (TEACHER, decide(elsewhere(OTHER_SCHOOL), false)) => SuggestionNotFound;
        owns_elsewhere().and(known), LEADER, (TEACHER, decide(elsewhere(OTHER_SCHOOL), true))
            => SuggestionNotFound;
    }
}
