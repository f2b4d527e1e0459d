//! What is read of somebody from a ledger, and whom it lists as gone.

use jiff::civil::Date;
use planledger_core::domain::Aggregate;
use planledger_core::domain::person::{Guardianship, PersonCommand};
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::team::{StaffRole, TeamCommand};
use planledger_core::domain::year_plan::YearPlanCommand;
use planledger_core::ids::PersonId;
use planledger_core::ledger::{Ledger, ReadError};
use planledger_core::retention::Student;
use planledger_fixtures::place::START;
use planledger_fixtures::school::*;

use super::on;
use crate::recovery::place::{FaultyLedger, put_person};

fn read(ledger: &Ledger, id: PersonId) -> Student {
    let read = ledger.read(|now| {
        let (state, _) = now.stream(id)?.unwrap();
        let Aggregate::Person(person) = &*state else {
            panic!("another kind");
        };
        Student::read(now, id, person)
    });
    let (student, _): (_, _) = Result::<_, ReadError>::unwrap(read);
    student
}

fn departed(ledger: &Ledger) -> Vec<PersonId> {
    let mut all = Vec::new();
    // Pages of one, one after the other, give everybody once.
    loop {
        let last = all.last().copied();
        let found = ledger.read(|now| now.find_departed(last, 1));
        let (found, _) = Result::<_, ReadError>::unwrap(found);
        match found.first() {
            Some(stream) => all.push(PersonId::from_uuid(stream.id)),
            None => return all,
        }
    }
}

fn leave(on: Option<Date>) -> PersonCommand {
    PersonCommand::Depart { on, reason: None }
}

#[test]
fn whoever_has_left_or_will_leave_is_listed_until_they_are_back() {
    let (place, ledger) = FaultyLedger::with_school();
    assert_eq!(departed(&ledger), []);
    let past = Some(on("2019-06-28"));
    place.does(&ledger, SYSTEM, (CLASSMATE, leave(past)));
    place.does(&ledger, SYSTEM, (STUDENT, leave(Some(on("2027-06-30")))));
    place.does(&ledger, SYSTEM, (PEDAGOGUE, leave(None)));
    assert_eq!(departed(&ledger), [STUDENT, CLASSMATE, PEDAGOGUE]);
    place.does(&ledger, SYSTEM, (STUDENT, PersonCommand::Return));
    assert_eq!(departed(&ledger), [CLASSMATE, PEDAGOGUE]);
    assert_eq!(read(&ledger, STUDENT).left, None);
    assert_eq!(read(&ledger, CLASSMATE).left, past);
    // The same after derived state was made again.
    drop(ledger);
    place.forget_derived();
    assert_eq!(departed(&place.open()), [CLASSMATE, PEDAGOGUE]);
}

/// A departure without a day took effect when it was recorded. The state does not keep that day, so a
/// later one counts, which keeps longer.
#[test]
fn a_departure_without_a_day_counts_from_the_last_record() {
    let (place, ledger) = FaultyLedger::with_school();
    place.does(&ledger, SYSTEM, (STUDENT, leave(None)));
    assert_eq!(read(&ledger, STUDENT).left, Some(START.day_in_denmark()));
}

#[test]
fn plans_and_places_say_where_and_when_somebody_was_a_student() {
    let (place, ledger) = FaultyLedger::with_school();
    let student = read(&ledger, STUDENT);
    assert!(student.is_student && !student.is_more);
    assert_eq!(student.institutions, [SCHOOL].into());
    assert_eq!(
        student.school_years,
        [(YEAR, Some(school_year().last_day))].into()
    );
    // Without a place, and with a withdrawn plan of a deleted year plan, it is still known.
    let reason = why("Rydder op");
    let withdraw = PlanCommand::Withdraw {
        reason: reason.clone(),
    };
    place.does(&ledger, TEACHER, (PLAN, withdraw));
    place.does(
        &ledger,
        TEACHER,
        (YEAR_PLAN, YearPlanCommand::Delete { reason }),
    );
    let end = PersonCommand::EndAffiliation {
        institution: SCHOOL,
        role: planledger_core::domain::person::Role::Student,
    };
    place.does(&ledger, SYSTEM, (STUDENT, end));
    assert_eq!(read(&ledger, STUDENT), student);
}

#[test]
fn whoever_is_or_was_more_than_a_student_is_known_as_such() {
    use planledger_core::domain::person::Role;
    let (place, ledger) = FaultyLedger::with_school();
    assert!(read(&ledger, TEACHER).is_more);
    for person in [CLASSMATE, STUDENT] {
        assert!(!read(&ledger, person).is_more);
    }
    // A former student who has a child here.
    let guardianship = Guardianship {
        guardian: CLASSMATE,
        last_day: Some(on("2019-01-01")),
    };
    let set = PersonCommand::SetGuardianship(guardianship);
    place.does(&ledger, SYSTEM, (STUDENT, set));
    assert!(read(&ledger, CLASSMATE).is_more);
    // A former student who came back to work.
    let former = PersonId::from_bytes([0x5C; 16]);
    place.does(&ledger, SYSTEM, (former, put_person(SCHOOL, Role::Teacher)));
    let role = StaffRole::Teacher;
    let person = former;
    place.does(
        &ledger,
        SYSTEM,
        (TEAM, TeamCommand::AddStaff { person, role }),
    );
    let (institution, role) = (SCHOOL, Role::Teacher);
    let end = PersonCommand::EndAffiliation { institution, role };
    place.does(&ledger, SYSTEM, (former, end));
    assert!(read(&ledger, former).is_more);
}
