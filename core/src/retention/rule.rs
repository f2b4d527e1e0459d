//! Who is due: pure, total, and without a clock of its own.

use std::fmt;

use jiff::civil::Date;

use super::class::RetentionClass;
use super::student::Student;
use crate::domain::erasure::{Erasure, Phase, RetentionTerm};

/// Since when a student is due, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The day from which the time counts.
    pub from: Date,
    /// The last day on which what is held on the student had to be kept.
    pub until: Date,
    /// The first day on which the student is due: the day after.
    pub since: Date,
}

/// Why somebody is not due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotDue {
    /// The person has a plan of a school year that is not over, or of one whose last day is not known.
    RunningYear,
    /// The person has not left, is back, or has a last day that is still to come.
    StillHere,
    /// The person is or was something else than a student: staff, a guardian, an owner, somebody with
    /// grants.
    NotOnlyStudent,
    /// No plan, place or team says that the person is or was a student.
    NoStudent,
    /// No class is about the person.
    NoClass,
    /// A class holds the person back.
    Held,
    /// A class that is about the person keeps them still.
    Kept,
}

/// In a sentence about the student.
impl fmt::Display for NotDue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RunningYear => {
                "there is a plan of a school year that is not over, or whose last day is not known"
            }
            Self::StillHere => "the student has not left, or is back",
            Self::NotOnlyStudent => {
                "the person is or was something else too: staff, a guardian, an owner, somebody with grants"
            }
            Self::NoStudent => "nothing says that the person is or was a student",
            Self::NoClass => "no class is about the student",
            Self::Held => "a class holds the student back",
            Self::Kept => "the time is not over",
        })
    }
}

/// Whether a student is due on a day in Copenhagen, and by which class. A student of several classes is
/// due when all of them say so; the one that keeps longest is named, the first of several.
///
/// # Errors
/// Why the student is not due.
pub fn decide<'c>(
    classes: &'c [RetentionClass],
    student: &Student,
    day: Date,
) -> Result<(&'c RetentionClass, Due), NotDue> {
    let left = gone(student, day)?;
    let mut longest: Option<(&RetentionClass, Due)> = None;
    for class in classes.iter().filter(|class| class.covers(student)) {
        let due = of_class(class, student, left, day)?;
        if longest.is_none_or(|(_, other)| other.since < due.since) {
            longest = Some((class, due));
        }
    }
    longest.ok_or(NotDue::NoClass)
}

/// Whether a student is due on a day in Copenhagen by the time of one class. Whom the class is about and
/// whom it holds back is not looked at.
///
/// # Errors
/// Why the student is not due.
pub fn decide_by_term(term: RetentionTerm, student: &Student, day: Date) -> Result<Due, NotDue> {
    of_term(term, student, gone(student, day)?, day)
}

/// The last day of somebody who was a student and nothing else, and of whom no school year is running.
fn gone(student: &Student, day: Date) -> Result<Date, NotDue> {
    let left = student.left.filter(|left| *left < day);
    let left = left.ok_or(NotDue::StillHere)?;
    if !student.is_student {
        return Err(NotDue::NoStudent);
    }
    if student.is_more {
        return Err(NotDue::NotOnlyStudent);
    }
    let mut years = student.school_years.values();
    match years.any(|last| last.is_none_or(|last| last >= day)) {
        true => Err(NotDue::RunningYear),
        false => Ok(left),
    }
}

fn of_term(term: RetentionTerm, student: &Student, left: Date, day: Date) -> Result<Due, NotDue> {
    let from = term.start.day(left, student);
    // A term that does not end within the calendar does not end.
    let until = term.keep.end(from).ok_or(NotDue::Kept)?;
    let since = until.tomorrow().map_err(|_| NotDue::Kept)?;
    match since > day {
        true => Err(NotDue::Kept),
        false => Ok(Due { from, until, since }),
    }
}

fn of_class(
    class: &RetentionClass,
    student: &Student,
    left: Date,
    day: Date,
) -> Result<Due, NotDue> {
    let due = of_term(class.term(), student, left, day)?;
    match class.holds.iter().any(|hold| hold.covers(student, day)) {
        true => Err(NotDue::Held),
        false => Ok(due),
    }
}

/// How far the erasure of somebody who is due has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has asked for it, or somebody took back a request that had another basis or reason.
    New,
    /// It is asked for.
    Requested,
    /// It is approved.
    Approved,
    /// It was asked for on the same basis and for the same reason, and somebody took that back.
    TakenBack,
}

impl Standing {
    /// How far the erasure of somebody has come that would be asked for by a class.
    pub fn of(act: Option<&Erasure>, class: &RetentionClass, due: &Due) -> Self {
        let Some(act) = act else {
            return Self::New;
        };
        match act.phase {
            Phase::Requested => Self::Requested,
            Phase::Approved(_) | Phase::CarriedOut { .. } => Self::Approved,
            Phase::Withdrawn(_) => {
                let same_reason = act.reason.as_str() == class.reason(due);
                match act.basis == class.basis && same_reason {
                    true => Self::TakenBack,
                    false => Self::New,
                }
            }
        }
    }
}
