use super::{SchoolYear, SchoolYearCommand, SchoolYearEvent};
use crate::domain::refusing::refuse;
use crate::domain::rule_context::RuleContext;
use crate::domain::{Aggregate, Field, Reason, Refusal, Stop};
use crate::ids::SchoolYearId;

impl SchoolYearCommand {
    pub(in crate::domain) fn decide(
        &self,
        ask: &RuleContext<'_>,
        id: SchoolYearId,
    ) -> Result<Vec<SchoolYearEvent>, Stop> {
        match self {
            Self::Define(SchoolYear {
                first_day,
                last_day,
                ..
            }) if first_day > last_day => {
                let message =
                    format!("the first day, {first_day}, is after the last day, {last_day}");
                refuse(Refusal::new(Reason::DatesReversed, message).field(Field::DetailsLastDay))
            }
            Self::Define(year) => match ask.load(id)?.as_deref() {
                Some(Aggregate::SchoolYear(now)) if now == year => Ok(Vec::new()),
                _ => Ok(vec![SchoolYearEvent::Defined(year.clone())]),
            },
        }
    }
}
