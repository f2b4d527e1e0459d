//! Makes a bundle line by line, from a running ledger and its notary.

mod acts;
mod error;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use self::acts::Explained;
pub use self::error::ExportError;
use super::bundle::{
    Bytes, Disclosure, End, EventLine, FORMAT, Gone, Header, HeadsLine, Line, Scope, Since,
};
use crate::domain::ledger::heads_stream;
use crate::entry::Entry;
use crate::hash::Hash32;
use crate::heads::{BucketProof, bucket_bytes};
use crate::ids::{KeyId, Position, StreamId, StreamKind};
use crate::journal::StoredEntry;
use crate::ledger::{Ledger, ReadError};
use crate::notary::Notary;
use crate::tlog::SignedCheckpoint;

/// The key of a student or plan, and every head of its bucket with the proof.
type Heads = (KeyId, BucketProof);

/// For how many events the proofs are made at a time.
const CHUNK: usize = 256;

/// What bundle a caller wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExportRequest {
    /// Which events the bundle is about.
    pub scope: Scope,
    /// Whether the reader can read the texts.
    pub disclosure: Disclosure,
    /// The size of an earlier checkpoint. The bundle then proves that the log grew from it.
    pub since: Option<u64>,
    /// Goes on with a bundle that was cut off: the size of its checkpoint, and the position of its
    /// last whole event (0 if it has none).
    pub resume: Option<(u64, Position)>,
}

/// The lines of a bundle, in order.
pub struct Export {
    ledger: Ledger,
    notary: Arc<Notary>,
    request: ExportRequest,
    signed: SignedCheckpoint,
    ready: VecDeque<Line>,
    /// For a plan or student: positions in scope that are still to be given out.
    positions: VecDeque<Position>,
    /// For a range: the next position.
    next: Position,
    events: u64,
    done: bool,
    /// How many events of plans were made readable since it was last asked, by key, and the last of
    /// them.
    disclosed: (HashMap<KeyId, u32>, Position),
    /// The texts in scope that acts in the checkpoint took.
    explained: Explained,
}

/// How much a line shows of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Show {
    /// The sealed payload and the key that opens it.
    Text,
    /// The sealed payload.
    Sealed,
    /// Only the entry.
    Entry,
}

impl Export {
    /// Begins a bundle, against a checkpoint of everything that is durable now. A bundle that goes
    /// on keeps its checkpoint.
    ///
    /// # Errors
    /// [`ExportError`]
    pub fn new(
        ledger: Ledger,
        notary: Arc<Notary>,
        request: ExportRequest,
    ) -> Result<Self, ExportError> {
        let (signed, bucket) = match (request.resume, request.scope) {
            (None, Scope::Range { .. }) => (notary.checkpoint()?, None),
            (None, Scope::Plan(plan)) => Self::with_heads(&ledger, &notary, plan.into())?,
            (None, Scope::Student(student)) => Self::with_heads(&ledger, &notary, student.into())?,
            (Some((size, _)), _) => {
                let kept = notary.at_least(size)?;
                let kept = kept.filter(|kept| kept.checkpoint.size == size);
                (kept.ok_or(ExportError::Resume(size))?, None)
            }
        };
        let mut export = Self {
            ledger,
            notary,
            request,
            signed,
            ready: VecDeque::new(),
            positions: VecDeque::new(),
            next: Position::ZERO,
            events: 0,
            done: false,
            disclosed: (HashMap::new(), Position::ZERO),
            explained: Explained::default(),
        };
        export.begin(bucket)?;
        Ok(export)
    }

    /// A checkpoint, and the heads at that checkpoint of the streams that share a key with
    /// `stream`.
    fn with_heads(
        ledger: &Ledger,
        notary: &Notary,
        stream: StreamId,
    ) -> Result<(SignedCheckpoint, Option<Heads>), ExportError> {
        let head = ledger.head_position(stream)?;
        if head == Position::ZERO {
            return Err(ExportError::NotFound(stream));
        }
        // The key of a person or plan is never replaced, so every event of the stream has the same
        // one.
        let key = read_entry(&stored(ledger, head)?)?.key;
        let (signed, proof) = notary.checkpoint_with_heads(stream, key)?;
        Ok((signed, Some((key, proof))))
    }

    /// Adds to the header the cosignatures that witnesses have given since the checkpoint was made.
    /// Does nothing if the header was given out already.
    ///
    /// # Errors
    /// The kept checkpoints could not be read.
    pub fn take_cosignatures(&mut self) -> Result<(), ExportError> {
        let kept = self.notary.at_least(self.signed.checkpoint.size)?;
        let kept = kept.filter(|kept| kept.checkpoint == self.signed.checkpoint);
        if let (Some(kept), Some(Line::Header(header))) = (kept, self.ready.front_mut()) {
            header.checkpoint = kept.note.to_string();
            self.signed = kept;
        }
        Ok(())
    }

