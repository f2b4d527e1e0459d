//! The rule, as a table: given a class and what is known of somebody, they are due since a day, or not.

use std::collections::BTreeSet;

use planledger_core::domain::Actor;
use planledger_core::domain::erasure::{Done, Erasure, Phase, Target};
use planledger_core::retention::{
    Hold, NotDue, RetentionClass, Standing, Start, Student, decide, decide_by_term,
};
use planledger_core::time::Timestamp;
use planledger_fixtures::school::*;

use super::{OTHER_YEAR, class, on, student};

/// Since when the student is due on a day, as text.
fn since(class: RetentionClass, student: &Student, day: &str) -> Result<String, NotDue> {
    decide(&[class], student, on(day)).map(|(_, due)| due.since.to_string())
}

#[test]
fn a_student_is_due_on_the_day_after_the_last_day_of_the_term_and_not_before() {
    for (left, keep, last_kept, first_due) in [
        ("2019-06-28", "5y", "2024-06-28", "2024-06-29"),
        // A year after 29 February ends with February.
        ("2020-02-29", "1y", "2021-02-28", "2021-03-01"),
        ("2020-02-29", "4y", "2024-02-29", "2024-03-01"),
        ("2019-03-01", "11mo 29d", "2020-03-01", "2020-03-02"),
        ("2019-01-31", "1mo", "2019-02-28", "2019-03-01"),
        ("2019-12-31", "1d", "2020-01-01", "2020-01-02"),
        // The night on which clocks change is a day like others.
        ("2020-03-28", "1d", "2020-03-29", "2020-03-30"),
    ] {
        let student = student(left);
        let kept = since(class("Planer", keep), &student, last_kept);
        assert_eq!(kept, Err(NotDue::Kept), "{left} {keep}");
        let due = since(class("Planer", keep), &student, first_due);
        assert_eq!(due.as_deref(), Ok(first_due), "{left} {keep}");
        let later = since(class("Planer", keep), &student, "2099-01-01");
        assert_eq!(later.as_deref(), Ok(first_due), "{left} {keep}");
    }
}

#[test]
fn the_time_counts_from_what_the_class_says() {
    let mut later_year = student("2017-12-22");
    let mut no_plan = student("2017-12-22");
    no_plan.school_years.clear();
    later_year
        .school_years
        .insert(OTHER_YEAR, Some(on("2017-06-30")));
    for (start, student, expected) in [
        (Start::Departure, &later_year, "2018-12-23"),
        (Start::LastSchoolYear, &later_year, "2019-06-30"),
        (Start::Later, &later_year, "2019-06-30"),
        (Start::Departure, &no_plan, "2018-12-23"),
        (Start::LastSchoolYear, &no_plan, "2018-12-23"),
        (Start::Later, &no_plan, "2018-12-23"),
        (Start::Departure, &student("2019-01-10"), "2020-01-11"),
        (Start::LastSchoolYear, &student("2019-01-10"), "2019-06-30"),
        (Start::Later, &student("2019-01-10"), "2020-01-11"),
    ] {
        let class = RetentionClass {
            start,
            ..class("Planer", "1y")
        };
        let due = since(class, student, "2030-01-01");
        assert_eq!(due.as_deref(), Ok(expected), "{start:?}");
    }
}

/// A request holds no more of its class than its time, and is held against that.
#[test]
fn the_time_of_a_class_alone_says_the_same_as_the_class() {
    let gone = student("2019-06-28");
    let mut back = gone.clone();
    back.left = None;
    let mut works = gone.clone();
    works.is_more = true;
    let mut learns = gone.clone();
    learns
        .school_years
        .insert(OTHER_YEAR, Some(on("2099-06-28")));
    let class = class("Planer", "5y");
    for who in [&gone, &back, &works, &learns] {
        for day in ["2024-06-28", "2024-06-29", "2030-01-01"] {
            let whole = decide(std::slice::from_ref(&class), who, on(day));
            let whole = whole.map(|(_, due)| due);
            assert_eq!(decide_by_term(class.term(), who, on(day)), whole, "{day}");
        }
    }
    let held = RetentionClass {
        holds: vec![hold()],
        ..class.clone()
    };
    assert!(decide_by_term(held.term(), &gone, on("2030-01-01")).is_ok());
}

#[test]
fn whoever_is_there_or_more_than_a_student_is_never_due() {
    let gone = student("2010-06-25");
    let with = |change: fn(&mut Student)| {
        let mut student = gone.clone();
        change(&mut student);
        student
    };
    for (student, why) in [
        (with(|student| student.left = None), NotDue::StillHere),
        // On the last day the student is still there.
        (
            with(|student| student.left = Some(on("2030-01-01"))),
            NotDue::StillHere,
        ),
        (
            with(|student| student.left = Some(on("2031-06-30"))),
            NotDue::StillHere,
        ),
        (
            with(|student| student.is_more = true),
            NotDue::NotOnlyStudent,
        ),
        (
            with(|student| student.is_student = false),
            NotDue::NoStudent,
        ),
        (
            with(|student| {
                student
                    .school_years
                    .insert(OTHER_YEAR, Some(on("2030-01-01")));
            }),
            NotDue::RunningYear,
        ),
        (
            with(|student| {
                student.school_years.insert(OTHER_YEAR, None);
            }),
            NotDue::RunningYear,
        ),
    ] {
        let found = since(class("Planer", "1d"), &student, "2030-01-01");
        assert_eq!(found, Err(why), "{student:?}");
    }
    assert!(since(class("Planer", "1d"), &gone, "2030-01-01").is_ok());
}

