//! Folding events into documents: the one way derived state comes about, whether a command was
//! just decided or the journal is read again (P3).

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::derived::{
    CommandEntry, Cursor, Doc, DocKey, Docs, Head, StoreError, StreamDoc, Term, first_plan, terms,
};
use crate::domain::{Aggregate, Event, EventMeta, Lookup, World};
use crate::entry::Hash32;
use crate::ids::{PersonId, PlanId, Position, Revision, StreamId, YearPlanId};

use super::window::Window;

/// Documents as they will be once everything decided so far is durable.
pub(super) struct Fold {
    docs: Arc<Docs>,
    overlay: HashMap<DocKey, Pending>,
    touched: HashSet<DocKey>,
    snapshots: Vec<(DocKey, Doc)>,
    undo: Option<Undo>,
    group: u64,
    pub(super) cursor: Cursor,
    /// What kept [`World`] from answering, which it cannot say itself.
    trouble: RefCell<Option<StoreError>>,
}

struct Pending {
    doc: Doc,
    group: u64,
}

/// What a batch changed, to take it back.
struct Undo {
    docs: HashMap<DocKey, Option<Doc>>,
    snapshots: usize,
    cursor: Cursor,
}

/// A stream while a command's events are folded into it.
pub(super) struct Stream {
    id: StreamId,
    before: BTreeSet<Term>,
    pub(super) head: Head,
    state: Option<Arc<Aggregate>>,
}

impl Stream {
    pub(super) fn state(&self) -> Option<&Aggregate> {
        self.state.as_deref()
    }
}

impl Fold {
    pub(super) fn new(docs: Arc<Docs>, cursor: Cursor) -> Self {
        Self {
            docs,
            overlay: HashMap::new(),
            touched: HashSet::new(),
            snapshots: Vec::new(),
            undo: None,
            group: 1,
            cursor,
            trouble: RefCell::new(None),
        }
    }

    pub(super) fn get(&self, key: &DocKey) -> Result<Doc, StoreError> {
        match self.overlay.get(key) {
            Some(pending) => Ok(pending.doc.clone()),
            None => self.docs.get(key),
        }
    }

    fn put(&mut self, key: DocKey, doc: Doc) {
        let before = self.overlay.insert(
            key,
            Pending {
                doc,
                group: self.group,
            },
        );
        if let Some(undo) = &mut self.undo {
            undo.docs
                .entry(key)
                .or_insert(before.map(|pending| pending.doc));
        }
        self.touched.insert(key);
    }

    /// A stream's state and head.
    pub(super) fn stream(&self, id: StreamId) -> Result<Option<Arc<StreamDoc>>, StoreError> {
        match self.get(&DocKey::Stream(id))? {
            Doc::Stream(doc) => Ok(Some(doc)),
            Doc::Absent => Ok(None),
            Doc::Postings(_) | Doc::Commands(_) => Err(StoreError::Malformed("a stream")),
        }
    }

    /// Begins to fold a command's events into a stream.
    pub(super) fn begin(&self, id: StreamId) -> Result<Stream, StoreError> {
        Ok(match self.stream(id)? {
            Some(doc) => Stream {
                id,
                before: terms(id, &doc.state),
                head: doc.head,
                state: Some(doc.state.clone()),
            },
            None => Stream {
                id,
                before: BTreeSet::new(),
                head: Head::default(),
                state: None,
            },
        })
    }

    /// Folds one event in, before its entry's link is known.
    pub(super) fn apply(&self, stream: &mut Stream, meta: &EventMeta, event: &Event) {
        let mut state = stream.state.take().map(Arc::unwrap_or_clone);
        Aggregate::apply(&mut state, meta, event);
        stream.state = state.map(Arc::new);
        stream.head.revision = meta.revision;
    }

    /// Notes where the event just folded in went.
    pub(super) fn place(
        &mut self,
        stream: &mut Stream,
        position: Position,
        link: Hash32,
        leaf: Hash32,
    ) {
        stream.head.position = position;
        stream.head.link = link;
        self.cursor.position = position;
        self.cursor.frontier.push(leaf);
        if stream
            .head
            .revision
            .get()
            .is_multiple_of(DocKey::SNAPSHOT_EVERY)
            && let Some(state) = &stream.state
        {
            let doc = StreamDoc {
                head: stream.head,
                state: state.clone(),
            };
            let key = DocKey::Snapshot(stream.id, stream.head.revision);
            self.snapshots.push((key, Doc::Stream(Arc::new(doc))));
        }
    }

    /// Ends folding: the stream's document and every list it belongs to.
    pub(super) fn end(&mut self, stream: Stream) -> Result<(), StoreError> {
        let Stream {
            id,
            before,
            head,
            state,
        } = stream;
        let Some(state) = state else {
            return Ok(());
        };
        let after = terms(id, &state);
        for term in before.symmetric_difference(&after) {
            let key = DocKey::Postings(*term);
            let mut list = match self.get(&key)? {
                Doc::Postings(list) => list,
                Doc::Absent => Arc::default(),
                Doc::Stream(_) | Doc::Commands(_) => return Err(StoreError::Malformed("a list")),
            };
            let streams = Arc::make_mut(&mut list);
            match streams.binary_search(&id) {
                Ok(at) if !after.contains(term) => drop(streams.remove(at)),
                Err(at) if after.contains(term) => streams.insert(at, id),
                Ok(_) | Err(_) => {}
            }
            self.put(key, Doc::Postings(list));
        }
        self.put(
            DocKey::Stream(id),
            Doc::Stream(Arc::new(StreamDoc { head, state })),
        );
        Ok(())
    }

