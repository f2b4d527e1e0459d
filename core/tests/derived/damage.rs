//! The ways in which derived state is damaged.

use std::path::PathBuf;
use std::sync::Arc;

use crate::derived::files::Files;
use planledger_fixtures::dice::Dice;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident: $name:literal;)*) => {
        /// A way to damage derived state.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            pub(crate) const ALL: &[Self] = &[$(Self::$kind,)*];

            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// Nothing at all: what is counted here is a fault of the harness.
    Nothing: "nothing";
    BitFlip: "one bit flipped";
    BitFlips: "many bits flipped";
    CutBytes: "cut by some bytes";
    CutPercent: "cut by 5 %";
    CutAnywhere: "cut anywhere";
    CutToNothing: "cut to nothing";
    CutLargest: "largest cut by 5 %";
    /// Of what is written in it.
    CutWritten: "written part cut by 5 %";
    /// The last that was written, as if it had not been.
    LastLost: "last part zeroed";
    Zeroed: "pages zeroed";
    Swapped: "ranges swapped";
    OlderRanges: "ranges of an older one";
    /// Writes that were lost: where it changed since, it is as it was.
    WritesLost: "writes lost";
    /// The same, all from some place on.
    LaterWritesLost: "writes from a place on lost";
    OlderFiles: "older files among newer";
    OneOlderFile: "one older file";
    FileMissing: "a file missing";
    FileAdded: "a file added";
    Grown: "bytes added";
    AllMissing: "all missing";
    AllOlder: "all older";
    /// The journal was put back from an older copy, and derived state was not.
    AllNewer: "all newer";
    BlocksMixed: "blocks of several times";
    /// The same with some that are newer than the journal.
    BlocksNewer: "blocks newer, too";
    PowerCut: "power cut";
    Rebuilding: "stopped amid a rebuild";
}

/// What derived state was at other times.
pub(crate) struct Times<'a> {
    /// Before now, from the oldest on, with now as the last.
    pub(crate) so_far: Vec<&'a Files>,
    pub(crate) later: Vec<&'a Files>,
    pub(crate) rebuilding: Vec<&'a Files>,
}

impl Kind {
    /// Whether the journal may say that it has lost its end: derived state knows of more.
    pub(crate) fn may_know_more(self) -> bool {
        matches!(self, Self::AllNewer | Self::BlocksNewer)
    }

