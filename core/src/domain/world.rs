//! What `decide` may look at. It does not know where the states come from.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::Date;

use super::institution::InstitutionFact;
use super::person::PersonFact;
use super::school_year::SchoolYearFact;
use super::team::TeamFact;
use super::{Actor, Aggregate, Event, Refusal};
use crate::ids::{PersonId, PlanId, StreamId, StreamKind, YearPlanId};
use crate::read_error::ReadError;
use crate::time::Timestamp;

/// Everything that is known when a command is decided, as one consistent state.
pub trait World {
    /// The state of a stream; `None` if the stream does not exist.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn aggregate(&self, stream: StreamId) -> Result<Option<Arc<Aggregate>>, ReadError>;

    /// The plan that a student has for a year plan. Withdrawn plans count too.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn plan_of(
        &self,
        student: PersonId,
        year_plan: YearPlanId,
    ) -> Result<Option<PlanId>, ReadError>;

    /// The teams, year plans and plans that a person owns. Some of them may have another owner
    /// meanwhile, so the caller looks at each.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn owned(&self, person: PersonId) -> Result<Vec<StreamId>, ReadError>;

    /// All streams of a kind of which a ledger has few: systems, and grants. Of other kinds the answer
    /// may be empty.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn all(&self, kind: StreamKind) -> Result<Vec<StreamId>, ReadError>;

    /// The calendar day in Copenhagen on which is asked. A departure counts once its last day is
    /// over, so the answer depends on the day. A world has no clock: the present is handed in, and
    /// a state of the past has the day of its instant.
    fn day(&self) -> Date;
}

/// A world without some things, as if they did not exist. So the rules answer a sender about what the
/// sender may not see as about an id that does not exist: see [`crate::access::unseen`].
pub struct Without<'a, W: ?Sized> {
    world: &'a W,
    gone: &'a BTreeSet<StreamId>,
}

impl<'a, W: World + ?Sized> Without<'a, W> {
    /// The world without these.
    pub fn new(world: &'a W, gone: &'a BTreeSet<StreamId>) -> Self {
        Self { world, gone }
    }
}

impl<W: World + ?Sized> World for Without<'_, W> {
    fn aggregate(&self, stream: StreamId) -> Result<Option<Arc<Aggregate>>, ReadError> {
        match self.gone.contains(&stream) {
            true => Ok(None),
            false => self.world.aggregate(stream),
        }
    }

    fn plan_of(
        &self,
        student: PersonId,
        year_plan: YearPlanId,
    ) -> Result<Option<PlanId>, ReadError> {
        let gone = [student.into(), year_plan.into()];
        match gone.iter().any(|stream| self.gone.contains(stream)) {
            true => Ok(None),
            false => self.world.plan_of(student, year_plan),
        }
    }

    fn owned(&self, person: PersonId) -> Result<Vec<StreamId>, ReadError> {
        match self.gone.contains(&person.into()) {
            true => Ok(Vec::new()),
            false => self.world.owned(person),
        }
    }

    fn all(&self, kind: StreamKind) -> Result<Vec<StreamId>, ReadError> {
        let mut all = self.world.all(kind)?;
        all.retain(|stream| !self.gone.contains(stream));
        Ok(all)
    }

    fn day(&self) -> Date {
        self.world.day()
    }
}

/// The actor of a command, and when it is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// The person or system that acts.
    pub actor: Actor,
    /// The person or system for whom the actor acts; `None` if the actor acts for itself.
    pub on_behalf_of: Option<Actor>,
    /// The instant at which the command is decided. Days that the command names are held against it.
    pub at: Timestamp,
}

impl Context {
    /// The context of an actor who acts for itself.
    pub const fn new(actor: Actor, at: Timestamp) -> Self {
        Self {
            actor,
            on_behalf_of: None,
            at,
        }
    }
}

/// What a command leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The stream that gets the events. It is the command's stream, or the stream of a plan that
    /// exists already.
    pub stream: StreamId,
    /// The events, in order. Empty if there is nothing to change.
    pub events: Vec<Event>,
    /// What a command of an import would have changed and left as it is, because a person decided
    /// it. Empty for all other commands.
    pub kept: Vec<RosterFact>,
    /// The links that a command of an import ends: roles at institutions, guardianships, places in
    /// teams. Empty for all other commands.
    pub dropped: Vec<RosterFact>,
}

/// Something that a roster says and a person may decide otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RosterFact {
    /// Something about a person.
    Person(PersonFact),
    /// Something about a team.
    Team(TeamFact),
    /// Something about an institution.
    Institution(InstitutionFact),
    /// Something about a school year.
    SchoolYear(SchoolYearFact),
}

/// Why a command cannot be decided in its favour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The rules refuse the command.
    Refused(Refusal),
    /// Something that the rules ask for cannot be read.
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
    /// Separates what the rules say from errors of reading, for callers that continue after a
    /// refusal.
    ///
    /// # Errors
    /// [`ReadError`] when something could not be read.
    pub(crate) fn verdict<T>(result: Result<T, Self>) -> Result<Result<T, Refusal>, ReadError> {
        match result {
            Ok(found) => Ok(Ok(found)),
            Err(Self::Refused(refusal)) => Ok(Err(refusal)),
            Err(Self::Unread(error)) => Err(error),
        }
    }
}
