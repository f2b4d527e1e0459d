//! Every stream in memory: the smallest thing that commands can be decided on.

use std::collections::BTreeMap;
use std::sync::Arc;

use planledger_core::domain::catalogue::{CatalogueCommand, CatalogueEvent};
use planledger_core::domain::institution::{InstitutionCommand, InstitutionEvent};
use planledger_core::domain::ledger::{LedgerCommand, LedgerEvent};
use planledger_core::domain::person::{PersonCommand, PersonEvent};
use planledger_core::domain::plan::{PlanCommand, PlanEvent};
use planledger_core::domain::recovery::{RecoveryCommand, RecoveryEvent};
use planledger_core::domain::school_year::{SchoolYearCommand, SchoolYearEvent};
use planledger_core::domain::team::{TeamCommand, TeamEvent};
use planledger_core::domain::view::{
    CollectedView, PlanView, Viewer, YearPlanView, collected_view, plan_view, year_plan_view,
};
use planledger_core::domain::world::Context;
use planledger_core::domain::year_plan::{YearPlanCommand, YearPlanEvent};
use planledger_core::domain::{
    Actor, Aggregate, Command, Decision, Event, EventMeta, Lookup, Refusal, Stop, World, decide,
};
use planledger_core::ids::{
    CatalogueId, InstitutionId, LedgerId, PersonId, PlanId, RecoveryId, Revision, SchoolYearId,
    StreamId, TeamId, YearPlanId,
};
use planledger_core::time::Timestamp;

use super::school::SYSTEM;

/// An event with its stream and who did it.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub(crate) stream: StreamId,
    pub(crate) actor: Actor,
    pub(crate) event: Event,
}

impl Fact {
    pub(crate) fn by(self, actor: impl ActsAs) -> Self {
        let actor = actor.actor();
        Self { actor, ..self }
    }
}

/// Who can act: a person, or any actor.
pub(crate) trait ActsAs {
    fn actor(self) -> Actor;
}

impl ActsAs for Actor {
    fn actor(self) -> Actor {
        self
    }
}

impl ActsAs for PersonId {
    fn actor(self) -> Actor {
        Actor::Person(self)
    }
}

/// An event of one kind of stream.
pub(crate) trait IntoEvent {
    fn into_event(self) -> Event;
}

/// A command, or the id that it is about and what is asked of it.
pub(crate) trait IntoCommand {
    fn into_command(self) -> Command;
}

impl IntoCommand for Command {
    fn into_command(self) -> Command {
        self
    }
}

macro_rules! kinds {
    ($($kind:ident: $id:ident, $command:ident, $event:ident;)*) => {$(
        impl IntoEvent for $event {
            fn into_event(self) -> Event {
                Event::$kind(self)
            }
        }

        impl From<($id, $event)> for Fact {
            fn from((id, event): ($id, $event)) -> Self {
                Fact { stream: id.into(), actor: SYSTEM, event: Event::$kind(event) }
            }
        }

        impl IntoCommand for ($id, $command) {
            fn into_command(self) -> Command {
                Command::$kind(self.0, self.1)
            }
        }
    )*};
}

kinds! {
    Institution: InstitutionId, InstitutionCommand, InstitutionEvent;
    SchoolYear: SchoolYearId, SchoolYearCommand, SchoolYearEvent;
    Person: PersonId, PersonCommand, PersonEvent;
    Team: TeamId, TeamCommand, TeamEvent;
    YearPlan: YearPlanId, YearPlanCommand, YearPlanEvent;
    Plan: PlanId, PlanCommand, PlanEvent;
    Catalogue: CatalogueId, CatalogueCommand, CatalogueEvent;
    Ledger: LedgerId, LedgerCommand, LedgerEvent;
    Recovery: RecoveryId, RecoveryCommand, RecoveryEvent;
}

/// An event as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) meta: EventMeta,
    pub(crate) event: Event,
}

/// Every stream's state, and all events that led to it.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    streams: BTreeMap<StreamId, (Revision, Arc<Aggregate>)>,
    recorded: Vec<Recorded>,
}

impl Memory {
    /// What these events lead to.
    pub(crate) fn of(facts: impl IntoIterator<Item = Fact>) -> Self {
        let mut memory = Self::default();
        for fact in facts {
            memory.record(fact);
        }
        memory
    }

    /// When the event with this number, from 1, is recorded.
    pub(crate) fn instant(number: usize) -> Timestamp {
        Timestamp::from_nanos(1_790_000_000_000_000_000).plus(1_000_000_000 * number as u64)
    }

