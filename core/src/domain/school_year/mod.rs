//! School years.

mod apply;
mod decide;

use std::collections::BTreeSet;

use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

use crate::text::Title;

impl SchoolYear {
    /// The earliest day that a school year may have.
    pub const EARLIEST: Date = date(1990, 1, 1);
    /// The latest day that a school year may have.
    pub const LATEST: Date = date(2100, 12, 31);
}

/// What can be asked of a school year.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchoolYearCommand {
    /// Makes the school year known, or changes it. The first day must not be after the last.
    Define(SchoolYear),
    /// Makes the school year as given, whatever it was before. The first day must not be after the
    /// last. What a person decided stays. For imports.
    Put(SchoolYear),
}

/// What happened to a school year.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchoolYearEvent {
    /// It became known, or changed.
    Defined(SchoolYear),
    /// An import says of these facts what a person decided. From now on the roster decides them.
    LeftToRoster {
        /// The facts.
        facts: BTreeSet<SchoolYearFact>,
    },
}

/// Something that a roster says about a school year, and that a person may decide otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchoolYearFact {
    /// What people call it.
    Title,
    /// Its first day.
    FirstDay,
    /// Its last day.
    LastDay,
}

/// The title and days of a school year.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchoolYear {
    /// What people call it: "2026/27".
    pub title: Title,
    /// Its first day.
    pub first_day: Date,
    /// Its last day.
    pub last_day: Date,
}

/// A school year as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefinedSchoolYear {
    /// Title and days.
    #[serde(flatten)]
    pub year: SchoolYear,
    /// The title and days that the roster gave last, if a person has changed one of them since. An
    /// import that says that one again leaves the present one alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roster_year: Option<Box<SchoolYear>>,
}
