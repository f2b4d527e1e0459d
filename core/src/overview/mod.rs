//! The leader's overview: how many students have a plan, how far the plans have come, and what is
//! due but missing, as of the end of any day.
//!
//! It is counted as events are folded in, not by scanning. Of each student there is a [`Standing`]:
//! where they go to school, which teams they are in and what their plans come to. What a standing
//! adds to the [`Cell`]s of its institutions and teams follows from it alone
//! ([`contributions`]), so a change is what it adds from now on less what it added before. Reading
//! adds up a cell or two for each institution or team.

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
