//! Checks the journal from its first byte to its last, and with it the checkpoints, the recorded
//! heads and the indexes.

use std::vec;

use super::acts::Acts;
use super::checkpoints::Checkpoints;
use super::contents::{Content, open};
use super::disclosed::{self, Disclosed};
use super::forking::Forking;
use super::forks::Forks;
use super::halt::Halt;
use super::heads::Heads;
use super::indexes::Indexes;
use super::origin::Recorded;
use super::parallel::{Span, in_order};
use super::report::{Part, PartName};
use crate::audit::{Chains, Fault, FaultKind};
use crate::domain::erasure::RemovedReads;
use crate::domain::ledger::{
    LedgerEvent, Loss, NotedReads, RecordedHeads, forks_stream, heads_stream, origin_stream,
    reads_stream, restores_stream,
};
use crate::domain::{Event, EventMeta};
use crate::entry::{self, Entry};
use crate::hash::Hash32;
use crate::ids::{CommitSeq, Position, StreamId, StreamKind};
use crate::journal::{CommandRecord, CommitLog, EntryRef, Frame, ReadError, Tail};
use crate::ledger::opener::{Opener, Rests};
use crate::ledger::sealer::meta_of;
use crate::ledger::{OpenError, ReadError as LedgerReadError};
use crate::merkle::Frontier;
use crate::seal::KeyStore;
use crate::tlog::VerifierKey;

/// How many bytes of frames one thread hands over at a time.
const BATCH_BYTES: usize = 1 << 20;

/// What the journal holds, as far as it is sound.
pub(super) struct Found {
    pub(super) commits: CommitSeq,
    pub(super) events: Position,
    pub(super) streams: u64,
    pub(super) redacted: u64,
    pub(super) root: Hash32,
    /// The key on record.
    pub(super) key: Option<VerifierKey>,
    /// Every key that was ever on record.
    pub(super) signers: Vec<VerifierKey>,
    /// The last record of where streams ended.
    pub(super) heads: Option<RecordedHeads>,
    /// Everything that was noted of the access log.
    pub(super) noted: Vec<NotedReads>,
    /// What is on record as lost of the access log, oldest first.
    pub(super) losses: Vec<Loss>,
    /// How many of the files that are published for monitors were compared, and their first fault;
    /// `None` if there are none.
    pub(super) disclosed: Option<(u64, Option<Fault>)>,
    /// The acts that remove records of the access log, and whether they are carried out.
    pub(super) removals: Vec<(RemovedReads, bool)>,
    /// What is on record of the earlier ledger, if the events were carried over from one.
    pub(super) origin: Recorded,
    /// Whether the journal was read to its end.
    pub(super) whole: bool,
    /// The forked streams.
    pub(super) forks: Forks,
    /// The results for the journal, checkpoints, heads and indexes.
    pub(super) parts: [Part; 4],
}

/// Reads the whole journal.
pub(super) fn check(
    log: &dyn CommitLog,
    keys: &KeyStore,
    checkpoints: Checkpoints,
    disclosed: Disclosed,
    indexes: Indexes<'_>,
    progress: &dyn Fn(u64, u64),
) -> Result<Found, OpenError> {
    let end = log.tail();
    let mut following = Following {
        log,
        chains: Chains::default(),
        forking: Forking::default(),
        frontier: Frontier::default(),
        tail: None,
        redacted: 0,
        checkpoints,
        heads: Heads::new(),
        disclosed,
        acts: Acts::default(),
        noted: Vec::new(),
        losses: Vec::new(),
        origin: Recorded::default(),
        indexes,
    };
    following.checkpoints.reached(&following.frontier);
    let rests = Rests::default();
    let opener = Opener {
        log,
        keys,
        rests: &rests,
        up_to_damage: true,
    };
    let work = |span: Span, give: &mut dyn FnMut(Batch) -> bool| read(&opener, span, give);
    let checked = in_order(Span::all(end.position), work, |batch| {
        following.follow(batch)?;
        progress(following.frontier.size(), end.position.get());
        Ok(())
    });
    let fault = match checked {
        Ok(()) if following.commits() < end.commit => {
            let what = "the journal ends too early";
            Some(Fault::new(
                following.position().next(),
                FaultKind::Missing,
                what,
            ))
        }
        Ok(()) => None,
        Err(Halt::Fault(fault)) => Some(fault),
        Err(Halt::Failed(error)) => return Err(error),
    };
    Ok(following.finish(fault))
}

