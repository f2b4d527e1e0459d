//! Compares the kept checkpoints and the published one with the journal and with the keys on
//! record.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::parallel::in_order;
use super::report::{Part, PartName};
use crate::audit::{Fault, FaultKind};
use crate::domain::ledger::LedgerEvent;
use crate::hash::Hash32;
use crate::ids::Position;
use crate::ledger::OpenError;
use crate::merkle::Frontier;
use crate::note::Rotation;
use crate::tlog::{Kept, KeptNotes, PUBLISHED, SignedCheckpoint, VerifierKey};

/// How many signatures one thread checks at a time.
const CHUNK: usize = 64;

/// The checkpoints, while the journal is read. All of them are in memory at once.
pub(super) struct Checkpoints {
    /// The checkpoints, sorted by size.
    notes: Vec<SignedCheckpoint>,
    /// The index of the first checkpoint that lies ahead of what was read, and its size.
    next: usize,
    next_size: u64,
    /// The sizes of the last two checkpoints whose roots are those of the journal.
    agreed: [u64; 2],
    /// For each checkpoint that was reached: the index of the key that was on record then.
    signers: Vec<Option<usize>>,
    /// The keys on record, each with the position from which it counts.
    keys: Vec<(Position, VerifierKey)>,
    /// The first root that is not the journal's, or the first change of key that was not signed.
    forged: Option<Fault>,
    /// What is wrong with the published checkpoint.
    published: Option<Fault>,
    part: Part,
}

impl Checkpoints {
    pub(super) fn read(dir: &Path) -> Result<Self, OpenError> {
        let kept = Kept::read_all(&dir.join("checkpoints"))?;
        let mut part = Part::new(PartName::Checkpoints);
        if let Some(fault) = faulty_file(&kept) {
            part.fail(fault);
        }
        if kept.rest > 0 && !kept.damaged {
            let rest = kept.rest;
            part = part.noted(format!(
                "the file ends with {rest} bytes of a write that did not finish"
            ));
        }
        let published = published(dir, &kept.notes)?;
        let mut notes = kept.notes;
        notes.sort_by_key(|signed| signed.checkpoint.size);
        let mut checkpoints = Self {
            next_size: 0,
            signers: Vec::with_capacity(notes.len()),
            notes,
            next: 0,
            agreed: [0; 2],
            keys: Vec::new(),
            forged: None,
            published,
            part,
        };
        checkpoints.look_ahead();
        Ok(checkpoints)
    }

    /// The size of the newest checkpoint. 0 if there is none.
    pub(super) fn newest(&self) -> u64 {
        let newest = self.notes.last();
        newest.map_or(0, |signed| signed.checkpoint.size)
    }

    fn look_ahead(&mut self) {
        let next = self.notes.get(self.next);
        self.next_size = next.map_or(u64::MAX, |signed| signed.checkpoint.size);
    }

    /// The key on record, as far as the journal was read.
    pub(super) fn key(&self) -> Option<&VerifierKey> {
        self.keys.last().map(|(_, key)| key)
    }

    /// Every key that was ever on record, as far as the journal was read.
    pub(super) fn keys_on_record(&self) -> Vec<VerifierKey> {
        self.keys.iter().map(|(_, key)| key.clone()).collect()
    }

    /// Takes an event of the stream of keys.
    pub(super) fn key_event(&mut self, position: Position, event: &LedgerEvent) {
        let now = self.key();
        let sound = match (event, now) {
            (LedgerEvent::KeyIntroduced { .. }, None) => true,
            // The stream was begun twice, which is a fork. The key is the same both times.
            (LedgerEvent::KeyIntroduced { key }, Some(now)) if key == now => true,
            (
                LedgerEvent::KeyRotated {
                    from,
                    to,
                    statement,
                },
                Some(now),
            ) => {
                let rotation = Rotation::new(from.clone(), to.clone(), statement.clone());
                from == now && rotation.is_some()
            }
            (
                LedgerEvent::KeyIntroduced { .. }
                | LedgerEvent::KeyRotated { .. }
                | LedgerEvent::HeadsRecorded { .. }
                | LedgerEvent::AccessLogNoted(_)
                | LedgerEvent::AccessLogLost(_)
                | LedgerEvent::Restored(_)
                | LedgerEvent::CarriedOver(_)
                | LedgerEvent::PlaceHeld(_)
                | LedgerEvent::ForkSettled { .. },
                _,
            ) => false,
        };
        match event {
            LedgerEvent::KeyIntroduced { key } | LedgerEvent::KeyRotated { to: key, .. }
                if sound =>
            {
                self.keys.push((position, key.clone()));
            }
            LedgerEvent::KeyIntroduced { .. }
            | LedgerEvent::KeyRotated { .. }
            | LedgerEvent::HeadsRecorded { .. }
            | LedgerEvent::AccessLogNoted(_)
            | LedgerEvent::AccessLogLost(_)
            | LedgerEvent::Restored(_)
            | LedgerEvent::CarriedOver(_)
            | LedgerEvent::PlaceHeld(_)
            | LedgerEvent::ForkSettled { .. } => {
                let what = "the previous key did not sign this change of key";
                self.fail(Fault::new(position, FaultKind::Signature, what));
            }
        }
    }

