//! What `decide` may look at, without doing I/O.

use std::sync::Arc;

use super::{Actor, Aggregate, Event, Refusal};
use crate::ids::{PersonId, PlanId, StreamId, YearPlanId};

/// The answer of a [`World`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<T> {
    /// It is there.
    Found(T),
    /// It does not exist.
    Absent,
    /// Whether it exists is not in memory; the caller loads it and asks again.
    NotLoaded,
}

/// What has to be loaded before a command can be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Missing {
    /// The state of a stream.
    Stream(StreamId),
    /// Which plan a student has for a year plan.
    PlanOf(PersonId, YearPlanId),
    /// A list of streams.
    List,
}

/// Everything that is known when a command is decided, one consistent state.
pub trait World {
    /// The state of a stream.
    fn aggregate(&self, stream: StreamId) -> Lookup<Arc<Aggregate>>;

    /// The plan that a student has for a year plan, withdrawn ones included.
    fn plan_of(&self, student: PersonId, year_plan: YearPlanId) -> Lookup<PlanId>;
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// Who acts.
    pub actor: Actor,
    /// For whom, if for somebody else.
    pub on_behalf_of: Option<Actor>,
}

impl From<Actor> for Context {
    /// Somebody who acts for themselves.
    fn from(actor: Actor) -> Self {
        Self {
            actor,
            on_behalf_of: None,
        }
    }
}

/// What a command leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The stream the events belong to: the command's, or the plan that was there already.
    pub stream: StreamId,
    /// The events, in order. None if there is nothing to change.
    pub events: Vec<Event>,
}

/// Why there is no decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The rules say no.
    Refused(Refusal),
    /// Something has to be loaded first.
    Needs(Missing),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
