//! Folds events into the documents of derived state. No other code makes derived state: new
//! commands and the reading of the journal both go through here (P3).

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::Date;

use crate::derived::{
    ByKey, CommandEntry, Cursor, Doc, DocKey, Docs, StoreError, StreamDoc, Term, first_plan,
    found_alike, terms,
};
use crate::domain::{Aggregate, World};
use crate::ids::{PersonId, PlanId, Position, StreamId, StreamKind, YearPlanId};

use super::ReadError;
use super::stream_fold::StreamFold;
use super::window::Window;
use crate::overview::{Calendar, Day};

/// The largest number of documents for which the memory of an undo is kept. To clear the memory
/// that a large batch needed would cost each single command more time than it saves.
const SPARE: usize = 64;

/// The documents as they will be once everything decided so far is durable.
pub(crate) struct Fold {
    docs: Arc<Docs>,
    overlay: ByKey<Pending>,
    /// What the present group changed, each once.
    touched: Vec<DocKey>,
    /// What was last found of a stream: rules and folding ask for the same one again and again.
    last: RefCell<Option<(StreamId, Option<Arc<StreamDoc>>)>>,
    snapshots: Vec<(DocKey, Doc)>,
    /// The last commands, from the first command of an unfinished document on. They are those of
    /// the present group and, before them, those that share a document with it. They are put into
    /// documents when the group is closed, not after each command.
    commands: Vec<CommandEntry>,
    /// How many commands there were when the present group began.
    commands_before: u64,
    undo: Option<Undo>,
    /// The memory of the last undo, used again for the next one.
    spare: ByKey<Option<Pending>>,
    group: u64,
    pub(super) cursor: Cursor,
    pub(super) calendar: Calendar,
    /// The day up to which coming departures have been counted; `None` if that is not known.
    pub(super) departures_until: Option<Day>,
    /// The day for which changes are counted, if it is not the day of the last event.
    pub(super) counting_on: Option<Day>,
}

struct Pending {
    doc: Doc,
    group: u64,
}

/// What a batch has changed, so that it can be taken back.
struct Undo {
    docs: ByKey<Option<Pending>>,
    touched: usize,
    snapshots: usize,
    cursor: Cursor,
}

/// A stream while a command's events are folded into it.
pub(super) struct Stream {
    /// The stream's state before the command.
    was: Option<Arc<Aggregate>>,
    /// Position of the stream's last event before the command.
    began: Position,
    pub(super) folded: StreamFold,
}

impl Fold {
    pub(crate) fn new(docs: Arc<Docs>, cursor: Cursor) -> Self {
        Self {
            docs,
            overlay: ByKey::default(),
            touched: Vec::new(),
            last: RefCell::default(),
            snapshots: Vec::new(),
            commands: Vec::new(),
            commands_before: cursor.commands,
            undo: None,
            spare: ByKey::default(),
            group: 1,
            cursor,
            calendar: Calendar::default(),
            departures_until: None,
            counting_on: None,
        }
    }

    /// The published documents, which this fold reads from.
    pub(super) fn docs(&self) -> &Arc<Docs> {
        &self.docs
    }

    pub(super) fn get(&self, key: &DocKey) -> Result<Doc, StoreError> {
        match self.overlay.get(key) {
            Some(pending) => Ok(pending.doc.clone()),
            None => self.docs.get(key),
        }
    }

    pub(super) fn put(&mut self, key: DocKey, doc: Doc) {
        let before = self.overlay.insert(
            key,
            Pending {
                doc,
                group: self.group,
            },
        );
        if before.as_ref().is_none_or(|it| it.group != self.group) {
            self.touched.push(key);
        }
        if let Some(undo) = &mut self.undo {
            undo.docs.entry(key).or_insert(before);
        }
        if matches!(key, DocKey::Stream(_)) {
            *self.last.get_mut() = None;
        }
    }

    /// Takes a document out, so that it can be changed and put back. If this batch has changed it
    /// before, nobody else holds it, and changing it copies nothing.
    pub(super) fn take_out(&mut self, key: &DocKey) -> Result<Doc, StoreError> {
        let Some(pending) = self.overlay.get_mut(key) else {
            return self.docs.get(key);
        };
        let is_as_before = |undo: &Undo| !undo.docs.contains_key(key);
        match self.undo.as_ref().is_some_and(is_as_before) {
            true => Ok(pending.doc.clone()),
            false => Ok(std::mem::replace(&mut pending.doc, Doc::Absent)),
        }
    }

    /// The state of a stream and where the stream ends.
    pub(super) fn stream(&self, id: StreamId) -> Result<Option<Arc<StreamDoc>>, StoreError> {
        if let Some((known, found)) = &*self.last.borrow()
            && *known == id
        {
            return Ok(found.clone());
        }
        // Every command for a person or plan asks whether the person is erased. Few are, and all of
        // them are on one list.
        if id.kind == StreamKind::Erasure
            && self.list(Term::All(id.kind))?.binary_search(&id).is_err()
        {
            return Ok(None);
        }
        let found = match self.get(&DocKey::Stream(id))? {
            Doc::Stream(doc) => Some(doc),
            Doc::Absent => None,
            _ => return Err(StoreError::Malformed("a stream")),
        };
        *self.last.borrow_mut() = Some((id, found.clone()));
        Ok(found)
    }