    /// Compares the checkpoints that have the frontier's size: the journal was read so far.
    pub(super) fn reached(&mut self, frontier: &Frontier) {
        while self.next_size == frontier.size() {
            let root = frontier.root();
            self.compare(&root);
            self.signers.push(self.keys.len().checked_sub(1));
            self.next += 1;
            self.look_ahead();
        }
    }

    fn compare(&mut self, root: &Hash32) {
        let Some(signed) = self.notes.get(self.next) else {
            return;
        };
        let size = signed.checkpoint.size;
        let [before, agreed] = self.agreed;
        let (before, what) = match (signed.checkpoint.root == *root, size == agreed) {
            (true, true) => return,
            (true, false) => {
                self.agreed = [agreed, size];
                return;
            }
            (false, true) => (
                before,
                format!(
                    "two checkpoints of {size} events were signed, for two different histories"
                ),
            ),
            (false, false) => (
                agreed,
                format!("the checkpoint of {size} events was signed for another journal"),
            ),
        };
        let what = match before {
            0 => what,
            _ => format!("{what}; up to position {before} there is no difference"),
        };
        let position = Position::new(before).next();
        self.fail(Fault::new(position, FaultKind::Checkpoint, what));
    }

    /// Keeps the first fault of an event about keys, or of a root.
    pub(super) fn fail(&mut self, fault: Fault) {
        self.forged.get_or_insert(fault);
    }

    /// The result. `events` is the position to which the journal was read. If `whole` is true, that
    /// is its end.
    pub(super) fn finish(self, events: Position, whole: bool) -> Part {
        let reached = self.signers.len();
        let unsigned = self.check_signatures();
        let mut part = self.part;
        part.checked = match &unsigned {
            Some((index, _)) => *index as u64,
            None => reached as u64,
        };
        let ahead = self.notes.get(reached);
        let ahead = ahead.map(|signed| signed.checkpoint.size);
        let gone = ahead.filter(|_| whole).map(|size| {
            let what = format!(
                "a checkpoint of {size} events was signed, but the journal ends at position \
                {events}: its end is missing"
            );
            Fault::new(events.next(), FaultKind::Checkpoint, what)
        });
        let unsigned = unsigned.map(|(_, fault)| fault);
        let faults = [self.forged, unsigned, gone, self.published];
        for fault in faults.into_iter().flatten() {
            part.fail(fault);
        }
        match ahead {
            Some(_) if !whole => {
                let left = self.notes.len() - reached;
                part.noted(format!(
                    "{left} are of more events than the journal was read to"
                ))
            }
            Some(_) | None => part,
        }
    }

    /// Among the checkpoints that were reached, finds the first that the key on record did not
    /// sign.
    fn check_signatures(&self) -> Option<(usize, Fault)> {
        let notes: Vec<_> = self.notes.iter().zip(&self.signers).collect();
        let work = |chunk: &[(&SignedCheckpoint, &Option<usize>)],
                    give: &mut dyn FnMut(Result<usize, Fault>) -> bool| {
            for (signed, signer) in chunk {
                let key = signer.and_then(|index| self.keys.get(index));
                let checked = check_signature(signed, key.map(|(_, key)| key));
                if !give(checked.map(|()| 1)) {
                    return;
                }
            }
        };
        let mut sound = 0;
        let checked = in_order(notes.chunks(CHUNK), work, |checked| {
            sound += checked?;
            Ok(())
        });
        checked.err().map(|fault| (sound, fault))
    }
}

fn check_signature(signed: &SignedCheckpoint, key: Option<&VerifierKey>) -> Result<(), Fault> {
    let size = signed.checkpoint.size;
    let fault = |what: String| Fault::new(Position::new(size), FaultKind::Signature, what);
    let Some(key) = key else {
        let what = format!("the checkpoint of {size} events was signed, but no key was on record");
        return Err(fault(what));
    };
    match signed.verify([key]) {
        Ok(_) => Ok(()),
        Err(error) => Err(fault(format!(
            "the key on record did not sign the checkpoint of {size} events: {error}"
        ))),
    }
}

/// What is wrong with the file of checkpoints itself.
fn faulty_file(kept: &KeptNotes) -> Option<Fault> {
    let fault = |what| Some(Fault::new(Position::ZERO, FaultKind::Checkpoint, what));
    let mut seen = HashSet::new();
    let mut last = 0;
    for signed in &kept.notes {
        let size = signed.checkpoint.size;
        // A checkpoint that was cosigned later stands in the file again.
        if seen.insert(size) && size < last {
            return fault(format!(
                "the checkpoint of {size} events is stored after the checkpoint of {last} events"
            ));
        }
        last = last.max(size);
    }
    match kept.damaged {
        true => fault(format!("checkpoints.txt is damaged at byte {}", kept.end)),
        false => None,
    }
}

/// What is wrong with the checkpoint that is published beside the tiles.
fn published(dir: &Path, notes: &[SignedCheckpoint]) -> Result<Option<Fault>, OpenError> {
    let path = dir.join("tlog").join(PUBLISHED);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(OpenError::Io { path, source }),
    };
    let newest_first = notes.iter().rev();
    let kept = newest_first.map(|signed| signed.note.to_string());
    Ok(
        match kept.into_iter().any(|note| note.as_bytes() == bytes) {
            true => None,
            false => {
                let what = "the published checkpoint is not one of the stored checkpoints";
                Some(Fault::new(Position::ZERO, FaultKind::Checkpoint, what))
            }
        },
    )
}
