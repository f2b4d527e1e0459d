use super::{DefinedSchoolYear, SchoolYear, SchoolYearCommand, SchoolYearEvent, SchoolYearFact};
use crate::domain::refusing::refuse;
use crate::domain::roster::{Decided, Import};
use crate::domain::rule_context::RuleContext;
use crate::domain::{Aggregate, Field, Reason, Refusal, Stop};
use crate::ids::SchoolYearId;

impl SchoolYearCommand {
    pub(in crate::domain) fn decide(
        &self,
        ask: &RuleContext<'_>,
        id: SchoolYearId,
    ) -> Result<Decided<SchoolYearEvent, SchoolYearFact>, Stop> {
        let (Self::Define(year) | Self::Put(year)) = self;
        let (first_day, last_day) = (year.first_day, year.last_day);
        if first_day > last_day {
            let message = format!("the first day, {first_day}, is after the last day, {last_day}");
            return refuse(
                Refusal::new(Reason::DatesReversed, message).field(Field::DetailsLastDay),
            );
        }
        let state = ask.load(id)?;
        let now = match state.as_deref() {
            Some(Aggregate::SchoolYear(now)) => Some(now),
            _ => None,
        };
        match self {
            Self::Define(year) if now.is_some_and(|now| now.year == *year) => Ok(Vec::new().into()),
            Self::Define(year) => Ok(vec![SchoolYearEvent::Defined(year.clone())].into()),
            Self::Put(year) => Ok(put(ask, now, year)),
        }
    }
}

fn put(
    ask: &RuleContext<'_>,
    now: Option<&DefinedSchoolYear>,
    wanted: &SchoolYear,
) -> Decided<SchoolYearEvent, SchoolYearFact> {
    let mut import = Import::new(ask);
    let Some(now) = now else {
        import.record(SchoolYearEvent::Defined(wanted.clone()));
        return import.finish(|facts| SchoolYearEvent::LeftToRoster { facts });
    };
    let said = now.roster_year.as_deref();
    let same = |fact| fact;
    // One day may be the roster's and the other a person's. If they do not fit, both stay.
    let mut tried = Import::<SchoolYearEvent, _>::new(ask);
    let mixed = tried.values(&now.year, said, wanted, |_| true, same);
    let days_stay = mixed.is_some_and(|mixed| mixed.first_day > mixed.last_day);
    let is_day = |part| match part {
        SchoolYearFact::Title => false,
        SchoolYearFact::FirstDay | SchoolYearFact::LastDay => true,
    };
    let speaks_of = |part| !(days_stay && is_day(part));
    if let Some(next) = import.values(&now.year, said, wanted, speaks_of, same) {
        import.record(SchoolYearEvent::Defined(next));
    }
    if days_stay {
        import.keep(SchoolYearFact::FirstDay);
        import.keep(SchoolYearFact::LastDay);
    }
    import.finish(|facts| SchoolYearEvent::LeftToRoster { facts })
}