    pub(crate) fn record(&mut self, fact: Fact) {
        let revision = self.streams.get(&fact.stream);
        let revision = revision.map_or(Revision::ZERO, |(revision, _)| *revision);
        let meta = EventMeta {
            stream: fact.stream,
            revision: revision.next(),
            recorded_at: Self::instant(self.recorded.len() + 1),
            actor: fact.actor,
        };
        self.fold(meta, fact.event);
    }

    /// Folds in an event that was recorded elsewhere.
    pub(crate) fn fold(&mut self, meta: EventMeta, event: Event) {
        let before = self.streams.remove(&meta.stream);
        let mut state = before.map(|(_, state)| Arc::unwrap_or_clone(state));
        Aggregate::apply(&mut state, &meta, &event);
        let state = state.expect("a stream begins with the event that creates it");
        self.streams
            .insert(meta.stream, (meta.revision, Arc::new(state)));
        self.recorded.push(Recorded { meta, event });
    }

    pub(crate) fn decide(
        &self,
        actor: impl ActsAs,
        command: &Command,
    ) -> Result<Decision, Refusal> {
        self.decide_in(&actor.actor().into(), command)
    }

    fn decide_in(&self, context: &Context, command: &Command) -> Result<Decision, Refusal> {
        match decide(self, context, command) {
            Ok(decision) => Ok(decision),
            Err(Stop::Refused(refusal)) => Err(refusal),
            Err(Stop::Needs(missing)) => panic!("everything is in memory, but {missing:?}"),
        }
    }

    /// Decides a command and records what comes of it.
    pub(crate) fn execute(
        &mut self,
        actor: impl ActsAs,
        command: &Command,
    ) -> Result<Decision, Refusal> {
        self.execute_in(&actor.actor().into(), command)
    }

    /// The same for somebody who may act for somebody else.
    pub(crate) fn execute_in(
        &mut self,
        context: &Context,
        command: &Command,
    ) -> Result<Decision, Refusal> {
        let decision = self.decide_in(context, command)?;
        for event in &decision.events {
            self.record(Fact {
                stream: decision.stream,
                actor: context.actor,
                event: event.clone(),
            });
        }
        Ok(decision)
    }

    /// Carries out a command that nothing speaks against.
    #[track_caller]
    pub(crate) fn does(&mut self, actor: impl ActsAs, command: impl IntoCommand) {
        let command = command.into_command();
        if let Err(refusal) = self.execute(actor, &command) {
            panic!("{command:?}: {refusal}");
        }
    }

    /// All events, in order.
    pub(crate) fn recorded(&self) -> &[Recorded] {
        &self.recorded
    }

    /// What a stream has become.
    pub(crate) fn state(&self, stream: impl Into<StreamId>) -> Option<&Aggregate> {
        self.streams.get(&stream.into()).map(|(_, state)| &**state)
    }

    pub(crate) fn streams(&self) -> impl Iterator<Item = StreamId> {
        self.streams.keys().copied()
    }

    /// All plans, in the order of their ids.
    pub(crate) fn plans(&self) -> Vec<PlanId> {
        let plans = self.streams.iter();
        let plans = plans.filter(|(_, (_, state))| matches!(**state, Aggregate::Plan(_)));
        plans
            .map(|(stream, _)| PlanId::from_uuid(stream.id))
            .collect()
    }

    pub(crate) fn view(&self, plan: PlanId, viewer: Viewer) -> Option<PlanView> {
        plan_view(self, plan, viewer).unwrap()
    }

    pub(crate) fn collected(&self, student: PersonId, viewer: Viewer) -> Option<CollectedView> {
        let mut plans = self.plans();
        plans.retain(|plan| match self.state(*plan) {
            Some(Aggregate::Plan(found)) => found.student == student,
            _ => false,
        });
        collected_view(self, student, &plans, viewer).unwrap()
    }

    pub(crate) fn year_plan(&self, id: YearPlanId, viewer: Viewer) -> Option<YearPlanView> {
        year_plan_view(self, id, viewer).unwrap()
    }
}

impl World for Memory {
    fn aggregate(&self, stream: StreamId) -> Lookup<Arc<Aggregate>> {
        match self.streams.get(&stream) {
            Some((_, state)) => Lookup::Found(state.clone()),
            None => Lookup::Absent,
        }
    }

    fn plan_of(&self, student: PersonId, year_plan: YearPlanId) -> Lookup<PlanId> {
        let is_it = |plan: &PlanId| match self.state(*plan) {
            Some(Aggregate::Plan(plan)) => (plan.student, plan.year_plan) == (student, year_plan),
            _ => false,
        };
        match self.plans().into_iter().find(is_it) {
            Some(plan) => Lookup::Found(plan),
            None => Lookup::Absent,
        }
    }
}
