//! Previews: what commands would do, one after another, without doing it. A preview asks the same
//! rules that the writer asks, and records nothing.

mod leaving;

use std::collections::HashMap;
use std::sync::Arc;

pub use self::leaving::ForeseenLeaver;

use super::stream_fold::StreamFold;
use super::{Envelope, Ledger, ReadError, Reading};
use crate::derived::Head;
use crate::domain::person::{PersonCommand, PersonEvent};
use crate::domain::world::Context;
use crate::domain::{
    Actor, Aggregate, Command, Event, EventMeta, EventType, Refusal, RosterFact, Stop, Without,
    World, decide,
};
use crate::ids::{PersonId, PlanId, Revision, StreamId, StreamKind, YearPlanId};
use crate::time::Timestamp;

/// Most streams that the commands of one preview may change. What they would become stays in memory
/// for as long as the preview lasts.
pub(super) const MOST_STREAMS: usize = 500_000;

/// What commands would do to a ledger. Each command is decided against the present state, and what
/// the commands before it would change. Nothing is recorded.
///
/// A preview does not look at command ids. A command that was carried out before is decided again.
/// It does not look at the size of commits either.
pub struct Preview {
    ledger: Ledger,
    overlay: Overlay,
}

/// What a command would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreseen {
    /// The stream that would change. It is the command's stream, or the stream of a plan that
    /// exists already.
    pub stream: StreamId,
    /// Whether the stream does not exist yet.
    pub creates: bool,
    /// The types of the events that would be recorded, in order. Empty if nothing would change.
    pub events: Vec<EventType>,
    /// Whether the name of a person would change.
    pub renames: bool,
    /// How many links the command speaks for now: guardianships that have not ended for
    /// [`PersonCommand::PutGuardians`], roles at institutions for other commands about a person,
    /// members and staff for a team. A share of what would end needs this number.
    pub links: u64,
    /// What a command of an import would leave as it is, because a person decided it.
    pub kept: Vec<RosterFact>,
    /// The links that a command of an import would end.
    pub dropped: Vec<RosterFact>,
}

/// Why a preview does not say what a command would do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PreviewError {
    /// The rules would refuse the command.
    #[error("{0}")]
    Refused(Refusal),
    /// The stream would not have the revision that the command expects.
    #[error("stream {stream} would be at revision {actual}, and not at {expected}")]
    Conflict {
        /// The stream.
        stream: StreamId,
        /// The revision that the command expects.
        expected: Revision,
        /// The revision that the stream would have.
        actual: Revision,
    },
    /// The commands would change more streams than a preview remembers.
    #[error("the commands of this preview would change more than {MOST_STREAMS} streams")]
    TooLarge,
    /// Something that the rules ask for cannot be read.
    #[error(transparent)]
    Unread(#[from] ReadError),
}

impl From<Stop> for PreviewError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Refused(refusal) => Self::Refused(refusal),
            Stop::Unread(error) => Self::Unread(error),
        }
    }
}

impl Preview {
    /// A preview of commands for a ledger. So far no command has been looked at.
    pub fn new(ledger: Ledger) -> Self {
        let overlay = Overlay::default();
        Self { ledger, overlay }
    }

    /// Says what a command would do after the commands before it. A command that would be refused
    /// has no effect on the commands after it.
    ///
    /// # Errors
    /// [`PreviewError`] with the reason that the writer would give.
    pub fn next(&mut self, actor: Actor, envelope: &Envelope) -> Result<Foreseen, PreviewError> {
        let at = self.ledger.now();
        let overlay = &self.overlay;
        let (tried, _) = self.ledger.read(|reading| {
            let over = Over { reading, overlay };
            over.attempt(actor, envelope, at)
        })?;
        if let Some(change) = tried.change {
            self.overlay.put(tried.foreseen.stream, change)?;
        }
        Ok(tried.foreseen)
    }
}

/// What the commands so far would change. It grows with the streams that would change, and not with
/// the commands that change nothing.
#[derive(Default)]
struct Overlay {
    changed: HashMap<StreamId, (Arc<Aggregate>, Revision)>,
    /// Which plan a student has for a year plan, where the commands would change that.
    moved: HashMap<(PersonId, YearPlanId), Option<PlanId>>,
}

/// How a stream would change.
struct Change {
    was: Option<Arc<Aggregate>>,
    now: Arc<Aggregate>,
    revision: Revision,
}

struct Tried {
    foreseen: Foreseen,
    change: Option<Change>,
}

impl Overlay {
    fn put(&mut self, stream: StreamId, change: Change) -> Result<(), PreviewError> {
        if self.changed.len() >= MOST_STREAMS && !self.changed.contains_key(&stream) {
            return Err(PreviewError::TooLarge);
        }
        let Change { was, now, revision } = change;
        if let Some(Aggregate::Plan(was)) = was.as_deref() {
            self.moved.insert((was.student, was.year_plan), None);
        }
        if let Aggregate::Plan(now) = &*now {
            let plan = PlanId::from_uuid(stream.id);
            self.moved.insert((now.student, now.year_plan), Some(plan));
        }
        self.changed.insert(stream, (now, revision));
        Ok(())
    }
}

