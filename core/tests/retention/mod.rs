//! Who is due for erasure by retention classes, and who never is.

mod ledger;
mod random;
mod rule;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use planledger_core::ids::SchoolYearId;
use planledger_core::retention::{RetentionClass, Start, Student};
use planledger_fixtures::school::{SCHOOL, STUDENT, YEAR, title, why};

fn on(day: &str) -> Date {
    day.parse().unwrap()
}

/// A student who left the school on a day, with a plan of one year that was over before.
fn student(left: &str) -> Student {
    Student {
        id: STUDENT,
        left: Some(on(left)),
        is_student: true,
        is_more: false,
        institutions: BTreeSet::from([SCHOOL]),
        school_years: BTreeMap::from([(YEAR, Some(on("2018-06-29")))]),
    }
}

fn class(name: &str, keep: &str) -> RetentionClass {
    RetentionClass {
        name: title(name),
        start: Start::Later,
        keep: keep.parse().unwrap(),
        basis: why("Afgørelse").unwrap(),
        institutions: BTreeSet::new(),
        holds: Vec::new(),
    }
}

const OTHER_YEAR: SchoolYearId = SchoolYearId::from_bytes([0x22; 16]);
