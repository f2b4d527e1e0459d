use planledger_core::domain::Reason;
use planledger_core::domain::school_year::{SchoolYearCommand, SchoolYearEvent};

use crate::domain::harness::{given, refusals};
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

#[test]
fn the_rest_is_refused() {
    assert!(!refusals().is_empty());
}

pub(crate) fn refusals() -> Vec<Reason> {
    let mut year = school_year();
    (year.first_day, year.last_day) = (year.last_day, year.first_day);
    refusals! {
        given(vec![]), SYSTEM, (YEAR, SchoolYearCommand::Define(year))
            => DatesReversed at DetailsLastDay;
    }
}
