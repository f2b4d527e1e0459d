//! Reading: consistent views of the present and of the past.

use std::cell::Cell;
use std::sync::Arc;

use super::history::stored;
use super::{Ledger, ReadError};
use crate::derived::{Doc, DocKey, StoreError, StreamDoc, Term, first_plan};
use crate::domain::{Aggregate, World};
use crate::ids::{
    InstitutionId, PersonId, PlanId, Position, Revision, StreamId, StreamKind, YearPlanId,
};
use crate::time::Timestamp;

/// How often a read of the present is tried before it reads the position it began with.
const TRIES: usize = 3;

/// What a read sees: every stream as it was at one position.
pub struct Reading<'a> {
    pub(super) ledger: &'a Ledger,
    position: Position,
    past: bool,
    newest: Cell<Position>,
}

impl Ledger {
    /// Reads the present. `read` may be called more than once; it sees one consistent state.
    ///
    /// # Errors
    /// What `read` gives.
    pub fn read<T, E: From<ReadError>>(
        &self,
        read: impl Fn(&Reading<'_>) -> Result<T, E>,
    ) -> Result<(T, Position), E> {
        for _ in 0..TRIES {
            let reading = self.reading(self.position(), false);
            let result = read(&reading);
            // Something newer was published meanwhile: what was read may not fit together.
            if reading.newest.get() <= reading.position {
                return Ok((result?, reading.position));
            }
        }
        self.read_at(self.position(), read)
    }

    /// Reads the state at a position: the same answer for ever (P4).
    ///
    /// # Errors
    /// [`ReadError::NotThere`] beyond the durable end, and what `read` gives.
    pub fn read_at<T, E: From<ReadError>>(
        &self,
        position: Position,
        read: impl Fn(&Reading<'_>) -> Result<T, E>,
    ) -> Result<(T, Position), E> {
        let tail = self.position();
        if position > tail {
            let asked = position;
            return Err(ReadError::NotThere { asked, tail }.into());
        }
        Ok((read(&self.reading(position, true))?, position))
    }

    fn reading(&self, position: Position, past: bool) -> Reading<'_> {
        Reading {
            ledger: self,
            position,
            past,
            newest: Cell::new(Position::ZERO),
        }
    }
}

impl Reading<'_> {
    /// The position that is read.
    pub fn position(&self) -> Position {
        self.position
    }

    /// A stream's state and revision.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn stream<S>(&self, id: S) -> Result<Option<(Arc<Aggregate>, Revision)>, ReadError>
    where
        S: Into<StreamId>,
    {
        let doc = self.doc(id.into())?;
        Ok(doc.map(|doc| (doc.state.clone(), doc.head.revision)))
    }

    /// When something last happened in a stream; `None` if it is not there.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn last_activity(&self, id: StreamId) -> Result<Option<Timestamp>, ReadError> {
        let Some(doc) = self.doc(id)? else {
            return Ok(None);
        };
        let (_, entry) = stored(self.ledger.log(), doc.head.position)?;
        Ok(Some(entry.recorded_at))
    }

    fn doc(&self, id: StreamId) -> Result<Option<Arc<StreamDoc>>, ReadError> {
        let doc = match self.past {
            true => self.ledger.at(id, self.position),
            false => self.ledger.present(id),
        }?;
        let position = doc.as_ref().map(|doc| doc.head.position);
        let newest = position.unwrap_or_default().max(self.newest.get());
        self.newest.set(newest);
        Ok(doc)
    }

    /// The streams that a term finds now, in order of their ids. When the past is read they are
    /// those that are found now; look at each to see whether it was there.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn find(&self, term: Term) -> Result<Arc<Vec<StreamId>>, ReadError> {
        let inner = &self.ledger.inner;
        match inner.derived(|docs| docs.get(&DocKey::Postings(term)))? {
            Doc::Postings(list) => Ok(list),
            Doc::Absent => Ok(Arc::default()),
            _ => Err(StoreError::Malformed("a list").into()),
        }
    }

    /// At most `limit` persons, teams or year plans of an institution with ids after `after`.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn find_in_institution(
        &self,
        institution: InstitutionId,
        kind: StreamKind,
        after: Option<StreamId>,
        limit: usize,
    ) -> Result<Vec<StreamId>, ReadError> {
        let first = after.and_then(|after| after.id.as_bytes().first().copied());
        let mut found = Vec::new();
        for part in first.unwrap_or(0)..=u8::MAX {
            let list = self.find(Term::InstitutionPart(institution, kind, part))?;
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

    /// The plans of a student that were there, in the order in which they were opened.
    ///
    /// # Errors
    /// [`ReadError`]
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
}
