//! Damage to the files of derived state under a ledger that is open.

use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::derived::damage::{any_file, flip, take_ranges, zero};
use crate::derived::files::{self, Files};
use crate::derived::place::ClockedDir;
use planledger_fixtures::dice::Dice;

/// What is done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Running {
    Flips,
    Zeroed,
    OlderRanges,
    Cut,
    CutToNothing,
    Removed,
    /// Zeros where something was, until the next start, when it is there again: reads that fail for
    /// a while.
    Passing,
}

/// Bytes that are put back.
pub(crate) struct Patch {
    path: PathBuf,
    at: usize,
    before: Vec<u8>,
}

impl Patch {
    /// Puts them back, unless something was written there since.
    pub(crate) fn undo(&self) {
        let Ok(mut file) = OpenOptions::new().read(true).write(true).open(&self.path) else {
            return;
        };
        let at = SeekFrom::Start(self.at as u64);
        let mut now = vec![1; self.before.len()];
        file.seek(at).unwrap();
        if file.read_exact(&mut now).is_ok() && now.iter().all(|byte| *byte == 0) {
            file.seek(at).unwrap();
            file.write_all(&self.before).unwrap();
        }
    }
}

impl Running {
    pub(crate) const ALL: [Self; 7] = [
        Self::Flips,
        Self::Zeroed,
        Self::OlderRanges,
        Self::Cut,
        Self::CutToNothing,
        Self::Removed,
        Self::Passing,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Flips => "open: bits flipped",
            Self::Zeroed => "open: pages zeroed",
            Self::OlderRanges => "open: ranges of older",
            Self::Cut => "open: cut",
            Self::CutToNothing => "open: cut to nothing",
            Self::Removed => "open: removed",
            Self::Passing => "open: zeros for a while",
        }
    }

    /// Does it to one of the files, or to all. Gives what is to be put back.
    pub(crate) fn apply(self, dice: &mut Dice, place: &ClockedDir, older: &Files) -> Vec<Patch> {
        let mut patches = Vec::new();
        let (derived, _) = files::split(&place.files(), "derived");
        let all = dice.once_in(4);
        let one = any_file(dice, &derived);
        for (path, bytes) in &derived {
            if !all && Some(path) != one.as_ref() {
                continue;
            }
            let at = place.path().join(path);
            let mut damaged = bytes.to_vec();
            match self {
                Self::Flips => {
                    let count = dice.between(1, 64);
                    flip(dice, &mut damaged, count);
                }
                Self::Zeroed => zero(dice, &mut damaged),
                Self::OlderRanges => {
                    if let Some(older) = older.get(path) {
                        take_ranges(dice, &mut damaged, older);
                    }
                }
                Self::Cut => {
                    let length = match dice.once_in(2) {
                        true => bytes.len() - bytes.len().div_ceil(20),
                        false => dice.below(bytes.len()),
                    };
                    truncate(&at, length);
                }
                Self::CutToNothing => truncate(&at, 0),
                Self::Removed => drop(std::fs::remove_file(&at)),
                Self::Passing => {
                    let one_in = dice.between(1, 4);
                    for (number, block) in damaged.chunks_mut(4_096).enumerate() {
                        if dice.once_in(one_in) {
                            patches.push(Patch {
                                path: at.clone(),
                                at: 4_096 * number,
                                before: block.to_vec(),
                            });
                            block.fill(0);
                        }
                    }
                }
            }
            overwrite(&at, bytes, &damaged);
        }
        patches
    }
}

// What the ledger takes away meanwhile needs no damage.

fn truncate(path: &Path, length: usize) {
    if let Ok(file) = OpenOptions::new().write(true).open(path) {
        file.set_len(length as u64).unwrap();
    }
}

/// Writes what differs and nothing else: the ledger goes on writing meanwhile.
fn overwrite(path: &Path, before: &[u8], after: &[u8]) {
    let blocks = before.chunks(64).zip(after.chunks(64)).enumerate();
    let changed: Vec<_> = blocks.filter(|(_, (old, new))| old != new).collect();
    if changed.is_empty() {
        return;
    }
    let Ok(mut file) = OpenOptions::new().write(true).open(path) else {
        return;
    };
    for (number, (_, new)) in changed {
        file.seek(SeekFrom::Start(64 * number as u64)).unwrap();
        file.write_all(new).unwrap();
    }
}
