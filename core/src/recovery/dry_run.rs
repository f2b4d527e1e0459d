//! Tries steps out on a state and records nothing. The dry run asks the same rules that the writer
//! asks.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::civil::Date;
use uuid::Uuid;

use crate::derived::Head;
use crate::domain::recovery::Step;
use crate::domain::world::Context;
use crate::domain::{Actor, Aggregate, EventMeta, Stop, Without, World, decide};
use crate::ids::{PersonId, PlanId, Revision, StreamId, StreamKind, SystemId, YearPlanId};
use crate::ledger::stream_fold::StreamFold;
use crate::ledger::{ReadError, Reading};
use crate::time::Timestamp;

/// A state as it was read, with the changes of the steps that were tried so far.
pub(super) struct DryRun<'a, 'r> {
    reading: &'a Reading<'r>,
    gone: &'a BTreeSet<StreamId>,
    changed: HashMap<StreamId, Arc<Aggregate>>,
    /// Which plan a student has for a year plan, where the tried steps changed that.
    moved: HashMap<(PersonId, YearPlanId), Option<PlanId>>,
}

impl<'a, 'r> DryRun<'a, 'r> {
    /// Tries on the state as if some people and things did not exist.
    pub(super) fn without(reading: &'a Reading<'r>, gone: &'a BTreeSet<StreamId>) -> Self {
        Self {
            reading,
            gone,
            changed: HashMap::new(),
            moved: HashMap::new(),
        }
    }

    /// Tries one step, on top of the steps before it.
    ///
    /// # Errors
    /// [`Stop`], with the reason that the writer would give.
    pub(super) fn attempt(&mut self, step: &Step) -> Result<(), Stop> {
        // No rule about a step depends on the actor, and no step names a day. Of the instant the
        // rules look at the day: an owner may have left.
        let actor = Actor::System(SystemId::from_uuid(Uuid::nil()));
        let at = Timestamp::last_of_day_in_denmark(self.day());
        let decision = decide(self, &Context::new(actor, at), &step.command(None))?;
        let stream = decision.stream;
        let was = self.aggregate(stream)?;
        let mut folded = StreamFold::at(stream, Head::default(), was.clone());
        let meta = EventMeta {
            stream,
            revision: Revision::default(),
            recorded_at: Timestamp::default(),
            actor,
            on_behalf_of: None,
        };
        for event in &decision.events {
            folded.apply(&meta, Some(event));
        }
        let now = folded.state();
        if let (Some(Aggregate::Plan(was)), Some(Aggregate::Plan(now))) =
            (was.as_deref(), now.map(|state| &**state))
        {
            self.moved.insert((was.student, was.year_plan), None);
            let plan = PlanId::from_uuid(stream.id);
            self.moved.insert((now.student, now.year_plan), Some(plan));
        }
        if let Some(state) = now {
            self.changed.insert(stream, state.clone());
        }
        Ok(())
    }
}

impl World for DryRun<'_, '_> {
    fn aggregate(&self, stream: StreamId) -> Result<Option<Arc<Aggregate>>, ReadError> {
        match self.changed.get(&stream) {
            Some(state) => Ok(Some(state.clone())),
            None => Without::new(self.reading, self.gone).aggregate(stream),
        }
    }

    fn plan_of(
        &self,
        student: PersonId,
        year_plan: YearPlanId,
    ) -> Result<Option<PlanId>, ReadError> {
        match self.moved.get(&(student, year_plan)) {
            Some(plan) => Ok(*plan),
            None => self.reading.plan_of(student, year_plan),
        }
    }

    fn owned(&self, person: PersonId) -> Result<Vec<StreamId>, ReadError> {
        let mut owned = self.reading.owned(person)?;
        let changed = self.changed.iter();
        let taken_over = changed.filter(|(_, state)| state.owner() == Some(person));
        owned.extend(taken_over.map(|(stream, _)| *stream));
        Ok(owned)
    }

    fn all(&self, kind: StreamKind) -> Result<Vec<StreamId>, ReadError> {
        // A recovery makes no such stream.
        self.reading.all(kind)
    }

    fn day(&self) -> Date {
        self.reading.day()
    }
}
