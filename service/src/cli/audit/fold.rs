//! Folds a server's events into states on this machine.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Display;
use std::sync::Arc;

use jiff::civil::Date;
use planledger_core::domain::plan::Audience;
use planledger_core::domain::view::{PlanView, Viewer, YearPlanView, plan_view, year_plan_view};
use planledger_core::domain::{Aggregate, Event, EventMeta, World};
use planledger_core::ids::{
    InstitutionId, PersonId, PlanId, Revision, StreamId, StreamKind, YearPlanId,
};
use planledger_core::ledger::{ReadError, StreamFold};

use super::super::error::CliError;
use crate::system::today;

/// The states of streams, folded from their events.
#[derive(Default)]
pub(super) struct Folded {
    pub(super) streams: HashMap<StreamId, (Arc<Aggregate>, Revision)>,
    plans: BTreeMap<(PersonId, YearPlanId), PlanId>,
    pub(super) events: u64,
    /// The day of the event that was folded in last.
    last_day: Date,
    pub(super) unreadable: u64,
    /// How many events have a revision that their stream already had (forks).
    pub(super) forked: u64,
}

/// Everybody whose view of a plan is compared.
pub(super) const VIEWERS: [Viewer; 4] = [
    Viewer::Staff,
    Viewer::Audience(Audience::Student),
    Viewer::Audience(Audience::Guardians),
    Viewer::Audience(Audience::Others),
];

fn unread(what: impl Display) -> CliError {
    CliError::Refused(format!(
        "{what} cannot be worked out from the events that were read"
    ))
}

/// The states as they are seen on a day: a departure counts once its last day is over.
struct On<'a> {
    folded: &'a Folded,
    day: Date,
}

impl World for On<'_> {
    fn aggregate(&self, stream: StreamId) -> Result<Option<Arc<Aggregate>>, ReadError> {
        let streams = &self.folded.streams;
        Ok(streams.get(&stream).map(|(state, _)| state.clone()))
    }

    fn plan_of(
        &self,
        student: PersonId,
        year_plan: YearPlanId,
    ) -> Result<Option<PlanId>, ReadError> {
        Ok(self.folded.plans.get(&(student, year_plan)).copied())
    }

    fn owned(&self, person: PersonId) -> Result<Vec<StreamId>, ReadError> {
        let streams = self.folded.streams.iter();
        let owned = streams.filter(|(_, (state, _))| state.owner() == Some(person));
        Ok(owned.map(|(stream, _)| *stream).collect())
    }

    fn all(&self, kind: StreamKind) -> Result<Vec<StreamId>, ReadError> {
        let streams = self.folded.streams.keys();
        Ok(streams
            .filter(|stream| stream.kind == kind)
            .copied()
            .collect())
    }

    fn day(&self) -> Date {
        self.day
    }
}

impl Folded {
    /// Gives a stream's state and revision to `look`, if the stream exists.
    pub(super) fn look<T>(
        &self,
        stream: StreamId,
        look: impl FnOnce(Revision, &Aggregate) -> Option<T>,
    ) -> Option<T> {
        let (state, revision) = self.streams.get(&stream)?;
        look(*revision, state)
    }

    /// Gives a year plan, as staff see it, to `show`, if the year plan exists.
    pub(super) fn year_plan<T>(
        &self,
        id: YearPlanId,
        show: impl FnOnce(Revision, &YearPlanView) -> T,
    ) -> Result<Option<T>, CliError> {
        let stream = StreamId::from(id);
        let shown =
            year_plan_view(&self.on(today()), id, Viewer::Staff).map_err(|_| unread(stream))?;
        let revision = self.revision(stream);
        Ok(shown.map(|shown| show(revision, &shown)))
    }

    fn on(&self, day: Date) -> On<'_> {
        On { folded: self, day }
    }

    /// The day for which a server answers about the position of the last event.
    pub(super) fn last_day(&self) -> Date {
        self.last_day
    }

    /// Gives a plan, as a viewer sees it on a day, to `show`, if the viewer may see the plan.
    pub(super) fn plan<T>(
        &self,
        id: PlanId,
        viewer: Viewer,
        day: Date,
        show: impl FnOnce(Revision, &PlanView) -> T,
    ) -> Result<Option<T>, CliError> {
        let stream = StreamId::from(id);
        let shown = plan_view(&self.on(day), id, viewer);
        let shown = shown.map_err(|_| unread(format_args!("plan {id}")))?;
        let revision = self.revision(stream);
        Ok(shown.map(|view| show(revision, &view)))
    }

    /// A stream's revision; 0 if the stream does not exist.
    fn revision(&self, stream: StreamId) -> Revision {
        let found = self.streams.get(&stream);
        found.map(|(_, revision)| *revision).unwrap_or_default()
    }

    /// The persons and teams of each institution.
    pub(super) fn by_institution(&self) -> HashMap<InstitutionId, HashSet<StreamId>> {
        let mut all: HashMap<_, HashSet<StreamId>> = HashMap::new();
        for (stream, (state, _)) in &self.streams {
            match &**state {
                Aggregate::Person(person) => {
                    for at in &person.affiliations {
                        all.entry(at.institution).or_default().insert(*stream);
                    }
                }
                Aggregate::Team(team) => {
                    let at = team.details.institution;
                    all.entry(at).or_default().insert(*stream);
                }
                _ => {}
            }
        }
        all
    }

    /// The plans that are attached to each year plan.
    pub(super) fn by_year_plan(&self) -> HashMap<YearPlanId, HashSet<String>> {
        let mut all: HashMap<_, HashSet<String>> = HashMap::new();
        for (stream, (state, _)) in &self.streams {
            if let Aggregate::Plan(plan) = &**state {
                let plans = all.entry(plan.year_plan).or_default();
                plans.insert(stream.id.to_string());
            }
        }
        all
    }

    /// Applies the next event of a stream. `read` returns the event's content, or nothing if the
    /// content can no longer be read. The answer is `None` if an event is missing between this one
    /// and the last one of the stream.
    pub(super) fn take<E>(
        &mut self,
        stream: StreamId,
        revision: Revision,
        read: impl FnOnce() -> Result<Option<(EventMeta, Event)>, E>,
    ) -> Result<Option<()>, E> {
        let before = self.streams.remove(&stream);
        let last = before.as_ref().map_or(0, |(_, revision)| revision.get());
        // An earlier version of the program may have continued a stream from an older state. The
        // server counts such events too, and reports them in its status. A missing event is a
        // different fault.
        if revision.get() > last + 1 || revision.get() == 0 {
            return Ok(None);
        }
        self.forked += u64::from(revision.get() <= last);
        let state = before.map(|(state, _)| state);
        let mut fold = StreamFold::resumed(stream, Revision::new(last), state);
        match read()? {
            Some((meta, event)) => {
                self.last_day = meta.recorded_at.day_in_denmark();
                fold.apply(&meta, Some(&event));
            }
            None => self.unreadable += 1,
        }
        self.events += 1;
        if let Some(state) = fold.into_state() {
            if let Aggregate::Plan(plan) = &*state {
                let id = PlanId::from_uuid(stream.id);
                self.plans.insert((plan.student, plan.year_plan), id);
            }
            let revision = revision.max(Revision::new(last));
            self.streams.insert(stream, (state, revision));
        }
        Ok(Some(()))
    }
}