    /// Prepares a stream so that a command's events can be folded into it.
    pub(super) fn begin(&self, id: StreamId) -> Result<Stream, StoreError> {
        Ok(match self.stream(id)? {
            Some(doc) => Stream {
                was: Some(doc.state.clone()),
                began: doc.head.position,
                folded: StreamFold::after(id, &doc),
            },
            None => Stream {
                was: None,
                began: Position::ZERO,
                folded: StreamFold::new(id),
            },
        })
    }

    /// Notes that an event was folded into a stream. Its leaf is added to the tree by whoever has its entry.
    pub(super) fn note(&mut self, folded: &StreamFold) {
        let head = *folded.head();
        self.cursor.position = head.position;
        if folded.state().is_some_and(|state| DocKey::is_snapshot_at(head.revision, state))
            // A snapshot is checked against the event with the same revision, so only that event
            // may lead to one.
            && folded.is_at_head()
            && let Some(doc) = folded.clone().doc()
        {
            let key = DocKey::Snapshot(folded.id(), head.revision);
            self.snapshots.push((key, Doc::Stream(Arc::new(doc))));
        }
    }

    /// Finishes folding: updates the stream's document, and every list and count that the stream
    /// belongs to.
    pub(super) fn end(&mut self, stream: Stream) -> Result<(), StoreError> {
        let Stream { was, began, folded } = stream;
        let id = folded.id();
        let Some(doc) = folded.doc() else {
            return Ok(());
        };
        // A command without events leaves nothing behind, not even an instant.
        if doc.head.position == began {
            return Ok(());
        }
        self.count_departures()?;
        let state = doc.state.clone();
        self.post_all(id, was.as_deref(), &state)?;
        self.put(DocKey::Stream(id), Doc::Stream(Arc::new(doc)));
        self.note_ownership(id, was.as_deref(), &state)?;
        self.note_departure(id, was.as_deref(), &state)?;
        self.count(id, was.as_deref(), &state)
    }

    /// Updates the lists that a stream belongs to.
    fn post_all(
        &mut self,
        id: StreamId,
        was: Option<&Aggregate>,
        now: &Aggregate,
    ) -> Result<(), StoreError> {
        let before = || was.map_or_else(BTreeSet::new, |was| terms(id, was));
        if was.is_some_and(|was| found_alike(was, now)) {
            debug_assert_eq!(before(), terms(id, now));
            return Ok(());
        }
        let (before, after) = (before(), terms(id, now));
        for term in before.symmetric_difference(&after) {
            self.post(*term, id, after.contains(term))?;
        }
        Ok(())
    }

    /// Adds a stream to the list of a term, or removes it from the list.
    pub(super) fn post(&mut self, term: Term, id: StreamId, found: bool) -> Result<(), StoreError> {
        let key = DocKey::Postings(term);
        let mut list = as_list(self.get(&key)?)?;
        let place = list.binary_search(&id);
        if place.is_ok() == found {
            return Ok(());
        }
        // What is not in the overlay is looked for once: most lists of one person or thing are new, and the
        // search for a document that does not exist takes longest.
        if self.overlay.contains_key(&key) {
            drop(list);
            list = as_list(self.take_out(&key)?)?;
        }
        match place {
            Ok(at) => drop(Arc::make_mut(&mut list).remove(at)),
            Err(at) => Arc::make_mut(&mut list).insert(at, id),
        }
        self.put(key, Doc::Postings(list));
        Ok(())
    }

    /// The streams that a term finds.
    pub(super) fn list(&self, term: Term) -> Result<Arc<Vec<StreamId>>, StoreError> {
        as_list(self.get(&DocKey::Postings(term))?)
    }

    /// Notes a command that was carried out. Returns its place among all commands, from 0.
    pub(super) fn record(&mut self, entry: CommandEntry) -> Result<u64, StoreError> {
        let ordinal = self.cursor.commands;
        let in_doc = (ordinal % CommandEntry::PER_DOC) as usize;
        if self.commands.is_empty() && in_doc > 0 {
            // The first command after a start continues the last document.
            let list = self.commands_in(ordinal / CommandEntry::PER_DOC)?;
            let list = list.filter(|list| list.len() == in_doc);
            let list = list.ok_or(StoreError::Malformed("commands"))?;
            self.commands.extend_from_slice(&list);
        }
        self.commands.push(entry);
        self.cursor.commands += 1;
        Ok(ordinal)
    }

    /// The command at this place among all commands, if it is still kept.
    pub(super) fn command(&self, ordinal: u64) -> Result<Option<CommandEntry>, StoreError> {
        let first = self.cursor.commands - self.commands.len() as u64;
        if let Some(recent) = ordinal.checked_sub(first) {
            return Ok(self.commands.get(recent as usize).copied());
        }
        let at = (ordinal % CommandEntry::PER_DOC) as usize;
        let list = self.commands_in(ordinal / CommandEntry::PER_DOC)?;
        Ok(list.and_then(|list| list.get(at).copied()))
    }

