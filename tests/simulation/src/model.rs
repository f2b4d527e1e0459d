//! The checker: what was receipted, in plain lists, and what every read has to say. It shares no code with
//! what it checks: it compares bytes, and has a Merkle tree of its own.

use std::collections::BTreeMap;

use planledger_core::entry::{Entry, EntryBytes, prefix};
use planledger_core::ids::{CommitSeq, Position};
use planledger_core::journal::{CommitLog, StoredEntry};
use planledger_core::seal::{KeyScope, open};
use sha2::{Digest, Sha256};

use crate::process::{Process, signer};

/// What has become of a text or a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Stands,
    /// It was to be destroyed, and nobody knows whether it was.
    Doubted,
    Destroyed,
}

/// An event.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) entry: EntryBytes,
    pub(crate) sealed: Vec<u8>,
    pub(crate) plain: Vec<u8>,
    /// Whose it is.
    pub(crate) of: u64,
    pub(crate) fate: Fate,
}

/// What was receipted.
#[derive(Debug, Default)]
pub(crate) struct Model {
    /// Every event, in order.
    pub(crate) events: Vec<Known>,
    /// How many events there are after each commit.
    ends: Vec<usize>,
    /// Commits that were to be appended last, and nobody knows how many of them were.
    pub(crate) doubted: Vec<Vec<Known>>,
    /// What has become of people's keys.
    pub(crate) keys: BTreeMap<u64, Fate>,
    /// The notes of checkpoints, by their sizes.
    pub(crate) kept: BTreeMap<u64, String>,
    /// A note that was to be kept, and nobody knows whether it is.
    pub(crate) doubted_note: Option<(u64, String)>,
}

/// What is wrong.
pub(crate) type Wrong = String;

/// Whom a number stands for.
pub(crate) fn scope(of: u64) -> KeyScope {
    use planledger_core::ids::{InstitutionId, PersonId};
    let mut id = [0x41; 16];
    if let Some(last) = id.last_mut() {
        *last = of as u8;
    }
    match of {
        0 => KeyScope::Ledger,
        1 => KeyScope::Institution(InstitutionId::from_bytes(id)),
        _ => KeyScope::Person(PersonId::from_bytes(id)),
    }
}

impl Model {
    /// How many commits were receipted.
    pub(crate) fn commits(&self) -> u64 {
        self.ends.len() as u64
    }

    /// How many events were receipted.
    pub(crate) fn position(&self) -> u64 {
        self.events.len() as u64
    }

    /// How many events there were after so many commits.
    pub(crate) fn position_at(&self, commits: u64) -> u64 {
        let last = (commits as usize).checked_sub(1);
        let end = last.and_then(|last| self.ends.get(last));
        end.map_or(0, |end| *end as u64)
    }

    /// A commit is receipted.
    pub(crate) fn receipt(&mut self, commit: Vec<Known>) {
        for known in &commit {
            self.keys.entry(known.of).or_insert(Fate::Stands);
        }
        self.events.extend(commit);
        self.ends.push(self.events.len());
    }

    /// The last event of somebody's.
    pub(crate) fn last_of(&self, of: u64, more: &[Known]) -> Option<(u64, EntryBytes)> {
        let all = self.events.iter().chain(more).zip(1..);
        let all: Vec<_> = all.filter(|(known, _)| known.of == of).collect();
        all.last().map(|(known, at)| (*at, known.entry))
    }

    /// The root over the first events, as RFC 6962 says it, word for word.
    pub(crate) fn root(&self, size: u64) -> [u8; 32] {
        let events = self.events.iter().take(size as usize);
        let leaves: Vec<[u8; 32]> = events
            .map(|known| Sha256::new().chain_update([0]).chain_update(known.entry))
            .map(|hash| hash.finalize().into())
            .collect();
        tree(&leaves)
    }

