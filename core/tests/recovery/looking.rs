//! What is told of things before anything is done.

use planledger_core::domain::person::{NoOwner, PersonCommand};
use planledger_core::domain::team::TeamCommand;
use planledger_core::ids::{PersonId, StreamId};
use planledger_core::ledger::{Ledger, ReadError, Reading};
use planledger_core::recovery::{
    Deleting, Owned, Suggestion, deleting, describe, owned, ownerless, suggest,
};

use crate::recovery::place::*;
use planledger_fixtures::school::*;

fn told(ledger: &Ledger, stream: impl Into<StreamId>) -> Option<Owned> {
    let stream = stream.into();
    ledger.read(|reading| describe(reading, stream)).unwrap().0
}

fn left_behind(ledger: &Ledger, stream: impl Into<StreamId>) -> Option<Deleting> {
    let stream = stream.into();
    ledger.read(|reading| deleting(reading, stream)).unwrap().0
}

fn suggested(ledger: &Ledger, stream: impl Into<StreamId>) -> Vec<Suggestion> {
    let stream = stream.into();
    ledger.read(|reading| suggest(reading, stream)).unwrap().0
}

#[test]
fn a_thing_is_described_with_who_it_touches_and_when_something_last_happened() {
    let (place, ledger) = FaultyLedger::with_school();
    let last = |ledger: &Ledger| events(ledger).last().unwrap().recorded_at;
    for (stream, students) in everything().into_iter().zip([2, 1, 2, 1, 1, 1, 1]) {
        let found = told(&ledger, stream).unwrap();
        assert_eq!((found.stream, found.owner), (stream, Some(TEACHER)));
        assert_eq!((found.institution, found.students), (SCHOOL, students));
        assert!(found.ownerless.is_none() && !found.withdrawn && found.deleted.is_none());
    }
    let dansk = Some(title("Dansk"));
    assert_eq!(told(&ledger, TEAMS[0]).unwrap().title, dansk);
    assert_eq!(told(&ledger, PLANS[1]).unwrap().title, dansk);
    // What happens in a plan happened in its year plan and team, and in no others.
    place.evaluates(&ledger, TEACHER, PLANS[1], 1);
    let now = last(&ledger);
    for stream in everything() {
        let touched = [
            TEAMS[0].into(),
            YEAR_PLANS[0].into(),
            StreamId::from(PLANS[1]),
        ];
        let found = told(&ledger, stream).unwrap().last_activity;
        assert_eq!(found == now, touched.contains(&stream), "{stream}");
    }
    assert_eq!(told(&ledger, STUDENT), None);
    assert_eq!(told(&ledger, COMBINED), None);
}

#[test]
fn it_says_who_deleted_a_thing_and_that_its_owner_has_left() {
    let (place, ledger) = FaultyLedger::with_school();
    let delete = TeamCommand::Delete { reason: None };
    place.does(&ledger, TEACHER, (TEAMS[0], delete.clone()));
    place.does(&ledger, LEADER, (TEAMS[1], delete));
    let by_owner = TEAMS.map(|team| told(&ledger, team).unwrap().deleted_by_owner());
    assert_eq!(by_owner, [true, false]);
    let before = ledger.position();
    place.departs(&ledger, TEACHER);
    let reason = told(&ledger, TEAMS[0]).unwrap().ownerless;
    assert_eq!(reason, Some(NoOwner::Departed));
    let then = ledger.read_at(before, |reading| describe(reading, TEAMS[0].into()));
    assert_eq!(then.unwrap().0.unwrap().ownerless, None);
}

