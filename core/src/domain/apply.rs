//! Folding events into state.

use super::catalogue::Catalogue;
use super::erasure::Erasure;
use super::grants::Grants;
use super::institution::Institution;
use super::ledger::LedgerState;
use super::person::Person;
use super::plan::Plan;
use super::recovery::Recovery;
use super::roster_source::RosterSource;
use super::school_year::DefinedSchoolYear;
use super::system::System;
use super::team::Team;
use super::year_plan::YearPlan;
use super::{Aggregate, Event, EventMeta};

impl Aggregate {
    /// Folds an event into a state. Never fails: a creating event makes a state where there is
    /// none, and an event that does not fit the state changes nothing. [`super::decide()`] never
    /// leads to an event that does not fit.
    pub fn apply(state: &mut Option<Self>, meta: &EventMeta, event: &Event) {
        match (&mut *state, event) {
            (None, Event::Institution(event)) => {
                *state = Institution::created(event).map(Self::Institution);
            }
            (Some(Self::Institution(state)), Event::Institution(event)) => state.apply(meta, event),
            (None, Event::SchoolYear(event)) => {
                *state = DefinedSchoolYear::created(event).map(Self::SchoolYear);
            }
            (Some(Self::SchoolYear(state)), Event::SchoolYear(event)) => state.apply(meta, event),
            (None, Event::Person(event)) => *state = Person::created(event).map(Self::Person),
            (Some(Self::Person(state)), Event::Person(event)) => state.apply(meta, event),
            (None, Event::Team(event)) => *state = Team::created(event).map(Self::Team),
            (Some(Self::Team(state)), Event::Team(event)) => state.apply(meta, event),
            (None, Event::YearPlan(event)) => {
                *state = YearPlan::created(event).map(Self::YearPlan);
            }
            (Some(Self::YearPlan(state)), Event::YearPlan(event)) => state.apply(meta, event),
            (None, Event::Plan(event)) => *state = Plan::created(meta, event).map(Self::Plan),
            (Some(Self::Plan(state)), Event::Plan(event)) => state.apply(meta, event),
            (None, Event::Catalogue(event)) => {
                *state = Catalogue::created(event).map(Self::Catalogue);
            }
            (Some(Self::Catalogue(state)), Event::Catalogue(event)) => state.apply(event),
            (None, Event::Ledger(event)) => {
                *state = Some(Self::Ledger(LedgerState::created(event)));
            }
            (Some(Self::Ledger(state)), Event::Ledger(event)) => state.apply(event),
            (None, Event::Recovery(event)) => {
                *state = Recovery::created(meta, event).map(Self::Recovery);
            }
            (Some(Self::Recovery(state)), Event::Recovery(event)) => state.apply(event),
            (None, Event::RosterSource(event)) => {
                *state = RosterSource::created(event).map(Self::RosterSource);
            }
            (Some(Self::RosterSource(state)), Event::RosterSource(event)) => state.apply(event),
            (None, Event::System(event)) => *state = System::created(meta, event).map(Self::System),
            (Some(Self::System(state)), Event::System(event)) => state.apply(meta, event),
            (None, Event::Grants(event)) => {
                *state = Grants::created(meta, event).map(Self::Grants);
            }
            (Some(Self::Grants(state)), Event::Grants(event)) => state.apply(meta, event),
            (None, Event::Erasure(event)) => {
                *state = Erasure::created(meta, event).map(Self::Erasure);
            }
            (Some(Self::Erasure(state)), Event::Erasure(event)) => state.apply(meta, event),
            // The event is of another kind than its stream. No writer makes such an event.
            (
                Some(_),
                Event::Institution(_)
                | Event::SchoolYear(_)
                | Event::Person(_)
                | Event::Team(_)
                | Event::YearPlan(_)
                | Event::Plan(_)
                | Event::Catalogue(_)
                | Event::Ledger(_)
                | Event::Recovery(_)
                | Event::RosterSource(_)
                | Event::System(_)
                | Event::Grants(_)
                | Event::Erasure(_),
            ) => {}
        }
    }
}
