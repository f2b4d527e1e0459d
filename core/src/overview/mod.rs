//! The leader's overview: how many students have a plan, how far the plans have come, and which
//! required plans are missing, as of the end of any day.
//!
//! The counts are updated with every event that is folded; nobody scans the plans. For each student
//! there is a [`Standing`]: the student's institutions, teams and plans. The standing alone decides
//! what a student adds to the [`Cell`]s of those institutions and teams (see [`contributions`]).
//! When a standing changes, the cells lose what the old standing added and get what the new one
//! adds. A report adds up one or two cells for each institution or team.

mod cell;
mod day;
mod mask;
mod report;
mod rules;
mod standing;
mod ties;

pub use self::cell::{Cell, CellKey, Counts, Coverage};
pub(crate) use self::day::Calendar;
pub use self::day::{Day, Month};
pub use self::mask::{Shown, mask};
pub(crate) use self::report::Source;
pub use self::report::{By, Column, Due, OverviewQuery, Report, Row, RowKey};
pub use self::rules::{DueRule, DueRules, FaultyRules, Requirement, RuleFault, Subjects};
pub(crate) use self::standing::places;
pub(crate) use self::standing::{PlanCircumstances, Touched, contributions_to, evaluated};
pub use self::standing::{PlanFacts, Standing, contributions};
pub use self::ties::Ties;