    /// Damages what derived state is now.
    pub(crate) fn apply(self, dice: &mut Dice, times: &Times<'_>) -> Files {
        let mut now = (*times.so_far.last().unwrap()).clone();
        let path = match self {
            Self::CutLargest | Self::CutWritten | Self::LastLost => largest(&now),
            Self::WritesLost | Self::LaterWritesLost => largest(&now),
            _ => any_file(dice, &now),
        };
        let mut bytes = path.as_ref().map(|path| now[path].to_vec());
        let bytes_of = bytes.get_or_insert_default();
        match self {
            Self::Nothing => {}
            Self::BitFlip => flip(dice, bytes_of, 1),
            Self::BitFlips => {
                let count = dice.between(2, 64);
                flip(dice, bytes_of, count);
            }
            Self::CutBytes => {
                let less = dice.between(1, 4_096);
                bytes_of.truncate(bytes_of.len().saturating_sub(less));
            }
            Self::CutPercent | Self::CutLargest => {
                bytes_of.truncate(bytes_of.len() - bytes_of.len().div_ceil(20));
            }
            Self::CutWritten => {
                let written = written(bytes_of);
                bytes_of.truncate(written - written.div_ceil(20));
            }
            Self::LastLost => {
                let written = written(bytes_of);
                let lost = dice.between(1, *dice.clone().of(&[600, 5_000, 70_000, 600_000]));
                let from = written.saturating_sub(lost);
                bytes_of[from..].fill(0);
            }
            Self::CutAnywhere => bytes_of.truncate(dice.below(bytes_of.len())),
            Self::CutToNothing => bytes_of.clear(),
            Self::Zeroed => zero(dice, bytes_of),
            Self::Swapped => swap(dice, bytes_of),
            Self::OlderRanges => {
                let older = path
                    .as_ref()
                    .and_then(|path| dice.of(&times.so_far).get(path));
                if let Some(older) = older {
                    take_ranges(dice, bytes_of, older);
                }
            }
            Self::WritesLost | Self::LaterWritesLost => {
                let all = self == Self::LaterWritesLost;
                let older = path
                    .as_ref()
                    .and_then(|path| dice.of(&times.so_far).get(path));
                if let Some(older) = older {
                    lose_writes(dice, bytes_of, older, all);
                }
            }
            Self::Grown => {
                let more = dice.between(1, 9_000);
                let zeros = dice.once_in(2);
                bytes_of.extend((0..more).map(|_| match zeros {
                    true => 0,
                    false => dice.throw() as u8,
                }));
            }
            Self::OlderFiles => return older_files(dice, times),
            Self::OneOlderFile => {
                if let Some(path) = path {
                    match dice.of(&times.so_far).get(&path) {
                        Some(older) => now.insert(path, older.clone()),
                        None => now.remove(&path),
                    };
                }
                return now;
            }
            Self::FileMissing => {
                if let Some(path) = path {
                    now.remove(&path);
                }
                return now;
            }
            Self::FileAdded => return with_another(dice, now, path),
            Self::AllMissing => return Files::new(),
            Self::AllOlder => return (*dice.of(&times.so_far)).clone(),
            Self::AllNewer => return one_of(dice, &times.later).unwrap_or(now),
            Self::Rebuilding => return one_of(dice, &times.rebuilding).unwrap_or(now),
            Self::BlocksMixed => return mixed(dice, &times.so_far),
            Self::BlocksNewer => {
                let all = [times.so_far.as_slice(), &times.later].concat();
                return mixed(dice, &all);
            }
            Self::PowerCut => {
                // Everything up to some time had been synced; of what came after, anything may
                // have reached the disk, in any order.
                let synced = dice.below(times.so_far.len());
                return mixed(dice, &times.so_far[synced..]);
            }
        }
        if let (Some(path), Some(bytes)) = (path, bytes) {
            now.insert(path, Arc::new(bytes));
        }
        now
    }
}

fn one_of(dice: &mut Dice, from: &[&Files]) -> Option<Files> {
    (!from.is_empty()).then(|| (*dice.of(from)).clone())
}

fn largest(files: &Files) -> Option<PathBuf> {
    let largest = files.iter().max_by_key(|(_, bytes)| bytes.len());
    largest.map(|(path, _)| path.clone())
}

/// Half of the time the largest, where most of it is.
pub(crate) fn any_file(dice: &mut Dice, files: &Files) -> Option<PathBuf> {
    match dice.once_in(2) {
        true => largest(files),
        false => {
            let paths: Vec<_> = files.keys().collect();
            (!paths.is_empty()).then(|| (*dice.of(&paths)).clone())
        }
    }
}

/// A place where something is written, if a few tries find one.
pub(crate) fn a_place(dice: &mut Dice, bytes: &[u8]) -> usize {
    let mut at = dice.below(bytes.len());
    for _ in 0..50 {
        let around = &bytes[at..bytes.len().min(at + 16)];
        if around.iter().any(|byte| *byte != 0) {
            break;
        }
        at = dice.below(bytes.len());
    }
    at
}

/// Where what is written ends: files are made longer before there is anything to write.
fn written(bytes: &[u8]) -> usize {
    let last = bytes.iter().rposition(|byte| *byte != 0);
    last.map_or(0, |last| last + 1)
}

pub(crate) fn flip(dice: &mut Dice, bytes: &mut [u8], count: usize) {
    if bytes.is_empty() {
        return;
    }
    for _ in 0..count {
        let at = a_place(dice, bytes);
        bytes[at] ^= 1 << dice.below(8);
    }
}

pub(crate) fn zero(dice: &mut Dice, bytes: &mut [u8]) {
    let page = *dice.of(&[512, 4_096]);
    for _ in 0..dice.between(1, 8) {
        let from = a_place(dice, bytes) / page * page;
        let to = bytes.len().min(from + page);
        bytes[from..to].fill(0);
    }
}