    /// How many events the bundle will have. If it goes on with an earlier bundle, the events of
    /// that one are counted too.
    pub fn total(&self) -> u64 {
        match self.request.scope {
            Scope::Plan(_) | Scope::Student(_) => self.events + self.positions.len() as u64,
            Scope::Range { from, to } => to.get() + 1 - from.get(),
        }
    }

    /// How many of these events were given out, now or in the earlier bundle.
    pub fn written(&self) -> u64 {
        let ready = self.ready.iter();
        let ready = ready.filter(|line| matches!(line, Line::Event(_)));
        self.events - ready.count() as u64
    }

    fn begin(&mut self, bucket: Option<Heads>) -> Result<(), ExportError> {
        let size = self.signed.checkpoint.size;
        if let Some(since) = self.request.since.filter(|since| *since > size) {
            return Err(ExportError::Since { since, size });
        }
        let streams = self.streams(bucket.as_ref())?;
        let mut positions = Vec::new();
        for stream in &streams {
            positions.extend(self.positions_of(*stream)?);
        }
        positions.sort_unstable();
        let first = streams.first().filter(|_| positions.is_empty());
        if let Some(stream) = first {
            return Err(ExportError::NotFound(*stream));
        }
        if let Scope::Range { from, to } = self.request.scope {
            if from == Position::ZERO || from > to || to.get() > size {
                return Err(ExportError::Range { from, to, size });
            }
            self.next = from;
        }
        self.positions = positions.into();
        let acts = self.acts()?;
        match self.request.resume {
            Some((_, last)) => {
                let before = self.positions.len();
                self.positions.retain(|position| *position > last);
                self.events = (before - self.positions.len()) as u64;
                if let Scope::Range { from, to } = self.request.scope {
                    self.next = self.next.max(last.next()).min(to.next());
                    self.events = self.next.get() - from.get();
                }
            }
            None => {
                self.head(bucket)?;
                self.act_lines(&acts)?;
            }
        }
        Ok(())
    }

    /// The streams in scope. Empty for a range.
    fn streams(&self, bucket: Option<&Heads>) -> Result<Vec<StreamId>, ExportError> {
        match self.request.scope {
            Scope::Range { .. } => Ok(Vec::new()),
            Scope::Plan(plan) => Ok(vec![plan.into()]),
            Scope::Student(student) => {
                let (plans, _) = self.ledger.read(|reading| reading.plans_of(student))?;
                let plans = plans.into_iter().map(StreamId::from);
                // After an erasure no state says any more which plans there were. The heads do.
                let sharing = bucket.into_iter().flat_map(|(key, proof)| {
                    let heads = proof.heads.iter().filter(move |head| head.key == *key);
                    heads.map(|head| head.stream)
                });
                let student = StreamId::from(student);
                let others: BTreeSet<_> = plans.chain(sharing).collect();
                let others = others.into_iter().filter(|stream| *stream != student);
                Ok([student].into_iter().chain(others).collect())
            }
        }
    }

    /// The positions of a stream's events within the checkpoint, newest first.
    fn positions_of(&self, stream: StreamId) -> Result<Vec<Position>, ExportError> {
        let mut positions = Vec::new();
        let mut next = self.ledger.head_position(stream)?;
        while next != Position::ZERO {
            let stored = stored(&self.ledger, next)?;
            if next.get() <= self.signed.checkpoint.size {
                positions.push(next);
            }
            next = stored.back;
        }
        Ok(positions)
    }

    /// Prepares the lines that come before the events in scope.
    fn head(&mut self, bucket: Option<Heads>) -> Result<(), ExportError> {
        let checkpoint = self.signed.checkpoint.clone();
        let (mut peaks, mut growth) = (Vec::new(), Vec::new());
        if let Scope::Range { from, to } = self.request.scope {
            peaks = encode(self.notary.peaks(from.get() - 1)?);
            let (_, _, proof) = self.notary.consistency(to.get(), checkpoint.size)?;
            growth = encode(proof);
        }
        let since = match self.request.since {
            Some(size) => {
                let (_, _, proof) = self.notary.consistency(size, checkpoint.size)?;
                let proof = encode(proof);
                Some(Since { size, proof })
            }
            None => None,
        };
        let ledger = self.ledger.status().ledger;
        self.ready.push_back(Line::Header(Box::new(Header {
            format: FORMAT.to_owned(),
            ledger,
            scope: self.request.scope,
            disclosure: self.request.disclosure,
            checkpoint: self.signed.note.to_string(),
            peaks,
            growth,
            since,
        })));
        let mut own = self.positions_of(ledger.into())?;
        own.reverse();
        // Only the newest record of heads is needed. It is the checkpoint's last event, and it
        // covers everything that earlier records cover.
        own.push(checkpoint.position());
        for line in self.event_lines(&own, true, &|_| Show::Text)? {
            self.ready.push_back(Line::Ledger(line));
        }
        if let Some((key, proof)) = bucket {
            let of_student = matches!(self.request.scope, Scope::Student(_));
            self.ready.push_back(Line::Heads(HeadsLine {
                bucket: proof.bucket,
                key: of_student.then_some(key),
                heads: Bytes(bucket_bytes(&proof.heads)),
                path: encode(proof.path),
            }));
        }
        Ok(())
    }