fn failed(source: std::io::Error) -> Halt {
    Halt::Failed(LedgerReadError::from(ReadError::Io { segment: 0, source }).into())
}

/// Frames that are sound in themselves.
#[derive(Default)]
struct Batch {
    frames: Vec<Frame>,
    /// The entries of the frames. If an entry is not sound, the entries after it in the last frame
    /// are missing.
    entries: Vec<Seen>,
    redacted: u64,
    /// Why the reading stopped after these frames. `None` if no fault or error stopped it.
    stop: Option<Halt>,
}

/// An entry that is sound in itself.
struct Seen {
    back: Position,
    leaf: Hash32,
    link: Hash32,
    entry: Entry,
    /// The event, if it belongs to one of the ledger's own streams.
    own: Option<Box<Result<LedgerEvent, Fault>>>,
    /// What opens it to monitors, if it is a record of heads.
    disclosed: Option<String>,
    /// The event, if it belongs to a redaction or erasure and can be read.
    act: Option<Box<(EventMeta, Event)>>,
}

/// Checks everything that can be checked without knowing what came before. Many threads do this.
fn read(opener: &Opener<'_>, span: Span, give: &mut dyn FnMut(Batch) -> bool) {
    let mut batch = Batch::default();
    let mut bytes = 0;
    for frame in span.frames(opener.log) {
        let taken = frame.map_err(Halt::from).and_then(|frame| {
            bytes += frame.bytes().len();
            batch.take(frame, opener)
        });
        if let Err(stop) = taken {
            batch.stop = Some(stop);
            break;
        }
        if bytes >= BATCH_BYTES {
            bytes = 0;
            if !give(std::mem::take(&mut batch)) {
                return;
            }
        }
    }
    give(batch);
}

impl Batch {
    /// Takes a frame. Its payload hashes and checksum were checked when it was read.
    fn take(&mut self, frame: Frame, opener: &Opener<'_>) -> Result<(), Halt> {
        let taken = frame.entries().try_for_each(|record| {
            let position = record.position;
            let entry = Entry::decode(record.entry)
                .map_err(|error| Fault::new(position, FaultKind::Entry, error.to_string()))?;
            if entry::leaf(record.entry) != *record.leaf {
                let what = "the leaf is not the hash of the entry";
                return Err(Fault::new(position, FaultKind::Leaf, what).into());
            }
            self.redacted += u64::from(record.is_redacted());
            let own = entry.stream.kind == StreamKind::Ledger;
            let own = own.then(|| Box::new(open_own(&record, &entry, opener)));
            let is_heads = |own: &Result<LedgerEvent, Fault>| {
                matches!(own, Ok(LedgerEvent::HeadsRecorded { .. }))
            };
            let is_heads = own.as_deref().is_some_and(is_heads);
            let disclosed = is_heads.then(|| disclosed::line(&record, &entry, opener.keys));
            self.entries.push(Seen {
                back: record.back,
                leaf: *record.leaf,
                link: entry::link(record.entry),
                own,
                disclosed: disclosed.flatten(),
                act: open_act(&record, &entry, opener),
                entry,
            });
            Ok(())
        });
        self.frames.push(frame);
        taken
    }
}

/// Opens an event of one of the ledger's own streams.
fn open_own(
    record: &EntryRef<'_>,
    entry: &Entry,
    opener: &Opener<'_>,
) -> Result<LedgerEvent, Fault> {
    let position = record.position;
    match open(record, entry, opener)? {
        Content::Event(Event::Ledger(event)) | Content::Left(Event::Ledger(event)) => Ok(event),
        Content::Event(_) | Content::Left(_) => {
            let what = "it is not an event of the ledger itself";
            Err(Fault::new(position, FaultKind::Event, what))
        }
        Content::Redacted | Content::Erased => {
            let what = "a record of the ledger itself was overwritten";
            Err(Fault::new(position, FaultKind::Payload, what))
        }
    }
}

