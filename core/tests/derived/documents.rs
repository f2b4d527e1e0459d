//! Derived state whose files are sound, and that says something else: documents that are older than
//! others, come from later, or are missing. What a file system and a store that lose a part of what
//! they were given can leave at worst, and each document is genuine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::derived::files::Files;
use crate::derived::place::ClockedDir;
use planledger_fixtures::dice::Dice;

/// Everything in a store, by tree and key.
type Content = BTreeMap<(Vec<u8>, Vec<u8>), Vec<u8>>;

/// The content of every store that is found in derived state, by its folder.
pub(crate) type Stores = BTreeMap<PathBuf, Content>;

/// What becomes of the documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Documents {
    /// Any of them, each from any time before.
    Mixed,
    /// Any of them, as at one earlier time.
    SomeOlder,
    /// All but one.
    AllOlderButOne,
    /// Those whose keys begin alike.
    SortOlder,
    SomeMissing,
    SortMissing,
    OneMissing,
    /// Some from a later time.
    SomeNewer,
    /// All but what changed between two times a moment ago: a write that was applied in part.
    HalfWritten,
}

impl Documents {
    pub(crate) const ALL: [Self; 9] = [
        Self::Mixed,
        Self::SomeOlder,
        Self::AllOlderButOne,
        Self::SortOlder,
        Self::SomeMissing,
        Self::SortMissing,
        Self::OneMissing,
        Self::SomeNewer,
        Self::HalfWritten,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Mixed => "docs: of several times",
            Self::SomeOlder => "docs: some older",
            Self::AllOlderButOne => "docs: all older but one",
            Self::SortOlder => "docs: a sort older",
            Self::SomeMissing => "docs: some missing",
            Self::SortMissing => "docs: a sort missing",
            Self::OneMissing => "docs: one missing",
            Self::SomeNewer => "docs: some newer",
            Self::HalfWritten => "docs: half written",
        }
    }

    /// Rewrites the stores of an open place; `times` are those up to now, `later` those after.
    pub(crate) fn apply(
        self,
        dice: &mut Dice,
        place: &ClockedDir,
        times: &[&Stores],
        later: &[&Stores],
    ) {
        let now = times[times.len() - 1];
        let other = match self {
            Self::SomeNewer if !later.is_empty() => *dice.of(later),
            Self::HalfWritten => times[times.len().saturating_sub(dice.between(2, 4))],
            _ => *dice.of(times),
        };
        for (folder, content) in now {
            let nothing = Content::new();
            let other = other.get(folder).unwrap_or(&nothing);
            let wanted = self.content(dice, content, other, |dice| {
                (*dice.of(times))
                    .get(folder)
                    .unwrap_or(&Content::new())
                    .clone()
            });
            replace(&place.path().join(folder), &wanted);
        }
    }

    fn content(
        self,
        dice: &mut Dice,
        now: &Content,
        other: &Content,
        any: impl Fn(&mut Dice) -> Content,
    ) -> Content {
        let names: Vec<_> = now.keys().chain(other.keys()).cloned().collect();
        let one = dice.of(&names).clone();
        let one_in = dice.between(2, 8);
        let mut mixed = None;
        let mut wanted = Content::new();
        for name in &names {
            let alike = name.0 == one.0 && name.1.first() == one.1.first();
            let from_other = match self {
                Self::Mixed => {
                    if mixed.is_none() || dice.once_in(8) {
                        mixed = Some(any(dice));
                    }
                    let found = mixed.as_ref().and_then(|mixed| mixed.get(name)).cloned();
                    wanted.extend(found.map(|value| (name.clone(), value)));
                    continue;
                }
                Self::SomeOlder | Self::SomeNewer => dice.once_in(one_in),
                Self::HalfWritten => dice.once_in(2),
                Self::AllOlderButOne => *name != one,
                Self::SortOlder => alike,
                Self::SomeMissing | Self::SortMissing | Self::OneMissing => {
                    let missing = match self {
                        Self::OneMissing => *name == one,
                        Self::SortMissing => alike,
                        _ => dice.once_in(one_in),
                    };
                    if !missing && let Some(value) = now.get(name) {
                        wanted.insert(name.clone(), value.clone());
                    }
                    continue;
                }
            };
            let source = if from_other { other } else { now };
            if let Some(value) = source.get(name) {
                wanted.insert(name.clone(), value.clone());
            }
        }
        wanted
    }
}

/// Opens a copy of derived state and reads every store in it. A copy of an open one may not open.
pub(crate) fn read(derived: &Files) -> Stores {
    let place = ClockedDir::with(derived);
    let mut stores = Stores::new();
    for path in derived.keys() {
        let folder = path.parent().unwrap();
        let is_store = path.file_name().is_some_and(|name| name == "conf");
        if !is_store {
            continue;
        }
        // sled asserts on some broken files instead of returning an error.
        let content = std::panic::catch_unwind(|| content(&place.path().join(folder)));
        if let Ok(Some(content)) = content {
            stores.insert(folder.to_owned(), content);
        }
    }
    stores
}

fn open(folder: &Path) -> sled::Db {
    let config = sled::Config::new().path(folder).flush_every_ms(None);
    config.open().unwrap()
}

fn content(folder: &Path) -> Option<Content> {
    let store = sled::Config::new()
        .path(folder)
        .flush_every_ms(None)
        .open()
        .ok()?;
    let mut content = Content::new();
    for name in store.tree_names() {
        for item in &store.open_tree(&name).ok()? {
            let (key, value) = item.ok()?;
            content.insert((name.to_vec(), key.to_vec()), value.to_vec());
        }
    }
    Some(content)
}

/// Makes a store hold this and nothing else.
fn replace(folder: &Path, wanted: &Content) {
    let store = open(folder);
    for name in store.tree_names() {
        let tree = store.open_tree(&name).unwrap();
        for key in tree.iter().keys() {
            let key = key.unwrap();
            if !wanted.contains_key(&(name.to_vec(), key.to_vec())) {
                tree.remove(key).unwrap();
            }
        }
    }
    for ((tree, key), value) in wanted {
        let tree = store.open_tree(tree).unwrap();
        if tree.get(key).unwrap().as_deref() != Some(value.as_slice()) {
            tree.insert(key.as_slice(), value.as_slice()).unwrap();
        }
    }
    store.flush().unwrap();
}