#[test]
fn of_several_classes_the_one_that_keeps_longest_decides() {
    let here = |name, keep| RetentionClass {
        institutions: BTreeSet::from([SCHOOL]),
        ..class(name, keep)
    };
    let elsewhere = RetentionClass {
        institutions: BTreeSet::from([OTHER_SCHOOL]),
        ..class("Andre", "100y")
    };
    let gone = student("2019-06-28");
    let classes = [
        class("Alle", "2y"),
        here("Skolen", "10y"),
        elsewhere.clone(),
    ];
    let kept = decide(&classes, &gone, on("2025-01-01"));
    assert_eq!(kept.unwrap_err(), NotDue::Kept);
    let (named, due) = decide(&classes, &gone, on("2030-01-01")).unwrap();
    assert_eq!(named.name, title("Skolen"));
    assert_eq!(due.since, on("2029-06-29"));
    let others = [elsewhere];
    let nobody = decide(&others, &gone, on("2030-01-01"));
    assert_eq!(nobody.unwrap_err(), NotDue::NoClass);
    assert_eq!(
        decide(&[], &gone, on("2030-01-01")).unwrap_err(),
        NotDue::NoClass
    );
}

fn hold() -> Hold {
    Hold {
        why: why("Arkivet").unwrap(),
        students: BTreeSet::new(),
        institutions: BTreeSet::new(),
        school_years: BTreeSet::new(),
        until: None,
    }
}

#[test]
fn a_hold_keeps_whom_it_names_back_to_its_last_day() {
    let until = Some(on("2030-01-01"));
    let (before, after) = ("2030-01-01", "2030-01-02");
    for (hold, day, held) in [
        (hold(), before, true),
        (Hold { until, ..hold() }, before, true),
        (Hold { until, ..hold() }, after, false),
        (
            Hold {
                students: BTreeSet::from([STUDENT]),
                ..hold()
            },
            after,
            true,
        ),
        (
            Hold {
                students: BTreeSet::from([CLASSMATE]),
                ..hold()
            },
            before,
            false,
        ),
        (
            Hold {
                institutions: BTreeSet::from([SCHOOL]),
                ..hold()
            },
            before,
            true,
        ),
        (
            Hold {
                institutions: BTreeSet::from([OTHER_SCHOOL]),
                ..hold()
            },
            before,
            false,
        ),
        (
            Hold {
                school_years: BTreeSet::from([YEAR]),
                ..hold()
            },
            before,
            true,
        ),
        (
            Hold {
                school_years: BTreeSet::from([OTHER_YEAR]),
                ..hold()
            },
            before,
            false,
        ),
    ] {
        let class = RetentionClass {
            holds: vec![hold.clone()],
            ..class("Planer", "5y")
        };
        let found = since(class, &student("2019-06-28"), day);
        assert_eq!(found == Err(NotDue::Held), held, "{hold:?} on {day}");
    }
}

/// What was taken back is not proposed again as long as the class and the days are the same.
#[test]
fn a_request_that_was_taken_back_stands_for_the_same_evidence_only() {
    let gone = student("2019-06-28");
    let classes = [class("Planer", "5y")];
    let (named, due) = decide(&classes, &gone, on("2030-01-01")).unwrap();
    let done = Done {
        by: Actor::Person(LEADER),
        on_behalf_of: None,
        at: Timestamp::default(),
    };
    let act = |phase| Erasure {
        target: Target::Person(STUDENT),
        basis: named.basis.clone(),
        reason: named.reason(&due).parse().unwrap(),
        retention: Some(named.term()),
        requested: done,
        phase,
        reads: None,
        left: None,
    };
    let standing = |act: &Erasure, class: &RetentionClass| Standing::of(Some(act), class, &due);
    assert_eq!(Standing::of(None, named, &due), Standing::New);
    let asked = act(Phase::Requested);
    assert_eq!(standing(&asked, named), Standing::Requested);
    let approved = act(Phase::Approved(done));
    assert_eq!(standing(&approved, named), Standing::Approved);
    let withdrawn = act(Phase::Withdrawn(done));
    assert_eq!(standing(&withdrawn, named), Standing::TakenBack);
    for other in [
        class("Planer", "4y"),
        class("Andre planer", "5y"),
        RetentionClass {
            basis: why("En anden afgørelse").unwrap(),
            ..class("Planer", "5y")
        },
    ] {
        assert_eq!(standing(&withdrawn, &other), Standing::New);
    }
}
