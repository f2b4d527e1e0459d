//! One file: what the program reads back, what is on stable storage, and what lies between.

use std::collections::BTreeMap;

use super::Cut;
use crate::dice::Dice;

/// What a disk writes as a whole, in bytes.
const SECTOR: usize = 512;

/// A file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inode {
    /// What the program has written, and reads back.
    pub(crate) cached: Vec<u8>,
    /// What is left after a power cut.
    stored: Vec<u8>,
    /// What was done since, in order.
    pending: Vec<Change>,
    /// What is stored is not what the program reads, although nothing is pending.
    differs: bool,
}

#[derive(Debug, Clone)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Len(usize),
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => {
                let end = offset + bytes.len();
                if to.len() < end {
                    to.resize(end, 0);
                }
                if let Some(part) = to.get_mut(*offset..end) {
                    part.copy_from_slice(bytes);
                }
            }
            Self::Len(len) => to.resize(*len, 0),
        }
    }

    /// The sectors that it changes in a file of this length.
    fn sectors(&self, len: usize) -> std::ops::Range<usize> {
        match self {
            Self::Write { offset, bytes } => {
                offset / SECTOR..(offset + bytes.len()).div_ceil(SECTOR)
            }
            Self::Len(to) => to.min(&len) / SECTOR..len.max(*to).div_ceil(SECTOR),
        }
    }
}

impl Inode {
    pub(crate) fn write(&mut self, offset: usize, bytes: &[u8]) {
        self.change(Change::Write {
            offset,
            bytes: bytes.to_vec(),
        });
    }

    pub(crate) fn set_len(&mut self, len: usize) {
        if len != self.cached.len() {
            self.change(Change::Len(len));
        }
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.cached);
        self.pending.push(change);
    }

    /// Brings everything to stable storage.
    pub(crate) fn sync(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            change.apply(&mut self.stored);
        }
    }

    /// A sync that fails. Some of what it should have stored is stored. The rest counts as stored, so
    /// the next sync does not store it either; the program still reads it, until the power is cut. The
    /// length is the file system's own affair, which keeps a log of it, and is stored.
    pub(crate) fn fail_sync(&mut self, dice: &mut Dice) {
        self.stored = self.left(Cut::Sectors, dice);
        self.stored.resize(self.cached.len(), 0);
        self.pending.clear();
        self.differs = true;
    }

    /// The power is cut.
    pub(crate) fn cut(&mut self, how: Cut, dice: &mut Dice) {
        if !self.pending.is_empty() {
            self.stored = self.left(how, dice);
            self.pending.clear();
            self.differs = true;
        }
        if std::mem::take(&mut self.differs) {
            self.cached.clone_from(&self.stored);
        }
    }

    /// What is left on stable storage.
    fn left(&self, how: Cut, dice: &mut Dice) -> Vec<u8> {
        let mut left = self.stored.clone();
        match how {
            Cut::LosesAll => {}
            Cut::KeepsAll => self
                .pending
                .iter()
                .for_each(|change| change.apply(&mut left)),
            Cut::Order => {
                let kept = dice.below(self.pending.len() as u64 + 1) as usize;
                let (whole, rest) = self.pending.split_at(kept);
                whole.iter().for_each(|change| change.apply(&mut left));
                // Of the next write, the beginning.
                if let Some(Change::Write { offset, bytes }) = rest.first() {
                    let count = dice.below(bytes.len() as u64 + 1) as usize;
                    let (bytes, _) = bytes.split_at(count);
                    let (offset, bytes) = (*offset, bytes.to_vec());
                    Change::Write { offset, bytes }.apply(&mut left);
                }
            }
            Cut::Sectors => left = self.sectors(dice),
        }
        left
    }

    /// A system writes the sectors of a file out in any order and at any time, each as it is at that
    /// moment, and the length apart from them.
    fn sectors(&self, dice: &mut Dice) -> Vec<u8> {
        let mut file = self.stored.clone();
        let mut lengths = vec![file.len()];
        // Of each sector how it was after each change to it.
        let mut versions: BTreeMap<usize, Vec<Vec<u8>>> = BTreeMap::new();
        let sector = |file: &[u8], number: usize| {
            let end = file.len().min((number + 1) * SECTOR);
            let bytes = file.get(number * SECTOR..end).unwrap_or_default();
            let mut bytes = bytes.to_vec();
            bytes.resize(SECTOR, 0);
            bytes
        };
        for change in &self.pending {
            let touched = change.sectors(file.len());
            for number in touched.clone() {
                let before = || vec![sector(&file, number)];
                versions.entry(number).or_insert_with(before);
            }
            change.apply(&mut file);
            for number in touched {
                if let Some(versions) = versions.get_mut(&number) {
                    versions.push(sector(&file, number));
                }
            }
            lengths.push(file.len());
        }
        let len = lengths.swap_remove(dice.below(lengths.len() as u64) as usize);
        let mut left = self.stored.clone();
        left.resize(len.next_multiple_of(SECTOR).max(left.len()), 0);
        for (number, mut versions) in versions {
            let chosen = versions.swap_remove(dice.below(versions.len() as u64) as usize);
            let at = number * SECTOR;
            if let Some(to) = left.get_mut(at..at + SECTOR) {
                to.copy_from_slice(&chosen);
            }
        }
        left.truncate(len);
        left
    }
}
