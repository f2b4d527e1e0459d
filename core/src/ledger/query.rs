//! Reads the present and the past. Each read sees one consistent state.

use std::cell::Cell;
use std::sync::Arc;

use jiff::civil::Date;

use super::history::stored;
use super::past::stream_doc;
use super::{Ledger, ReadError};
use crate::access::Facts;
use crate::derived::{Doc, DocKey, StoreError, StreamDoc, Term, first_plan};
use crate::domain::{Aggregate, World};
use crate::ids::{
    InstitutionId, PersonId, PlanId, Position, Revision, RosterSourceId, StreamId, StreamKind,
    YearPlanId,
};
use crate::text::SourceName;
use crate::time::Timestamp;

/// How often a read of the present is tried. After that the read uses the position at which it
/// began.
const TRIES: usize = 3;

/// What one read sees: every stream as it was at one position.
pub struct Reading<'a> {
    pub(super) ledger: &'a Ledger,
    position: Position,
    from: Source,
    day: Date,
    newest: Cell<Position>,
    /// Whether something was asked for that is not in memory.
    missed: Cell<bool>,
}

/// Where a read gets states from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The present, from memory or from disk.
    Present,
    /// The present, as far as it is in memory.
    Memory,
    /// The state at a position of the past.
    Past,
}

