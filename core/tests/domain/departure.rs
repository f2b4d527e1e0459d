//! A departure takes effect at the end of its last day in Copenhagen. Until then it is coming.

use jiff::civil::{Date, date};
use planledger_core::domain::person::{Departure, NoOwner, Person, PersonCommand, PersonFact};
use planledger_core::domain::view::has_left;
use planledger_core::domain::world::Context;
use planledger_core::domain::{
    Aggregate, Command, Decision, Reason, RosterFact, Stop, World, decide,
};
use planledger_core::time::Timestamp;
use planledger_fixtures::school::*;
use planledger_fixtures::{IntoCommand, Memory};
use proptest::prelude::*;

use crate::domain::harness::given;

const LAST: Date = date(2027, 1, 20);

/// A school whose teacher leaves on a day. [`Memory::NOW`] is on 2027-01-15.
fn leaving(on: Option<Date>) -> Memory {
    let mut memory = given(a_school()).world();
    let depart = PersonCommand::Depart { on, reason: None };
    memory.does(LEADER, (TEACHER, depart));
    memory
}

fn teacher(memory: &Memory) -> &Person {
    match memory.state(TEACHER) {
        Some(Aggregate::Person(person)) => person,
        other => panic!("{other:?}"),
    }
}

fn decided(memory: &Memory, at: Timestamp, command: impl IntoCommand) -> Result<Decision, Stop> {
    let command: Command = command.into_command();
    decide(memory, &Context::new(SYSTEM, at), &command)
}

fn renamed(at: Timestamp, memory: &Memory) -> Result<Decision, Stop> {
    let name = name("Et andet navn");
    let command = (STUDENT, PersonCommand::Rename { name }).into_command();
    let actor = planledger_core::domain::Actor::Person(TEACHER);
    decide(memory, &Context::new(actor, at), &command)
}

#[test]
fn a_departure_counts_from_midnight_in_copenhagen_in_winter_and_in_summer() {
    for (last, end) in [
        // CET: midnight is at 23:00 UTC. CEST: at 22:00 UTC.
        (date(2026, 11, 30), "2026-11-30T23:00:00Z"),
        (date(2026, 6, 30), "2026-06-30T22:00:00Z"),
        // The day on which the clocks change has the new time at its end.
        (date(2026, 3, 29), "2026-03-29T22:00:00Z"),
        (date(2026, 10, 25), "2026-10-25T23:00:00Z"),
    ] {
        let end: jiff::Timestamp = end.parse().unwrap();
        let end = u64::try_from(end.as_nanosecond()).unwrap();
        let (before, after) = (Timestamp::from_nanos(end - 1), Timestamp::from_nanos(end));
        let departure = Departure {
            on: Some(last),
            reason: None,
        };
        assert!(!departure.is_over_on(before.day_in_denmark()), "{last}");
        assert!(departure.is_over_on(after.day_in_denmark()), "{last}");
    }
    let at_once = Departure {
        on: None,
        reason: None,
    };
    assert!(at_once.is_over_on(Date::MIN) && at_once.is_over_on(Date::MAX));
}

#[test]
fn who_leaves_acts_and_takes_over_until_the_end_of_the_last_day_and_no_longer() {
    let memory = leaving(Some(LAST));
    let last = Timestamp::last_of_day_in_denmark(LAST);
    assert!(renamed(last, &memory).is_ok());
    let Err(Stop::Refused(refusal)) = renamed(last.plus(1), &memory) else {
        panic!("somebody who has left renames a student");
    };
    assert_eq!(refusal.reason, Reason::ActorDeparted);
}

#[test]
fn a_coming_departure_is_taken_back_before_another_day_is_noted() {
    let mut memory = leaving(Some(LAST));
    let depart = PersonCommand::Depart {
        on: None,
        reason: None,
    };
    let Err(Stop::Refused(refusal)) = decided(&memory, Memory::NOW, (TEACHER, depart.clone()))
    else {
        panic!("two departures");
    };
    assert_eq!(refusal.reason, Reason::AlreadyDeparted);
    memory.does(LEADER, (TEACHER, PersonCommand::Return));
    assert_eq!(teacher(&memory).departed, None);
    memory.does(LEADER, (TEACHER, depart));
    assert!(teacher(&memory).has_left_on(Memory::NOW.day_in_denmark()));
}

#[test]
fn a_roster_that_has_the_person_says_nothing_against_a_coming_departure() {
    let memory = leaving(Some(LAST));
    let put = |departed| {
        let person = teacher(&memory);
        let put = PersonCommand::Put {
            name: person.name.clone(),
            affiliations: person.affiliations.iter().cloned().collect(),
            departed,
            record: None,
        };
        (TEACHER, put)
    };
    let departure = RosterFact::Person(PersonFact::Departure);
    let last = Timestamp::last_of_day_in_denmark(LAST);
    let there = decided(&memory, last, put(false)).unwrap();
    assert!(there.events.is_empty() && there.kept.is_empty());
    // A person decided the day, so it stands, also against a roster that says it is over.
    let gone = decided(&memory, last, put(true)).unwrap();
    assert!(gone.events.is_empty());
    assert_eq!(gone.kept, [departure]);
    let there = decided(&memory, last.plus(1), put(false)).unwrap();
    assert!(there.events.is_empty());
    assert_eq!(there.kept, [departure]);
}

proptest! {
    /// Before the end of the day only what is shown as coming differs from no departure. From the
    /// next day on everything is as with a departure without a day.
    #[test]
    fn a_departure_with_a_day_is_none_until_it_is_over_and_then_one_without_a_day(
        ahead in 0_i64..4_000,
        on_team in any::<bool>(),
        elsewhere in any::<bool>(),
    ) {
        let coming = leaving(Some(LAST));
        let (none, at_once) = (given(a_school()).world(), leaving(None));
        let school = if elsewhere { OTHER_SCHOOL } else { SCHOOL };
        let day = date(2024, 1, 1) + jiff::Span::new().days(ahead);
        let is_over = day > LAST;
        let like = if is_over { &at_once } else { &none };
        prop_assert_eq!(teacher(&coming).has_left_on(day), teacher(like).has_left_on(day));
        prop_assert_eq!(
            has_left(&coming, TEACHER, day).unwrap(),
            has_left(like, TEACHER, day).unwrap()
        );
        prop_assert_eq!(teacher(&coming).leaving_on(day), (!is_over).then_some(LAST));
        let reason = |memory: &Memory| teacher(memory).no_owner_at(school, on_team, day);
        let expected = match reason(like) {
            None if !is_over => Some(NoOwner::Leaving { last_day: LAST }),
            other => other,
        };
        prop_assert_eq!(reason(&coming), expected);
        let certain = |memory: &Memory| reason(memory).is_some_and(NoOwner::is_certain);
        prop_assert_eq!(certain(&coming), certain(like));
        let at = Timestamp::last_of_day_in_denmark(day);
        prop_assert_eq!(renamed(at, &coming), renamed(at, like));
        prop_assert!(coming.day() < LAST);
    }
}