/// The present state with the changes of an overlay.
struct Over<'a, 'r> {
    reading: &'a Reading<'r>,
    overlay: &'a Overlay,
}

impl Over<'_, '_> {
    fn stream(&self, id: StreamId) -> Result<(Option<Arc<Aggregate>>, Revision), ReadError> {
        if let Some((state, revision)) = self.overlay.changed.get(&id) {
            return Ok((Some(state.clone()), *revision));
        }
        Ok(match self.reading.stream(id)? {
            Some((state, revision)) => (Some(state), revision),
            None => (None, Revision::default()),
        })
    }

    fn attempt(
        &self,
        actor: Actor,
        envelope: &Envelope,
        at: Timestamp,
    ) -> Result<Tried, PreviewError> {
        let on_behalf_of = envelope.on_behalf_of;
        if let Some(expected) = envelope.expected_revision {
            let stream = envelope.command.stream();
            let (_, actual) = self.stream(stream)?;
            if actual != expected {
                return Err(PreviewError::Conflict {
                    stream,
                    expected,
                    actual,
                });
            }
        }
        let context = Context {
            actor,
            on_behalf_of,
            at,
        };
        let world = Without::new(self, &envelope.unseen);
        let decision = decide(&world, &context, &envelope.command)?;
        let stream = decision.stream;
        let (was, revision) = self.stream(stream)?;
        let foreseen = Foreseen {
            stream,
            creates: was.is_none(),
            events: decision.events.iter().map(Event::event_type).collect(),
            renames: decision.events.iter().any(is_new_name),
            links: was
                .as_deref()
                .map_or(0, |was| links(was, &envelope.command)),
            kept: decision.kept,
            dropped: decision.dropped,
        };
        let mut fold = StreamFold::at(stream, Head::default(), was.clone());
        let mut revision = revision;
        for event in &decision.events {
            revision = revision.next();
            let meta = EventMeta {
                stream,
                revision,
                recorded_at: at,
                actor,
                on_behalf_of,
            };
            fold.apply(&meta, Some(event));
        }
        let is_changed = !decision.events.is_empty();
        let now = fold.into_state().filter(|_| is_changed);
        let change = now.map(|now| Change { was, now, revision });
        Ok(Tried { foreseen, change })
    }
}

impl World for Over<'_, '_> {
    fn aggregate(&self, stream: StreamId) -> Result<Option<Arc<Aggregate>>, ReadError> {
        Ok(self.stream(stream)?.0)
    }

    fn plan_of(
        &self,
        student: PersonId,
        year_plan: YearPlanId,
    ) -> Result<Option<PlanId>, ReadError> {
        match self.overlay.moved.get(&(student, year_plan)) {
            Some(plan) => Ok(*plan),
            None => self.reading.plan_of(student, year_plan),
        }
    }

    fn owned(&self, person: PersonId) -> Result<Vec<StreamId>, ReadError> {
        let mut owned = self.reading.owned(person)?;
        let changed = self.overlay.changed.iter();
        let taken_over = changed.filter(|(_, (state, _))| state.owner() == Some(person));
        owned.extend(taken_over.map(|(stream, _)| *stream));
        Ok(owned)
    }

    fn all(&self, kind: StreamKind) -> Result<Vec<StreamId>, ReadError> {
        let mut all = self.reading.all(kind)?;
        let changed = self.overlay.changed.keys();
        all.extend(changed.filter(|stream| stream.kind == kind));
        Ok(all)
    }

    fn day(&self) -> jiff::civil::Date {
        self.reading.day()
    }
}

fn is_new_name(event: &Event) -> bool {
    matches!(event, Event::Person(PersonEvent::Renamed { .. }))
}

fn links(state: &Aggregate, command: &Command) -> u64 {
    let number = match (state, command) {
        (
            Aggregate::Person(person),
            Command::Person(
                _,
                PersonCommand::PutGuardians {
                    last_day_of_others: day,
                    ..
                }
                | PersonCommand::PutSomeGuardians {
                    last_day_of_others: day,
                    ..
                },
            ),
        ) => {
            let last_days = person.guardians.values();
            let holds = |last_day: &&Option<_>| last_day.is_none_or(|last| last > *day);
            last_days.filter(holds).count()
        }
        // It speaks for no link.
        (
            Aggregate::Person(_),
            Command::Person(
                _,
                PersonCommand::PutSomeProfiles { .. } | PersonCommand::PutGone { .. },
            ),
        ) => 0,
        (Aggregate::Person(person), _) => person.affiliations.len(),
        (Aggregate::Team(team), _) => team.members.len() + team.staff.len(),
        _ => 0,
    };
    number as u64
}
