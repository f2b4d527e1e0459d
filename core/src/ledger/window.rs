//! Remembers the ids of recent commands, so that a command that is sent twice is carried out once.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::ids::CommandId;

/// For each of the last half to one million commands: its id, and its place among all commands,
/// from 0. Older commands are forgotten. If one of them is sent again, it counts as a new command.
#[derive(Default)]
pub(super) struct Window {
    recent: ById,
    older: ById,
}

/// Clients choose the ids, so the seed of the hash is another one for each map.
type ById = HashMap<CommandId, u64, RandomState>;

impl Window {
    /// How many of the last commands are certain to be remembered.
    pub(super) const LENGTH: u64 = 524_288;

    pub(super) fn get(&self, id: &CommandId) -> Option<u64> {
        self.recent.get(id).or_else(|| self.older.get(id)).copied()
    }

    /// Notes the place of a command. If the id is noted already, the first place stays. An earlier
    /// version of this program could carry a command out twice, and the first receipt is the one
    /// that was promised.
    pub(super) fn insert(&mut self, id: CommandId, ordinal: u64) {
        if self.older.contains_key(&id) {
            return;
        }
        let is_full = self.recent.len() as u64 >= Self::LENGTH;
        if is_full && !self.recent.contains_key(&id) {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.entry(id).or_insert(ordinal);
    }

    /// Takes back the ids of a batch that is not carried out.
    pub(super) fn remove(&mut self, id: &CommandId) {
        self.recent.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_million_commands_are_remembered_and_memory_stays_bounded() {
        let id = |n: u64| {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&n.to_be_bytes());
            CommandId::from_bytes(bytes)
        };
        let mut window = Window::default();
        let total = Window::LENGTH * 3;
        for n in 0..total {
            window.insert(id(n), n);
        }
        for n in total - Window::LENGTH..total {
            assert_eq!(window.get(&id(n)), Some(n));
        }
        assert!(window.recent.len() + window.older.len() <= 2 * Window::LENGTH as usize);
    }
}
