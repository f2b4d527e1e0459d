//! Checks the access log: every frame, link, leaf and record, and its checkpoints.

use std::path::Path;

use super::contents::kind_of;
use super::halt::{Halt, damaged};
use super::report::{Part, PartName};
use crate::access_log::{FOLDER, log_id, query, verifier_of};
use crate::audit::{Chains, Fault, FaultKind};
use crate::domain::erasure::RemovedReads;
use crate::domain::ledger::{Loss, NotedReads};
use crate::entry::{self, Entry};
use crate::hash::Hash32;
use crate::ids::{KeyId, LedgerId, PersonId, Position};
use crate::journal::{
    CommandRecord, CommitLog, EntryRef, Frame, OpenMode, SegmentLog, SegmentOptions, Tail,
};
use crate::ledger::OpenError;
use crate::ledger::directory::os_disk;
use crate::merkle::Frontier;
use crate::note::VerifierKey;
use crate::seal::{KeyScope, KeyStore};
use crate::tlog::{Kept, SignedCheckpoint};

/// What the check needs.
pub(super) struct Access<'a> {
    /// The data directory.
    pub(super) dir: &'a Path,
    pub(super) ledger: LedgerId,
    pub(super) keys: &'a KeyStore,
    /// Every key that ever signed the ledger's checkpoints.
    pub(super) signers: Vec<VerifierKey>,
    /// What the ledger has on record of the access log: how many records there were, and their root.
    pub(super) noted: &'a [NotedReads],
    /// The acts on record that remove records, and whether they are carried out.
    pub(super) removals: &'a [(RemovedReads, bool)],
    /// What is on record as lost, oldest first.
    pub(super) losses: &'a [Loss],
    /// Whether records are opened.
    pub(super) texts: bool,
}

impl Access<'_> {
    /// The results. None if the directory has no access log, and nothing says that there was one.
    pub(super) fn check(&self) -> Result<Vec<Part>, OpenError> {
        let folder = self.dir.join(FOLDER);
        let journal = folder.join("journal");
        let kept = Kept::read_all(&folder.join("checkpoints"))?;
        let roots = self.roots();
        if !journal.is_dir() && kept.notes.is_empty() && roots.is_empty() {
            return Ok(Vec::new());
        }
        let mut checkpoints = Part::new(PartName::AccessCheckpoints);
        if kept.damaged {
            let what = format!("checkpoints.txt is damaged at byte {}", kept.end);
            checkpoints.fail(Fault::new(Position::ZERO, FaultKind::Checkpoint, what));
        }
        let mut notes = kept.notes;
        notes.sort_by_key(|signed| signed.checkpoint.size);
        let mut following = Following {
            access: self,
            signers: self
                .signers
                .iter()
                .filter_map(|key| verifier_of(key, self.losses.len()).ok())
                .collect(),
            chains: Chains::default(),
            frontier: Frontier::default(),
            tail: None,
            notes: notes.into_iter().peekable(),
            roots: roots.into_iter().peekable(),
            note: None,
            checkpoints,
        };
        let mut part = Part::new(PartName::AccessLog);
        let whole = match following.read(&journal) {
            Ok(()) => true,
            Err(Halt::Fault(fault)) => {
                part.fail(fault);
                false
            }
            Err(Halt::Failed(error)) => return Err(error),
        };
        part.checked = following.frontier.size();
        part.note = following.note.take().or_else(|| self.lost_before());
        if let Some(fault) = following.lost().filter(|_| whole) {
            part.fail(fault);
        }
        Ok(vec![part, following.finish(whole)])
    }

    /// What is said of an access log of which records were lost, as it is on record.
    fn lost_before(&self) -> Option<String> {
        let last = self.losses.last()?;
        Some(format!(
            "it is on record that all records after {} were lost; every read since {} is there",
            last.kept, last.complete_since
        ))
    }

    /// The roots on record, smallest size first.
    fn roots(&self) -> Vec<(Position, Hash32)> {
        let noted = self.noted.iter().map(|noted| (noted.records, noted.root));
        let removed = self.removals.iter().map(|(it, _)| it);
        // What was lost later has no root any more.
        let removed = removed.filter(|it| it.through_after(self.losses) == it.through);
        let removed = removed.map(|it| (it.through, it.root));
        let mut roots: Vec<_> = noted.chain(removed).collect();
        roots.retain(|(size, _)| *size > Position::ZERO);
        roots.sort_unstable();
        roots
    }

    /// The last record that acts on record remove, and the last one that they have removed.
    fn removed(&self) -> (Position, Position) {
        let furthest = |carried_out_only: bool| {
            let acts = self.removals.iter();
            let acts = acts.filter(|(_, carried_out)| *carried_out || !carried_out_only);
            let through = acts.map(|(it, _)| it.through_after(self.losses));
            through.max().unwrap_or_default()
        };
        (furthest(false), furthest(true))
    }
}

