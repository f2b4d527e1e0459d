//! Remembers the ids of recent commands, so that a command that is sent twice is carried out once.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::ids::CommandId;
use crate::journal::MAX_COMMANDS;

/// For each of the last half to one million commands: its id, and its place among all commands,
/// from 0. Older commands are forgotten. If one of them is sent again, it counts as a new command.
pub(super) struct Window {
    recent: Half,
    older: Half,
    /// How many ids are so many that the older ones are forgotten.
    length: u64,
}

/// The ids of commands in the order of their places, and a table that finds them: half of the memory that a map
/// from ids to places takes.
#[derive(Default)]
struct Half {
    /// The place of the first of `ids`.
    first: u64,
    ids: Vec<CommandId>,
    /// Where in `ids` each id is. An id that was noted before, or is taken back, is in `ids` only.
    table: HashTable<u32>,
    /// Clients choose the ids, so the seed of the hash is another one for each table.
    hasher: RandomState,
}

impl Half {
    fn get(&self, id: &CommandId) -> Option<u64> {
        let hash = self.hasher.hash_one(id);
        let at = self
            .table
            .find(hash, |at| self.ids.get(*at as usize) == Some(id))?;
        Some(self.first + u64::from(*at))
    }

    /// Notes an id that is not noted yet. Places come in order; those of ids that were taken back come again.
    fn insert(&mut self, id: CommandId, ordinal: u64) {
        if self.table.is_empty() {
            self.ids.clear();
            self.first = ordinal;
        }
        let at = ordinal.saturating_sub(self.first) as usize;
        self.ids.resize(at, id);
        self.ids.push(id);
        let Self {
            ids, table, hasher, ..
        } = self;
        let hash = |at: &u32| hasher.hash_one(ids.get(*at as usize).unwrap_or(&id));
        table.insert_unique(hasher.hash_one(id), at as u32, hash);
    }

    fn remove(&mut self, id: &CommandId) {
        let hash = self.hasher.hash_one(id);
        let is_it = |at: &u32| self.ids.get(*at as usize) == Some(id);
        if let Ok(found) = self.table.find_entry(hash, is_it) {
            found.remove();
        }
    }

    /// Makes room, so that nothing has to be moved while so many ids are noted.
    fn reserve(&mut self, count: usize) {
        let Self {
            ids, table, hasher, ..
        } = self;
        ids.reserve(count);
        let nil = CommandId::from_bytes([0; 16]);
        table.reserve(count, |at| {
            hasher.hash_one(ids.get(*at as usize).unwrap_or(&nil))
        });
    }
}

impl Window {
    /// How many of the last commands are certain to be remembered.
    pub(super) const LENGTH: u64 = 524_288;
    /// How many are remembered at most: a half is forgotten between batches only, so each may have a batch more.
    pub(super) const MOST: u64 = 2 * (Self::LENGTH + MAX_COMMANDS as u64);

    /// An empty window with room for so many commands.
    pub(super) fn with_room(count: u64) -> Self {
        let mut window = Self::of(Self::LENGTH);
        let mut left = count;
        for half in [&mut window.recent, &mut window.older] {
            let all = left.min(Self::LENGTH) as usize;
            // The last batch of a half may be more than it would hold.
            half.reserve(all + all.min(MAX_COMMANDS));
            left = left.saturating_sub(Self::LENGTH);
        }
        window
    }

    fn of(length: u64) -> Self {
        Self {
            recent: Half::default(),
            older: Half::default(),
            length,
        }
    }

    pub(super) fn get(&self, id: &CommandId) -> Option<u64> {
        self.recent.get(id).or_else(|| self.older.get(id))
    }

    /// Notes the place of a command. If the id is noted already, the first place stays. An earlier
    /// version of this program could carry a command out twice, and the first receipt is the one
    /// that was promised.
    pub(super) fn insert(&mut self, id: CommandId, ordinal: u64) {
        if self.get(&id).is_some() {
            return;
        }
        self.recent.insert(id, ordinal);
    }

    /// Forgets the oldest commands if there are enough newer ones. Between batches only: a batch that is taken back must
    /// leave everything as it was, and its ids are looked for among the recent ones.
    pub(super) fn forget(&mut self) {
        if self.recent.table.len() as u64 >= self.length {
            // The memory of what is forgotten is used again.
            std::mem::swap(&mut self.older, &mut self.recent);
            self.recent.table.clear();
        }
    }

    /// Takes back the id of a batch that is not carried out.
    pub(super) fn remove(&mut self, id: &CommandId) {
        self.recent.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::{any, prop, prop_assert_eq, proptest};

    use super::*;

    fn id(n: u64) -> CommandId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&n.to_be_bytes());
        CommandId::from_bytes(bytes)
    }

    #[test]
    fn half_a_million_commands_are_remembered_and_memory_stays_bounded() {
        let total = Window::LENGTH * 3;
        let mut window = Window::with_room(2 * Window::LENGTH);
        let room = |window: &Window| {
            let halves = [&window.recent, &window.older];
            let mut room = halves.map(|half| half.ids.capacity() + half.table.capacity());
            room.sort_unstable();
            room
        };
        let reserved = room(&window);
        for n in 0..total {
            window.insert(id(n), n);
            window.forget();
        }
        for n in total - Window::LENGTH..total {
            assert_eq!(window.get(&id(n)), Some(n));
        }
        assert!(
            window.recent.table.len() + window.older.table.len() <= 2 * Window::LENGTH as usize
        );
        assert_eq!(room(&window), reserved, "nothing grew");
    }

    proptest! {
        /// Batches of commands, some of which are taken back, some with ids that were used before.
        #[test]
        fn what_is_carried_out_is_remembered_and_what_is_taken_back_is_not(
            batches in prop::collection::vec((prop::collection::vec(0_u64..40, 1..6), any::<bool>()), 0..30),
        ) {
            const LENGTH: u64 = 8;
            let mut window = Window::of(LENGTH);
            let mut first: HashMap<u64, u64> = HashMap::new();
            let mut order: Vec<u64> = Vec::new();
            let mut ordinal = 0;
            for (ids, kept) in batches {
                let begun = ordinal;
                let mut new = Vec::new();
                for n in ids {
                    // As the writer does: what is known already is not carried out.
                    if window.get(&id(n)).is_some() {
                        continue;
                    }
                    window.insert(id(n), ordinal);
                    new.push((n, ordinal));
                    ordinal += 1;
                }
                match kept {
                    true => {
                        for (n, at) in new {
                            first.insert(n, at);
                            order.push(n);
                        }
                        window.forget();
                    }
                    false => {
                        for (n, _) in &new {
                            window.remove(&id(*n));
                        }
                        for (n, _) in &new {
                            prop_assert_eq!(window.get(&id(*n)), None);
                        }
                        ordinal = begun;
                    }
                }
                for n in order.iter().rev().take(LENGTH as usize) {
                    prop_assert_eq!(window.get(&id(*n)), first.get(n).copied());
                }
            }
        }
    }
}
