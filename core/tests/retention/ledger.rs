//! What is read of somebody from a ledger, and whom it lists as gone.

use jiff::civil::Date;
use planledger_core::domain::erasure::{ErasureCommand, Target};
use planledger_core::domain::person::{Guardianship, PersonCommand};
use planledger_core::domain::plan::PlanCommand;
use planledger_core::domain::team::{StaffRole, TeamCommand};
use planledger_core::domain::year_plan::YearPlanCommand;
use planledger_core::domain::{Actor, Aggregate, Command, Reason};
use planledger_core::ids::{CommandId, ErasureId, PersonId};
use planledger_core::ledger::{Envelope, ExecuteError, Ledger, ReadError};
use planledger_core::retention::{RetentionTerm, Student};
use planledger_fixtures::IntoCommand;
use planledger_fixtures::place::{START, numbered};
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

/// A request of the class of five years, and what becomes of it.
struct Asking<'l>(&'l Ledger);

impl Asking<'_> {
    fn send(&self, commands: Vec<(PersonId, Command)>) -> Result<(), Reason> {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let actor = Actor::Person(commands[0].0);
        let envelopes = commands.into_iter().map(|(_, command)| {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            Envelope::new(CommandId::from_bytes(numbered(0x5D, number)), command)
        });
        match self.0.execute_batch(actor, envelopes.collect()) {
            Ok(_) => Ok(()),
            Err(ExecuteError::Refused { refusal, .. }) => Err(refusal.reason),
            Err(other) => panic!("{other}"),
        }
    }

    fn request(&self, of: PersonId, retention: Option<RetentionTerm>) -> Result<(), Reason> {
        let request = ErasureCommand::Request {
            target: Target::Person(of),
            basis: why("Afgørelse").unwrap(),
            reason: why("Tiden er gået").unwrap(),
            retention,
        };
        let command = (ErasureId::of_person(of), request).into_command();
        self.send(vec![(LEADER, command)])
    }
}

fn approve(of: PersonId) -> Command {
    let approve = ErasureCommand::Approve { reason: None };
    (ErasureId::of_person(of), approve).into_command()
}

fn five_years() -> Option<RetentionTerm> {
    Some(super::class("Planer", "5y").term())
}

const FORMER: PersonId = PersonId::from_bytes([0x5D; 16]);

/// Weeks may lie between a request and its approval.
#[test]
fn whoever_came_back_after_the_request_is_not_erased_by_it() {
    let (place, ledger) = FaultyLedger::with_school();
    let asking = Asking(&ledger);
    // A student without a plan.
    let put = put_person(SCHOOL, planledger_core::domain::person::Role::Student);
    place.does(&ledger, SYSTEM, (FORMER, put));
    let not_due = Err(Reason::ErasureNotDue);
    // Somebody who is there is not asked for on that ground at all.
    assert_eq!(asking.request(FORMER, five_years()), not_due);
    let long_ago = leave(Some(on("2019-06-28")));
    place.does(&ledger, SYSTEM, (FORMER, long_ago.clone()));
    asking.request(FORMER, five_years()).unwrap();

    let back = (FORMER, PersonCommand::Return).into_command();
    // Also if it is known only from the same batch.
    let both = vec![(CLERK, back.clone()), (CLERK, approve(FORMER))];
    assert_eq!(asking.send(both), not_due);
    asking.send(vec![(CLERK, back)]).unwrap();
    assert_eq!(asking.send(vec![(CLERK, approve(FORMER))]), not_due);
    // They left again, and the time counts anew.
    place.does(&ledger, SYSTEM, (FORMER, leave(None)));
    assert_eq!(asking.send(vec![(CLERK, approve(FORMER))]), not_due);
    place.does(&ledger, SYSTEM, (FORMER, PersonCommand::Return));
    place.does(&ledger, SYSTEM, (FORMER, long_ago));
    asking.send(vec![(CLERK, approve(FORMER))]).unwrap();
    // Once it is approved, it does not matter any more: nobody can come back.
    asking.send(vec![(CLERK, approve(FORMER))]).unwrap();
    let back = (FORMER, PersonCommand::Return).into_command();
    assert_eq!(asking.send(vec![(CLERK, back)]), Err(Reason::PersonErased));
}

#[test]
fn a_plan_of_a_running_year_stands_against_it_and_a_request_for_another_reason_does_not_ask() {
    let (place, ledger) = FaultyLedger::with_school();
    let asking = Asking(&ledger);
    place.does(&ledger, SYSTEM, (STUDENT, leave(Some(on("2019-06-28")))));
    assert_eq!(
        asking.request(STUDENT, five_years()),
        Err(Reason::ErasureNotDue)
    );
    place.does(&ledger, SYSTEM, (STUDENT, PersonCommand::Return));
    asking.request(STUDENT, None).unwrap();
    asking.send(vec![(CLERK, approve(STUDENT))]).unwrap();
}