impl Ledger {
    /// Reads the present. `read` may be called more than once; in the call that counts it sees one
    /// consistent state.
    ///
    /// # Errors
    /// The error that `read` returns.
    pub fn read<T, E: From<ReadError>>(
        &self,
        read: impl Fn(&Reading<'_>) -> Result<T, E>,
    ) -> Result<(T, Position), E> {
        let day = self.now().day_in_denmark();
        for _ in 0..TRIES {
            let reading = self.reading(self.position(), Source::Present, day);
            let result = read(&reading);
            // If something newer was published during the read, its parts may not fit together.
            if reading.newest.get() <= reading.position {
                return Ok((result?, reading.position));
            }
        }
        self.read_on(self.position(), Some(day), read)
    }

    /// Reads the present if everything that `read` asks for is in memory, so that it can be called where
    /// nothing may wait for a disk. `None` if something is not, or if it changes all the time: then
    /// [`Ledger::read`] gives the answer. Only streams and lists may be asked for.
    ///
    /// # Errors
    /// The error that `read` returns.
    pub fn read_in_memory<T, E: From<ReadError>>(
        &self,
        read: impl Fn(&Reading<'_>) -> Result<T, E>,
    ) -> Result<Option<(T, Position)>, E> {
        let day = self.now().day_in_denmark();
        for _ in 0..TRIES {
            let reading = self.reading(self.position(), Source::Memory, day);
            let result = read(&reading);
            // What was said then followed from a state that is not known.
            if reading.missed.get() {
                return Ok(None);
            }
            if reading.newest.get() <= reading.position {
                return Ok(Some((result?, reading.position)));
            }
        }
        Ok(None)
    }

    /// Reads the state at a position. The answer stays the same for ever (P4). What depends on the
    /// day is answered for the day of the event at the position.
    ///
    /// # Errors
    /// [`ReadError::NotThere`] if the position is after the last durable one, and the
    /// errors that `read` returns.
    pub fn read_at<T, E: From<ReadError>>(
        &self,
        position: Position,
        read: impl Fn(&Reading<'_>) -> Result<T, E>,
    ) -> Result<(T, Position), E> {
        self.read_on(position, None, read)
    }

    /// Reads the state at a position, as on a day in Copenhagen. Use it when the position was found
    /// from an instant: days may have passed since the event at the position.
    ///
    /// # Errors
    /// As for [`Ledger::read_at`].
    pub fn read_on<T, E: From<ReadError>>(
        &self,
        position: Position,
        day: Option<Date>,
        read: impl Fn(&Reading<'_>) -> Result<T, E>,
    ) -> Result<(T, Position), E> {
        let tail = self.position();
        if position > tail {
            let asked = position;
            return Err(ReadError::NotThere { asked, tail }.into());
        }
        let day = match day {
            Some(day) => day,
            None => self.day_at(position)?,
        };
        Ok((read(&self.reading(position, Source::Past, day))?, position))
    }

    /// The day in Copenhagen of the event at a position.
    pub(super) fn day_at(&self, position: Position) -> Result<Date, ReadError> {
        if position == Position::ZERO {
            return Ok(Timestamp::default().day_in_denmark());
        }
        let (_, entry) = stored(self.log(), position)?;
        Ok(entry.recorded_at.day_in_denmark())
    }

    fn reading(&self, position: Position, from: Source, day: Date) -> Reading<'_> {
        Reading {
            ledger: self,
            position,
            from,
            day,
            newest: Cell::new(Position::ZERO),
            missed: Cell::new(false),
        }
    }
}

impl Reading<'_> {
    /// The position that this read sees.
    pub fn position(&self) -> Position {
        self.position
    }

    /// A stream's state and revision; `None` if the stream does not exist at this position.
    ///
    /// # Errors
    /// [`ReadError`] when the stream cannot be read.
    pub fn stream<S>(&self, id: S) -> Result<Option<(Arc<Aggregate>, Revision)>, ReadError>
    where
        S: Into<StreamId>,
    {
        let doc = self.doc(id.into())?;
        Ok(doc.map(|doc| (doc.state.clone(), doc.head.revision)))
    }

    /// The instant of a stream's last event; `None` if the stream does not exist at this position.
    ///
    /// # Errors
    /// [`ReadError`] when the stream cannot be read.
    pub fn last_activity(&self, id: StreamId) -> Result<Option<Timestamp>, ReadError> {
        let Some(doc) = self.doc(id)? else {
            return Ok(None);
        };
        let (_, entry) = stored(self.ledger.log(), doc.head.position)?;
        Ok(Some(entry.recorded_at))
    }

    fn doc(&self, id: StreamId) -> Result<Option<Arc<StreamDoc>>, ReadError> {
        let doc = match self.from {
            Source::Past => self.ledger.at(id, self.position)?,
            Source::Present => self.ledger.present(id)?,
            Source::Memory => stream_doc(self.in_memory(&DocKey::Stream(id))?)?,
        };
        let position = doc.as_ref().map(|doc| doc.head.position);
        let newest = position.unwrap_or_default().max(self.newest.get());
        self.newest.set(newest);
        Ok(doc)
    }

    /// A document, if it is in memory.
    fn in_memory(&self, key: &DocKey) -> Result<Doc, ReadError> {
        let found = self.ledger.inner.docs().in_memory(key);
        found.ok_or_else(|| {
            self.missed.set(true);
            // Nobody is told of it: the whole read is done in another way.
            ReadError::Closed
        })
    }

    /// The streams that a term finds now, in order of their ids. A read of the past also gets the
    /// streams that are found now, so the caller must look at each to see whether it belonged there
    /// then.
    ///
    /// # Errors
    /// [`ReadError`] when derived state cannot be read.
    pub fn find(&self, term: Term) -> Result<Arc<Vec<StreamId>>, ReadError> {
        let (inner, key) = (&self.ledger.inner, DocKey::Postings(term));
        let found = match self.from {
            Source::Past | Source::Present => inner.derived(|docs| docs.get(&key))?,
            Source::Memory => self.in_memory(&key)?,
        };
        match found {
            Doc::Postings(list) => Ok(list),
            Doc::Absent => Ok(Arc::default()),
            _ => Err(StoreError::Malformed("a list").into()),
        }
    }

    /// At most `limit` persons, teams or year plans of an institution, beginning after the id
    /// `after`.
    ///
    /// # Errors
    /// [`ReadError`] when derived state cannot be read.
    pub fn find_in_institution(
        &self,
        institution: InstitutionId,
        kind: StreamKind,
        after: Option<StreamId>,
        limit: usize,
    ) -> Result<Vec<StreamId>, ReadError> {
        let term = |part| Term::InstitutionPart(institution, kind, part);
        self.find_in_parts(term, after, limit)
    }

    /// At most `limit` persons who look as if they had left an institution, beginning after the id
    /// `after`: those of whom [`Term::AskedAbout`] tells.
    ///
    /// # Errors
    /// [`ReadError`] when derived state cannot be read.
    pub fn find_asked_about(
        &self,
        institution: InstitutionId,
        after: Option<PersonId>,
        limit: usize,
    ) -> Result<Vec<StreamId>, ReadError> {
        let term = |part| Term::AskedAbout(institution, part);
        self.find_in_parts(term, after.map(StreamId::from), limit)
    }

    /// At most `limit` persons whose departure is noted, beginning after the id `after`.
    ///
    /// # Errors
    /// [`ReadError`] when derived state cannot be read.
    pub fn find_departed(
        &self,
        after: Option<PersonId>,
        limit: usize,
    ) -> Result<Vec<StreamId>, ReadError> {
        self.find_in_parts(Term::Departed, after.map(StreamId::from), limit)
    }

    fn find_in_parts(
        &self,
        term: impl Fn(u8) -> Term,
        after: Option<StreamId>,
        limit: usize,
    ) -> Result<Vec<StreamId>, ReadError> {
        let first = after.and_then(|after| after.id.as_bytes().first().copied());
        let mut found = Vec::new();
        for part in first.unwrap_or(0)..=u8::MAX {
            let list = self.find(term(part))?;
            let wanted = list
                .iter()
                .filter(|stream| after.is_none_or(|after| **stream > after));
            found.extend(wanted.take(limit - found.len()));
            if found.len() == limit {
                break;
            }
        }
        Ok(found)
    }

    /// Every person or team that a source may have brought, in order of their ids, with all others of the
    /// ledger's institutions. The caller must look at each to see whether the source has brought it.
    ///
    /// # Errors
    /// [`ReadError`] when derived state cannot be read.
    pub fn find_of_source(
        &self,
        source: &SourceName,
        kind: StreamKind,
    ) -> Result<Vec<StreamId>, ReadError> {
        let source = RosterSourceId::named(source);
        let without_place = |part| Term::WithoutPlace(source, part);
        let mut found = match kind {
            StreamKind::Person => self.find_in_parts(without_place, None, usize::MAX)?,
            _ => Vec::new(),
        };
        for institution in self.find(Term::All(StreamKind::Institution))?.iter() {
            let institution = InstitutionId::from_uuid(institution.id);
            found.extend(self.find_in_institution(institution, kind, None, usize::MAX)?);
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// The student's plans that exist at this position, in the order in which they were opened.
    ///
    /// # Errors
    /// [`ReadError`] when a plan cannot be read.
    pub fn plans_of(&self, student: PersonId) -> Result<Vec<PlanId>, ReadError> {
        let mut plans = Vec::new();
        for stream in self.find(Term::PlansOfStudent(student))?.iter() {
            if let Some((state, _)) = self.stream(*stream)?
                && let Aggregate::Plan(plan) = &*state
            {
                plans.push((plan.opened_at, PlanId::from_uuid(stream.id)));
            }
        }
        plans.sort_unstable();
        Ok(plans.into_iter().map(|(_, plan)| plan).collect())
    }
}

impl Facts for Reading<'_> {
    /// In the past also every team of the institutions where the person was then: the list of now does
    /// not have teams that the person has left since.
    fn teams_of(&self, person: PersonId) -> Result<Vec<StreamId>, ReadError> {
        let mut found = self.find(Term::TeamsOf(person))?.to_vec();
        if self.from == Source::Past
            && let Some(Aggregate::Person(then)) = self.aggregate(person.into())?.as_deref()
        {
            for place in then.affiliations.iter() {
                let (at, kind) = (place.institution, StreamKind::Team);
                found.extend(self.find_in_institution(at, kind, None, usize::MAX)?);
            }
        }
        Ok(found)
    }

    fn children_of(&self, person: PersonId) -> Result<Vec<StreamId>, ReadError> {
        Ok(self.find(Term::ChildrenOf(person))?.to_vec())
    }
}

impl World for Reading<'_> {
    fn aggregate(&self, stream: StreamId) -> Result<Option<Arc<Aggregate>>, ReadError> {
        Ok(self.doc(stream)?.map(|doc| doc.state.clone()))
    }

    fn plan_of(
        &self,
        student: PersonId,
        year_plan: YearPlanId,
    ) -> Result<Option<PlanId>, ReadError> {
        Ok(first_plan(&self.find(Term::PlanOf(student, year_plan))?))
    }

    fn owned(&self, person: PersonId) -> Result<Vec<StreamId>, ReadError> {
        Ok(self.find(Term::Owner(person))?.to_vec())
    }

    fn all(&self, kind: StreamKind) -> Result<Vec<StreamId>, ReadError> {
        Ok(self.find(Term::All(kind))?.to_vec())
    }

    fn day(&self) -> Date {
        self.day
    }
}