/// Checks everything in order.
struct Following<'a> {
    access: &'a Access<'a>,
    signers: Vec<VerifierKey>,
    chains: Chains,
    frontier: Frontier,
    tail: Option<Tail>,
    notes: std::iter::Peekable<std::vec::IntoIter<SignedCheckpoint>>,
    /// The roots that the ledger has on record, each with its size.
    roots: std::iter::Peekable<std::vec::IntoIter<(Position, Hash32)>>,
    note: Option<String>,
    checkpoints: Part,
}

impl Following<'_> {
    fn read(&mut self, journal: &Path) -> Result<(), Halt> {
        let missing = |what: &str| Fault::new(Position::new(1), FaultKind::Missing, what);
        if !journal.is_dir() {
            return Err(
                missing("it is on record that there was one, but the access log is gone").into(),
            );
        }
        let options = SegmentOptions {
            mode: OpenMode::ReadOnly,
            removable: true,
            ..SegmentOptions::default()
        };
        let disk = os_disk(journal).map_err(Halt::Failed)?;
        let log = match SegmentLog::open(disk, options) {
            Ok(log) => log,
            Err(crate::journal::OpenError::Damaged(damage)) => return Err(damaged(&damage).into()),
            // A crash may come after the folder was made and before the journal was.
            Err(crate::journal::OpenError::Empty) => return Ok(()),
            Err(error) => return Err(Halt::Failed(error.into())),
        };
        if log.ledger_id() != log_id(self.access.ledger) {
            return Err(missing("the access log belongs to another ledger").into());
        }
        self.follow_removed(&log)?;
        for frame in log.read(Position::new(self.frontier.size()).next()) {
            self.follow(&frame?)?;
        }
        Ok(())
    }

    /// Takes the leaves of records that were removed. There must be an act on record for all of them.
    fn follow_removed(&mut self, log: &SegmentLog) -> Result<(), Halt> {
        let removed = log.removed();
        let (may_go, are_gone) = self.access.removed();
        if removed.position > may_go {
            let what = format!(
                "the records up to {} were removed, but no act on record removes those after {may_go}",
                removed.position
            );
            return Err(Fault::new(may_go.next(), FaultKind::Missing, what).into());
        }
        if removed.position < are_gone {
            let what = format!(
                "an act on record has removed the records up to {are_gone}, but they are there; the \
                 next start of the server removes them"
            );
            return Err(Fault::new(removed.position.next(), FaultKind::Event, what).into());
        }
        if removed.position < may_go {
            self.note = Some(format!(
                "an act on record removes the records up to {may_go} at the next start of the server"
            ));
        } else if may_go > Position::ZERO {
            self.note = Some(format!(
                "the records up to {may_go} were removed by an act on record"
            ));
        }
        while self.frontier.size() < removed.position.get() {
            let next = Position::new(self.frontier.size()).next();
            for leaf in log.removed_leaves(next)? {
                self.push(leaf)?;
            }
        }
        if removed.position > Position::ZERO {
            self.chains = Chains::part(removed.position.next());
            self.tail = Some(removed);
        }
        Ok(())
    }

    /// Takes a leaf, and compares every root on record of that size.
    fn push(&mut self, leaf: Hash32) -> Result<(), Halt> {
        self.frontier.push(leaf);
        let size = Position::new(self.frontier.size());
        let root = self.next_size() == size.get() || self.next_root() == Some(size);
        let root = match root {
            true => self.frontier.root(),
            false => return Ok(()),
        };
        self.compare(&root);
        while let Some((_, recorded)) = self.roots.next_if(|(at, _)| *at == size) {
            if recorded != root {
                let what = format!(
                    "the ledger has on record another root of the first {size} records: the access log \
                     was exchanged or changed"
                );
                return Err(Fault::new(size, FaultKind::Checkpoint, what).into());
            }
        }
        Ok(())
    }

    fn next_root(&mut self) -> Option<Position> {
        self.roots.peek().map(|(size, _)| *size)
    }

    /// The fault of an access log that has fewer records than the ledger has on record.
    fn lost(&mut self) -> Option<Fault> {
        let (recorded, _) = self.roots.next()?;
        let events = self.frontier.size();
        let what = format!(
            "the ledger has on record that the access log had {recorded} records, but it has {events}: \
             its end is missing; put access/ back from its backup, or record the loss with `planledger \
             ledger settle-access-log`"
        );
        let next = Position::new(events).next();
        Some(Fault::new(next, FaultKind::Missing, what))
    }

    fn follow(&mut self, frame: &Frame) -> Result<(), Halt> {
        let next = Position::new(self.frontier.size()).next();
        let tail = match &self.tail {
            None => Ok(Tail::at(frame)),
            Some(tail) => tail.after(frame),
        };
        self.tail = Some(tail.map_err(|error| {
            let what = format!("the frame at that place {error}");
            Fault::new(next, FaultKind::Order, what)
        })?);
        let commands: Vec<_> = frame.commands().collect();
        let entries: Vec<_> = frame.entries().collect();
        if commands.len() != entries.len() {
            let what = "a frame of the access log has a command for each record";
            return Err(Fault::new(next, FaultKind::Command, what).into());
        }
        for (record, command) in entries.iter().zip(&commands) {
            self.record(record, command)?;
        }
        Ok(())
    }

    fn record(&mut self, record: &EntryRef<'_>, command: &CommandRecord) -> Result<(), Halt> {
        let position = record.position;
        let fault = |kind, what: &str| Halt::from(Fault::new(position, kind, what));
        let entry = Entry::decode(record.entry)
            .map_err(|error| Fault::new(position, FaultKind::Entry, error.to_string()))?;
        if entry::leaf(record.entry) != *record.leaf {
            return Err(fault(
                FaultKind::Leaf,
                "the leaf is not the hash of the entry",
            ));
        }
        let named = (command.id, command.stream, command.revision);
        if (entry.command, entry.stream, entry.revision) != named {
            let what = "it is not the record that its command names";
            return Err(fault(FaultKind::Command, what));
        }
        let link = entry::link(record.entry);
        let before = self.chains.streams().get(&entry.stream);
        let before = before.map(|place| place.key);
        let followed = self.chains.follow(position, record.back, &entry, link);
        if let Err(broken) = followed
            && !(broken.fault.kind == FaultKind::Key && self.outlives(before, entry.key))
        {
            let what = "it does not follow the last record about the student";
            return Err(fault(FaultKind::Link, what));
        }
        if self.access.texts {
            self.open(record, &entry)?;
        }
        self.push(*record.leaf)
    }

    /// Whether a record under this key may follow one under the key `before`: the student was erased in
    /// between, and what is recorded since holds nothing but ids, under the key of the ledger.
    fn outlives(&self, before: Option<KeyId>, key: KeyId) -> bool {
        let keys = self.access.keys;
        before.is_some_and(|before| keys.is_destroyed(before))
            && keys.scope_of(key) == Some(KeyScope::Ledger)
    }

    /// Opens a record with the key of its student, or of the ledger.
    fn open(&self, record: &EntryRef<'_>, entry: &Entry) -> Result<(), Halt> {
        let position = record.position;
        let keys = self.access.keys;
        let student = PersonId::from_uuid(entry.stream.id);
        match keys.scope_of(entry.key) {
            Some(KeyScope::Person(owner)) if owner == student => {}
            Some(KeyScope::Ledger) => {}
            Some(KeyScope::Person(_) | KeyScope::Institution(_)) => {
                let what = "it is sealed under another key than the student's";
                return Err(Fault::new(position, FaultKind::Key, what).into());
            }
            None => {
                let what = "its key is missing";
                return Err(Fault::new(position, FaultKind::Key, what).into());
            }
        }
        // Whether the erasure of the student is on record is checked with the ledger's own events.
        if keys.is_destroyed(entry.key) {
            return Ok(());
        }
        match query::open(position, entry, record.entry, record.sealed, keys) {
            Ok(Some(_)) => Ok(()),
            Ok(None) => {
                let what = "it was overwritten with zeros, but no redaction is on record";
                Err(Fault::new(position, FaultKind::Payload, what).into())
            }
            Err(error) => Err(Fault::new(position, kind_of(&error), error.to_string()).into()),
        }
    }

    fn next_size(&mut self) -> u64 {
        self.notes.peek().map_or(0, |signed| signed.checkpoint.size)
    }

    /// Compares the checkpoints of the size that was read so far.
    fn compare(&mut self, root: &Hash32) {
        let size = self.frontier.size();
        while let Some(signed) = self.notes.next_if(|signed| signed.checkpoint.size == size) {
            let position = Position::new(size);
            let fault = |kind, what: &str| {
                let what = format!("the checkpoint of {size} records {what}");
                Fault::new(position, kind, what)
            };
            if signed.checkpoint.root != *root {
                let what = "was signed for another access log";
                self.checkpoints.fail(fault(FaultKind::Checkpoint, what));
            }
            if !self.signers.iter().any(|key| signed.verify([key]).is_ok()) {
                let what = "was not signed by a key on record";
                self.checkpoints.fail(fault(FaultKind::Signature, what));
            }
            if self.checkpoints.fault.is_none() {
                self.checkpoints.checked += 1;
            }
        }
    }

    fn finish(mut self, whole: bool) -> Part {
        let events = self.frontier.size();
        if let Some(ahead) = self.notes.next().filter(|_| whole) {
            let size = ahead.checkpoint.size;
            let what = format!(
                "a checkpoint of {size} records was signed, but the access log has {events}: its end \
                is missing"
            );
            let position = Position::new(events).next();
            let fault = Fault::new(position, FaultKind::Checkpoint, what);
            self.checkpoints.fail(fault);
        }
        self.checkpoints
    }
}
