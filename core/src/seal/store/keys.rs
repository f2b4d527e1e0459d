//! The keys of a key store in memory.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::hash::Context;
use crate::ids::KeyId;
use crate::seal::key::ScopeKey;
use crate::seal::scope::KeyScope;

static FIRST_KEYS: Context = Context::new("planledger v1 2026-11-28 first keys");

/// All keys. Others choose the ids of persons and institutions, so the seed of the hash is another
/// one for each map.
#[derive(Default)]
pub(super) struct Keys {
    pub(super) active: HashMap<KeyScope, KeyId, RandomState>,
    pub(super) by_id: HashMap<KeyId, Held, RandomState>,
    /// Ids in the order in which the keys were made.
    pub(super) order: Vec<KeyId>,
}

/// A key in memory.
pub(super) struct Held {
    pub(super) scope: KeyScope,
    /// `None` if the key was destroyed, because the person was erased.
    pub(super) key: Option<ScopeKey>,
    /// The place of the key among all keys, from 1.
    pub(super) slot: u64,
}

impl Keys {
    /// Takes in a key, which is the active one of its scope from now on.
    pub(super) fn hold(&mut self, scope: KeyScope, key: ScopeKey) {
        self.hold_or_not(scope, key.id, Some(key));
    }

    /// Takes in a key or, if it is `None`, only that there was one.
    pub(super) fn hold_or_not(&mut self, scope: KeyScope, id: KeyId, key: Option<ScopeKey>) {
        self.active.insert(scope, id);
        self.order.push(id);
        let slot = self.order.len() as u64;
        self.by_id.insert(id, Held { scope, key, slot });
    }

    /// Forgets a key, but not that there was one.
    pub(super) fn forget(&mut self, id: KeyId) {
        if let Some(held) = self.by_id.get_mut(&id) {
            held.key = None;
        }
    }

    /// Takes out the last keys that were taken in.
    pub(super) fn forget_last(&mut self, count: usize) {
        for _ in 0..count {
            let Some(held) = self.order.pop().and_then(|id| self.by_id.remove(&id)) else {
                return;
            };
            self.active.remove(&held.scope);
        }
    }

    /// The first `slots` keys that were made, or all keys if there are fewer.
    pub(super) fn first(&self, slots: u64) -> KeyCount {
        let count = usize::try_from(slots).unwrap_or(usize::MAX);
        let (ids, _) = self.order.split_at(count.min(self.order.len()));
        let mut hasher = FIRST_KEYS.hasher();
        for id in ids {
            hasher.update(id.as_bytes());
        }
        let hash = hasher.finalize();
        KeyCount {
            slots: ids.len() as u64,
            digest: match ids {
                [] => [0; 16],
                _ => crate::hash::first(hash.as_bytes()),
            },
        }
    }
}

/// How many keys, counted from the first that was made, and which these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct KeyCount {
    /// How many keys.
    pub slots: u64,
    /// First half of the hash of their ids, in the order in which they were made; zeros for no
    /// keys.
    pub digest: [u8; 16],
}