    /// How many events of plans were made readable since this was last asked, by the key that seals
    /// them, and the last of them.
    pub fn take_disclosed(&mut self) -> (HashMap<KeyId, u32>, Position) {
        std::mem::take(&mut self.disclosed)
    }

    fn event_lines(
        &mut self,
        positions: &[Position],
        proofs: bool,
        show: &dyn Fn(&Entry) -> Show,
    ) -> Result<Vec<EventLine>, ExportError> {
        let mut paths = match proofs {
            true => self.notary.paths(positions, &self.signed.checkpoint)?,
            false => Vec::new(),
        }
        .into_iter();
        let mut lines = Vec::new();
        for position in positions {
            let stored = stored(&self.ledger, *position)?;
            let entry = read_entry(&stored)?;
            let (sealed, key, gone) = match (stored.sealed, show(&entry)) {
                (_, Show::Entry) => (None, None, None),
                (Some(sealed), Show::Sealed) => (Some(sealed), None, None),
                // Who gets the texts is told that this one is gone.
                (Some(sealed), Show::Text) => {
                    match self.ledger.event_key(*position, &stored.entry) {
                        Ok(key) => {
                            self.disclose(*position, &entry);
                            (Some(sealed), Some(key), None)
                        }
                        Err(ReadError::Erased { .. }) => (None, None, Some(Gone::Erased)),
                        Err(error) => return Err(error.into()),
                    }
                }
                (None, Show::Text | Show::Sealed) => (None, None, Some(Gone::Redacted)),
            };
            if gone.is_some_and(|gone| !self.explained.has(*position, entry.key, gone)) {
                return Err(ExportError::Destroyed(*position));
            }
            lines.push(EventLine {
                position: *position,
                back: stored.back,
                entry: stored.entry.into(),
                sealed: sealed.map(Bytes),
                key: key.map(|key| (*key.as_bytes()).into()),
                gone,
                path: paths.next().map(encode),
            });
        }
        Ok(lines)
    }

    fn disclose(&mut self, position: Position, entry: &Entry) {
        if entry.stream.kind == StreamKind::Plan {
            *self.disclosed.0.entry(entry.key).or_default() += 1;
            self.disclosed.1 = position;
        }
    }

    /// Prepares the next lines of events in scope, or the end.
    fn fill(&mut self) -> Result<(), ExportError> {
        let (positions, proofs): (Vec<Position>, bool) = match self.request.scope {
            Scope::Plan(_) | Scope::Student(_) => {
                let count = self.positions.len().min(CHUNK);
                (self.positions.drain(..count).collect(), true)
            }
            Scope::Range { to, .. } => {
                let last = to.get().min(self.next.get() + CHUNK as u64 - 1);
                let positions = (self.next.get()..=last).map(Position::new).collect();
                self.next = Position::new(last + 1).max(self.next);
                (positions, false)
            }
        };
        if positions.is_empty() {
            self.done = true;
            let events = self.events;
            self.ready.push_back(Line::End(End { events }));
            return Ok(());
        }
        self.events += positions.len() as u64;
        let disclosure = self.request.disclosure;
        // Records of heads open nothing personal, and nobody can follow them without.
        let of_heads = StreamId::from(heads_stream(self.ledger.status().ledger));
        let show = |entry: &Entry| match disclosure {
            Disclosure::Events => Show::Text,
            Disclosure::Integrity if entry.stream == of_heads => Show::Text,
            Disclosure::Integrity => Show::Sealed,
        };
        let lines = self.event_lines(&positions, proofs, &show)?;
        self.ready.extend(lines.into_iter().map(Line::Event));
        Ok(())
    }
}

impl Iterator for Export {
    type Item = Result<String, ExportError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ready.is_empty()
            && !self.done
            && let Err(error) = self.fill()
        {
            self.done = true;
            return Some(Err(error));
        }
        let line = self.ready.pop_front()?;
        Some(line.to_text().map_err(ExportError::from))
    }
}

fn stored(ledger: &Ledger, position: Position) -> Result<StoredEntry, ReadError> {
    let missing = || ReadError::NotThere {
        asked: position,
        tail: ledger.position(),
    };
    ledger.log().entry(position)?.ok_or_else(missing)
}

fn read_entry(stored: &StoredEntry) -> Result<Entry, ReadError> {
    Entry::decode(&stored.entry).map_err(|error| ReadError::Malformed {
        position: stored.position,
        reason: error.to_string(),
    })
}

fn encode(hashes: Vec<Hash32>) -> Vec<Bytes> {
    hashes.into_iter().map(Bytes::from).collect()
}
