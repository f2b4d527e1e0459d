//! Classes of what is kept, and what is held back from them.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::rule::Due;
use super::student::Student;
use crate::domain::erasure::{Keep, RetentionTerm, Start};
use crate::ids::{InstitutionId, PersonId, SchoolYearId};
use crate::text::{ReasonText, Title};

impl Start {
    /// The day for a student who left on a day.
    pub(super) fn day(self, left: Date, student: &Student) -> Date {
        let last_year = student.school_years.values().flatten().max().copied();
        match self {
            Self::Departure => left,
            Self::LastSchoolYear => last_year.unwrap_or(left),
            Self::Later => last_year.map_or(left, |day| day.max(left)),
        }
    }
}

/// What is kept of students for how long, and on which basis it is erased then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetentionClass {
    /// What it is called. No other class that is used together with it has the same name.
    pub name: Title,
    /// From which day on the time counts.
    pub start: Start,
    /// How long what is held on a student is kept.
    pub keep: Keep,
    /// The basis that goes into the requests: the law, or what the municipality decided. It names
    /// nobody.
    pub basis: ReasonText,
    /// Students of these institutions; of all if there is none.
    pub institutions: BTreeSet<InstitutionId>,
    /// What is held back although the time is over.
    pub holds: Vec<Hold>,
}

/// Students who are held back although the time is over, such as those whose plans an archive takes
/// over first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Why. It names nobody.
    pub why: ReasonText,
    /// These students.
    pub students: BTreeSet<PersonId>,
    /// Students who have or had a place or a plan at one of these institutions.
    pub institutions: BTreeSet<InstitutionId>,
    /// Students who have a plan of one of these school years.
    pub school_years: BTreeSet<SchoolYearId>,
    /// The last day of the hold; `None` if it has no end.
    pub until: Option<Date>,
}

impl RetentionClass {
    /// The most classes that are used together.
    pub const MOST: usize = 20;
    /// The most holds of a class.
    pub const MOST_HOLDS: usize = 50;
    /// The most institutions of a class, and the most of each kind that a hold names.
    pub const MOST_ITEMS: usize = 1_000;
    /// How the reason of every request begins that follows from a class.
    pub const REASON: &str = "Retention class";

    /// Its time.
    pub const fn term(&self) -> RetentionTerm {
        RetentionTerm {
            start: self.start,
            keep: self.keep,
        }
    }

    /// Whether the class is about a student.
    pub fn covers(&self, student: &Student) -> bool {
        self.institutions.is_empty() || !self.institutions.is_disjoint(&student.institutions)
    }

    /// The reason that goes into a request: the class and the days that decide. The same student gets
    /// the same words as long as neither has changed.
    pub fn reason(&self, due: &Due) -> String {
        format!(
            "{} \"{}\": kept for {}, from {} until {}",
            Self::REASON,
            self.name,
            self.keep,
            due.from,
            due.until
        )
    }
}

impl Hold {
    /// Whether the hold is about a student on a day. One that names nothing is about everybody.
    pub(super) fn covers(&self, student: &Student, day: Date) -> bool {
        if self.until.is_some_and(|until| until < day) {
            return false;
        }
        let everybody = self.students.is_empty()
            && self.institutions.is_empty()
            && self.school_years.is_empty();
        let mut years = student.school_years.keys();
        everybody
            || self.students.contains(&student.id)
            || !self.institutions.is_disjoint(&student.institutions)
            || years.any(|year| self.school_years.contains(year))
    }
}
