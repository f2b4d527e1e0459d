use planledger_fixtures::commands::{self, depart};
use planledger_fixtures::events::{self, departed};
use std::collections::BTreeSet;

use planledger_core::domain::person::{
    Affiliation, Guardianship, Person, PersonCommand, PersonEvent, PersonFact, Role,
};
use planledger_core::domain::{Aggregate, Reason};
use planledger_core::ids::PersonId;

use crate::domain::harness::{Given, given, refusals};
use planledger_fixtures::school::*;

fn guardianship(guardian: PersonId, last_day: Option<jiff::civil::Date>) -> Guardianship {
    Guardianship { guardian, last_day }
}

fn put(called: &str, affiliations: &[Affiliation], departed: bool) -> PersonCommand {
    commands::put_person(
        name(called),
        affiliations.iter().cloned().collect(),
        departed,
    )
}

fn put_guardians(guardians: &[Guardianship], last_day_of_others: i8) -> PersonCommand {
    PersonCommand::PutGuardians {
        guardians: guardians.iter().cloned().collect(),
        last_day_of_others: day(11, last_day_of_others),
    }
}

fn state(given: &Given, id: PersonId) -> Person {
    match given.state(id) {
        Aggregate::Person(person) => person.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_person_is_registered_and_renamed() {
    let register = PersonCommand::Register {
        name: name("Eleven"),
    };
    let rename = PersonCommand::Rename {
        name: name("Eleven den Anden"),
    };
    given(vec![])
        .when(SYSTEM, (STUDENT, register))
        .then([PersonEvent::Registered {
            name: name("Eleven"),
            record: None,
        }])
        .when(SYSTEM, (STUDENT, rename.clone()))
        .then([PersonEvent::Renamed {
            name: name("Eleven den Anden"),
        }])
        .when(SYSTEM, (STUDENT, rename))
        .then_nothing();
}

#[test]
fn a_person_may_be_several_things_at_several_places() {
    let teacher_elsewhere = affiliation(OTHER_SCHOOL, Role::Teacher);
    let guardian_here = affiliation(SCHOOL, Role::Guardian);
    let after = given(a_school())
        .when(
            SYSTEM,
            (
                TEACHER,
                PersonCommand::SetAffiliation(teacher_elsewhere.clone()),
            ),
        )
        .then([PersonEvent::AffiliationSet(teacher_elsewhere)])
        .when(
            SYSTEM,
            (
                TEACHER,
                PersonCommand::SetAffiliation(guardian_here.clone()),
            ),
        )
        .then([PersonEvent::AffiliationSet(guardian_here)]);
    assert_eq!(state(&after, TEACHER).affiliations.len(), 3);
}

#[test]
fn another_grade_at_the_same_place_replaces_the_one_before() {
    let seventh = Affiliation {
        grade: Some(code("7")),
        ..affiliation(SCHOOL, Role::Student)
    };
    let after = given(a_school())
        .when(
            SYSTEM,
            (STUDENT, PersonCommand::SetAffiliation(seventh.clone())),
        )
        .then([PersonEvent::AffiliationSet(seventh.clone())])
        .when(
            SYSTEM,
            (STUDENT, PersonCommand::SetAffiliation(seventh.clone())),
        )
        .then_nothing();
    assert_eq!(
        state(&after, STUDENT).affiliations,
        [seventh].into_iter().collect()
    );
}

#[test]
fn who_ends_the_last_role_stays_known() {
    let end = PersonCommand::EndAffiliation {
        institution: SCHOOL,
        role: Role::Student,
    };
    let after = given(a_school())
        .when(SYSTEM, (STUDENT, end))
        .then([events::affiliation_ended(SCHOOL, Role::Student)]);
    let student = state(&after, STUDENT);
    assert!(student.affiliations.is_empty() && !student.is_student());
}

#[test]
fn a_guardianship_holds_through_its_last_day() {
    let set = guardianship(GUARDIAN, None);
    let end = PersonCommand::EndGuardianship {
        guardian: GUARDIAN,
        last_day: day(12, 1),
    };
    let after = given(a_school())
        .when(
            SYSTEM,
            (STUDENT, PersonCommand::SetGuardianship(set.clone())),
        )
        .then([PersonEvent::GuardianshipSet(set.clone())])
        .when(SYSTEM, (STUDENT, PersonCommand::SetGuardianship(set)))
        .then_nothing()
        .when(SYSTEM, (STUDENT, end.clone()))
        .then([PersonEvent::GuardianshipEnded {
            guardian: GUARDIAN,
            last_day: day(12, 1),
        }])
        .when(SYSTEM, (STUDENT, end))
        .then_nothing();
    let student = state(&after, STUDENT);
    assert!(student.guardian_on(GUARDIAN, day(12, 1)));
    assert!(!student.guardian_on(GUARDIAN, day(12, 2)));
    assert!(!student.guardian_on(LEADER, day(12, 1)));
}

#[test]
fn leaving_can_be_taken_back() {
    let depart = PersonCommand::Depart {
        on: Some(day(11, 30)),
        reason: why("Ny skole"),
    };
    let after = given(a_school())
        .when(LEADER, (TEACHER, depart))
        .then([PersonEvent::Departed {
            last_day: Some(day(11, 30)),
            reason: why("Ny skole"),
        }]);
    // Leaving takes nothing away but the presence.
    assert!(state(&after, TEACHER).is_staff());
    after
        .when(LEADER, (TEACHER, PersonCommand::Return))
        .then([PersonEvent::Returned {}]);
}

#[test]
fn an_import_of_a_person_records_differences_only() {
    let student = affiliation(SCHOOL, Role::Student);
    let moved = affiliation(OTHER_SCHOOL, Role::Student);
    given(a_school())
        .when(
            SYSTEM,
            (
                NOBODY,
                put("Ny elev", std::slice::from_ref(&student), false),
            ),
        )
        .then([
            PersonEvent::Registered {
                name: name("Ny elev"),
                record: None,
            },
            PersonEvent::AffiliationSet(student.clone()),
        ])
        .when(
            SYSTEM,
            (
                NOBODY,
                put("Ny elev", std::slice::from_ref(&student), false),
            ),
        )
        .then_nothing()
        .when(
            SYSTEM,
            (
                NOBODY,
                put("Flyttet elev", std::slice::from_ref(&moved), true),
            ),
        )
        .then([
            PersonEvent::Renamed {
                name: name("Flyttet elev"),
            },
            events::affiliation_ended(SCHOOL, Role::Student),
            PersonEvent::AffiliationSet(moved.clone()),
            departed(),
        ])
        .when(SYSTEM, (NOBODY, put("Flyttet elev", &[moved], false)))
        .then([PersonEvent::Returned {}]);
}

#[test]
fn an_import_with_two_grades_for_one_place_counts_the_last() {
    let grade = |value| Affiliation {
        grade: Some(code(value)),
        ..affiliation(SCHOOL, Role::Student)
    };
    given(a_school())
        .when(
            SYSTEM,
            (NOBODY, put("Ny elev", &[grade("6"), grade("7")], false)),
        )
        .then([
            PersonEvent::Registered {
                name: name("Ny elev"),
                record: None,
            },
            PersonEvent::AffiliationSet(grade("7")),
        ])
        .when(
            SYSTEM,
            (NOBODY, put("Ny elev", &[grade("6"), grade("7")], false)),
        )
        .then_nothing();
}

#[test]
fn an_import_of_guardians_ends_those_it_does_not_name() {
    let both = [guardianship(GUARDIAN, None), guardianship(LEADER, None)];
    let after = given(a_school())
        .when(SYSTEM, (STUDENT, put_guardians(&both, 1)))
        .then(both.clone().map(PersonEvent::GuardianshipSet))
        .when(SYSTEM, (STUDENT, put_guardians(&both, 2)))
        .then_nothing()
        .when(SYSTEM, (STUDENT, put_guardians(&both[..1], 3)))
        .then([PersonEvent::GuardianshipEnded {
            guardian: LEADER,
            last_day: day(11, 3),
        }])
        // Once ended, a later import does not end it later.
        .when(SYSTEM, (STUDENT, put_guardians(&both[..1], 9)))
        .then_nothing();
    let student = state(&after, STUDENT);
    assert!(student.guardian_on(GUARDIAN, day(11, 9)));
    assert!(!student.guardian_on(LEADER, day(11, 9)));
    after
        .when(SYSTEM, (STUDENT, put_guardians(&both, 9)))
        .then([PersonEvent::GuardianshipSet(guardianship(LEADER, None))]);
}

#[test]
fn a_roster_does_not_take_back_what_a_leader_noted() {
    let there = put(
        "Søren Ærø-Åkjær",
        &[affiliation(SCHOOL, Role::Teacher)],
        false,
    );
    let by_a_leader = given(a_school())
        .when(LEADER, (TEACHER, depart()))
        .then([departed()]);
    let by_hand = state(&by_a_leader, TEACHER).by_hand;
    assert_eq!(by_hand, BTreeSet::from([PersonFact::Departure]));
    let mut world = by_a_leader.world();
    world.does(SYSTEM, (TEACHER, there.clone()));
    let still = |world: &planledger_fixtures::Memory| match world.state(TEACHER) {
        Some(Aggregate::Person(person)) => person.departed.is_some(),
        other => panic!("{other:?}"),
    };
    assert!(still(&world));
    world.does(LEADER, (TEACHER, PersonCommand::Return));
    assert!(!still(&world));
    // What a roster noted, a roster takes back.
    world.does(SYSTEM, (TEACHER, depart()));
    assert!(still(&world));
    world.does(SYSTEM, (TEACHER, there));
    assert!(!still(&world));
}

#[test]
fn the_rest_is_refused() {
    assert!(!refusals().is_empty());
}

pub(crate) fn refusals() -> Vec<Reason> {
    let here = affiliation(SCHOOL, Role::Student);
    let nowhere = affiliation(
        planledger_core::ids::InstitutionId::from_bytes([1; 16]),
        Role::Student,
    );
    let set_guardian = |guardian| PersonCommand::SetGuardianship(guardianship(guardian, None));
    let mut seen = refusals! {
        given(a_school()), SYSTEM, (STUDENT, PersonCommand::Register { name: name("Eleven") })
            => AlreadyExists at Target;
        given(a_school()), SYSTEM, (STUDENT, PersonCommand::SetAffiliation(nowhere.clone()))
            => InstitutionNotFound at AffiliationInstitution;
        given(a_school()), SYSTEM, (STUDENT, put("Eleven", &[nowhere], false))
            => InstitutionNotFound at AffiliationsInstitution;
        given(a_school()), SYSTEM,
            (STUDENT, PersonCommand::EndAffiliation { institution: SCHOOL, role: Role::Teacher })
            => AffiliationNotFound at Institution;
        // Nobody looks after themselves, by whichever command.
        given(a_school()), SYSTEM, (STUDENT, set_guardian(STUDENT))
            => SelfGuardianship at GuardianshipGuardian;
        given(a_school()), SYSTEM, (STUDENT, put_guardians(&[guardianship(STUDENT, None)], 1))
            => SelfGuardianship at GuardiansGuardian;
        given(a_school()), SYSTEM, (STUDENT, set_guardian(NOBODY))
            => PersonNotFound at GuardianshipGuardian;
        given(a_school()), SYSTEM,
            (STUDENT, PersonCommand::EndGuardianship { guardian: GUARDIAN, last_day: day(12, 1) })
            => GuardianshipNotFound at Guardian;
        given(a_school()).and((TEACHER, departed())), LEADER, (TEACHER, depart())
            => AlreadyDeparted;
        given(a_school()), LEADER, (TEACHER, PersonCommand::Return) => NotDeparted;
    };
    // Only registering and importing make somebody known.
    for command in [
        PersonCommand::Rename { name: name("Ny") },
        PersonCommand::SetAffiliation(here),
        PersonCommand::EndAffiliation {
            institution: SCHOOL,
            role: Role::Student,
        },
        set_guardian(GUARDIAN),
        PersonCommand::EndGuardianship {
            guardian: GUARDIAN,
            last_day: day(12, 1),
        },
        depart(),
        PersonCommand::Return,
        put_guardians(&[], 1),
    ] {
        seen.extend(refusals! {
            given(a_school()), SYSTEM, (NOBODY, command) => PersonNotFound at Target;
        });
    }
    seen
}
