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
        match state {
            Some(state) => state.change(meta, event),
            None => *state = Self::created(meta, event),
        }
    }

    /// The state that an event makes where there is none; `None` if it makes none.
    pub(crate) fn created(meta: &EventMeta, event: &Event) -> Option<Self> {
        match event {
            Event::Institution(event) => Institution::created(event).map(Self::Institution),
            Event::SchoolYear(event) => DefinedSchoolYear::created(event).map(Self::SchoolYear),
            Event::Person(event) => Person::created(event).map(Self::Person),
            Event::Team(event) => Team::created(event).map(Self::Team),
            Event::YearPlan(event) => YearPlan::created(event).map(Self::YearPlan),
            Event::Plan(event) => Plan::created(meta, event).map(Self::Plan),
            Event::Catalogue(event) => Catalogue::created(event).map(Self::Catalogue),
            Event::Ledger(event) => Some(Self::Ledger(LedgerState::created(event))),
            Event::Recovery(event) => Recovery::created(meta, event).map(Self::Recovery),
            Event::RosterSource(event) => RosterSource::created(event).map(Self::RosterSource),
            Event::System(event) => System::created(meta, event).map(Self::System),
            Event::Grants(event) => Grants::created(meta, event).map(Self::Grants),
            Event::Erasure(event) => Erasure::created(meta, event).map(Self::Erasure),
        }
    }

    /// Folds an event into this state. An event that does not fit changes nothing.
    pub(crate) fn change(&mut self, meta: &EventMeta, event: &Event) {
        match (self, event) {
            (Self::Institution(state), Event::Institution(event)) => state.apply(meta, event),
            (Self::SchoolYear(state), Event::SchoolYear(event)) => state.apply(meta, event),
            (Self::Person(state), Event::Person(event)) => state.apply(meta, event),
            (Self::Team(state), Event::Team(event)) => state.apply(meta, event),
            (Self::YearPlan(state), Event::YearPlan(event)) => state.apply(meta, event),
            (Self::Plan(state), Event::Plan(event)) => state.apply(meta, event),
            (Self::Catalogue(state), Event::Catalogue(event)) => state.apply(event),
            (Self::Ledger(state), Event::Ledger(event)) => state.apply(event),
            (Self::Recovery(state), Event::Recovery(event)) => state.apply(event),
            (Self::RosterSource(state), Event::RosterSource(event)) => state.apply(event),
            (Self::System(state), Event::System(event)) => state.apply(meta, event),
            (Self::Grants(state), Event::Grants(event)) => state.apply(meta, event),
            (Self::Erasure(state), Event::Erasure(event)) => state.apply(meta, event),
            // The event is of another kind than its stream. No writer makes such an event.
            (
                _,
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