    /// Notes a command that was carried out; gives its ordinal.
    pub(super) fn record(&mut self, entry: CommandEntry) -> Result<u64, StoreError> {
        let ordinal = self.cursor.commands;
        let chunk = ordinal / CommandEntry::PER_DOC;
        let key = DocKey::Commands(chunk);
        let mut list = match self.get(&key)? {
            Doc::Commands(list) => list,
            Doc::Absent => Arc::default(),
            Doc::Stream(_) | Doc::Postings(_) => return Err(StoreError::Malformed("commands")),
        };
        Arc::make_mut(&mut list).push(entry);
        self.put(key, Doc::Commands(list));
        let kept = 2 * Window::LENGTH / CommandEntry::PER_DOC;
        if ordinal.is_multiple_of(CommandEntry::PER_DOC) && chunk > kept {
            self.put(DocKey::Commands(chunk - kept - 1), Doc::Absent);
        }
        self.cursor.commands += 1;
        Ok(ordinal)
    }

    /// The command with this ordinal, if it is still kept.
    pub(super) fn command(&self, ordinal: u64) -> Result<Option<CommandEntry>, StoreError> {
        let at = (ordinal % CommandEntry::PER_DOC) as usize;
        match self.get(&DocKey::Commands(ordinal / CommandEntry::PER_DOC))? {
            Doc::Commands(list) => Ok(list.get(at).copied()),
            Doc::Absent => Ok(None),
            Doc::Stream(_) | Doc::Postings(_) => Err(StoreError::Malformed("commands")),
        }
    }

    /// Remembers the present state, to come back to with [`Fold::roll_back`].
    pub(super) fn save(&mut self) {
        self.undo = Some(Undo {
            docs: HashMap::new(),
            snapshots: self.snapshots.len(),
            cursor: self.cursor.clone(),
        });
    }

    /// Keeps everything since [`Fold::save`].
    pub(super) fn keep(&mut self) {
        self.undo = None;
    }

    /// Takes back everything since [`Fold::save`].
    pub(super) fn roll_back(&mut self) {
        let Some(undo) = self.undo.take() else {
            return;
        };
        for (key, before) in undo.docs {
            match before {
                // Written in this group again even if it was touched in an earlier one only: the
                // same bytes, so that does no harm.
                Some(doc) => drop(self.overlay.insert(
                    key,
                    Pending {
                        doc,
                        group: self.group,
                    },
                )),
                None => {
                    self.overlay.remove(&key);
                    self.touched.remove(&key);
                }
            }
        }
        self.snapshots.truncate(undo.snapshots);
        self.cursor = undo.cursor;
    }

    /// Ends a group: every document it changed, the cursor it leads to, and its number.
    pub(super) fn close_group(&mut self) -> (Vec<(DocKey, Doc)>, Cursor, u64) {
        let mut docs = std::mem::take(&mut self.snapshots);
        for key in self.touched.drain() {
            if let Some(pending) = self.overlay.get(&key) {
                docs.push((key, pending.doc.clone()));
            }
        }
        let group = self.group;
        self.group += 1;
        (docs, self.cursor.clone(), group)
    }

    /// Forgets documents that have been published.
    pub(super) fn published(&mut self, group: u64) {
        self.overlay.retain(|_, pending| pending.group > group);
    }

    /// What kept [`World`] from answering, if anything did.
    pub(super) fn trouble(&self) -> Option<StoreError> {
        self.trouble.borrow_mut().take()
    }

    fn lookup<T>(&self, result: Result<Option<T>, StoreError>) -> Lookup<T> {
        match result {
            Ok(Some(found)) => Lookup::Found(found),
            Ok(None) => Lookup::Absent,
            Err(error) => {
                *self.trouble.borrow_mut() = Some(error);
                Lookup::NotLoaded
            }
        }
    }
}

impl World for Fold {
    fn aggregate(&self, stream: StreamId) -> Lookup<Arc<Aggregate>> {
        self.lookup(
            self.stream(stream)
                .map(|doc| doc.map(|doc| doc.state.clone())),
        )
    }

    fn plan_of(&self, student: PersonId, year_plan: YearPlanId) -> Lookup<PlanId> {
        let list = match self.get(&DocKey::Postings(Term::PlanOf(student, year_plan))) {
            Ok(Doc::Postings(list)) => Ok(first_plan(&list)),
            Ok(Doc::Absent) => Ok(None),
            Ok(Doc::Stream(_) | Doc::Commands(_)) => Err(StoreError::Malformed("a list")),
            Err(error) => Err(error),
        };
        self.lookup(list)
    }
}

/// The revision after a stream's last.
pub(super) fn next_revision(stream: &Stream) -> Revision {
    stream.head.revision.next()
}
