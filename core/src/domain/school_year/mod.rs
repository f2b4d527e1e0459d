//! School years.

mod apply;
mod decide;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::text::Title;

/// What can be asked of a school year.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchoolYearCommand {
    /// Makes the school year known, or changes it. The first day must not be after the last.
    Define(SchoolYear),
}

/// What happened to a school year.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchoolYearEvent {
    /// It became known, or changed.
    Defined(SchoolYear),
}

/// A school year as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchoolYear {
    /// What people call it: "2026/27".
    pub title: Title,
    /// Its first day.
    pub first_day: Date,
    /// Its last day.
    pub last_day: Date,
}