#[test]
fn what_somebody_leaves_on_a_day_ahead_has_an_owner_until_that_day_is_over() {
    let (place, ledger) = FaultyLedger::with_school();
    let today = ledger.now().day_in_denmark();
    let last_day = today.tomorrow().unwrap();
    let (on, reason) = (Some(last_day), None);
    let depart = PersonCommand::Depart { on, reason };
    place.does(&ledger, LEADER, (TEACHER, depart));
    let on_day = |day| {
        let read = |reading: &Reading<'_>| {
            let found = describe(reading, TEAMS[0].into())?;
            Ok::<_, ReadError>((found.unwrap().ownerless, ownerless(reading, SCHOOL)?.len()))
        };
        ledger.read_on(ledger.position(), day, read).unwrap().0
    };
    let coming = Some(NoOwner::Leaving { last_day });
    for day in [None, Some(today), Some(last_day)] {
        assert_eq!(on_day(day), (coming, everything().len()));
    }
    let over = Some(last_day.tomorrow().unwrap());
    assert_eq!(on_day(over), (Some(NoOwner::Departed), everything().len()));
    assert_eq!(told(&ledger, TEAMS[0]).unwrap().ownerless, coming);
    // Whoever leaves could still take something over, and hands over before.
    begin(&ledger, LEADER, RECOVERY, &all_to(TEACHER, STEADY));
    planledger_core::recovery::run(&ledger, RECOVERY, &mut |_| {}).unwrap();
    assert_eq!(told(&ledger, TEAMS[0]).unwrap().ownerless, None);
    let suggested = suggested(&ledger, TEAMS[0]);
    assert!(suggested.iter().any(|found| found.person == TEACHER));
    place.does(&ledger, LEADER, (TEACHER, PersonCommand::Return));
    let listed = ledger.read(|reading| ownerless(reading, SCHOOL));
    assert_eq!(*listed.unwrap().0, []);
}

#[test]
fn what_a_person_owned_then_is_read_after_it_was_handed_over() {
    let (_place, ledger) = FaultyLedger::with_school();
    let before = ledger.position();
    begin(&ledger, LEADER, RECOVERY, &all_to(TEACHER, STEADY));
    planledger_core::recovery::run(&ledger, RECOVERY, &mut |_| {}).unwrap();
    let of = |person| move |reading: &Reading<'_>| owned(reading, person);
    assert_eq!(ledger.read(of(TEACHER)).unwrap().0, []);
    assert_eq!(ledger.read(of(STEADY)).unwrap().0, everything());
    assert_eq!(ledger.read_at(before, of(TEACHER)).unwrap().0, everything());
    assert_eq!(ledger.read_at(before, of(STEADY)).unwrap().0, []);
}

#[test]
fn before_a_container_is_deleted_it_says_what_hangs_on_it_and_who_could_go_on() {
    let (place, ledger) = FaultyLedger::with_school();
    let found = left_behind(&ledger, TEAMS[0]).unwrap();
    assert_eq!(found.year_plans, [YEAR_PLANS[0]]);
    assert_eq!((&found.plans[..], found.students), (&PLANS[..2], 2));
    assert!(!found.last_owner);
    assert_eq!(found.successors, suggested(&ledger, TEAMS[0]));
    let found = left_behind(&ledger, YEAR_PLANS[1]).unwrap();
    assert_eq!((&found.plans[..], found.students), (&PLANS[2..], 1));
    assert!(found.last_owner && found.successors.is_empty());
    // Staff who have left are nobody to go on.
    place.departs(&ledger, PEDAGOGUE);
    assert!(!left_behind(&ledger, TEAMS[0]).unwrap().last_owner);
    place.departs(&ledger, STEADY);
    assert!(left_behind(&ledger, TEAMS[0]).unwrap().last_owner);
    assert_eq!(left_behind(&ledger, PLANS[0]), None);
}

#[test]
fn who_evaluates_most_comes_first_then_who_shares_the_team() {
    let (place, ledger) = FaultyLedger::with_school();
    let order = |stream| -> Vec<(PersonId, u32, bool)> {
        let found = suggested(&ledger, stream).into_iter();
        found
            .map(|found| (found.person, found.evaluations, found.on_team))
            .collect()
    };
    let staff = [(PEDAGOGUE, 0, true), (STEADY, 0, true)];
    assert_eq!(order(StreamId::from(PLANS[0])), staff);
    place.evaluates(&ledger, STEADY, PLANS[0], 1);
    place.evaluates(&ledger, LEADER, PLANS[1], 1);
    place.evaluates(&ledger, DEPUTY, PLANS[1], 2);
    place.evaluates(&ledger, TEACHER, PLANS[1], 5);
    let first = [(STEADY, 1, true), (PEDAGOGUE, 0, true)];
    assert_eq!(order(PLANS[0].into()), first);
    let all = [
        (DEPUTY, 2, false),
        (STEADY, 1, true),
        (LEADER, 1, false),
        (PEDAGOGUE, 0, true),
    ];
    assert_eq!(order(YEAR_PLANS[0].into()), all);
    assert_eq!(order(TEAMS[0].into()), all);
    assert_eq!(order(TEAMS[1].into()), []);
    assert_eq!(order(STUDENT.into()), []);
}