    /// Holds a process that has just been started to everything. From then on nothing is in doubt.
    pub(crate) fn opened(&mut self, process: &Process, whole: bool) -> Result<(), Wrong> {
        let tail = process.log.tail();
        let (had, has) = (self.commits(), tail.commit.get());
        if has < had {
            return Err(format!("{had} commits were receipted, and {has} are there"));
        }
        let more = (has - had) as usize;
        if more > self.doubted.len() {
            return Err(format!("{more} commits are there that nobody asked for"));
        }
        let mut doubted = std::mem::take(&mut self.doubted);
        doubted.truncate(more);
        doubted.into_iter().for_each(|commit| self.receipt(commit));
        if tail.position.get() != self.position() {
            return Err(format!(
                "it ends at {}, not {}",
                tail.position,
                self.position()
            ));
        }
        self.settle_keys(process)?;
        self.frames(process)?;
        if whole {
            (0..self.events.len()).try_for_each(|at| self.readable(process, at))?;
        }
        self.notes(process)
    }

    /// Keys that were to be destroyed are, or are not.
    fn settle_keys(&mut self, process: &Process) -> Result<(), Wrong> {
        for (of, fate) in &mut self.keys {
            let is_there = process.keys.active(scope(*of)).is_some();
            match (*fate, is_there) {
                (Fate::Stands, true) | (Fate::Destroyed, false) => {}
                (Fate::Stands, false) => return Err(format!("the key of {of} is gone")),
                (Fate::Destroyed, true) => return Err(format!("the key of {of} came back")),
                (Fate::Doubted, true) => *fate = Fate::Stands,
                (Fate::Doubted, false) => *fate = Fate::Destroyed,
            }
        }
        Ok(())
    }

    /// Every commit is there as it was asked for, whole, in its place, and nothing else.
    fn frames(&mut self, process: &Process) -> Result<(), Wrong> {
        let ends = self.ends.clone();
        let mut frames = process.log.read_commits(CommitSeq::new(1));
        let mut at = 0;
        for (end, number) in ends.into_iter().zip(1..) {
            let frame = match frames.next() {
                Some(Ok(frame)) => frame,
                Some(Err(_)) if process.is_faulted() => return Ok(()),
                Some(Err(error)) => return Err(format!("commit {number}: {error}")),
                None => return Err(format!("commit {number} cannot be read")),
            };
            if frame.commit().get() != number {
                return Err(format!("commit {} follows {}", frame.commit(), number - 1));
            }
            for read in frame.entries() {
                let known = self.events.get_mut(at).filter(|_| at < end);
                let known = known.ok_or_else(|| format!("commit {number} has more events"))?;
                let is_redacted = read.is_redacted();
                let same = read.position.get() == at as u64 + 1
                    && *read.entry == known.entry
                    && (is_redacted || read.sealed == known.sealed.as_slice());
                if !same {
                    return Err(format!("event {} is not what was receipted", at + 1));
                }
                known.observe(is_redacted, at)?;
                at += 1;
            }
            if at != end {
                return Err(format!("commit {number} ends at event {at}, not {end}"));
            }
        }
        match frames.next() {
            None => Ok(()),
            Some(_) => Err("frames follow the last commit".to_owned()),
        }
    }

    /// One event, found by its position, with its text.
    pub(crate) fn readable(&self, process: &Process, at: usize) -> Result<(), Wrong> {
        let Some(known) = self.events.get(at) else {
            return Ok(());
        };
        let position = at as u64 + 1;
        let stored = match process.entry(Position::new(position)) {
            Ok(Some(stored)) => stored,
            Ok(None) => return Err(format!("event {position} is not found")),
            Err(_) if process.is_faulted() => return Ok(()),
            Err(error) => return Err(format!("event {position}: {error}")),
        };
        if stored.position.get() != position || stored.entry != known.entry {
            return Err(format!("event {position} is found as another one"));
        }
        known.shows(process, &stored, self.keys.get(&known.of).copied())
    }