/// Opens an event of a redaction or erasure. `None` if it is of something else. What cannot be opened is
/// reported where every payload is.
fn open_act(
    record: &EntryRef<'_>,
    entry: &Entry,
    opener: &Opener<'_>,
) -> Option<Box<(EventMeta, Event)>> {
    if entry.stream.kind != StreamKind::Erasure {
        return None;
    }
    match open(record, entry, opener) {
        Ok(Content::Event(event) | Content::Left(event)) => Some(Box::new((meta_of(entry), event))),
        Ok(Content::Redacted | Content::Erased) | Err(_) => None,
    }
}

/// Checks everything that can only be checked in order.
struct Following<'a> {
    log: &'a dyn CommitLog,
    chains: Chains,
    forking: Forking,
    frontier: Frontier,
    tail: Option<Tail>,
    redacted: u64,
    checkpoints: Checkpoints,
    heads: Heads,
    disclosed: Disclosed,
    acts: Acts,
    noted: Vec<NotedReads>,
    losses: Vec<Loss>,
    origin: Recorded,
    indexes: Indexes<'a>,
}

impl Following<'_> {
    fn commits(&self) -> CommitSeq {
        self.tail.map(|tail| tail.commit).unwrap_or_default()
    }

    fn position(&self) -> Position {
        Position::new(self.frontier.size())
    }

    fn follow(&mut self, batch: Batch) -> Result<(), Halt> {
        let mut entries = batch.entries.into_iter();
        for frame in &batch.frames {
            let tail = match &self.tail {
                None => Ok(Tail::at(frame)),
                Some(tail) => tail.after(frame),
            };
            let tail = tail.map_err(|error| {
                let what = format!("the frame at that place {error}");
                Fault::new(self.position().next(), FaultKind::Order, what)
            })?;
            for command in frame.commands() {
                if !self.follow_command(frame, &command, &mut entries)? {
                    return batch.stop.map_or(Ok(()), Err);
                }
            }
            self.indexes.take(frame).map_err(failed)?;
            self.tail = Some(tail);
        }
        self.redacted += batch.redacted;
        batch.stop.map_or(Ok(()), Err)
    }

    /// Checks a command and its events. Returns false if some of the events are missing.
    fn follow_command(
        &mut self,
        frame: &Frame,
        command: &CommandRecord,
        entries: &mut vec::IntoIter<Seen>,
    ) -> Result<bool, Halt> {
        let mut revision = None;
        for _ in 0..command.entries {
            let Some(seen) = entries.next() else {
                return Ok(false);
            };
            let (position, entry) = (self.position().next(), &seen.entry);
            match self.chains.follow(position, seen.back, entry, seen.link) {
                Ok(()) => self.forking.followed(position, entry),
                Err(broken) => {
                    let forking = &mut self.forking;
                    forking.broken(self.log, position, seen.back, entry, broken)?;
                }
            }
            if entry.recorded_at < frame.header().recorded_at {
                let what = "its recorded time is earlier than that of its commit";
                return Err(Fault::new(position, FaultKind::Time, what).into());
            }
            if (entry.command, entry.stream) != (command.id, command.stream) {
                let what = "it belongs to another command or another stream than its commit says";
                return Err(Fault::new(position, FaultKind::Command, what).into());
            }
            revision = Some(entry.revision);
            self.frontier.push(seen.leaf);
            self.heads.take(position, entry, seen.link);
            if let Some(event) = seen.own {
                let disclosed = seen.disclosed.as_deref();
                self.follow_own(position, entry.stream, *event, disclosed)?;
            }
            if let Some(act) = seen.act {
                self.acts.take(position, &act.0, &act.1);
            }
            self.checkpoints.reached(&self.frontier);
        }
        let position = self.position();
        let said = revision;
        let revision = revision.unwrap_or_else(|| {
            let place = self.chains.streams().get(&command.stream);
            place.map(|place| place.revision).unwrap_or_default()
        });
        if revision == command.revision
            || (said.is_none() && self.forking.answered(position, command, revision))
        {
            return Ok(true);
        }
        let what = format!(
            "the receipt of command {} says that {} had revision {} then, but it had revision \
            {revision}",
            command.id, command.stream, command.revision
        );
        Err(Fault::new(position, FaultKind::Command, what).into())
    }

    /// Takes an event of one of the ledger's own streams: a key, a record of where streams ended,
    /// or the settling of a fork.
    fn follow_own(
        &mut self,
        position: Position,
        stream: StreamId,
        event: Result<LedgerEvent, Fault>,
        disclosed: Option<&str>,
    ) -> Result<(), Halt> {
        let ledger = self.log.ledger_id();
        let of_heads = stream == StreamId::from(heads_stream(ledger));
        let of_forks = stream == StreamId::from(forks_stream(ledger));
        let of_reads = stream == StreamId::from(reads_stream(ledger));
        let of_restores = stream == StreamId::from(restores_stream(ledger));
        let of_origin = stream == StreamId::from(origin_stream(ledger));
        match event {
            Ok(LedgerEvent::AccessLogNoted(noted)) if of_reads => self.noted.push(noted),
            Ok(LedgerEvent::AccessLogLost(lost)) if of_reads => {
                // Nobody can say any more what the lost records were.
                self.noted.retain(|noted| noted.records <= lost.kept);
                self.losses.push(Loss {
                    kept: lost.kept,
                    complete_since: lost.complete_since,
                });
            }
            // What is lost by it was never in this journal.
            Ok(LedgerEvent::Restored(_)) if of_restores => {}
            // What they say is of another ledger.
            Ok(LedgerEvent::CarriedOver(carried)) if of_origin => {
                self.origin.carried.get_or_insert((position, carried));
            }
            Ok(LedgerEvent::PlaceHeld(held)) if of_origin => {
                self.origin.take(position, held);
            }
            Ok(LedgerEvent::ForkSettled { stream, forks, .. }) if of_forks => {
                self.forking.settle(position, stream, &forks)?;
            }
            Err(fault) if of_forks => return Err(fault.into()),
            Ok(LedgerEvent::HeadsRecorded { through, root }) if of_heads => {
                let recorded = RecordedHeads { through, root };
                self.disclosed.take_heads(position, disclosed);
                self.heads.check(self.log, position, recorded)?;
            }
            Err(fault) if of_heads => self.heads.fail(fault),
            Ok(event) if stream == StreamId::from(ledger) => {
                self.disclosed.take_key(position, &event);
                self.checkpoints.key_event(position, &event);
            }
            Err(fault) => self.checkpoints.fail(fault),
            Ok(_) => {
                let what =
                    format!("an event of the ledger of this kind does not belong in {stream}");
                let fault = Fault::new(position, FaultKind::Event, what);
                self.checkpoints.fail(fault);
            }
        }
        Ok(())
    }

    fn finish(self, fault: Option<Fault>) -> Found {
        let (commits, events) = (self.commits(), self.position());
        let whole = fault.is_none();
        let (heads, heads_part) = self.heads.finish();
        let key = self.checkpoints.key().cloned();
        let signers = self.checkpoints.keys_on_record();
        let forks = self.forking.finish();
        let mut journal = Part::new(PartName::Journal);
        journal.checked = events.get();
        journal.fault = fault.or_else(|| forks.fault());
        journal.note = forks.note();
        let parts = [
            journal,
            self.checkpoints.finish(events, whole),
            heads_part,
            self.indexes.finish(),
        ];
        Found {
            commits,
            events,
            streams: self.chains.streams().len() as u64,
            redacted: self.redacted,
            root: self.frontier.root(),
            key,
            signers,
            heads,
            noted: self.noted,
            losses: self.losses,
            disclosed: self.disclosed.finish(whole),
            removals: self.acts.removals(),
            origin: self.origin,
            whole,
            forks,
            parts,
        }
    }
}
