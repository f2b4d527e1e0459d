//! Reading: consistent views of the present and of the past.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::history::stored;
use super::{Ledger, ReadError};
use crate::derived::{Doc, DocKey, StoreError, StreamDoc, Term, first_plan};
use crate::domain::{Aggregate, Lookup, Missing, World};
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
    pub(super) trouble: RefCell<Option<ReadError>>,
}

impl Ledger {
    /// Reads the present. `read` may be called more than once; it sees one consistent state and
    /// gets [`Missing`] only from a failed read, which is then what this gives.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn read<T>(
        &self,
        read: impl Fn(&Reading<'_>) -> Result<T, Missing>,
    ) -> Result<(T, Position), ReadError> {
        for _ in 0..TRIES {
            let reading = self.reading(self.position(), false);
            let result = read(&reading);
            // Something newer was published meanwhile: what was read may not fit together.
            if reading.newest.get() <= reading.position {
                return reading.finish(result);
            }
        }
        self.read_at(self.position(), read)
    }

    /// Reads the state at a position: the same answer for ever (P4).
    ///
    /// # Errors
    /// [`ReadError::NotThere`] beyond the durable end, and the others.
    pub fn read_at<T>(
        &self,
        position: Position,
        read: impl Fn(&Reading<'_>) -> Result<T, Missing>,
    ) -> Result<(T, Position), ReadError> {
        let tail = self.position();
        if position > tail {
            return Err(ReadError::NotThere {
                asked: position,
                tail,
            });
        }
        let reading = self.reading(position, true);
        let result = read(&reading);
        reading.finish(result)
    }

    fn reading(&self, position: Position, past: bool) -> Reading<'_> {
        Reading {
            ledger: self,
            position,
            past,
            newest: Cell::new(Position::ZERO),
            trouble: RefCell::new(None),
        }
    }
}

impl Reading<'_> {
    fn finish<T>(self, result: Result<T, Missing>) -> Result<(T, Position), ReadError> {
        match (self.trouble.into_inner(), result) {
            (Some(trouble), _) => Err(trouble),
            (None, Ok(found)) => Ok((found, self.position)),
            (None, Err(_)) => Err(StoreError::Malformed("an answer").into()),
        }
    }

    /// The position that is read.
    pub fn position(&self) -> Position {
        self.position
    }

    /// A stream's state and revision.
    ///
    /// # Errors
    /// [`Missing`] when it does not read; hand it on.
    pub fn stream<S>(&self, id: S) -> Result<Option<(Arc<Aggregate>, Revision)>, Missing>
    where
        S: Into<StreamId>,
    {
        let id = id.into();
        let doc = self.doc(id).ok_or(Missing::Stream(id))?;
        Ok(doc.map(|doc| (doc.state.clone(), doc.head.revision)))
    }

    /// When something last happened in a stream; `None` if it is not there.
    ///
    /// # Errors
    /// [`Missing`] when it does not read; hand it on.
    pub fn last_activity(&self, id: StreamId) -> Result<Option<Timestamp>, Missing> {
        let Some(doc) = self.doc(id).ok_or(Missing::Stream(id))? else {
            return Ok(None);
        };
        match stored(self.ledger.log(), doc.head.position) {
            Ok((_, entry)) => Ok(Some(entry.recorded_at)),
            Err(error) => {
                *self.trouble.borrow_mut() = Some(error);
                Err(Missing::Stream(id))
            }
        }
    }

    /// The document of a stream; the outer `None` when it does not read.
    fn doc(&self, id: StreamId) -> Option<Option<Arc<StreamDoc>>> {
        let doc = match self.past {
            true => self.ledger.at(id, self.position),
            false => self.ledger.present(id),
        };
        match doc {
            Ok(doc) => {
                let position = doc
                    .as_ref()
                    .map(|doc| doc.head.position)
                    .unwrap_or_default();
                self.newest.set(self.newest.get().max(position));
                Some(doc)
            }
            Err(error) => {
                *self.trouble.borrow_mut() = Some(error);
                None
            }
        }
    }

    /// The streams that a term finds now, in order of their ids. When the past is read they are
    /// those that are found now; look at each to see whether it was there.
    ///
    /// # Errors
    /// [`Missing`] when it does not read; hand it on.
    pub fn find(&self, term: Term) -> Result<Arc<Vec<StreamId>>, Missing> {
        let inner = &self.ledger.inner;
        let trouble = match inner.derived(|docs| docs.get(&DocKey::Postings(term))) {
            Ok(Doc::Postings(list)) => return Ok(list),
            Ok(Doc::Absent) => return Ok(Arc::default()),
            Ok(_) => StoreError::Malformed("a list").into(),
            Err(error) => error,
        };
        *self.trouble.borrow_mut() = Some(trouble);
        Err(Missing::List)
    }

    /// At most `limit` persons, teams or year plans of an institution with ids after `after`.
    ///
    /// # Errors
    /// [`Missing`] when it does not read; hand it on.
    pub fn find_in_institution(
        &self,
        institution: InstitutionId,
        kind: StreamKind,
        after: Option<StreamId>,
        limit: usize,
    ) -> Result<Vec<StreamId>, Missing> {
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
    /// [`Missing`] when it does not read; hand it on.
    pub fn plans_of(&self, student: PersonId) -> Result<Vec<PlanId>, Missing> {
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
    fn aggregate(&self, stream: StreamId) -> Lookup<Arc<Aggregate>> {
        match self.doc(stream) {
            Some(Some(doc)) => Lookup::Found(doc.state.clone()),
            Some(None) => Lookup::Absent,
            None => Lookup::NotLoaded,
        }
    }

    fn plan_of(&self, student: PersonId, year_plan: YearPlanId) -> Lookup<PlanId> {
        match self.find(Term::PlanOf(student, year_plan)) {
            Ok(list) => first_plan(&list).map_or(Lookup::Absent, Lookup::Found),
            Err(_) => Lookup::NotLoaded,
        }
    }
}
