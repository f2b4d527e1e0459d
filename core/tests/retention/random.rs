//! The rule for anybody, any classes and any day, against a naive reading of it.

use jiff::civil::{Date, date};
use planledger_core::retention::{Hold, RetentionClass, Start, Student, decide};
use planledger_core::text::ReasonText;
use planledger_fixtures::school::*;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseResult;

use super::{OTHER_YEAR, class};
use crate::properties::check::check;

fn days() -> impl Strategy<Value = Date> + Clone {
    let day = (2000_i16..2040, 1_i8..=12, 1_i8..=31);
    day.prop_map(|(year, month, day)| {
        let first = date(year, month, 1);
        date(year, month, day.min(first.days_in_month()))
    })
}

fn students() -> impl Strategy<Value = Student> + Clone {
    let years = prop::collection::vec((any::<bool>(), prop::option::weighted(0.9, days())), 0..3);
    let is = prop::bool::weighted(0.9);
    let more = prop::bool::weighted(0.1);
    (prop::option::weighted(0.9, days()), is, more, years).prop_map(
        |(left, is_student, is_more, years)| Student {
            id: STUDENT,
            left,
            is_student,
            is_more,
            institutions: [SCHOOL].into(),
            school_years: years
                .into_iter()
                .map(|(other, last)| (if other { OTHER_YEAR } else { YEAR }, last))
                .collect(),
        },
    )
}

fn classes() -> impl Strategy<Value = Vec<RetentionClass>> + Clone {
    let start = select(vec![Start::Departure, Start::LastSchoolYear, Start::Later]);
    let held = prop::option::weighted(0.2, days());
    let places = select(vec![vec![], vec![SCHOOL], vec![OTHER_SCHOOL]]);
    let one = (start, 1_u8..12, held, places);
    let one = one.prop_map(|(start, years, held, places)| RetentionClass {
        start,
        institutions: places.into_iter().collect(),
        holds: held
            .into_iter()
            .map(|until| Hold {
                why: why("Arkivet").unwrap(),
                students: Default::default(),
                institutions: Default::default(),
                school_years: Default::default(),
                until: Some(until),
            })
            .collect(),
        ..class("Planer", &format!("{years}y"))
    });
    prop::collection::vec(one, 0..4)
}

/// Whether so many years lie between, without the calendar's arithmetic.
fn years_between(from: Date, to: Date, years: i16) -> bool {
    (to.year(), to.month(), to.day()) > (from.year() + years, from.month(), from.day())
}

fn holds((student, classes, day): (Student, Vec<RetentionClass>, Date)) -> TestCaseResult {
    let Ok((named, due)) = decide(&classes, &student, day) else {
        return Ok(());
    };
    // Never somebody who is there, and never before the term is over.
    let left = student.left.unwrap();
    prop_assert!(left < day);
    prop_assert!(student.is_student && !student.is_more);
    let over = |last: &Option<Date>| last.is_some_and(|last| last < day);
    prop_assert!(student.school_years.values().all(over));
    prop_assert!(due.until < due.since && due.since <= day);
    let last_year = student.school_years.values().flatten().max().copied();
    let mut covering = 0;
    for class in classes.iter().filter(|class| class.covers(&student)) {
        covering += 1;
        let from = match class.start {
            Start::Departure => left,
            Start::LastSchoolYear => last_year.unwrap_or(left),
            Start::Later => last_year.unwrap_or(left).max(left),
        };
        let years: i16 = class
            .keep
            .to_string()
            .trim_end_matches('y')
            .parse()
            .unwrap();
        let at_most = years_between(from, due.since, years);
        prop_assert!(at_most, "{from} {years} {}", due.since);
        let held = class.holds.iter().any(|hold| hold.until.unwrap() >= day);
        prop_assert!(!held);
    }
    prop_assert!(covering > 0 && named.covers(&student));
    // The words of the request can be recorded.
    prop_assert!(ReasonText::new(&named.reason(&due)).is_ok());
    // Who is due today is due tomorrow, for the same reason.
    let tomorrow = decide(&classes, &student, day.tomorrow().unwrap());
    prop_assert_eq!(tomorrow, Ok((named, due)));
    Ok(())
}

#[test]
fn nobody_is_due_who_is_there_or_before_every_term_is_over() {
    check(3_000, &(students(), classes(), days()), holds);
}

#[test]
fn somebody_is_due_now_and_then() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let cases = (students(), classes(), days());
    let due = (0..2_000).filter(|_| {
        let (student, classes, day) = cases.new_tree(&mut runner).unwrap().current();
        decide(&classes, &student, day).is_ok()
    });
    assert!(due.count() > 100);
}
