//! Trying steps out on a state without recording anything: the dry run asks the same rules as the
//! writer does.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::domain::recovery::Step;
use crate::domain::world::Context;
use crate::domain::{Actor, Aggregate, EventMeta, Lookup, Missing, Refusal, Stop, World, decide};
use crate::ids::{PersonId, PlanId, Revision, StreamId, SystemId, YearPlanId};
use crate::ledger::Reading;
use crate::time::Timestamp;

/// A state, and what the steps before would have made of it.
pub(super) struct Trial<'a, 'r> {
    reading: &'a Reading<'r>,
    changed: HashMap<StreamId, Arc<Aggregate>>,
    /// Plans that hang elsewhere by now.
    moved: HashMap<(PersonId, YearPlanId), Option<PlanId>>,
}

impl<'a, 'r> Trial<'a, 'r> {
    pub(super) fn new(reading: &'a Reading<'r>) -> Self {
        Self {
            reading,
            changed: HashMap::new(),
            moved: HashMap::new(),
        }
    }

    /// Does a step, or says why it would be refused.
    pub(super) fn attempt(&mut self, step: &Step) -> Result<Result<(), Refusal>, Missing> {
        // No rule of a step looks at who acts.
        let actor = Actor::System(SystemId::from_uuid(Uuid::nil()));
        let decision = match decide(self, &Context::from(actor), &step.command(None)) {
            Ok(decision) => decision,
            Err(Stop::Refused(refusal)) => return Ok(Err(refusal)),
            Err(Stop::Needs(missing)) => return Err(missing),
        };
        let stream = decision.stream;
        let was = match self.aggregate(stream) {
            Lookup::Found(state) => Some(state),
            Lookup::Absent => None,
            Lookup::NotLoaded => return Err(Missing::Stream(stream)),
        };
        let mut state = was.as_deref().cloned();
        let meta = EventMeta {
            stream,
            revision: Revision::default(),
            recorded_at: Timestamp::default(),
            actor,
        };
        for event in &decision.events {
            Aggregate::apply(&mut state, &meta, event);
        }
        if let (Some(Aggregate::Plan(was)), Some(Aggregate::Plan(now))) = (was.as_deref(), &state) {
            self.moved.insert((was.student, was.year_plan), None);
            let plan = PlanId::from_uuid(stream.id);
            self.moved.insert((now.student, now.year_plan), Some(plan));
        }
        if let Some(state) = state {
            self.changed.insert(stream, Arc::new(state));
        }
        Ok(Ok(()))
    }
}

impl World for Trial<'_, '_> {
    fn aggregate(&self, stream: StreamId) -> Lookup<Arc<Aggregate>> {
        match self.changed.get(&stream) {
            Some(state) => Lookup::Found(state.clone()),
            None => self.reading.aggregate(stream),
        }
    }

    fn plan_of(&self, student: PersonId, year_plan: YearPlanId) -> Lookup<PlanId> {
        match self.moved.get(&(student, year_plan)) {
            Some(Some(plan)) => Lookup::Found(*plan),
            Some(None) => Lookup::Absent,
            None => self.reading.plan_of(student, year_plan),
        }
    }
}
