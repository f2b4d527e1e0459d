//! What is known of the time after the state that is put back: later checkpoints, acts that destroyed
//! text, and commands that had a receipt.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::io;
use std::path::Path;

use super::super::error::{BackupError, at};
use super::super::pace::Pace;
use super::super::source::{open, read, read_chunk, segments};
use crate::hash::Hash32;
use crate::ids::{CommandId, CommitSeq, Position};
use crate::journal::{SEGMENT_HEADER_LEN, WholeFrame, WholeSegment, commit_before, segment_name};
use crate::ledger::lost;
use crate::note::VerifierKey;
use crate::tlog::{KeptNotes, SignedCheckpoint};

/// Commands that had a receipt and are not put back: the last ones, as many as a ledger remembers.
#[derive(Default)]
pub(super) struct LostIds {
    order: VecDeque<CommandId>,
    there: HashSet<CommandId>,
    /// The furthest position that is known to have been there.
    pub(super) reached: Position,
}

impl LostIds {
    pub(super) fn add(&mut self, id: CommandId) {
        // The ledger gives such ids itself, and carries its own commands out again as it must.
        if id.is_of_ledger() || !self.there.insert(id) {
            return;
        }
        self.order.push_back(id);
        if self.order.len() as u64 > lost::MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.there.remove(&oldest);
        }
    }

    pub(super) fn add_frame(&mut self, frame: &WholeFrame) {
        for command in frame.frame.commands() {
            self.add(command.id);
        }
        self.reached = self.reached.max(frame.tail.position);
    }

    pub(super) fn ids(&self) -> impl ExactSizeIterator<Item = &CommandId> {
        self.order.iter()
    }

    /// Takes the commands of a journal that come after a commit, as far as they can be read. Gives
    /// whether all of it could.
    pub(super) fn add_journal(
        &mut self,
        folder: &Path,
        after: CommitSeq,
    ) -> Result<bool, BackupError> {
        let numbers = segments(folder)?;
        let mut is_whole = !numbers.is_empty();
        // The last segment that begins at or before the commit, and all after it.
        let mut first = 0;
        for (index, number) in numbers.iter().enumerate() {
            let path = folder.join(segment_name(*number));
            let mut beginning = Vec::new();
            let begun = open(&path).and_then(|mut file| {
                let pace = &mut Pace::new(None);
                read_chunk(&mut file, SEGMENT_HEADER_LEN, &mut beginning, pace)
            });
            if begun.is_ok() && commit_before(&beginning).is_some_and(|commit| commit <= after) {
                first = index;
            }
        }
        for number in numbers.into_iter().skip(first) {
            is_whole &= self.add_segment(folder, number, after);
        }
        Ok(is_whole)
    }

    fn add_segment(&mut self, folder: &Path, number: u64, after: CommitSeq) -> bool {
        let path = folder.join(segment_name(number));
        let bytes = match read(&path, &mut Pace::new(None)) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a segment cannot be read");
                return false;
            }
        };
        let end = bytes.len() as u64;
        let Ok(segment) = WholeSegment::new(number, bytes) else {
            tracing::warn!(path = %path.display(), "a segment has no sound header");
            return false;
        };
        // The end of the last segment may be a write for which no receipt was given; to refuse its
        // commands too does no harm.
        for frame in segment.frames(end) {
            match frame {
                Ok(frame) if frame.tail.commit > after => self.add_frame(&frame),
                Ok(_) => {}
                Err(damage) => {
                    tracing::warn!(%damage, "a segment is read up to its damage");
                    return false;
                }
            }
        }
        true
    }
}

/// Checkpoints that are known, and that the state that is put back does not lead to.
#[derive(Default)]
pub(super) struct Beyond {
    notes: Vec<SignedCheckpoint>,
}

impl Beyond {
    /// Takes those notes that are not among `there`, sizes and roots of what is put back.
    pub(super) fn add(
        &mut self,
        notes: impl IntoIterator<Item = SignedCheckpoint>,
        there: &HashSet<(u64, Hash32)>,
    ) {
        for signed in notes {
            let checkpoint = &signed.checkpoint;
            let is_new = !there.contains(&(checkpoint.size, checkpoint.root))
                && !self.notes.contains(&signed);
            if is_new {
                self.notes.push(signed);
            }
        }
    }

    /// The one of most events.
    pub(super) fn furthest(&self) -> Option<&SignedCheckpoint> {
        self.notes
            .iter()
            .max_by_key(|signed| signed.checkpoint.size)
    }

    /// As they are stored.
    pub(super) fn text(&self) -> String {
        let notes = self.notes.iter().map(|signed| format!("{}\n", signed.note));
        notes.collect()
    }
}

/// The notes of a file that the key has signed. None if there is no file.
pub(super) fn notes_in(
    path: &Path,
    key: &VerifierKey,
) -> Result<Vec<SignedCheckpoint>, BackupError> {
    let text = match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(at(path))?,
    };
    let found = KeptNotes::parse(&text);
    if found.damaged {
        tracing::warn!(path = %path.display(), "checkpoints are read up to a damaged one");
    }
    let signed = found.notes.into_iter();
    Ok(signed
        .filter(|signed| signed.verify([key]).is_ok())
        .collect())
}

/// The acts of several copies of `acts.txt`, oldest copy first: of each target, what the newest says.
pub(super) fn merged_acts(copies: &[Vec<u8>]) -> Vec<u8> {
    let mut acts: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for copy in copies {
        for line in copy
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            acts.insert(target_of(line), line.to_vec());
        }
    }
    let lines = acts
        .into_values()
        .flat_map(|line| [line, b"\n".to_vec()].concat());
    lines.collect()
}

/// What an act is about. A line that does not read stays, and whoever opens the ledger says what is wrong.
fn target_of(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let target = text.split_once(' ').and_then(|(_, json)| {
        let act: serde_json::Value = serde_json::from_str(json).ok()?;
        Some(act.get("target")?.to_string())
    });
    target.unwrap_or_else(|| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_of_several_copies_are_one_of_each_target_and_the_newest() {
        let old = b"aa {\"target\":1,\"n\":1}\nbb {\"target\":2}\n".to_vec();
        let new = b"cc {\"target\":1,\"n\":2}\nbroken\n".to_vec();
        let merged = String::from_utf8(merged_acts(&[old.clone(), new])).unwrap();
        assert_eq!(
            merged,
            "cc {\"target\":1,\"n\":2}\nbb {\"target\":2}\nbroken\n"
        );
        assert_eq!(merged_acts(&[old.clone(), Vec::new()]), old);
        assert_eq!(merged_acts(&[]), Vec::<u8>::new());
    }

    #[test]
    fn the_last_lost_commands_are_kept_each_once_and_none_of_the_ledgers_own() {
        let mut lost = LostIds::default();
        let id = |n: u64| CommandId::from_bytes((u128::from(n) + (1 << 100)).to_be_bytes());
        for n in 0..lost::MOST + 2 {
            lost.add(id(n));
            lost.add(id(n));
        }
        assert_eq!(lost.ids().len() as u64, lost::MOST);
        assert_eq!(lost.ids().next(), Some(&id(2)));
    }
}