    fn commands_in(&self, doc: u64) -> Result<Option<Arc<Vec<CommandEntry>>>, StoreError> {
        match self.get(&DocKey::Commands(doc))? {
            Doc::Commands(list) => Ok(Some(list)),
            Doc::Absent => Ok(None),
            _ => Err(StoreError::Malformed("commands")),
        }
    }

    /// Makes documents of the group's commands, and removes documents whose commands are too old to
    /// be kept.
    fn close_commands(&mut self, docs: &mut Vec<(DocKey, Doc)>) {
        let before = std::mem::replace(&mut self.commands_before, self.cursor.commands);
        if before == self.cursor.commands {
            return;
        }
        let first = self.cursor.commands - self.commands.len() as u64;
        let numbers = first / CommandEntry::PER_DOC..;
        let kept = Window::MOST.div_ceil(CommandEntry::PER_DOC);
        for (number, list) in numbers.zip(self.commands.chunks(CommandEntry::PER_DOC as usize)) {
            let begun = number * CommandEntry::PER_DOC >= before;
            if begun && number > kept {
                docs.push((DocKey::Commands(number - kept - 1), Doc::Absent));
            }
            let key = DocKey::Commands(number);
            let doc = Doc::Commands(Arc::new(list.to_vec()));
            let group = self.group;
            // The document is read from here until it is published.
            self.overlay.insert(
                key,
                Pending {
                    doc: doc.clone(),
                    group,
                },
            );
            docs.push((key, doc));
        }
        let open = self.commands.len() % CommandEntry::PER_DOC as usize;
        self.commands.drain(..self.commands.len() - open);
    }

    /// Remembers the present state, so that [`Fold::roll_back`] can return to it.
    pub(super) fn save(&mut self) {
        self.undo = Some(Undo {
            docs: std::mem::take(&mut self.spare),
            touched: self.touched.len(),
            snapshots: self.snapshots.len(),
            cursor: self.cursor.clone(),
        });
    }

    /// Accepts everything that was done since [`Fold::save`].
    pub(super) fn keep(&mut self) {
        if let Some(undo) = self.undo.take()
            && undo.docs.capacity() <= SPARE
        {
            self.spare = undo.docs;
            self.spare.clear();
        }
    }

    /// Takes back everything that was done since [`Fold::save`].
    pub(super) fn roll_back(&mut self) {
        let Some(undo) = self.undo.take() else {
            return;
        };
        for (key, before) in undo.docs {
            match before {
                Some(before) => drop(self.overlay.insert(key, before)),
                None => drop(self.overlay.remove(&key)),
            }
        }
        *self.last.get_mut() = None;
        self.touched.truncate(undo.touched);
        self.snapshots.truncate(undo.snapshots);
        let taken_back = self.cursor.commands - undo.cursor.commands;
        self.commands
            .truncate(self.commands.len() - taken_back as usize);
        self.cursor = undo.cursor;
        self.departures_until = None;
    }

    /// Closes the group. Returns the documents that it changed, the cursor after it, and its
    /// number.
    pub(super) fn close_group(&mut self) -> (Vec<(DocKey, Doc)>, Cursor, u64) {
        let mut docs = std::mem::take(&mut self.snapshots);
        for key in self.touched.drain(..) {
            if let Some(pending) = self.overlay.get(&key) {
                docs.push((key, pending.doc.clone()));
            }
        }
        self.close_commands(&mut docs);
        let group = self.group;
        self.group += 1;
        (docs, self.cursor.clone(), group)
    }

    /// Drops the documents of this group and earlier ones, because they have been published.
    pub(super) fn published(&mut self, group: u64) {
        self.overlay.retain(|_, pending| pending.group > group);
        // What was found before does not know the links that the group has got.
        *self.last.get_mut() = None;
    }
}

/// The streams of a list; none if there is no such list.
fn as_list(doc: Doc) -> Result<Arc<Vec<StreamId>>, StoreError> {
    match doc {
        Doc::Postings(list) => Ok(list),
        Doc::Absent => Ok(Arc::default()),
        _ => Err(StoreError::Malformed("a list")),
    }
}

impl World for Fold {
    fn aggregate(&self, stream: StreamId) -> Result<Option<Arc<Aggregate>>, ReadError> {
        Ok(self.stream(stream)?.map(|doc| doc.state.clone()))
    }

    fn plan_of(
        &self,
        student: PersonId,
        year_plan: YearPlanId,
    ) -> Result<Option<PlanId>, ReadError> {
        Ok(first_plan(&self.list(Term::PlanOf(student, year_plan))?))
    }

    fn owned(&self, person: PersonId) -> Result<Vec<StreamId>, ReadError> {
        Ok(self.list(Term::Owner(person))?.to_vec())
    }

    fn all(&self, kind: StreamKind) -> Result<Vec<StreamId>, ReadError> {
        Ok(self.list(Term::All(kind))?.to_vec())
    }

    /// The day of the event that was folded in last.
    fn day(&self) -> Date {
        self.cursor.recorded_at.day_in_denmark()
    }
}
