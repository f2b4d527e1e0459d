use std::collections::BTreeSet;

use planledger_core::domain::school_year::{
    DefinedSchoolYear, SchoolYear, SchoolYearCommand, SchoolYearEvent, SchoolYearFact,
};
use planledger_core::domain::{Aggregate, Reason, RosterFact};

use crate::domain::harness::{Given, given, refusals};
use planledger_fixtures::school::*;

#[test]
fn a_school_year_is_defined_and_redefined_when_it_changes() {
    let year = school_year();
    let mut longer = year.clone();
    longer.first_day = day(7, 1);
    given(vec![])
        .when(SYSTEM, (YEAR, SchoolYearCommand::Define(year.clone())))
        .then([SchoolYearEvent::Defined(year.clone())])
        .when(SYSTEM, (YEAR, SchoolYearCommand::Define(year)))
        .then_nothing()
        .when(SYSTEM, (YEAR, SchoolYearCommand::Define(longer.clone())))
        .then([SchoolYearEvent::Defined(longer)]);
}

#[test]
fn a_school_year_may_be_one_day_long() {
    let mut year = school_year();
    year.last_day = year.first_day;
    given(vec![])
        .when(SYSTEM, (YEAR, SchoolYearCommand::Define(year.clone())))
        .then([SchoolYearEvent::Defined(year)]);
}

fn put(year: &SchoolYear) -> SchoolYearCommand {
    SchoolYearCommand::Put(year.clone())
}

fn defined(year: &SchoolYear) -> SchoolYearEvent {
    SchoolYearEvent::Defined(year.clone())
}

fn left<const N: usize>(facts: [SchoolYearFact; N]) -> SchoolYearEvent {
    SchoolYearEvent::LeftToRoster {
        facts: facts.into(),
    }
}

fn kept<const N: usize>(facts: [SchoolYearFact; N]) -> [RosterFact; N] {
    facts.map(RosterFact::SchoolYear)
}

fn state(given: &Given) -> &DefinedSchoolYear {
    match given.state(YEAR) {
        Aggregate::SchoolYear(year) => year,
        other => panic!("{other:?}"),
    }
}

const NO_EVENTS: [SchoolYearEvent; 0] = [];

/// A leader has given the year that a roster brought another title and another first day.
fn corrected() -> (Given, SchoolYear) {
    let year = SchoolYear {
        title: title("Skoleåret 2026/27"),
        first_day: day(8, 12),
        ..school_year()
    };
    let given = given(vec![])
        .when(SYSTEM, (YEAR, put(&school_year())))
        .then([defined(&school_year())])
        .when(SYSTEM, (YEAR, put(&school_year())))
        .then(NO_EVENTS)
        .when(LEADER, (YEAR, SchoolYearCommand::Define(year.clone())))
        .then([defined(&year)]);
    (given, year)
}

#[test]
fn a_title_and_a_day_that_a_leader_gave_stay_until_the_roster_says_new_ones() {
    use SchoolYearFact::{FirstDay, Title};
    let (given, by_hand) = corrected();
    let stays = given
        .when(SYSTEM, (YEAR, put(&school_year())))
        .then_keeping(kept([Title, FirstDay]), NO_EVENTS)
        .when(LEADER, (YEAR, put(&school_year())))
        .then_keeping(kept([Title, FirstDay]), NO_EVENTS);
    let decided = BTreeSet::from([Title, FirstDay]);
    assert_eq!(state(&stays).decided_by_hand(), decided);

    // Another day is new, and follows the roster.
    let longer = |of: SchoolYear| SchoolYear {
        last_day: school_year().last_day.yesterday().unwrap(),
        ..of
    };
    let follows = stays
        .when(SYSTEM, (YEAR, put(&longer(school_year()))))
        .then_keeping(kept([Title, FirstDay]), [defined(&longer(by_hand.clone()))]);
    // The roster gives a new title, and says the same first day as before.
    let retitled = SchoolYear {
        title: title("26/27"),
        ..longer(school_year())
    };
    let shown = SchoolYear {
        first_day: by_hand.first_day,
        ..retitled.clone()
    };
    follows
        .when(SYSTEM, (YEAR, put(&retitled)))
        .then_keeping(kept([FirstDay]), [defined(&shown)]);
}

#[test]
fn once_the_roster_has_said_what_a_leader_gave_it_decides_again() {
    use SchoolYearFact::{FirstDay, Title};
    let (given, by_hand) = corrected();
    let left = given
        .when(SYSTEM, (YEAR, put(&by_hand)))
        .then([left([Title, FirstDay])]);
    assert_eq!(state(&left).roster_year, None);
    left.when(SYSTEM, (YEAR, put(&school_year())))
        .then([defined(&school_year())]);
}

#[test]
fn an_import_that_a_person_runs_is_the_rosters_word() {
    let longer = SchoolYear {
        last_day: school_year().last_day.yesterday().unwrap(),
        ..school_year()
    };
    given(vec![])
        .when(LEADER, (YEAR, put(&school_year())))
        .then([defined(&school_year())])
        .when(LEADER, (YEAR, put(&longer)))
        .then([defined(&longer), left([SchoolYearFact::LastDay])])
        .when(SYSTEM, (YEAR, put(&school_year())))
        .then([defined(&school_year())]);
}

#[test]
fn days_of_a_person_and_of_the_roster_that_do_not_fit_stay_as_they_are() {
    use SchoolYearFact::{FirstDay, LastDay};
    let late = SchoolYear {
        first_day: day(12, 1),
        ..school_year()
    };
    // The roster's new last day is before the first day that the leader gave.
    let short = SchoolYear {
        title: title("26"),
        last_day: day(11, 30),
        ..school_year()
    };
    let retitled = SchoolYear {
        title: title("26"),
        ..late.clone()
    };
    given(vec![])
        .when(SYSTEM, (YEAR, put(&school_year())))
        .then([defined(&school_year())])
        .when(LEADER, (YEAR, SchoolYearCommand::Define(late.clone())))
        .then([defined(&late)])
        .when(SYSTEM, (YEAR, put(&short)))
        .then_keeping(kept([FirstDay, LastDay]), [defined(&retitled)])
        .when(SYSTEM, (YEAR, put(&short)))
        .then_keeping(kept([FirstDay, LastDay]), NO_EVENTS);
}

#[test]
fn the_rest_is_refused() {
    assert!(!refusals().is_empty());
}

pub(crate) fn refusals() -> Vec<Reason> {
    let mut year = school_year();
    (year.first_day, year.last_day) = (year.last_day, year.first_day);
    refusals! {
        given(vec![]), SYSTEM, (YEAR, SchoolYearCommand::Define(year.clone()))
            => DatesReversed at DetailsLastDay;
        given(vec![]), SYSTEM, (YEAR, SchoolYearCommand::Put(year))
            => DatesReversed at DetailsLastDay;
    }
}
