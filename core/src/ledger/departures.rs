//! Counts coming departures when their last day is over. Derived state must not depend on a clock, so
//! this happens when the first event of a later day is folded in. The change counts on the day after
//! the last day: no event lies between, so the counts of that day can still change.

use std::sync::Arc;

use jiff::civil::Date;

use super::fold::Fold;
use crate::derived::{StoreError, Term};
use crate::domain::person::Person;
use crate::domain::{Aggregate, World};
use crate::ids::{PersonId, StreamId};
use crate::overview::{Day, places};

impl Fold {
    /// Lists a person whose departure is noted and coming, or removes the person from the list.
    pub(super) fn note_departure(
        &mut self,
        id: StreamId,
        was: Option<&Aggregate>,
        now: &Aggregate,
    ) -> Result<(), StoreError> {
        let Aggregate::Person(now) = now else {
            return Ok(());
        };
        let before = match was {
            Some(Aggregate::Person(was)) => was.departed.as_ref(),
            _ => None,
        };
        if before == now.departed.as_ref() {
            return Ok(());
        }
        let coming = now.leaving_on(self.day()).is_some();
        self.post(Term::Leaving, id, coming)
    }

    /// Counts every departure whose last day is over, before an event is counted.
    pub(super) fn count_departures(&mut self) -> Result<(), StoreError> {
        let today = self.calendar.day(self.cursor.recorded_at);
        if self.departures_until.is_some_and(|until| until >= today) {
            return Ok(());
        }
        let day = self.day();
        let mut due = Vec::new();
        for stream in self.list(Term::Leaving)?.iter() {
            if let Some(doc) = self.stream(*stream)?
                && let Aggregate::Person(person) = &*doc.state
                && let Some(last) = person.departed.as_ref().and_then(|departure| departure.on)
                && last < day
            {
                due.push((last, *stream, doc.state.clone()));
            }
        }
        due.sort_by_key(|(last, stream, _)| (*last, *stream));
        for (last, stream, state) in due {
            self.post(Term::Leaving, stream, false)?;
            if let (Aggregate::Person(person), Ok(first)) = (&*state, last.tomorrow()) {
                self.counting_on = Some(Day::from(first));
                let counted = self.count_departed(PersonId::from_uuid(stream.id), person, first);
                self.counting_on = None;
                counted?;
            }
        }
        self.departures_until = Some(today);
        Ok(())
    }

    /// Counts a person, and the plans of which the person is the owner, as on a day.
    fn count_departed(
        &mut self,
        id: PersonId,
        person: &Person,
        day: Date,
    ) -> Result<(), StoreError> {
        let known = self.standing(id)?;
        let now = places(person, day);
        if known.places != now {
            self.update_standing_from(id, &Arc::clone(&known), |standing| standing.places = now)?;
        }
        self.count_owner(id, person, day)
    }
}
