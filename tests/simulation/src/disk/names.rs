//! The names of a folder: those that a program sees, those on stable storage, and what lies between.

use std::collections::BTreeMap;

use super::Cut;
use crate::dice::Dice;

/// The names, each with the number of its file.
pub(crate) type Names = BTreeMap<String, usize>;

/// A folder.
#[derive(Debug, Clone, Default)]
pub(crate) struct Folder {
    pub(crate) names: Names,
    stored: Names,
    pending: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Made(String, usize),
    Renamed(String, String, usize),
    Removed(String),
}

impl Change {
    fn apply(&self, to: &mut Names) {
        match self {
            Self::Made(name, file) => drop(to.insert(name.clone(), *file)),
            Self::Renamed(from, into, file) => {
                to.remove(from);
                to.insert(into.clone(), *file);
            }
            Self::Removed(name) => drop(to.remove(name)),
        }
    }

    fn is_rename(&self) -> bool {
        matches!(self, Self::Renamed(..))
    }
}

impl Folder {
    pub(crate) fn make(&mut self, name: &str, file: usize) {
        self.change(Change::Made(name.to_owned(), file));
    }

    pub(crate) fn rename(&mut self, from: &str, into: &str, file: usize) {
        self.change(Change::Renamed(from.to_owned(), into.to_owned(), file));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.change(Change::Removed(name.to_owned()));
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.names);
        self.pending.push(change);
    }

    pub(crate) fn sync(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            change.apply(&mut self.stored);
        }
    }

    /// A sync that comes before the last rename.
    pub(crate) fn sync_but_last_rename(&mut self) {
        let last = self.pending.iter().rposition(Change::is_rename);
        let kept = last.map(|last| self.pending.remove(last));
        self.sync();
        self.pending.extend(kept);
    }

    /// The power is cut. Each change is one step of the file system: any of them may be there.
    pub(crate) fn cut(&mut self, how: Cut, dice: &mut Dice) {
        let pending = std::mem::take(&mut self.pending);
        let first = dice.below(pending.len() as u64 + 1) as usize;
        for (nth, change) in pending.iter().enumerate() {
            let is_kept = match how {
                Cut::LosesAll => false,
                Cut::KeepsAll => true,
                Cut::Order => nth < first,
                Cut::Sectors => dice.once_in(2),
            };
            if is_kept {
                change.apply(&mut self.stored);
            }
        }
        self.names.clone_from(&self.stored);
    }
}