fn swap(dice: &mut Dice, bytes: &mut [u8]) {
    for _ in 0..dice.between(1, 4) {
        let length = *dice.of(&[16, 512, 4_096]);
        let length = length.min(bytes.len() / 2);
        let (one, other) = (a_place(dice, bytes), a_place(dice, bytes));
        let (one, other) = (one.min(other), one.max(other));
        let length = length.min(other - one).min(bytes.len() - other);
        let (left, right) = bytes.split_at_mut(other);
        left[one..one + length].swap_with_slice(&mut right[..length]);
    }
}

pub(crate) fn take_ranges(dice: &mut Dice, bytes: &mut [u8], from: &[u8]) {
    for _ in 0..dice.between(1, 8) {
        let length = *dice.of(&[64, 512, 4_096, 65_536]);
        let at = a_place(dice, bytes) / 512 * 512;
        let to = (at + length).min(bytes.len()).min(from.len());
        if at < to {
            bytes[at..to].copy_from_slice(&from[at..to]);
        }
    }
}

/// Puts back what changed since an older time: some of the blocks, or all from one of them on.
fn lose_writes(dice: &mut Dice, bytes: &mut [u8], older: &[u8], all_later: bool) {
    let mut was = older.to_vec();
    was.resize(bytes.len(), 0);
    let block = *dice.of(&[512, 4_096]);
    let blocks = bytes.chunks(block).zip(was.chunks(block)).enumerate();
    let changed = blocks.filter(|(_, (now, was))| now != was);
    let changed: Vec<_> = changed.map(|(number, _)| number * block).collect();
    if changed.is_empty() {
        return;
    }
    let first = dice.below(changed.len());
    let one_in = dice.between(1, 8);
    for (number, from) in changed.into_iter().enumerate() {
        let lost = match all_later {
            true => number >= first,
            false => number == first || dice.once_in(one_in),
        };
        if lost {
            let to = bytes.len().min(from + block);
            bytes[from..to].copy_from_slice(&was[from..to]);
        }
    }
}

fn older_files(dice: &mut Dice, times: &Times<'_>) -> Files {
    let mut files = Files::new();
    let paths: std::collections::BTreeSet<_> =
        times.so_far.iter().flat_map(|files| files.keys()).collect();
    for path in paths {
        if let Some(bytes) = dice.of(&times.so_far).get(path) {
            files.insert(path.clone(), bytes.clone());
        }
    }
    files
}

fn with_another(dice: &mut Dice, mut now: Files, path: Option<PathBuf>) -> Files {
    let Some(path) = path else { return now };
    let bytes = match dice.below(3) {
        0 => now[&path].clone(),
        1 => Arc::default(),
        _ => Arc::new((0..1_000).map(|_| dice.throw() as u8).collect()),
    };
    // Beside a file with a name much like its, or where derived state begins.
    let name = match dice.below(3) {
        0 => path.with_extension("0000000000001000"),
        1 => path.with_file_name("another"),
        _ => PathBuf::from("derived").join(path.file_name().unwrap()),
    };
    now.entry(name).or_insert(bytes);
    now
}

/// Each block of each file as it was at one of these times, with the length of one of them.
fn mixed(dice: &mut Dice, times: &[&Files]) -> Files {
    let block = *dice.of(&[512, 4_096, 4_096, 65_536]);
    // From hardly ever to nearly always the newest.
    let newest_of_ten = *dice.of(&[0, 3, 7, 9]);
    let newest = times.len() - 1;
    let pick = |dice: &mut Dice| match dice.below(10) < newest_of_ten {
        true => times[newest],
        false => *dice.of(times),
    };
    let mut files = Files::new();
    let paths: std::collections::BTreeSet<_> =
        times.iter().flat_map(|files| files.keys()).collect();
    for path in paths {
        // Sometimes it is not there yet, or not there any more.
        let Some(shape) = pick(dice).get(path) else {
            continue;
        };
        let mut bytes = vec![0; shape.len()];
        for from in (0..bytes.len()).step_by(block) {
            let to = bytes.len().min(from + block);
            if let Some(source) = pick(dice).get(path)
                && from < source.len()
            {
                let end = to.min(source.len());
                bytes[from..end].copy_from_slice(&source[from..end]);
            }
        }
        files.insert(path.clone(), Arc::new(bytes));
    }
    files
}
