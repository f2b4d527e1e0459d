//! What `decide` may look at, without knowing where it comes from.

use std::sync::Arc;

use super::{Actor, Aggregate, Event, Refusal};
use crate::ids::{PersonId, PlanId, StreamId, YearPlanId};
use crate::read_error::ReadError;

/// Everything that is known when a command is decided, one consistent state.
pub trait World {
    /// The state of a stream; `None` if it is not there.
    ///
    /// # Errors
    /// When it does not read.
    fn aggregate(&self, stream: StreamId) -> Result<Option<Arc<Aggregate>>, ReadError>;

    /// The plan that a student has for a year plan, withdrawn ones included.
    ///
    /// # Errors
    /// When it does not read.
    fn plan_of(
        &self,
        student: PersonId,
        year_plan: YearPlanId,
    ) -> Result<Option<PlanId>, ReadError>;
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
    /// What the rules ask about does not read.
    Unread(ReadError),
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Self::Unread(error)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Stop {
    /// Tells what the rules say, for whoever goes on after a refusal, from what does not read.
    ///
    /// # Errors
    /// [`ReadError`] when something did not read.
    pub(crate) fn verdict<T>(result: Result<T, Self>) -> Result<Result<T, Refusal>, ReadError> {
        match result {
            Ok(found) => Ok(Ok(found)),
            Err(Self::Refused(refusal)) => Ok(Err(refusal)),
            Err(Self::Unread(error)) => Err(error),
        }
    }
}