    /// Every checkpoint that was kept is there, with the root of the events before it, and no other.
    fn notes(&mut self, process: &Process) -> Result<(), Wrong> {
        let Some(kept) = &process.kept else {
            return Ok(());
        };
        let mut doubted = self.doubted_note.take();
        let sizes: Vec<u64> = kept.sizes_after(0).collect();
        for size in self.kept.keys() {
            if !sizes.contains(size) {
                return Err(format!("the checkpoint of {size} events is gone"));
            }
        }
        for size in sizes {
            let signed = match kept.at_least(size) {
                Ok(Some(signed)) => signed,
                Ok(None) => return Err(format!("the checkpoint of {size} events is not found")),
                Err(_) if process.is_faulted() => {
                    // It is in doubt as it was.
                    self.doubted_note = doubted;
                    return Ok(());
                }
                Err(error) => return Err(format!("the checkpoint of {size} events: {error}")),
            };
            let is = signed.note.to_string();
            let was = self.kept.get(&size);
            if let Some((_, note)) = doubted.take_if(|(of, note)| *of == size && *note == is) {
                self.kept.insert(size, note);
            } else if was != Some(&is) && process.is_faulted() {
                // A bit was read wrongly when the file was opened. Whoever is shown that notices.
                let log = signer(1)?.verifier();
                if signed.verify([&log]).is_ok() {
                    return Err(format!(
                        "the checkpoint of {size} events is signed otherwise"
                    ));
                }
                continue;
            } else if was != Some(&is) {
                return Err(format!("the checkpoint of {size} events is another one"));
            }
            if size > self.position() {
                let position = self.position();
                return Err(format!(
                    "a checkpoint of {size} events, and {position} are there"
                ));
            }
            if signed.checkpoint.root != self.root(size) {
                return Err(format!("the checkpoint of {size} events has another root"));
            }
        }
        Ok(())
    }
}

impl Known {
    /// What was to be destroyed is, or is not, once it has been looked at.
    fn observe(&mut self, is_redacted: bool, at: usize) -> Result<(), Wrong> {
        self.fate = match (self.fate, is_redacted) {
            (Fate::Stands, true) => return Err(format!("the text of event {} is gone", at + 1)),
            (Fate::Destroyed, false) => {
                return Err(format!("the text of event {} came back", at + 1));
            }
            (_, true) => Fate::Destroyed,
            (_, false) => Fate::Stands,
        };
        Ok(())
    }

    /// The text is what was written, or cannot be read because it was destroyed.
    fn shows(
        &self,
        process: &Process,
        stored: &StoredEntry,
        key_fate: Option<Fate>,
    ) -> Result<(), Wrong> {
        let position = stored.position;
        let Some(sealed) = &stored.sealed else {
            return match self.fate {
                Fate::Stands => Err(format!("the text of event {position} is gone")),
                Fate::Doubted | Fate::Destroyed => Ok(()),
            };
        };
        if self.fate == Fate::Destroyed {
            return Err(format!("the text of event {position} can still be read"));
        }
        let entry = Entry::decode(&self.entry).map_err(|error| error.to_string())?;
        let key = process.keys.by_id(entry.key);
        match (key, key_fate) {
            (Some(_), Some(Fate::Destroyed)) => {
                Err(format!("the key of event {position} came back"))
            }
            (None, Some(Fate::Stands) | None) => {
                Err(format!("the key of event {position} is gone"))
            }
            (None, Some(Fate::Doubted | Fate::Destroyed)) => Ok(()),
            (Some(key), _) => {
                let text = open(
                    &key.key_of(&entry),
                    &entry.nonce,
                    prefix(&self.entry),
                    sealed,
                );
                match text.is_ok_and(|text| text == self.plain) {
                    true => Ok(()),
                    false => Err(format!("event {position} has another text")),
                }
            }
        }
    }
}

fn tree(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => *leaf,
        more => {
            // The largest power of two that is less than their number.
            let split = more.len().next_power_of_two() / 2;
            let (left, right) = more.split_at(split);
            let node = Sha256::new().chain_update([1]);
            let node = node.chain_update(tree(left)).chain_update(tree(right));
            node.finalize().into()
        }
    }
}
